import { describe, expect, test } from 'vitest'
import { progressLine } from '../src/terminal/progress.ts'

describe('the line of progress', () => {
  test.each([
    [0, 80, '[........................] Verifying 0 of 200 blocks'],
    [50, 80, '[######..................] Verifying 50 of 200 blocks'],
    [200, 80, '[########################] Verifying 200 of 200 blocks'],
    [300, 80, '[########################] Verifying 300 of 200 blocks'],
    [50, 40, '[###.......] Verifying 50 of 200 blocks'],
    [50, 30, 'Verifying 50 of 200 blocks'],
    [50, 20, 'Verifying 50 of 200'],
  ])('%d of 200 on %d columns', (done, width, line) => {
    const shown = progressLine('Verifying', 'block', done, 200, width)
    expect(shown).toBe(line)
    expect(shown.length).toBeLessThan(width)
  })

  test('without a total', () => {
    expect(progressLine('Importing', 'block', 1, undefined, 80)).toBe('Importing … 1 block')
  })
})
