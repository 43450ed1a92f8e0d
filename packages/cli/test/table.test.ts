/** Tables that fit. */
import { describe, expect, test } from 'vitest'
import { type Column, footnote, openTable, table } from '../src/terminal/table.ts'
import { wrapped } from '../src/terminal/text.ts'

const COLUMNS: readonly Column[] = [
  { name: 'Block', align: 'right' },
  { name: 'Time', expendable: 2 },
  { name: 'Hash' },
  { name: 'Miner', expendable: 1 },
  { name: 'Memo', cut: true, expendable: 3 },
]
const LINES = [
  ['1', '2026-11-21', 'aaaaaaaa', 'alice', ''],
  ['12', '2026-11-22', 'bbbbbbbb', 'bob', '发票 for the month of November'],
]

test('with room everything is there, numbers to the right, and no line ends in spaces', () => {
  expect(table(COLUMNS, LINES, 80)).toEqual({
    omitted: [],
    text: [
      'Block  Time        Hash      Miner  Memo',
      '    1  2026-11-21  aaaaaaaa  alice',
      '   12  2026-11-22  bbbbbbbb  bob    发票 for the month of November',
    ].join('\n'),
  })
})

test('first the text that may be cut is cut, counted in columns of the terminal', () => {
  const { text, omitted } = table(COLUMNS, LINES, 46)
  expect(omitted).toEqual([])
  expect(text.split('\n')[2]).toBe('   12  2026-11-22  bbbbbbbb  bob    发票 for…')
})

test('an emoji of the basic plane takes two columns as well', () => {
  const { text } = table([{ name: 'Memo', cut: true }], [['✅'.repeat(10)], ['⏰'.repeat(9)]], 19)
  expect(text.split('\n').slice(1)).toEqual([`${'✅'.repeat(9)}…`, '⏰'.repeat(9)])
})

test.each([
  [40, ['Memo'], 'Block  Time        Hash      Miner'],
  [30, ['Time', 'Memo'], 'Block  Hash      Miner'],
  [20, ['Time', 'Miner', 'Memo'], 'Block  Hash'],
])('at %i columns these go: %j', (width, omitted, head) => {
  const shown = table(COLUMNS, LINES, width)
  expect(shown.omitted).toEqual(omitted)
  expect(shown.text.split('\n')[0]).toBe(head)
  for (const line of shown.text.split('\n')) expect(line.length).toBeLessThanOrEqual(width)
})

test('what can not go is cut at the edge', () => {
  expect(table([{ name: 'Hash' }], [['a'.repeat(20)]], 10).text).toBe('Hash\naaaaaaaaa…')
})

test('a text column that is empty everywhere is not missed', () => {
  expect(table(COLUMNS, LINES.slice(0, 1), 80)).toMatchObject({
    omitted: [],
    text: expect.stringMatching(/^Block {2}Time {8}Hash {6}Miner\n/),
  })
})

test('columns grow with what comes later, and never shrink', () => {
  const opened = openTable([{ name: 'N', align: 'right' }, { name: 'X' }], [['1', 'x']], 80)
  expect(opened.rows([['9', 'x']])).toEqual(['9  x'])
  expect(opened.rows([['100', 'x']])).toEqual(['100  x'])
  expect(opened.rows([['2', 'x']])).toEqual(['  2  x'])
})

describe('texts', () => {
  test('are broken between words, and a long word stays whole', () => {
    expect(wrapped('one two three', 9, 2)).toBe('  one two\n  three')
    expect(wrapped(`see ${'a'.repeat(20)} there`, 10)).toBe(`see\n${'a'.repeat(20)}\nthere`)
  })

  test('a footnote names what had no room', () => {
    expect(footnote('2 blocks', [], 40)).toBe('2 blocks')
    expect(footnote('2 blocks', ['Time (UTC)', 'Miner'], 30)).toBe('2 blocks\n(no room for: Time (UTC),\nMiner)')
  })
})
