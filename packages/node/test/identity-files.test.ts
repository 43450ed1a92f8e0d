/** A node's key and the operator's token: kept in files that nobody else can read, and told to nobody. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { addressOf, parseSecret, secretFromEntropy } from '@bc/wallet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultDataDirectory } from '../src/data-directory.ts'
import { StartError } from '../src/errors.ts'
import { loadIdentity, newIdentity, peerSeed } from '../src/identity.ts'
import { createLogger } from '../src/log.ts'
import { privateFile } from '../src/private-file.ts'
import { ask, exchange, post, type Reply } from './support/http-client.ts'
import { signed, startTestNode } from './support/http-node.ts'

let parent: string
let directory: string

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'bc-identity-'))
  directory = join(parent, 'deep', 'data')
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
const secretFile = () => join(directory, 'secret')
const tokenFile = () => join(directory, 'operator-token')

/** Windows has no such bits. */
const bits = it.skipIf(process.platform === 'win32')

describe('the files', () => {
  bits('are made for their owner alone, whatever the umask', () => {
    for (const umask of [0o000, 0o022, 0o077]) {
      const old = process.umask(umask)
      try {
        const place = join(parent, `umask-${umask.toString(8)}`, 'data')
        loadIdentity(place)
        expect([modeOf(place), modeOf(join(place, 'secret')), modeOf(join(place, 'operator-token'))]).toEqual([
          '700',
          '600',
          '600',
        ])
        expect(readdirSync(place).sort()).toEqual(['operator-token', 'secret'])
      } finally {
        process.umask(old)
      }
    }
  })

  bits.each(['640', '604', '620', '602', '610', '644', '666', '777'])('of the mode %s are refused', (mode) => {
    loadIdentity(directory)
    for (const file of [secretFile(), tokenFile()]) {
      chmodSync(file, Number.parseInt(mode, 8))
      expect(() => loadIdentity(directory)).toThrow(new StartError(`${file} is open to others: run chmod 600 on it.`))
      chmodSync(file, 0o600)
    }
    loadIdentity(directory)
  })

  bits.each(['755', '770', '701', '777', '1777'])(
    'in a directory of the mode %s are refused, and none is made there',
    (mode) => {
      mkdirSync(directory, { recursive: true })
      chmodSync(directory, Number.parseInt(mode, 8))
      const fault = new StartError(`${directory} is open to others: run chmod 700 on it.`)
      expect(() => loadIdentity(directory)).toThrow(fault)
      expect(readdirSync(directory)).toEqual([])
      chmodSync(directory, 0o700)
      loadIdentity(directory)
    },
  )

  it('stay as they are: the same node after every start', () => {
    const first = loadIdentity(directory)
    const bytes = [secretFile(), tokenFile()].map((file) => readFileSync(file, 'utf8'))
    for (let i = 0; i < 3; i++) expect(loadIdentity(directory)).toEqual(first)
    expect([secretFile(), tokenFile()].map((file) => readFileSync(file, 'utf8'))).toEqual(bytes)
    expect(bytes).toEqual([`${first.secret}\n`, `${first.operatorToken}\n`])
    expect(parseSecret(first.secret)).toBe(first.secret)
    expect(addressOf(first.secret)).toBe(first.address)
    expect(first.operatorToken).toMatch(/^[0-9a-f]{64}$/)
  })

  it('are of one making where two first starts meet: the second takes up what the first has made', () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const made = privateFile(secretFile(), () => {
      writeFileSync(secretFile(), 'the first\n', { mode: 0o600 })
      return 'the second'
    })
    expect([made, readFileSync(secretFile(), 'utf8')]).toEqual(['the first', 'the first\n'])
    expect(readdirSync(directory)).toHaveLength(1)
  })

  it('are others in each directory', () => {
    const all = [newIdentity(), newIdentity(), loadIdentity(directory), loadIdentity(join(parent, 'other'))]
    expect(new Set(all.flatMap(({ secret, operatorToken }) => [secret, operatorToken])).size).toBe(8)
  })

  it('have the key beside them that peers know the node by: what can’t be one is named, though it is used later', () => {
    loadIdentity(directory)
    const seed = peerSeed(directory)
    expect(seed).toHaveLength(32)
    loadIdentity(directory)
    expect(peerSeed(directory)).toEqual(seed)
    const file = join(directory, 'peer-key')
    for (const text of ['', 'x', 'A'.repeat(64), '1'.repeat(63)]) {
      writeFileSync(file, text)
      expect(() => loadIdentity(directory)).toThrow(
        `The file ${file} holds no peer's key: without it a new one is made.`,
      )
    }
  })

  it('may be brought along, and the one that is missing is made', () => {
    const secret = secretFromEntropy(randomBytes(32))
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    writeFileSync(secretFile(), `${secret}\n`, { mode: 0o600 })
    expect(loadIdentity(directory).secret).toBe(secret)
    expect(existsSync(tokenFile())).toBe(true)
  })

  const wrong = [
    '',
    '\n',
    'x',
    '0'.repeat(64),
    'f'.repeat(64),
    'A'.repeat(64),
    `${'1'.repeat(63)}`,
    `${'1'.repeat(64)} x`,
  ]
  it.each(wrong)('with %j for a secret are refused, and not told', (content) => {
    loadIdentity(directory)
    writeFileSync(secretFile(), content)
    expect(() => loadIdentity(directory)).toThrow(new StartError(`The file ${secretFile()} holds no secret.`))
    expect(readFileSync(secretFile(), 'utf8')).toBe(content)
  })

  it.each(['', 'x', 'A'.repeat(64), '1'.repeat(63), '1'.repeat(65)])('with %j for a token are refused', (content) => {
    loadIdentity(directory)
    writeFileSync(tokenFile(), content)
    expect(() => loadIdentity(directory)).toThrow(new StartError(`The file ${tokenFile()} holds no token.`))
  })

  it('that are directories, or a data directory that is a file, are a StartError', () => {
    mkdirSync(secretFile(), { recursive: true })
    chmodSync(directory, 0o700)
    chmodSync(secretFile(), 0o700)
    expect(() => loadIdentity(directory)).toThrow(StartError)
    const file = join(parent, 'file')
    writeFileSync(file, '')
    for (const place of [file, join(file, 'data')]) expect(() => loadIdentity(place)).toThrow(StartError)
  })

  it('of two ports are in two places', () => {
    expect(defaultDataDirectory(5000)).not.toBe(defaultDataDirectory(5001))
  })
})

describe('nobody is told', () => {
  it('the secret or the token, in a whole session: not in the log, not in an answer', async () => {
    const node = await startTestNode({ dataDirectory: directory, logLevel: 'trace' })
    const { secret, operatorToken } = loadIdentity(directory)
    const bearer = { authorization: `Bearer ${operatorToken}` }
    const stranger = { ...bearer, 'x-forwarded-for': '192.0.2.1' }
    const paths = [
      '/status',
      '/chain',
      '/transactions',
      '/nodes',
      '/nodes/resolve',
      '/blocks',
      '/headers',
      '/blocks/latest',
    ]
    paths.push('/health', '/openapi.json', '/nothing', '/mine', '/secret', `/accounts/${node.address}`, '/mine?x=1')
    const replies: Reply[] = []
    for (const path of [...paths, `/accounts/${node.address}/transactions`, `/blocks/${secret}`, '/%zz'])
      for (const headers of [{}, bearer, stranger, { ...bearer, host: 'evil.example' }, { ...bearer, origin: 'null' }])
        replies.push(await ask(node, { path, headers }))
    for (const body of ['{', '{}', signed(node.chain), signed(node.chain), { nodes: ['http://a'] }])
      for (const path of ['/transactions/new', '/nodes/register', '/mine'])
        replies.push(await ask(node, post(path, body, stranger)))
    replies.push(
      await ask(node, post('/transactions/new', 'x'.repeat(200_000), bearer)).catch(() => replies[0] as Reply),
    )
    const raw = await exchange(
      node.port,
      `GET /status HTTP/1.1\r\nAuthorization: Bearer ${operatorToken}\r\nbroken\r\n\r\n`,
    )
    await node.stop()
    const told = [node.logged(), raw.text, ...replies.flatMap(({ text, headers }) => [text, JSON.stringify(headers)])]
    // What was asked for by its name comes back in a sentence: that is no secret any more.
    const unasked = told.filter((text) => !text.includes(`There is no block ${secret}`))
    for (const text of unasked) for (const canary of [secret, operatorToken]) expect(text).not.toContain(canary)
    expect(node.shown()).toContain(secret)
    expect(node.shown()).not.toContain(operatorToken)
  })

  it('what is handed to the log by mistake', async () => {
    const canary = randomBytes(32).toString('hex')
    const script = `
      import { createLogger } from ${JSON.stringify(LOG_MODULE)}
      for (const terminal of [false, true]) {
        const log = await createLogger({ terminal, level: 'trace' })
        const hidden = { secret: '${canary}', token: '${canary}', key: '${canary}' }
        log.info(hidden, 'top')
        log.info({ identity: hidden, key: hidden, headers: { authorization: '${canary}' } }, 'nested')
        log.info({ req: { headers: { authorization: '${canary}' } } }, 'request')
        log.info({ kept: 'kept' }, 'kept')
      }`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, err]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (part) => out.push(part))
    child.stderr.on('data', (part) => err.push(part))
    await once(child, 'close')
    const text = Buffer.concat(err).toString()
    expect(Buffer.concat(out).toString()).toBe('')
    expect(text).not.toContain(canary)
    expect(text.match(/"?kept"?/g)?.length).toBeGreaterThanOrEqual(2)
    expect(text).toContain('[hidden]')
    expect(createLogger).toBeInstanceOf(Function)
  })
})

/** Its lines go to the process's own stderr, so it is tried in another process: the compiled one. */
const LOG_MODULE = fileURLToPath(new URL('../dist/log.js', import.meta.url))
