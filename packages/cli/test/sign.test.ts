import { spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import module from 'node:module'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bc, command, ended, expectFailure, fakeNode, output, ROOT } from './commands.ts'
import { ALICE, BOB, CAROL, CHAIN, MEMO, PLAIN_SIGNATURE, SIGNED_WITH_MEMO } from './keys.ts'

let folder: string
let keyFile: string

beforeAll(() => {
  folder = mkdtempSync(`${tmpdir()}/bc-sign-`)
  keyFile = `${folder}/alice`
  writeFileSync(keyFile, `${ALICE.secret}\n`)
})
afterAll(() => rmSync(folder, { recursive: true }))

const PLACE = ['--nonce', '0', '--chain', CHAIN]
const WORDS = ['sign', ALICE.address, BOB.address, '5']
// A port that nobody listens on: whoever asks a node fails.
const NOBODY = ['--node', 'http://127.0.0.1:9']

describe('offline', () => {
  test('the signature alone, as the published vector has it', async () => {
    const run = await bc(...WORDS, `@${keyFile}`, ...PLACE, ...NOBODY)
    expect(run).toEqual({ code: 0, signal: null, stdout: `${PLAIN_SIGNATURE}\n`, stderr: '' })
  })

  test('--json: the whole signed transaction in canonical JSON on one line', async () => {
    const fields = ['--nonce', '1', '--fee', '2', '--memo', MEMO, '--chain', CHAIN]
    const stdout = await output('sign', ALICE.address, CAROL.address, '7', `@${keyFile}`, ...fields, '--json')
    expect(stdout).toBe(`${SIGNED_WITH_MEMO}\n`)
  })

  test('a memo that is not UTF-8 is not signed as something else', async () => {
    const script = `exec "$0" "$@" --memo "$(printf 'caf\\351')"`
    const argv = ['-c', script, `${ROOT}/bin/bc`, ...WORDS, `@${keyFile}`, ...PLACE]
    expectFailure(await ended(spawn('/bin/sh', argv)), 2, /the memo is not UTF-8/)
  })

  test('an empty memo is none', async () => {
    expect(await output(...WORDS, `@${keyFile}`, ...PLACE, '--memo', '')).toBe(`${PLAIN_SIGNATURE}\n`)
  })

  test('the launcher `sign` is `bc sign`', async () => {
    const run = await command('sign', [...WORDS.slice(1), `@${keyFile}`, ...PLACE])
    expect(run).toMatchObject({ code: 0, stdout: `${PLAIN_SIGNATURE}\n` })
  })

  test('nothing of the node, its HTTP server or its database is loaded', async () => {
    const coverage = `${folder}/loaded`
    await command('bc', [...WORDS, `@${keyFile}`, ...PLACE], { env: { NODE_V8_COVERAGE: coverage } })
    const [file] = readdirSync(coverage)
    const { result } = JSON.parse(readFileSync(`${coverage}/${file}`, 'utf8')) as { result: { url: string }[] }
    const files = result.map(({ url }) => url).filter((url) => url.startsWith('file:'))
    // The bundler says in a comment what each part of a file was made of.
    const texts = files.map((url) => readFileSync(new URL(url), 'utf8'))
    const loaded = texts.flatMap((text) =>
      [...text.matchAll(/^\/\/ ((?:packages|node_modules)\/\S+)$/gm)].map(([, path]) => path),
    )
    expect(loaded).toContain('packages/wallet/src/sign.ts')
    expect(
      loaded.filter((path) =>
        /^packages\/node\/(?!src\/user-folders)|fastify|level|pino|\/client\.ts|keystore|ciphers|bip39|scrypt/.test(
          path ?? '',
        ),
      ),
    ).toEqual([])
  })
})

describe('what Node has compiled, in an installation of its own', () => {
  const install = (name: string) => {
    const root = `${folder}/${name}`
    for (const part of ['bin', 'packages/cli/bundle', 'packages/cli/package.json'])
      cpSync(`${ROOT}/${part}`, `${root}/${part}`, { recursive: true })
    symlinkSync(`${ROOT}/node_modules`, `${root}/node_modules`)
    return { launcher: `${root}/bin/bc`, cache: `${root}/packages/cli/.compile-cache` }
  }
  const sign = (launcher: string, env = {}) =>
    ended(spawn(launcher, [...WORDS, `@${keyFile}`, ...PLACE], { env: { ...process.env, ...env } }))
  const SIGNED = { code: 0, stdout: `${PLAIN_SIGNATURE}\n`, stderr: '' }

  test.runIf('enableCompileCache' in module)('is kept beside the bundle', async () => {
    const { launcher, cache } = install('kept')
    expect(await sign(launcher, { NODE_DISABLE_COMPILE_CACHE: '1' })).toMatchObject(SIGNED)
    expect(existsSync(cache)).toBe(false)
    for (const time of ['first', 'next']) expect(await sign(launcher), time).toMatchObject(SIGNED)
    const [version = ''] = readdirSync(cache)
    expect(readdirSync(`${cache}/${version}`).length).toBeGreaterThan(5)
  })

  /** Without one of the tester's own. */
  const signIn = (launcher: string, umask: string) =>
    ended(
      spawn('/bin/sh', ['-c', 'umask "$0"; exec "$@"', umask, launcher, ...WORDS, `@${keyFile}`, ...PLACE], {
        env: { PATH: process.env.PATH, HOME: process.env.HOME },
      }),
    )

  test.runIf('enableCompileCache' in module)('is its owner’s alone, whatever the umask', async () => {
    const { launcher, cache } = install('shared')
    expect(await signIn(launcher, '000')).toMatchObject(SIGNED)
    expect(statSync(cache).mode & 0o777).toBe(0o700)
    expect(readdirSync(cache)).toHaveLength(1)
  })

  test.runIf(process.getuid).each(['777', '770', '755'])(
    'is neither taken from a folder that others can enter, nor kept there: %s',
    async (mode) => {
      const { launcher, cache } = install(`loose-${mode}`)
      mkdirSync(cache)
      chmodSync(cache, mode)
      expect(await signIn(launcher, '000')).toMatchObject(SIGNED)
      expect(readdirSync(cache)).toEqual([])
    },
  )

  test('may be spoilt', async () => {
    const { launcher, cache } = install('spoilt')
    await sign(launcher)
    const kept = existsSync(cache) ? (readdirSync(cache, { recursive: true }) as string[]) : []
    for (const file of kept.filter((path) => path.includes('/'))) writeFileSync(`${cache}/${file}`, 'spoilt')
    expect(await sign(launcher)).toMatchObject(SIGNED)
  })

  test('is not kept where nothing can be written', async () => {
    const { launcher, cache } = install('read-only')
    writeFileSync(cache, 'a file where the folder would be')
    expect(await sign(launcher)).toMatchObject(SIGNED)
  })
})

describe('KEY', () => {
  test('- reads standard input', async () => {
    const run = await command('bc', [...WORDS, '-', ...PLACE], { input: `${ALICE.secret}\n` })
    expect(run).toEqual({ code: 0, signal: null, stdout: `${PLAIN_SIGNATURE}\n`, stderr: '' })
  })

  test('what `bc key new --json` prints is a key too', async () => {
    const run = await command('bc', [...WORDS, '-', ...PLACE], { input: JSON.stringify(ALICE) })
    expect(run).toMatchObject({ code: 0, stdout: `${PLAIN_SIGNATURE}\n` })
  })

  test('on the command line it works, with one line of warning', async () => {
    const run = await bc(...WORDS, ALICE.secret, ...PLACE)
    expect(run).toMatchObject({ code: 0, stdout: `${PLAIN_SIGNATURE}\n` })
    expect(run.stderr).toMatch(/^bc: warning: a secret on the command line shows in ps.*\n$/)
  })

  test("another's secret signs nothing", async () => {
    const run = await bc('sign', BOB.address, ALICE.address, '5', `@${keyFile}`, ...PLACE)
    expectFailure(run, 2, `KEY is ${ALICE.address}'s secret and not SENDER's: nothing was signed.`)
  })

  test.each([
    ['too short', ALICE.secret.slice(1)],
    ['zero', '0'.repeat(64)],
    ['the order of the curve', 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'],
    ['upper case', 'AB'.repeat(32)],
    ['two lines', `${ALICE.secret}\n${BOB.secret}`],
    ['nothing', ''],
    ['JSON of something else', '{"secret": 5}'],
    ['JSON cut off', '{"secret": "'],
  ])('%s is refused and not repeated', async (_name, input) => {
    const run = await command('bc', [...WORDS, '-', ...PLACE], { input })
    expectFailure(run, 2, /^bc: standard input holds no secret: it is 64 lower-case hex digits.*\n$/)
    if (input !== '') expect(run.stderr).not.toContain(input)
  })

  test('endless input ends', async () => {
    expectFailure(
      await command('bc', [...WORDS, '-', ...PLACE], { input: '0'.repeat(1e6) }),
      2,
      /longer than 4096 bytes/,
    )
    expectFailure(await bc(...WORDS, '@/dev/zero', ...PLACE), 2, /longer than 4096 bytes/)
  })

  test('a file that is missing or a folder', async () => {
    expectFailure(
      await bc(...WORDS, '@/no/such/file', ...PLACE),
      2,
      "KEY can't be read from /no/such/file: there is no",
    )
    expectFailure(await bc(...WORDS, `@${folder}`, ...PLACE), 2, /it is a folder/)
  })
})

describe('what is refused before anything is signed or asked', () => {
  const wrong = (digit: number) => ALICE.address.replace(/.$/, String(digit))
  test.each([
    ['SENDER', ['sign', wrong(0), BOB.address, '5'], /SENDER is no address: its checksum doesn't agree/],
    ['RECIPIENT', ['sign', ALICE.address, 'bob', '5'], /RECIPIENT is no address: it is 74 lower-case hex digits/],
    ...['0', '-0', '1.0', '1e3', '05', '5 ', '', '9007199254740992', '99999999999999999999', '0x5', '５'].map(
      (amount) =>
        [`AMOUNT ${amount}`, ['sign', ALICE.address, BOB.address, amount], /AMOUNT is a whole number/] as const,
    ),
    ['AMOUNT -1', ['sign', ALICE.address, BOB.address, '-1'], /./],
  ] as const)('%s', async (_name, words, reason) => {
    expectFailure(await bc(...words, `@${keyFile}`, ...PLACE), 2, reason)
  })

  test.each([
    ['--nonce', '-1'],
    ['--nonce', '1.5'],
    ['--fee', 'x'],
    ['--chain', CHAIN.toUpperCase()],
    ['--memo', 'é'.repeat(129)],
    ['--timeout', '0'],
    ['--node', 'ftp://localhost'],
    ['--node', 'http://alice:pw@localhost'],
  ])('%s %s', async (option, value) => {
    const run = await bc(...WORDS, `@${keyFile}`, ...PLACE, `${option}=${value}`)
    expectFailure(run, 2, /./)
  })

  test('a secret in the wrong place is not repeated', async () => {
    const canary = 'c0ffee'.padStart(64, '1')
    for (const args of [
      [canary],
      ['key', canary],
      ['key', 'address', 'x', canary],
      ['sign', canary, canary, canary, '@x'],
    ]) {
      const run = await bc(...args)
      expectFailure(run, 2, /./)
      expect(run.stderr).not.toContain(canary)
    }
  })
})

describe('with a node', () => {
  const asked: string[] = []
  const status = {
    chain: CHAIN,
    height: 1,
    tip: CHAIN,
    timestamp: 1,
    work: '1',
    target: CHAIN,
    pool: 0,
    address: '',
    version: '',
  }
  const account = { address: ALICE.address, balance: 5, nonce: 0, pendingNonce: 0 }
  let node: Awaited<ReturnType<typeof fakeNode>>
  beforeAll(async () => {
    node = await fakeNode((request, response) => {
      asked.push(request.url ?? '')
      response.end(JSON.stringify(request.url === '/status' ? status : account))
    })
  })
  afterAll(() => node.close())

  test.each([
    [[], [`/accounts/${ALICE.address}`, '/status']],
    [['--nonce', '0'], ['/status']],
    [['--chain', CHAIN], [`/accounts/${ALICE.address}`]],
    [PLACE, []],
  ])('%j asks for what is missing and for nothing else', async (options, expected) => {
    asked.length = 0
    expect(await output(...WORDS, `@${keyFile}`, ...options, '--node', node.url)).toBe(`${PLAIN_SIGNATURE}\n`)
    expect(asked.sort()).toEqual(expected)
  })
})

describe('keys', () => {
  test('key new prints a new key each time, its address fitting', async () => {
    const [one, two] = [await output('key', 'new', '--json'), await output('key', 'new')].map((line) =>
      JSON.parse(line),
    )
    expect(Object.keys(one)).toEqual(['address', 'secret'])
    expect(one.secret).toMatch(/^[0-9a-f]{64}$/)
    expect(one.secret).not.toBe(two.secret)
    const address = await command('bc', ['key', 'address', '-'], { input: one.secret })
    expect(address).toEqual({ code: 0, signal: null, stdout: `${one.address}\n`, stderr: '' })
  })

  test('key address, as the vectors have it', async () => {
    const run = await bc('key', 'address', CAROL.secret, '--json')
    expect(run).toMatchObject({ code: 0, stdout: `{"address": "${CAROL.address}"}\n` })
    expect(run.stderr).toMatch(/warning/)
  })
})
