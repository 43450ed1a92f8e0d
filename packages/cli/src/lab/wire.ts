/**
 * The cables between nodes. Each is a small TCP proxy, so it can be cut under the feet of two nodes that know nothing of
 * it, and mended:
 *
 *     node i ── dials ──▶ wire's port ──▶ node j's port for other nodes
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

const HERE = '127.0.0.1'

export class Wire {
  /** Where node i dials. */
  readonly port: number
  private readonly server: Server
  private readonly sockets = new Set<Socket>()
  /** Where node j listens; undefined while it is down. */
  private target: number | undefined
  private whole = true

  private constructor(server: Server) {
    this.server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (socket) => this.carry(socket))
  }

  static async lay(): Promise<Wire> {
    const server = createServer().listen(0, HERE)
    await once(server, 'listening')
    return new Wire(server)
  }

  leadTo(port: number | undefined): void {
    this.target = port
  }

  cut(): void {
    this.whole = false
    for (const socket of this.sockets) socket.destroy()
  }

  mend(): void {
    this.whole = true
  }

  remove(): void {
    this.server.close()
    this.cut()
  }

  private carry(socket: Socket): void {
    if (!this.whole || this.target === undefined) return void socket.destroy()
    const other = connect(this.target, HERE)
    this.hold(socket, other)
    this.hold(other, socket)
    socket.pipe(other).pipe(socket)
  }

  /** What ends one half, and be it a node's death, ends the other. */
  private hold(socket: Socket, other: Socket): void {
    this.sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => other.destroy())
    socket.on('close', () => {
      this.sockets.delete(socket)
      other.destroy()
    })
  }
}

/** A wire between every two of the nodes; the one with the lower number dials. */
export class Wiring {
  private readonly wires: ReadonlyMap<string, Wire>

  private constructor(wires: ReadonlyMap<string, Wire>) {
    this.wires = wires
  }

  /** @param nodes how many; they are numbered from 1 */
  static async lay(nodes: number): Promise<Wiring> {
    const wires = new Map<string, Wire>()
    for (let to = 2; to <= nodes; to++)
      for (let from = 1; from < to; from++) wires.set(`${from} ${to}`, await Wire.lay())
    return new Wiring(wires)
  }

  between(a: number, b: number): Wire {
    return this.wires.get(a < b ? `${a} ${b}` : `${b} ${a}`) as Wire
  }

  /** The only ports that this node may dial. */
  portsOf(node: number, nodes: number): number[] {
    return Array.from({ length: nodes - node }, (_, i) => this.between(node, node + 1 + i).port)
  }

  remove(): void {
    for (const wire of this.wires.values()) wire.remove()
  }
}
