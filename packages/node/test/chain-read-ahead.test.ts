/** Blocks that are read while those before them are imported: how many, how much, in which order. */
import { expect, test } from 'vitest'
import { readAhead } from '../src/chain/read-ahead.ts'
import { all } from './support/ledger-node.ts'

const byteLength = ({ length }: string) => length

/** Reads what it is given when told to, in any order. */
function reader() {
  const parts: (readonly string[])[] = []
  const settle: (() => void)[] = []
  const read = (part: readonly string[]) =>
    new Promise<string[]>((resolve) => {
      parts.push(part)
      settle.push(() => resolve(part.map((text) => text.toUpperCase())))
    })
  return { parts, settle, read }
}

const texts = (count: number, text = 'a') => Array.from({ length: count }, (_, i) => `${text}${i}`)

test('comes in its order, whichever part was read first', async () => {
  const { parts, settle, read } = reader()
  const found = all(readAhead(texts(250), byteLength, read))
  await new Promise((resolve) => setImmediate(resolve))
  expect(parts.map(({ length }) => length)).toEqual([100, 100, 50])
  for (const one of settle.toReversed()) one()
  expect((await found).flat()).toEqual(texts(250, 'A'))
})

test('is not too much at once: a hundred blocks of a part, or half a megabyte, or one', async () => {
  const lengths = async (items: readonly string[]) => {
    const parts = await all(readAhead(items, byteLength, async (part) => part))
    return parts.map(({ length }) => length)
  }
  const large = 'x'.repeat(200_000)
  expect(await lengths([large, large, large, large, large])).toEqual([2, 2, 1])
  expect(await lengths([large.repeat(4), 'a', large.repeat(4)])).toEqual([1, 1, 1])
  expect(await lengths(texts(201))).toEqual([100, 100, 1])
  expect(await lengths([])).toEqual([])
})

test('is eight parts at the most, and no more once nobody takes them', async () => {
  const { parts, settle, read } = reader()
  let taken = 0
  const items = function* () {
    for (const text of texts(3_000)) {
      taken++
      yield text
    }
  }
  const reading = readAhead(items(), byteLength, read)
  const first = reading.next()
  await new Promise((resolve) => setImmediate(resolve))
  expect(parts).toHaveLength(8)
  expect(taken).toBeLessThanOrEqual(900)
  for (const one of settle) one()
  expect((await first).value).toHaveLength(100)
  await reading.return(undefined)
  expect(parts).toHaveLength(8)
})

test("fails where a part does, after those before it; one behind the end is nobody's", async () => {
  const found: string[] = []
  const read = async (part: readonly string[]) => {
    if (part[0] === 'a0') return part
    throw new Error(`${part[0]} can't be read`)
  }
  const take = async () => {
    for await (const part of readAhead(texts(300), byteLength, read)) found.push(...part)
  }
  await expect(take()).rejects.toThrow("a100 can't be read")
  expect(found).toEqual(texts(100))
  // The rejection of the third part would end the run as an unhandled one.
  await new Promise((resolve) => setImmediate(resolve))
})
