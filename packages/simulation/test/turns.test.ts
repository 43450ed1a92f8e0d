/** Who waits for whom while a node catches up: with peers that take their time, under virtual time. */
import { VirtualClock } from '@bc/simulation'
import { expect, test } from 'vitest'
import { encodeStatus } from '../../node/src/network/messages.ts'
import { Network } from '../../node/src/network/network.ts'
import type { PeerListener, Transport } from '../../node/src/network/transport.ts'
import { memoryLog } from '../../node/test/support/http-node.ts'
import { minedOn, openParts, type Parts } from '../../node/test/support/http-parts.ts'

/** A node among peers that have what it has, and take so long to say it. */
function nodeAmong(peers: Readonly<Record<string, number>>, { chain, store, admission }: Parts, clock: VirtualClock) {
  const failures: unknown[] = []
  let listener: PeerListener | undefined
  const transport: Transport = {
    self: 'us',
    peers: () => Object.keys(peers),
    listen: (given) => {
      listener = given
    },
    async *request(peer) {
      await clock.sleep(peers[peer] as number)
      yield encodeStatus({ height: chain.head.index, tip: chain.head.hash, work: chain.head.totalWork })
    },
    serve: () => undefined,
    subscribe: () => undefined,
    publish: async () => undefined,
    disconnect: async () => undefined,
    close: async () => undefined,
  }
  const log = memoryLog().log
  const onFailure = (error: unknown) => failures.push(error)
  const network = new Network({ ...{ chain, store, admission, transport, log, onFailure }, time: clock })
  network.start()
  return { network, failures, reasonToAsk: (peer: string) => listener?.joined(peer) }
}

test('a peer that always gives a reason to ask it again keeps nobody waiting who wants us to catch up now', async () => {
  const clock = new VirtualClock()
  const { network, reasonToAsk, failures } = nodeAmong({ slow: 6_000, quick: 10 }, await openParts(), clock)
  const nag = () => {
    reasonToAsk('slow')
    clock.after(2_000, nag)
    return true
  }
  nag()
  const asked = clock.now()
  await clock.runUntil(Promise.race([network.resolve(), clock.sleep(120_000)]))
  // What it is asked already, and once more.
  expect(clock.now() - asked).toBe(12_000)
  expect(failures).toEqual([])
})

test('nor does one that stalls for longer than anybody waits', async () => {
  const clock = new VirtualClock()
  const { network } = nodeAmong({ slow: 60_000, quick: 10 }, await openParts(), clock)
  const asked = clock.now()
  await clock.runUntil(Promise.race([network.resolve(), clock.sleep(120_000)]))
  expect(clock.now() - asked).toBe(30_000)
})

test('what we find ourselves meanwhile is nothing that we caught up with', async () => {
  const clock = new VirtualClock()
  const parts = await openParts()
  const { network } = nodeAmong({ slow: 6_000 }, parts, clock)
  clock.after(3_000, () => {
    void parts.chain.import(minedOn(parts, parts.chain.head).parsed)
    return true
  })
  expect(await clock.runUntil(network.resolve())).toBe(false)
  expect(parts.chain.head.index).toBe(2)
})

test('the end of the node waits for no peer’s next round', async () => {
  const clock = new VirtualClock()
  const { network, reasonToAsk, failures } = nodeAmong({ slow: 6_000 }, await openParts(), clock)
  for (let i = 0; i < 3; i++) reasonToAsk('slow')
  const resolved = network.resolve()
  await clock.runUntil(Promise.race([Promise.all([network.close(), resolved]), clock.sleep(120_000)]))
  expect(clock.now()).toBe(6_000)
  expect(failures).toEqual([])
})
