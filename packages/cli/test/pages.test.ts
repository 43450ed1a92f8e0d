import { expect, test } from 'vitest'
import { HeldItems } from '../src/client/pages.ts'

test('items are held up to a number of bytes, as canonical JSON has them', () => {
  const held = new HeldItems<object>('too much', 24)
  held.add([{ a: 1 }])
  held.add([{ a: 2 }, { a: 3 }])
  expect(held.items).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }])
  expect(() => held.add([{}])).toThrow(expect.objectContaining({ code: 'cli.answer', message: 'too much' }))
})
