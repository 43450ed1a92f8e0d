/** What commands make of a node's answers, and of answers that no node gives. */

import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { explained, SEND_MANY } from '../src/client/http.ts'
import { bc, command, ended, expectFailure, fakeNode, STATUS, start } from './commands.ts'
import { ALICE, BOB, CHAIN, PLAIN_SIGNATURE } from './keys.ts'

/** What a command ends with when the node answers so. */
async function against(listener: RequestListener, ...args: readonly string[]) {
  const node = await fakeNode(listener)
  try {
    return await bc(...args, '--node', node.url)
  } finally {
    node.close()
  }
}

const answers =
  (status: number, body: string, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, headers).end(body)
  }

const SEND = ['send-tx', ALICE.address, BOB.address, '5', PLAIN_SIGNATURE]

describe('a good answer', () => {
  test('is printed whole, as canonical JSON on one line', async () => {
    const run = await against(answers(200, JSON.stringify({ ...STATUS, later: 'ü' })), 'status')
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toMatch(/^\{"address": .*"later": "\\u00fc".*\}\n$/)
    expect(JSON.parse(run.stdout)).toEqual({ ...STATUS, later: 'ü' })
  })

  test('may come in pieces, without a length', async () => {
    const run = await against((_request, response) => {
      const text = JSON.stringify(STATUS)
      response.write(text.slice(0, 20))
      setTimeout(() => response.end(text.slice(20)), 50)
    }, 'status')
    expect(run).toMatchObject({ code: 0 })
  })
})

describe('an answer that no node gives: 1', () => {
  const status = (more: object) => JSON.stringify({ ...STATUS, ...more })
  test.each([
    ['HTML', answers(200, '<!doctype html><title>Hi</title>', { 'content-type': 'text/html' }), /is that a node\?/],
    ['nothing', answers(200, ''), /is that a node\?/],
    ['a list', answers(200, '[]'), /is that a node\?/],
    ['JSON of something else', answers(200, '{"hello": 1}'), /without a proper "chain"/],
    ['a field of a wrong form', answers(200, status({ chain: CHAIN.toUpperCase() })), /without a proper "chain"/],
    [
      'a number that JSON.parse would round',
      answers(200, status({ height: 1 }).replace(':1,', ':9007199254740993,')),
      /is that a node/,
    ],
    ['a key twice', answers(200, `{"height": 1, ${status({}).slice(1)}`), /is that a node\?/],
    ['a redirect', answers(302, '', { location: 'http://127.0.0.1:9/' }), /with 302 Found: is that a node/],
    ['500 in HTML', answers(500, '<h1>Oops</h1>'), /with 500 Internal Server Error/],
    ['403 without a word (AirPlay on port 5000)', answers(403, ''), /with 403 Forbidden/],
    ['a code that is no code', answers(400, '{"code": "\\u001b[2J", "message": "x"}'), /with 400/],
    ['deeply nested', answers(200, '['.repeat(1000)), /is that a node\?/],
  ] as const)('%s', async (_name, listener, reason) => {
    expectFailure(await against(listener, 'status'), 1, reason)
  })

  test('more than 16 MiB: not read to its end', async () => {
    let sent = 0
    const run = await against((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(1 << 20)) && sent++ < 1000);
      }
      response.on('drain', more)
      more()
    }, 'status')
    expectFailure(run, 1, /with more than 16777216 bytes/)
    expect(sent).toBeLessThan(100)
  })

  test('https:// where http:// is spoken', async () => {
    const node = await fakeNode((_request, response) => void response.end())
    const run = await bc('status', '--node', node.url.replace('http', 'https'))
    expectFailure(
      run,
      1,
      /^bc: https:\S+ answers in something that is not TLS, so it may be an http:\/\/ address: is that a node\?\n$/,
    )
    node.close()
  })

  test('something that is not HTTP', async () => {
    const server = createServer((socket) => socket.end('220 smtp.example ESMTP\r\n')).listen(0)
    const { port } = server.address() as AddressInfo
    expectFailure(await bc('status', '--node', `localhost:${port}`), 1, /in something that is not HTTP/)
    server.close()
  })

  test("a node's own trouble is no broken rule", async () => {
    const body = '{"statusCode": 500, "code": "node.internal", "error": "x", "message": "It has a bug."}'
    expectFailure(await against(answers(500, body), 'status'), 1, 'bc: node.internal: It has a bug.\n')
  })
})

describe('no node: 3', () => {
  test('nobody listens', async () => {
    expectFailure(
      await bc('status', '--node', 'http://127.0.0.1:9'),
      3,
      /^bc: no node at http:\/\/127.0.0.1:9: nothing listens there\. Start one with bc-node/,
    )
    expectFailure(
      await bc('status', '--node', 'http://no-such-host.invalid'),
      3,
      /no node at http:\/\/no-such-host\.invalid/,
    )
  })

  test('BC_NODE names the node, --node is stronger, and an empty one is none', async () => {
    const env = { BC_NODE: 'http://127.0.0.1:9' }
    expectFailure(await command('bc', ['status'], { env }), 3, 'no node at http://127.0.0.1:9:')
    const flagged = await command('bc', ['status', '--node', 'localhost:7'], { env })
    expectFailure(flagged, 3, 'no node at http://localhost:7:')
    const early = await command('bc', ['--node', 'localhost:7', 'status'], { env })
    expectFailure(early, 3, 'no node at http://localhost:7:')
    expectFailure(await command('bc', ['status'], { env: { BC_NODE: 'nonsense://x' } }), 2, /^bc: BC_NODE is not/)
    const none = await command('bc', ['status', '--timeout', '1'], { env: { BC_NODE: '' } })
    expect(none.stderr + none.stdout).not.toContain('BC_NODE is not')
  })

  test('ports that fetch would refuse are ports', async () => {
    expectFailure(await bc('status', '--node', 'http://127.0.0.1:6000'), 3, /nothing listens there/)
  })

  test('no answer in time', async () => {
    expectFailure(await against(() => {}, 'status', '--timeout', '0.3'), 3, /no answer within 0\.3 s\.\n/)
    const half: RequestListener = (_request, response) => void response.write('{')
    expectFailure(await against(half, 'status', '--timeout', '0.3'), 3, /no answer within 0\.3 s\.\n/)
  })

  test.each<[string, NodeJS.ProcessEnv, ...string[]]>([
    ['BC_TIMEOUT', { BC_TIMEOUT: '0.3' }, 'verify'],
    ['BC_TIMEOUT', { BC_TIMEOUT: '0.3' }, 'send-tx'],
    ['BC_TIMEOUT', { BC_TIMEOUT: '0.3' }, 'watch'],
    ['--timeout', {}, 'watch', '--timeout', '0.3'],
  ])('no answer in time where it would be long: %s %j %s', async (_name, env, ...args) => {
    const node = await fakeNode(() => {})
    const run = await command('bc', [...args, '--node', node.url], { env, input: '{}\n{}\n' })
    node.close()
    expectFailure(run, 3, /no answer within 0\.3 s\./)
  })

  test('an answer that breaks off', async () => {
    const cut: RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"chain"')
      setTimeout(() => response.destroy(), 50)
    }
    expectFailure(await against(cut, 'status'), 3, /the connection broke off\.\n/)
  })

  test('a node that hangs up while it is written to may have taken some of it', () => {
    // Which of the two errors the system has for it is a matter of luck.
    const endpoint = { node: new URL('http://a:1'), timeout: undefined, token: () => undefined }
    const said = ['EPIPE', 'ECONNRESET'].map((code) =>
      explained(
        Object.assign(new Error(`write ${code}`), { code }),
        { method: 'POST', path: SEND_MANY },
        endpoint,
        undefined,
      ),
    )
    const sentence = 'no node at http://a:1: the connection broke off. It may have been taken all the same'
    for (const error of said) expect(error).toMatchObject({ message: expect.stringContaining(sentence) })
  })

  test('a transaction without an answer may have been taken, and that is said', async () => {
    expectFailure(await against(() => {}, ...SEND, '--timeout', '0.3'), 3, /It may have been taken all the same/)
    expectFailure(await bc(...SEND, '--node', 'http://127.0.0.1:9'), 3, /nothing listens there\. Start one/)
    const looked = await against(() => {}, 'transactions', '--timeout', '0.3')
    expectFailure(looked, 3, /no answer within 0\.3 s\.\n/)
  })

  const HTML = '<!doctype html><title>Oh</title>\n'
  test.each([
    ['a proxy that has lost the node', answers(502, HTML), true],
    ['an answer that nobody can read', answers(200, HTML), true],
    ['an answer that is something else', answers(201, '{"message": 1}'), true],
    ['a proxy that passes nothing on', answers(403, HTML), false],
    ['a proxy that knows another address', answers(302, HTML), false],
  ])('%s: whether a transaction may have been taken', async (_name, listener, doubt) => {
    const node = await fakeNode(listener)
    const one = await bc(...SEND, '--node', node.url)
    const many = await command('bc', ['send-tx', '--node', node.url], { input: '{}\n{}\n' })
    node.close()
    const reason = new RegExp(
      `is that a node\\?${doubt ? ' It may have been taken all the same: see bc transactions\\.' : ''}\n$`,
    )
    expectFailure(one, 1, reason)
    expectFailure(many, 1, reason)
  })
})

describe('refusals: 4 for the signature, 5 for another rule', () => {
  const refusal = (statusCode: number, code: string, message: string) =>
    answers(statusCode, JSON.stringify({ statusCode, code, error: 'x', message }))
  test.each([
    [401, 'tx.signature', 4],
    [401, 'tx.address', 5],
    [400, 'request.invalid', 5],
    [400, 'message.malformed', 5],
    [409, 'tx.nonce', 5],
    [422, 'tx.balance', 5],
    [409, 'pool.known', 5],
    [503, 'node.stopping', 1],
    [400, 'tx.not_known_to_us_yet', 5],
  ] as const)('%s %s: %s', async (status, code, exit) => {
    const run = await against(refusal(status, code, 'No.'), ...SEND)
    expectFailure(run, exit, `bc: ${code}: No.\n`)
  })

  test("a tutorial node's 401 in plain text", async () => {
    const run = await against(answers(401, 'Signature verification failure'), ...SEND)
    expectFailure(run, 4, 'bc: tx.signature: Signature verification failure\n')
  })

  test("a message can't drive the terminal", async () => {
    const run = await against(refusal(400, 'tx.shape', '\u001b[2Jgone\u202e'), ...SEND)
    expectFailure(run, 5, 'bc: tx.shape: \\u{1b}[2Jgone\\u{202e}\n')
  })
})

describe('mine', () => {
  test('waits on, and Ctrl-C ends it and its request', async () => {
    let closed: Promise<void> | undefined
    const node = await fakeNode((request) => {
      closed = new Promise((resolve) => request.on('close', resolve))
      setTimeout(() => child.kill('SIGINT'), 2500)
    })
    const child = start('mine', ['--node', node.url])
    const run = await ended(child)
    expect(run).toMatchObject({ code: null, signal: 'SIGINT', stdout: '', stderr: 'bc: mining … Ctrl-C ends it\n' })
    await closed
    node.close()
  })

  test('gives up where it is told to', async () => {
    expectFailure(await against(() => {}, 'mine', '--timeout', '0.2'), 3, /no answer within 0\.2 s/)
  })
})

describe('the operator’s token', () => {
  const seen: (string | undefined)[] = []
  const echo: RequestListener = (request, response) => {
    seen.push(request.headers.authorization)
    response.end('{"message": "ok"}')
  }
  async function authorization(env: NodeJS.ProcessEnv, ...args: readonly string[]) {
    const node = await fakeNode(echo)
    const run = await command('bc', [...args, '--node', node.url], { env })
    node.close()
    return { run, sent: seen.pop() }
  }

  test('comes from BC_TOKEN or a file, and goes to the operator’s endpoints alone', async () => {
    expect((await authorization({ BC_TOKEN: 'abc' }, 'secret')).sent).toBe('Bearer abc')
    expect((await authorization({ BC_TOKEN: 'abc' }, 'status')).sent).toBeUndefined()
    expect((await authorization({}, 'secret')).sent).toBeUndefined()
    const file = new URL('keys.ts', import.meta.url).pathname
    expectFailure((await authorization({}, 'secret', '--token', `@${file}`)).run, 2, /holds no token/)
  })

  test('is refused on the command line and never repeated', async () => {
    const { run } = await authorization({}, 'secret', '--token', 'canary')
    expectFailure(run, 2, /--token takes @FILE/)
    expect(run.stderr).not.toContain('canary')
  })
})

describe('pipes', () => {
  test('a reader that leaves early is no error', async () => {
    const node = await fakeNode(answers(200, JSON.stringify({ ...STATUS, pad: 'x'.repeat(1e6) })))
    const child = start('bc', ['status', '--node', node.url])
    child.stdout?.destroy()
    expect(await ended(child)).toMatchObject({ code: 0, stderr: '' })
    node.close()
  })

  test.skipIf(process.platform !== 'linux')('a full disk is one', async () => {
    const node = await fakeNode(answers(200, JSON.stringify(STATUS)))
    const child = start('bc', ['--version'])
    await ended(child)
    const { spawn } = await import('node:child_process')
    const full = spawn('/bin/sh', ['-c', `exec "$0" status --node ${node.url} > /dev/full`, `${child.spawnfile}`])
    expect(await ended(full)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^bc: the result can't be written: .*ENOSPC/),
    })
    node.close()
  })
})
