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
  const offend = (fault: PeerError['fault'], peer = 'peer') =>
    books.offend(peer, new PeerError(fault, ''), 'conversation')
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

it('three times to have spoken of what one hasn’t got is too often; what is half an hour ago is forgotten', async () => {
  const { clock, bans, offend } = reputation()
  for (let i = 0; i < 3; i++) await offend('withheld')
  expect(bans).toEqual([0])
  for (const minutes of [0, 30]) {
    clock.now = minutes * 60_000
    for (let i = 0; i < 2; i++) await offend('withheld', 'another')
  }
  expect(bans).toEqual([0])
})

it.each([
  [999, 1],
  [1_000, 0],
])('what one has done is remembered beside 999 others, not beside 1,000: %i', async (others, expected) => {
  const { bans, offend } = reputation()
  for (let i = 0; i < 2; i++) await offend('withheld')
  for (let i = 0; i < others; i++) await offend('withheld', `another ${i}`)
  await offend('withheld')
  expect(bans).toHaveLength(expected)
})

it('who was out of reach has done nothing', async () => {
  const { bans, offend } = reputation()
  for (let i = 0; i < 100; i++) await offend('gone')
  expect(bans).toEqual([])
})
