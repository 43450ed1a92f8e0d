/** The network above its transport, where one thing ends at the moment at which another begins. */
import { expect, it } from 'vitest'
import { encodeStatus } from '../src/network/messages.ts'
import { Network } from '../src/network/network.ts'
import type { PeerListener, Transport } from '../src/network/transport.ts'
import { memoryLog } from './support/http-node.ts'
import { openParts, type Parts } from './support/http-parts.ts'

/** A network whose peers have no more work than it has, and whose time stands still. */
function networkOver({ chain, store, admission }: Parts, onAsked: (peer: string) => void = () => undefined) {
  let listener: PeerListener | undefined
  const transport: Transport = {
    self: 'us',
    peers: () => [],
    listen: (given) => {
      listener = given
    },
    async *request(peer) {
      onAsked(peer)
      yield encodeStatus({ height: chain.head.index, tip: chain.head.hash, work: chain.head.totalWork })
    },
    serve: () => undefined,
    subscribe: () => undefined,
    publish: async () => undefined,
    disconnect: async () => undefined,
    close: async () => undefined,
  }
  const network = new Network({
    ...{ chain, store, admission, transport },
    time: { now: () => 0, sleep: () => new Promise(() => {}) },
    log: memoryLog().log,
    onFailure: (error) => {
      throw error
    },
  })
  network.start()
  return { network, joined: (peer: string) => listener?.joined(peer) }
}

it('whoever joins as the catching up ends is asked as well', async () => {
  const parts = await openParts()
  for (let steps = 0; steps < 60; steps++) {
    const asked: string[] = []
    const joinLater = async () => {
      for (let i = 0; i < steps; i++) await undefined
      joined('second')
    }
    const { joined, network } = networkOver(parts, (peer) => {
      asked.push(peer)
      if (peer === 'first') void joinLater()
    })
    joined('first')
    await new Promise((resolve) => setImmediate(resolve))
    await network.resolve()
    expect(asked, `after ${steps} steps`).toEqual(['first', 'second'])
  }
})
