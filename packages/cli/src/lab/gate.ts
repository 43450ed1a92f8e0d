/**
 * Loaded into a node of the lab before the node itself, which is none the wiser.
 *
 * Nodes tell each other where they listen, so a node that is cut off might dial around the cut: on one machine every
 * port is within reach. Here a node has no other cables than the lab's wires. All else is as a network that is down
 * would have it: refused.
 */
import { Socket } from 'node:net'

const ports = new Set((process.env.BC_LAB_WIRES ?? '').split(',').map(Number))
const connect = Socket.prototype.connect

Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
  if (ports.has(portIn(args))) return connect.apply(this, args as unknown as Parameters<typeof connect>)
  const refused = Object.assign(new Error('connect ECONNREFUSED: no wire of the lab leads there'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  })
  process.nextTick(() => this.destroy(refused))
  return this
} as typeof connect

/** `net.connect` hands its arguments on as a list within the list. */
function portIn([first, ...more]: readonly unknown[]): number {
  if (Array.isArray(first)) return portIn([...first, ...more])
  if (typeof first === 'object' && first !== null && 'port' in first) return Number(first.port)
  return Number(first)
}

// However the lab ends, even by SIGKILL, its nodes end with it: nobody else would ever stop them.
if (process.channel) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  process.channel.unref()
}
