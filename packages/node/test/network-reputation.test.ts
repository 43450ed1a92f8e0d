/** What an offence costs, and for how long. */
import { expect, it } from 'vitest'
import { Reputation } from '../src/network/reputation.ts'
import { PeerError, type Transport } from '../src/network/transport.ts'
import { memoryLog } from './support/http-node.ts'

function reputation() {
  const clock = { now: 0 }
  const bans: number[] = []
  const transport = { disconnect: async () => void bans.push(clock.now) } as unknown as Transport
  const time = { now: () => clock.now, sleep: async () => undefined }
  const books = new Reputation({ transport, time, log: memoryLog().log })
  const offend = (fault: PeerError['fault']) => books.offend('peer', new PeerError(fault, ''), 'conversation')
  return { clock, bans, offend }
}

it('five stalls are too many, and after the ban they are paid for', async () => {
  const { clock, bans, offend } = reputation()
  for (let i = 0; i < 5; i++) await offend('stalled')
  expect(bans).toEqual([0])
  await offend('stalled')
  clock.now = 10 * 60_000
  for (let i = 0; i < 4; i++) await offend('stalled')
  expect(bans).toEqual([0])
  await offend('stalled')
  expect(bans).toEqual([0, clock.now])
})

it('who was out of reach has done nothing', async () => {
  const { bans, offend } = reputation()
  for (let i = 0; i < 100; i++) await offend('gone')
  expect(bans).toEqual([])
})
