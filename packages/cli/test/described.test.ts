import { expect, test } from 'vitest'
import { described } from '../src/terminal/described.ts'
import { wrappedLines } from '../src/terminal/text.ts'

const ENTRIES = [
  ['One', 'a sentence of some words that is longer than half a line of a terminal'],
  ['The second', 'short'],
] as const

test('beside the name where there is room', () => {
  expect(described(ENTRIES, 60)).toBe(
    [
      'One         a sentence of some words that is longer than',
      '            half a line of a terminal',
      'The second  short',
    ].join('\n'),
  )
})

test('below it where there is none, and never wider than the terminal', () => {
  const lines = described(ENTRIES, 40).split('\n')
  expect(lines[0]).toBe('One')
  expect(lines[1]).toBe('  a sentence of some words that is')
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(40)
})

test('a word that is longer than a line has one of its own', () => {
  expect(wrappedLines(`an id ${'a'.repeat(30)} here`, 20)).toEqual(['an id', 'a'.repeat(30), 'here'])
})
