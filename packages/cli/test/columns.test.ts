/** How much room a text takes, and where it is cut. */
import { describe, expect, test } from 'vitest'
import { boxed } from '../src/command-line/heading.ts'
import { columnsOf, fitted, padded } from '../src/terminal/columns.ts'
import { rows, shortAddress, wrappedLines } from '../src/terminal/text.ts'
import { readableLine } from '../src/watch/readable-line.ts'

const FAMILY = '👨‍👩‍👧'

test.each([
  ['', 0],
  ['lunch', 5],
  ['ﬁ', 1],
  ['e\u0301', 1],
  ['→…·│', 4],
  ['ｱ', 1],
  ['发票', 4],
  ['한국', 4],
  ['✅', 2],
  ['❤️', 2],
  ['🇩🇪', 2],
  [FAMILY, 2],
])('%j takes %i columns', (text, columns) => {
  expect(columnsOf(text)).toBe(columns)
  expect(columnsOf(padded(text, 20))).toBe(20)
})

describe('a text that is too long', () => {
  test('ends in an ellipsis', () => {
    expect([8, 7, 1].map((width) => fitted('for lunch'.slice(0, 8), width))).toEqual(['for lunc', 'for lu…', '…'])
  })

  test('is never cut in the midst of what people see as one character', () => {
    expect(fitted(FAMILY.repeat(5), 10)).toBe(FAMILY.repeat(5))
    expect([9, 8, 7].map((width) => fitted(FAMILY.repeat(5), width))).toEqual(
      [4, 3, 3].map((count) => `${FAMILY.repeat(count)}…`),
    )
    expect(fitted('e\u0301'.repeat(3), 2)).toBe('e\u0301…')
    const memo = FAMILY.repeat(20)
    const transaction = { amount: 5, fee: 0, sender: 'a', recipient: 'b', memo }
    const line = readableLine({ event: 'transaction', status: 'pending', transaction }, 40, new Date())
    expect(line).toBe(`waiting: 5  a → b  ${FAMILY.repeat(10)}…`)
    expect(shortAddress(`a${FAMILY.repeat(9)}`, 40)).toBe(`a${FAMILY.repeat(3)}…`)
  })
})

test('what is wide is aligned and broken by its columns', () => {
  expect(wrappedLines('发票 发票 发票', 9)).toEqual(['发票 发票', '发票'])
  expect(rows([['Memo', '发票发票']], 13)).toBe('Memo\n  发票发票')
  expect(boxed(['发票', 'lunch'], 80).split('\n').map(columnsOf)).toEqual([9, 9, 9, 9])
})
