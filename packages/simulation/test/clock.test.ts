import { settled, VirtualClock } from '@bc/simulation'
import { expect, test } from 'vitest'

/** Plans what only writes down that it has happened. */
function recorder(clock: VirtualClock) {
  const happened: string[] = []
  const note = (name: string) => () => {
    happened.push(`${name} at ${clock.now()}`)
    return true
  }
  return { happened, note }
}

test('events happen in the order of their times, and of their planning', async () => {
  const clock = new VirtualClock()
  const { happened, note } = recorder(clock)
  clock.after(20, note('late'))
  clock.after(10, note('first'))
  clock.after(10, note('second'))
  await clock.runUntil(clock.sleep(30))
  expect(happened).toEqual(['first at 10', 'second at 10', 'late at 20'])
  expect(clock.now()).toBe(30)
})

test('what is planned for the past happens now', async () => {
  const clock = new VirtualClock()
  const { happened, note } = recorder(clock)
  await clock.runUntil(clock.sleep(100))
  clock.at(50, note('overdue'))
  await clock.runUntil(clock.sleep(1))
  expect(happened).toEqual(['overdue at 100'])
})

test('what was cancelled does not happen', async () => {
  const clock = new VirtualClock()
  const { happened, note } = recorder(clock)
  clock.after(10, note('never')).cancel()
  await clock.runUntil(clock.sleep(20))
  expect(happened).toEqual([])
})

test('hours pass in no time', async () => {
  const clock = new VirtualClock()
  const start = performance.now()
  await clock.runUntil(clock.sleep(100 * 3_600_000))
  expect(performance.now() - start).toBeLessThan(5_000)
})

test('a sleep ends early where its signal is aborted, and at once where it was before', async () => {
  const clock = new VirtualClock()
  const abort = new AbortController()
  clock.after(10, () => {
    abort.abort()
    return true
  })
  await clock.runUntil(clock.sleep(1_000, abort.signal))
  expect(clock.now()).toBe(10)
  await clock.runUntil(clock.sleep(1_000, abort.signal))
  expect(clock.now()).toBe(10)
})

test('time stands still until promises, ticks and immediates have come to rest', async () => {
  const clock = new VirtualClock()
  const { happened, note } = recorder(clock)
  const tick = () => new Promise<void>((resolve) => process.nextTick(resolve))
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  clock.after(10, () => {
    void (async () => {
      for (let i = 0; i < 5; i++) {
        await tick()
        await turn()
        await Promise.all([turn(), turn().then(turn)])
      }
      note('work ends')()
    })()
    return true
  })
  clock.after(10.001, note('next'))
  await clock.runUntil(clock.sleep(20))
  expect(happened).toEqual(['work ends at 10', 'next at 10.001'])
})

test('whoever waits for what can never happen hears of it', async () => {
  const clock = new VirtualClock()
  await expect(clock.runUntil(new Promise(() => undefined))).rejects.toThrow('nothing is left to happen')
})

test('an answer that fails is thrown on', async () => {
  const clock = new VirtualClock()
  const failing = clock.sleep(5).then(() => {
    throw new Error('so it goes')
  })
  await expect(clock.runUntil(failing)).rejects.toThrow('so it goes')
})

test('nothing to wait for is no wait', async () => {
  await settled()
})
