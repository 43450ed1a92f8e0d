/** `bc wait`: what it waits for, and what it says when that doesn't come. */
import { writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { type Hash, transactionId } from '@bc/core'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { confirmed } from '../src/payment/confirmation.ts'
import { bc, command, ended, expectFailure, fakeNode, output, STATUS, start } from './commands.ts'
import { CHAIN } from './keys.ts'
import { startedNode, temporaryFolder, waitFor } from './nodes.ts'

function configFile(more: object = {}): string[] {
  const file = `${temporaryFolder()}/config.json`
  writeFileSync(file, JSON.stringify({ difficulty: 1, ...more }))
  return ['--config', file]
}

const get = async (url: string) => (await fetch(url)).json() as Promise<Record<string, unknown>>

describe('a height', () => {
  test('that is there is no wait, and the status is the result', async () => {
    const { url } = await startedNode(['--ephemeral', ...configFile()])
    expect(JSON.parse(await output('wait', '--height', '1', '--node', url))).toMatchObject({ height: 1 })
  })

  test('is waited for, block by block', async () => {
    const { url } = await startedNode(['--ephemeral', ...configFile()])
    const waiting = bc('wait', '--height', '4', '--node', url)
    for (let i = 0; i < 3; i++) await get(`${url}/mine`)
    const run = await waiting
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(run.stdout).height).toBeGreaterThanOrEqual(4)
  })

  test('that is not reached in time is exit code 1 and a sentence', async () => {
    const { url } = await startedNode(['--ephemeral', ...configFile()])
    const run = await bc('wait', '--height', '9', '--timeout', '0.5', '--node', url)
    expectFailure(run, 1, /^bc: the chain has not reached height 9 within 0\.5 s\.\n$/)
    expectFailure(await bc('wait', '--height', '9', '--node', await nobody()), 3, /nothing listens there/)
  })
})

describe('a node that answers the first question only when it is too late', () => {
  /** The status is never told where this says so. */
  function slow(hangs: (asked: number) => boolean) {
    let asked = 0
    return fakeNode((request, response) => {
      if (request.url === '/status') {
        if (!hangs(++asked)) response.end(JSON.stringify({ ...STATUS, height: 2 }))
        return
      }
      const start = JSON.stringify({ chain: CHAIN, height: 2, tip: CHAIN })
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`event: start\ndata: ${start}\n\n`)
    })
  }

  test('is asked again: the whole has the limit of the flag, and each question the usual one', async () => {
    const node = await slow((asked) => asked === 1)
    const words = ['wait', '--height', '2', '--timeout', '20', '--node', node.url]
    const run = await command('bc', words, { env: { BC_TIMEOUT: '0.3' } })
    node.close()
    expect(run, run.stderr).toMatchObject({ code: 0, stderr: expect.stringContaining('no answer within 0.3 s') })
  })

  test('is not waited for once the time is up', async () => {
    const node = await slow(() => true)
    const run = await bc('wait', '--height', '2', '--timeout', '1', '--node', node.url)
    node.close()
    expectFailure(run, 1, /^bc: the chain has not reached height 2 within 1 s\.\n$/)
  })
})

describe('a transaction', () => {
  async function paid(...nodeArgs: readonly string[]) {
    const [key, other] = [JSON.parse(await output('key', 'new')), JSON.parse(await output('key', 'new'))]
    const node = await startedNode(['--ephemeral', ...nodeArgs, ...configFile({ allocations: { [key.address]: 100 } })])
    const env = { BC_NODE: node.url }
    const sign = async (...options: readonly string[]) => {
      const words = ['sign', key.address, other.address, '5', '-', '--json', ...options]
      return (await command('bc', words, { env, input: key.secret })).stdout
    }
    const handIn = async (signed: string) => {
      const sent = await command('send-tx', [], { env, input: signed })
      expect(sent, sent.stderr).toMatchObject({ code: 0 })
      return JSON.parse(sent.stdout).id as string
    }
    const send = async (...options: readonly string[]) => handIn(await sign(...options))
    return { ...node, sign, handIn, send }
  }

  test('is waited for until it is in a block, and until others follow that', async () => {
    const { url, send } = await paid()
    const id = await send()
    const waiting = [1, 3].map((n) => bc('wait', '--tx', id, '--confirmations', String(n), '--node', url))
    const { hash } = await get(`${url}/mine`)
    const one = await waiting[0]
    expect(one).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(one?.stdout ?? '')).toMatchObject({ id, status: 'confirmed', block: { hash, position: 1 } })
    await get(`${url}/mine`)
    await get(`${url}/mine`)
    const found = JSON.parse((await waiting[1])?.stdout ?? '')
    expect(found.block).toMatchObject({ hash, confirmations: 3 })
  })

  test('may come later than the one who waits for it', async () => {
    const { url, send } = await paid()
    const id = await send('--nonce', '1')
    const waiting = bc('wait', '--tx', id, '--node', url)
    await get(`${url}/mine`)
    await send('--nonce', '0')
    await get(`${url}/mine`)
    expect(await waiting).toMatchObject({ code: 0 })
    const unknown = await bc('wait', '--tx', CHAIN, '--timeout', '1', '--node', url)
    expectFailure(unknown, 1, /does not know this transaction yet\n.*has not had a confirmation within 1 s\.\n$/s)
  })

  test.each(['start', 'missed'])(
    'that a node has forgotten by its next %s is not waited for any longer',
    async (beginning) => {
      const streams = ['start', beginning].map((name) => {
        const data = JSON.stringify({ chain: CHAIN, height: 1, tip: CHAIN })
        return `event: ${name}\nid: 1\ndata: ${data}\n\n`
      })
      const waits = { id: CHAIN, status: 'pending', transaction: { amount: 1, nonce: 0, recipient: '', sender: '' } }
      const founds = [waits]
      const node = await fakeNode((request, response) => {
        if (request.url?.startsWith('/events'))
          return void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(streams.shift())
        const refusal = { code: 'request.not_found', message: 'No.', statusCode: 404 }
        const found = founds.shift()
        response.writeHead(found ? 200 : 404).end(JSON.stringify(found ?? refusal))
      })
      const run = await bc('wait', '--tx', CHAIN, '--timeout', '20', '--node', node.url)
      node.close()
      expect(run).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/ is gone: the node does not know it any more\.\n$/),
      })
    },
  )

  describe('that a reorganisation took away', () => {
    const event = (name: string, data: object) => `event: ${name}\nid: ${name}\ndata: ${JSON.stringify(data)}\n\n`
    const place = { index: 2, hash: CHAIN, timestamp: 1, position: 0, confirmations: 1 }
    const reward = { amount: 50, nonce: 2, recipient: '', sender: '0' }

    /**
     * @param told by the node after the reorganisation, before it answers the next question
     * @param returns whether another block has it after that
     * @param isAway whether the node is not there at the question after that
     */
    async function waitedThrough(told: string, returns = false, isAway = false) {
      let asked = 0
      const node = await fakeNode((request, response) => {
        if (request.url?.startsWith('/events')) {
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          response.write(event('start', { chain: CHAIN, height: 2, tip: CHAIN }))
          events = response
          return
        }
        asked++
        if (isAway && asked === 3) {
          events?.destroy()
          return void response.destroy()
        }
        const found = asked === 1 || (returns && asked > 2)
        const answer = found
          ? { id: CHAIN, status: 'confirmed', transaction: reward, block: { ...place, confirmations: asked } }
          : { code: 'request.not_found', message: 'No.', statusCode: 404 }
        if (!found) events?.write(told)
        response.writeHead(found ? 200 : 404).end(JSON.stringify(answer))
        if (asked === 1) events?.write(event('reorganisation', { abandoned: [{ index: 2, hash: CHAIN }], adopted: [] }))
        // It looks once more before it gives up.
        else if (found && told === '') events?.write(event('block', { index: 3 }))
      })
      let events: ServerResponse | undefined
      const words = ['wait', '--tx', CHAIN, '--confirmations', '2', '--timeout', '60', '--node', node.url]
      const run = await bc(...words)
      node.close()
      return run
    }

    test('is not waited for any longer, though nothing more is told of it: rewards never wait', async () => {
      expectFailure(
        await waitedThrough(''),
        1,
        /^bc: transaction [0-9a-f]{64} is gone: the node does not know it any more\.\n$/,
      )
    })

    test.each([
      ['as an event tells at once', event('block', { index: 2 })],
      ['before any event tells', ''],
    ])('is waited for when another block has it, %s', async (_, told) => {
      const run = await waitedThrough(told, true)
      expect(run, run.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('"confirmed"') })
    })

    test('is not said to be gone by a node that is away: it may have it in a block when it is back', async () => {
      const run = await waitedThrough('', true, true)
      expect(run, run.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('"confirmed"') })
      expect(run.stderr).toMatch(/^bc: the connection is lost: .*\n$/)
    })

    test('twice has a moment each time for the reason to be told', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      onTestFinished(() => void vi.useRealTimers())
      const block = { ...place, confirmations: 1 }
      const found = { id: CHAIN, status: 'confirmed', transaction: reward, block }
      let events: ServerResponse | undefined
      let asked = 0
      const node = await fakeNode((request, response) => {
        if (request.url?.startsWith('/events')) {
          events = response.writeHead(200, { 'content-type': 'text/event-stream' })
          return void events.write(event('start', { chain: CHAIN, height: 2, tip: CHAIN }))
        }
        asked++
        // Some of the moment after the first loss, and after the second one: by now what came before is dealt with.
        if (asked === 2 || asked === 4) vi.advanceTimersByTime(600)
        const isHere = asked === 2
        const refusal = { code: 'request.not_found', message: 'No.', statusCode: 404 }
        response.writeHead(isHere ? 200 : 404).end(JSON.stringify(isHere ? found : refusal))
        events?.write(
          asked < 4
            ? event('block', { index: asked + 2 })
            : event('transaction', { id: CHAIN, status: 'dropped', reason: 'unpayable' }),
        )
      })
      const endpoint = { node: new URL(node.url), timeout: undefined, token: () => undefined }
      const wanted = { id: CHAIN as Hash, confirmations: 2, isAccepted: true }
      await expect(confirmed(endpoint, wanted, new AbortController().signal)).rejects.toThrow('coins are spent')
      node.close()
    })

    test('is gone for the reason that is told, after whatever blocks', async () => {
      const blocks = event('block', { index: 2 }) + event('block', { index: 3 })
      const why = event('transaction', { id: CHAIN, status: 'dropped', reason: 'unpayable' })
      expectFailure(await waitedThrough(blocks + why), 1, /^bc: .* without a block: its sender's coins are spent\.\n$/)
    })
  })

  test('that another one replaces is not waited for any longer', async () => {
    const { url, chain, sign, handIn, send } = await paid()
    const signed = await sign('--nonce', '0')
    const id = transactionId(JSON.parse(signed), chain as Hash)
    const child = start('bc', ['wait', '--tx', id, '--node', url])
    const waiting = ended(child)
    let told = ''
    child.stderr?.on('data', (chunk) => {
      told += chunk
    })
    // The node tells of its end once: whoever waits has to listen by then.
    await waitFor(() => told.includes('does not know this transaction yet'))
    await handIn(signed)
    await send('--nonce', '0', '--fee', '1')
    expectFailure(await waiting, 1, /has left the pool without a block: another one of its sender/)
  })
})

describe('a node', () => {
  test('that is there is ready', async () => {
    const { url } = await startedNode(['--ephemeral', ...configFile()])
    expect(JSON.parse(await output('wait', '--ready', '--node', url))).toMatchObject({ height: 1 })
  })

  test('that is not there yet is waited for', async () => {
    const url = await nobody()
    const child = start('bc', ['wait', '--ready', '--node', url])
    const waiting = ended(child)
    let told = ''
    child.stderr?.on('data', (chunk) => {
      told += chunk
    })
    await waitFor(() => told.includes('waiting for the node: '))
    await startedNode(['--ephemeral', '-p', new URL(url).port, ...configFile()])
    const run = await waiting
    expect(run).toMatchObject({ code: 0 })
    const { chain, address } = await get(`${url}/status`)
    expect(JSON.parse(run.stdout)).toMatchObject({ chain, address, height: 1 })
  })

  test('behind a proxy that takes a connection and is silent is asked again', async () => {
    const seen = new Set<string | undefined>()
    const { url, close } = await fakeNode(({ url }, response) => {
      const isFirst = !seen.has(url)
      seen.add(url)
      if (isFirst) return
      if (url === '/status') return void response.end(JSON.stringify(STATUS))
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: start\ndata: {}\n\n')
    })
    onTestFinished(close)
    // Less than a question has by itself.
    const run = await bc('wait', '--ready', '--timeout', '25', '--node', url)
    expect(run).toMatchObject({ code: 0, stderr: expect.stringMatching(/no answer within/) })
    expect(seen).toEqual(new Set([expect.stringMatching('/events'), '/status']))
  })

  test('that does not come in time is exit code 1', async () => {
    const run = await bc('wait', '--ready', '--timeout', '0.3', '--node', await nobody())
    expectFailure(run, 1, /no node was ready at http:\/\/127\.0\.0\.1:\d+ within 0\.3 s\.\n$/)
  })
})

test.each([
  [[], /takes one of --height, --tx and --ready/],
  [['--ready', '--height', '3'], /takes one of/],
  [['--height', '3', '--confirmations', '2'], /--confirmations goes with --tx/],
  [['--height', '0'], /whole number from 1/],
  [['--tx', 'abc'], /64 lower-case hex digits/],
  [['--ready', '--timeout', '0'], /Seconds are a number/],
])('bc wait %j is a mistake', async (args, reason) => {
  expectFailure(await bc('wait', ...args), 2, reason)
})

/** The address of a port where nobody listens. */
async function nobody(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

describe('a node that lies', () => {
  const START = { chain: CHAIN, height: 1, tip: CHAIN }
  /** One event after the other, each on a connection of its own. */
  async function telling(...events: readonly string[]) {
    const resumed: (string | string[] | undefined)[] = []
    const node = await fakeNode((request, response) => {
      if (!request.url?.startsWith('/events')) {
        const refusal = { code: 'request.not_found', message: 'No.', statusCode: 404 }
        return void response.writeHead(404).end(JSON.stringify(refusal))
      }
      resumed.push(request.headers['last-event-id'])
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events[resumed.length - 1])
    })
    return { ...node, resumed }
  }
  const event = (name: string, data: object, id = '1') => `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`
  const dropped = event('transaction', { id: CHAIN, reason: 'constructor', status: 'dropped' })

  test.each<[string, string, object]>([
    ['a start', 'start', { ...START, height: {} }],
    ['an abandoned block', 'reorganisation', { abandoned: [{ index: {}, hash: CHAIN }] }],
  ])('the height of %s that is no number is no bug of bc', async (_name, name, data) => {
    const node = await telling(event(name, data))
    const watcher = start('bc', ['watch', '--node', node.url])
    watcher.stderr?.once('data', () => watcher.kill('SIGTERM'))
    const { stderr } = await ended(watcher)
    node.close()
    expect(stderr).toMatch(/^bc: the connection is lost: .*\/events with an event without its index/)
  })

  test('a reason is its own word', async () => {
    const node = await telling(dropped)
    const run = await bc('wait', '--tx', CHAIN, '--timeout', '20', '--node', node.url)
    node.close()
    expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(/without a block: constructor\.\n$/) })
  })

  test('an id that no header can hold does not end the listening', async () => {
    const node = await telling(event('start', START, '1→'), dropped)
    const run = await bc('wait', '--tx', CHAIN, '--timeout', '20', '--node', node.url)
    node.close()
    expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('has left the pool') })
    expect(node.resumed).toEqual([undefined, undefined])
  })
})
