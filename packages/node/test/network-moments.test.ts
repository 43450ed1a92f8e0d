/** The network above its transport, where one thing ends at the moment at which another begins. */
import { canonicalJson, type JsonObject } from '@bc/core'
import { expect, it, vi } from 'vitest'
import { encodeStatus, topicName } from '../src/network/messages.ts'
import { Neighbours } from '../src/network/neighbours.ts'
import { Network } from '../src/network/network.ts'
import type { PeerListener, Transport } from '../src/network/transport.ts'
import { memoryLog, signed } from './support/http-node.ts'
import { openParts, type Parts } from './support/http-parts.ts'

type Judge = Parameters<Transport['subscribe']>[1]

/** A network whose peers have no more work than it has, and whose time stands still. */
function networkOver({ chain, store, admission }: Parts, onAsked: (peer: string) => void = () => undefined) {
  const judges = new Map<string, Judge>()
  const failures: unknown[] = []
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
    subscribe: (topic, judge) => judges.set(topic, judge),
    publish: async () => undefined,
    disconnect: async () => undefined,
    close: async () => undefined,
  }
  const network = new Network({
    ...{ chain, store, admission, transport },
    time: { now: () => 0, sleep: () => new Promise(() => {}) },
    log: memoryLog().log,
    onFailure: (error) => failures.push(error),
  })
  network.start()
  const gossip = (topic: 'blocks' | 'transactions', message: object) => {
    const judge = judges.get(topicName(chain.id, topic)) as Judge
    return judge('peer', Buffer.from(canonicalJson(message as JsonObject)))
  }
  return { network, failures, gossip, joined: (peer: string) => listener?.joined(peer) }
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

it('its end waits for what is being judged, which needs the store', async () => {
  const parts = await openParts()
  const { network, gossip, failures } = networkOver(parts)
  const { chain, store, admission } = parts
  const check = admission.check.bind(admission)
  let judging = () => {}
  const begun = new Promise<void>((resolve) => {
    judging = resolve
  })
  vi.spyOn(admission, 'check').mockImplementationOnce(async (submissions) => {
    judging()
    await new Promise((resolve) => setTimeout(resolve, 50))
    return check(submissions)
  })
  const verdict = gossip('transactions', signed(chain.id))
  await begun
  await network.close()
  await store.close()
  expect(await verdict).toBe('accept')
  expect(failures).toEqual([])
})

it('who waits for a neighbour, or for all of them, hears of the end of the node at once', async () => {
  const { chain } = await openParts()
  const endless = () => new Promise<never>(() => {})
  const network = { dial: endless, resolve: endless, isConnected: () => false }
  const neighbours = new Neighbours({ chain, network, log: memoryLog().log, file: undefined })
  const waiting = [neighbours.resolve(), neighbours.register(['/ip4/127.0.0.1/tcp/1/p2p/somebody'])]
  await neighbours.close()
  for (const one of waiting) await expect(one).rejects.toMatchObject({ code: 'node.stopping' })
})
