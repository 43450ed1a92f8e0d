/** Lines that are slow, or cut, between peers that mean well; and a peer that doesn't. Over real sockets. */
import { connect as connectSocket, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Hash } from '@bc/core'
import { afterEach, describe, expect, test } from 'vitest'
import { Libp2pTransport } from '../src/network/libp2p/libp2p-transport.ts'
import { protocolName } from '../src/network/messages.ts'
import type { PeerId } from '../src/network/transport.ts'
import { memoryLog } from './support/http-node.ts'

const CHAIN = 'd'.repeat(64) as Hash
const STALL_MS = 2_000

const open: (() => unknown)[] = []
afterEach(() => Promise.all(open.splice(0).map((close) => close())))

async function node(): Promise<Libp2pTransport> {
  const options = { chain: CHAIN, seed: crypto.getRandomValues(new Uint8Array(32)), host: '127.0.0.1', port: 0 }
  const log = memoryLog().log
  const transport = await Libp2pTransport.create({ ...options, discovery: false, maxMessageBytes: 100_000, log })
  open.push(() => transport.close())
  transport.serve(protocolName(CHAIN, 'status'), async function* () {
    yield Buffer.from('status')
  })
  await transport.open()
  return transport
}

/** What lies between two nodes. */
class Line {
  /** Bytes that pass in a millisecond, to the one who has dialled. */
  rate = Number.POSITIVE_INFINITY
  /** Milliseconds from one end to the other. */
  length = 0
  private readonly sockets = new Set<Socket>()

  /** @returns the address of its near end */
  async to(address: string): Promise<string> {
    const port = Number(/tcp\/(\d+)/.exec(address)?.[1])
    const server = createServer((near) => {
      const far = connectSocket(port, '127.0.0.1')
      for (const socket of [near, far]) this.sockets.add(socket.on('error', () => undefined))
      near.on('data', (data) => void (this.rate > 0 && this.carry(data, far)))
      this.pass(far, near).catch(() => undefined)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    open.push(() => {
      for (const socket of this.sockets) socket.destroy()
      server.close()
    })
    return address.replace(`/tcp/${port}/`, `/tcp/${(server.address() as { port: number }).port}/`)
  }

  private carry(data: Uint8Array, to: Socket): void {
    if (this.length === 0) to.write(data)
    else setTimeout(() => to.write(data), this.length)
  }

  private async pass(from: Socket, to: Socket): Promise<void> {
    for await (const data of from) {
      for (let at = 0; at < data.length; at += 4_000) {
        while (this.rate === 0 && !to.destroyed) await delay(20)
        this.carry(data.subarray(at, at + 4_000), to)
        if (this.rate < 1_000) await delay(4_000 / this.rate)
      }
    }
  }
}

async function pair(length = 0): Promise<{ near: Libp2pTransport; far: Libp2pTransport; line: Line; peer: PeerId }> {
  const [near, far, line] = [await node(), await node(), new Line()]
  line.length = length
  const peer = await near.dial(await line.to(far.addresses()[0] as string))
  return { near, far, line, peer }
}

async function ask(from: Libp2pTransport, peer: PeerId, name: 'status' | 'blocks' | 'pool'): Promise<number> {
  const { signal } = new AbortController()
  const options = { maxFrameBytes: 1_000_000, frames: 1, stallMs: STALL_MS, signal }
  for await (const frame of from.request(peer, protocolName(CHAIN, name), new Uint8Array(), options))
    return frame.length
  return 0
}

test('what takes longer than a stall, and what stands behind it, arrives while bytes do', async () => {
  const { near, far, line, peer } = await pair()
  far.serve(protocolName(CHAIN, 'blocks'), async function* () {
    yield Buffer.alloc(600_000)
  })
  line.rate = 100
  const answers = [ask(near, peer, 'blocks'), delay(200).then(() => ask(near, peer, 'status'))]
  expect(await Promise.all(answers)).toEqual([600_000, 6])
}, 40_000)

test('a peer that is a second and more away is met', async () => {
  const { near, peer } = await pair(600)
  expect(near.peers()).toEqual([peer])
}, 40_000)

describe('who sends nothing', () => {
  test('while he lives, has stalled', async () => {
    const { near, far, peer } = await pair()
    far.serve(protocolName(CHAIN, 'pool'), async function* () {
      await delay(60_000, undefined, { ref: false })
      yield Buffer.from('')
    })
    await expect(ask(near, peer, 'pool')).rejects.toMatchObject({ fault: 'stalled' })
  })

  test('behind a line that is cut, is gone', async () => {
    const { near, line, peer } = await pair()
    line.rate = 0
    await expect(ask(near, peer, 'status')).rejects.toMatchObject({ fault: 'gone' })
  })
})
