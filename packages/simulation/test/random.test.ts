import { Random } from '@bc/simulation'
import { expect, test } from 'vitest'

const draws = (random: Random, count: number) => Array.from({ length: count }, () => random.fraction())
const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length

test('a seed always draws the same, and another one something else', () => {
  expect(draws(new Random('one'), 100)).toEqual(draws(new Random('one'), 100))
  expect(draws(new Random('one'), 100)).not.toEqual(draws(new Random('two'), 100))
})

test('the known answer of a seed: it is the same on every machine', () => {
  const random = new Random('bc')
  expect(Array.from({ length: 5 }, () => random.whole(0, 999))).toEqual([525, 908, 726, 907, 407])
})

test('fractions are spread evenly', () => {
  const values = draws(new Random('even'), 20_000)
  expect(mean(values)).toBeCloseTo(0.5, 1)
  for (const value of values) expect(value >= 0 && value < 1).toBe(true)
  for (let tenth = 0; tenth < 10; tenth++) {
    const share = values.filter((value) => Math.floor(10 * value) === tenth).length / values.length
    expect(share).toBeCloseTo(0.1, 1)
  }
})

test('waiting times have their mean, delays their median', () => {
  const random = new Random('waits')
  expect(mean(Array.from({ length: 20_000 }, () => random.exponential(10)))).toBeGreaterThan(9.5)
  const delays = Array.from({ length: 9_999 }, () => random.logNormal(100, 0.6)).sort((a, b) => a - b)
  expect(delays[5_000]).toBeGreaterThan(95)
  expect(delays[5_000]).toBeLessThan(105)
})

test('whole numbers reach both ends, and a shuffle loses nothing', () => {
  const random = new Random('ends')
  expect(new Set(Array.from({ length: 200 }, () => random.whole(1, 3)))).toEqual(new Set([1, 2, 3]))
  expect(random.shuffled([1, 2, 3, 4]).sort()).toEqual([1, 2, 3, 4])
  expect(() => random.pick([])).toThrow(TypeError)
})
