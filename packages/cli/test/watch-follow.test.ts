/** The line to a node's events: how long it waits before it tries again, and what it says of that. */
import { setTimeout as delay, setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Endpoint } from '../src/client/http.ts'
import { follow, type Handler } from '../src/watch/follow.ts'
import { fakeNode } from './commands.ts'

/** Waits are over at once. */
vi.mock('node:timers/promises', async (original) => ({ ...(await original<object>()), setTimeout: vi.fn() }))

const STREAM = { 'content-type': 'text/event-stream' }
const event = (name: string) => `event: ${name}\ndata: {}\n\n`
const endpointOf = (url: string): Endpoint => ({ node: new URL(url), timeout: undefined, token: () => undefined })

test('waits longer each time, up to a limit, and from the start again once something was told', async () => {
  const refusals = { 503: 'node.busy', 429: 'request.rate' }
  const answers = [event('start'), ...Array(7).fill(503), event('block'), 429, event('reorganisation')]
  const node = await fakeNode((_, response) => {
    const answer: string | keyof typeof refusals = answers.shift()
    if (typeof answer === 'string') return void response.writeHead(200, STREAM).end(answer)
    response.writeHead(answer).end(JSON.stringify({ code: refusals[answer], message: 'Not now.', statusCode: answer }))
  })
  // The longest that each may be.
  const random = vi.spyOn(Math, 'random').mockReturnValue(1)
  const [onLost, onBack] = [vi.fn(), vi.fn()]
  const { signal } = new AbortController()
  const untilReorganised: Handler<object> = async (told) => (told.event === 'reorganisation' ? told : undefined)
  await follow(endpointOf(node.url), { types: ['block'], signal, onLost, onBack }, untilReorganised)
  node.close()
  random.mockRestore()
  expect(vi.mocked(delay).mock.calls.map(([ms]) => ms)).toEqual([
    ...[250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000],
    ...[250, 500],
  ])
  expect(onLost).toHaveBeenCalledTimes(2)
  expect(onBack).toHaveBeenCalledTimes(2)
})

test('a node that says nothing for a minute is away', async () => {
  const node = await fakeNode((_, response) => void response.writeHead(200, STREAM).write(event('start')))
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const away = new AbortController()
  const options = { types: ['block'], signal: away.signal, onLost: (reason: string) => away.abort(reason) } as const
  const minute = async () => {
    await turnOfTheLoop()
    vi.advanceTimersByTime(60_000)
  }
  const following = follow(endpointOf(node.url), options, async () => void minute())
  await expect(following).rejects.toMatch(/no answer within \d+ s/)
  node.close()
})
