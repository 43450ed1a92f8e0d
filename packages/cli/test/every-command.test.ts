/**
 * What holds for every command, whatever it does: exit codes for each class of failure, nothing on stdout when it
 * fails, pipes that are closed early, NO_COLOR, a terminal of 40 columns. The list is the program's own: a command
 * without a case here fails the first test.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import type { Transaction, UnsignedTransaction } from '@bc/core'
import { addressOf, parseSecret, type Secret, signTransaction } from '@bc/wallet'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bcProgram } from '../src/bc.ts'
import { bcNodeProgram } from '../src/bc-node.ts'
import { CLEAN, command, type Ended, ended, expectFailure, type FakeNode, fakeNode, ROOT, start } from './commands.ts'
import { ALICE, BOB, CHAIN, PLAIN_SIGNATURE } from './keys.ts'
import { type NodeProcess, sharedFolder, sharedNode } from './nodes.ts'
import { describeOnTerminal, shellOnTerminal } from './terminal.ts'

/** What a command needs in order to succeed, again and again and several at a time. */
interface World {
  readonly neighbour: string
  /** A file with Alice's secret. */
  readonly key: string
  /** Of a confirmed transaction. */
  readonly id: string
  /** A file with the receipt of that transaction. */
  readonly receipt: string
  /** A file with blocks that the node has. */
  readonly blocks: string
  /** The next of Alice's transactions, signed. */
  signed(): Transaction
  /** A file with the secret of somebody who has coins, and whom nobody else uses. */
  payer(): string
  /** A stored key that nobody else uses: its name. */
  spareKey(): string
  /** A name that no stored key has. */
  newName(): string
}

interface Case {
  /** What stands behind the command's name. Default: nothing. */
  readonly words?: (world: World) => readonly string[]
  /** Whether it asks a node. Default: it does. */
  readonly asks?: false
  /** It asks a node in dev mode, and changes what others would see there. */
  readonly dev?: true
  /** What comes out in a pipe: one JSON document (the default), some, none or more of them a line, or a text. */
  readonly prints?: 'json' | 'lines' | 'text'
  /** What it prints on a terminal is a text for programs as well, and as wide as it is. */
  readonly wide?: true
  /** It takes too long to be run several times: only its failures are tried here, the rest in a test of its own. */
  readonly elsewhere?: string
}

/** The commands that only hold others. */
const GROUPS = ['bc key']

const CASES: Readonly<Record<string, Case>> = {
  'bc mine': {},
  'bc chain': {},
  'bc chain --ndjson': { prints: 'lines', wide: true },
  'bc transactions': {},
  'bc transactions --ndjson': { prints: 'lines', wide: true },
  'bc status': {},
  'bc watch': { prints: 'lines', elsewhere: 'watch.test.ts' },
  'bc wait': { words: () => ['--height', '1'] },
  'bc secret': {},
  'bc block': { words: () => ['2'] },
  'bc tx': { words: ({ id }) => [id] },
  'bc account': { words: () => [ALICE.address] },
  'bc history': { words: () => [ALICE.address] },
  'bc history --ndjson': { words: () => [ALICE.address], prints: 'lines', wide: true },
  'bc nodes': {},
  'bc nodes --ndjson': { prints: 'lines', wide: true },
  'bc register': { words: ({ neighbour }) => [neighbour] },
  'bc resolve': {},
  'bc sign': { words: ({ key }) => [ALICE.address, BOB.address, '5', `@${key}`], prints: 'text' },
  'bc send-tx': { words: (world) => wordsOf(world.signed()) },
  'bc pay': { words: ({ payer }) => [BOB.address, '1', '--from', `@${payer()}`] },
  'bc draft': { words: () => [ALICE.address, BOB.address, '1'], wide: true },
  'bc snapshot': { dev: true, prints: 'text' },
  'bc revert': { words: () => ['1'], dev: true },
  'bc time': { words: () => ['+1'], dev: true, prints: 'text' },
  'bc fund': { words: () => [BOB.address], dev: true },
  'bc verify': {},
  'bc export': { prints: 'lines', wide: true },
  'bc import': { words: ({ blocks }) => [blocks] },
  'bc prove': { words: ({ id }) => [id], wide: true },
  'bc verify-proof': { words: ({ receipt }) => [receipt], asks: false },
  'bc key new': { asks: false },
  'bc key list': { asks: false },
  'bc key list --ndjson': { asks: false, prints: 'lines', wide: true },
  'bc key show': { words: () => ['alice'], asks: false },
  'bc key export': { words: () => ['alice'], asks: false },
  'bc key import': { words: ({ key, newName }) => [newName(), `@${key}`], asks: false },
  'bc key passphrase': { words: ({ spareKey }) => [spareKey()], asks: false },
  'bc key remove': { words: ({ spareKey }) => [spareKey(), '--yes'], asks: false },
  'bc key address': { words: ({ key }) => [`@${key}`], asks: false, prints: 'text' },
  'bc lab': { words: () => ['mine'], asks: false, prints: 'lines', elsewhere: 'lab.test.ts' },
  'bc explain': { asks: false },
  'bc explain --ndjson': { asks: false, prints: 'lines', wide: true },
  'bc config': { asks: false },
  'bc completion': { words: () => ['zsh'], asks: false, prints: 'text', wide: true },
  'bc help': { asks: false, prints: 'text', wide: true },
}

function wordsOf({ sender, recipient, amount, signature, nonce }: Transaction): readonly string[] {
  return [sender, recipient, String(amount), signature, '--nonce', String(nonce)]
}

interface Listed {
  readonly path: string
  readonly command: Command
}

/** Every command of a program that does something by itself. */
function listed(command: Command, path = command.name()): readonly Listed[] {
  const below = command.commands.flatMap((one) => listed(one, `${path} ${one.name()}`))
  return below.length > 0 ? below : [{ path, command }]
}

const COMMANDS = listed(bcProgram())
const NAMED = Object.entries(CASES).map(([name, one]) => ({ name, ...one, words: one.words ?? (() => []) }))
const RUN = NAMED.filter(({ elsewhere }) => elsewhere === undefined)
const TOGETHER = RUN.filter(({ dev }) => !dev)
const ONE_BY_ONE = RUN.filter(({ dev }) => dev)
const ASKING = RUN.filter(({ asks }) => asks !== false)

/** As many as may pay while the tests are run. */
const PAYERS = Array.from({ length: 16 }, (_, i) => parseSecret((100 + i).toString(16).padStart(64, '0')) as Secret)

const nodes: NodeProcess[] = []
let devNode: string
let world: World
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  const accounts = [ALICE.address, ...PAYERS.map(addressOf)]
  const allocations = Object.fromEntries(accounts.map((address) => [address, 1_000_000]))
  const config = { difficulty: 1, allocations }
  nodes.push(
    ...(await Promise.all([
      sharedNode(['--ephemeral'], config),
      sharedNode(['--ephemeral'], config),
      sharedNode(['--dev']),
    ])),
  )
  const [node, neighbour, dev] = nodes as [NodeProcess, NodeProcess, NodeProcess]
  devNode = dev.url
  const folder = sharedFolder()
  env = {
    BC_NODE: node.url,
    BC_KEYS: `${folder}/keys`,
    BC_PASSPHRASE_FILE: fileWith(folder, 'passphrase', 'x y z'),
    BC_NEW_PASSPHRASE_FILE: fileWith(folder, 'new-passphrase', 'z y x'),
  }
  world = worldIn(folder, node, new URL(neighbour.url).host)
  await succeeds('bc key import', ['alice', `@${world.key}`])
  await succeeds('bc snapshot', ['--node', devNode])
  const sent = await succeeds('bc send-tx', wordsOf(world.signed()))
  await succeeds('bc mine', [])
  const { id } = JSON.parse(sent.stdout)
  const receipt = fileWith(folder, 'receipt', (await succeeds('bc prove', [id])).stdout)
  const blocks = fileWith(folder, 'blocks', (await succeeds('bc export', [])).stdout)
  world = { ...world, id, receipt, blocks }
})
afterAll(() => Promise.all(nodes.map((node) => node.stop('SIGKILL'))))

function worldIn(folder: string, node: NodeProcess, neighbour: string): World {
  let [nonce, paying, names] = [0, 0, 0]
  const newName = () => `key${names++}`
  return {
    neighbour,
    key: fileWith(folder, 'alice', ALICE.secret),
    id: '',
    receipt: '',
    blocks: '',
    signed: () =>
      signTransaction(
        { sender: ALICE.address, recipient: BOB.address, amount: 1, fee: 0, nonce: nonce++ } as UnsignedTransaction,
        node.chain as never,
        parseSecret(ALICE.secret) as Secret,
      ),
    payer: () => fileWith(folder, `payer${paying}`, PAYERS[paying++] ?? ''),
    newName,
    spareKey() {
      const name = newName()
      copyFileSync(`${folder}/keys/alice.json`, `${folder}/keys/${name}.json`)
      return name
    },
  }
}

function fileWith(folder: string, name: string, content: string): string {
  writeFileSync(`${folder}/${name}`, content, { mode: 0o600 })
  return `${folder}/${name}`
}

/** Words that are well formed, for when nothing comes of it. */
function nowhere(): World {
  const signed = { sender: ALICE.address, recipient: BOB.address, amount: 5, signature: PLAIN_SIGNATURE, nonce: 0 }
  return { ...world, neighbour: 'localhost:9', id: CHAIN, signed: () => signed as never, payer: () => world.key }
}

const argsOf = (name: string, words: readonly string[]) => [...name.split(' ').slice(1), ...words]

function runs(name: string, words: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return command('bc', argsOf(name, words), { env: { ...env, ...more } })
}

async function succeeds(name: string, words: readonly string[]): Promise<Ended> {
  const run = await runs(name, words)
  expect(run, run.stderr).toMatchObject({ code: 0 })
  return run
}

const nodeOf = ({ dev }: Case): NodeJS.ProcessEnv => (dev ? { BC_NODE: devNode } : {})

/** Commands that change what others would see are tried one by one, the rest side by side. */
function testEach(title: string, body: (one: (typeof RUN)[number]) => Promise<void>): void {
  test.concurrent.each(TOGETHER)(title, body)
  test.sequential.each(ONE_BY_ONE)(title, body)
}

describe('the list', () => {
  test('every command of the program has a case, and every case a command', () => {
    const paths = COMMANDS.map(({ path }) => path)
    const cases = new Set(Object.keys(CASES).map((name) => name.replace(/ --.*/, '')))
    expect([...cases].sort()).toEqual([...paths].sort())
  })

  test('every list comes as NDJSON as well, and every command as JSON', () => {
    for (const { path, command } of COMMANDS) {
      const own = command.options.map(({ long }) => long)
      expect([path, own.includes('--ndjson')]).toEqual([path, `${path} --ndjson` in CASES])
    }
  })

  test('every command has its help as a golden text, with examples', () => {
    for (const { path } of COMMANDS) {
      const text = readFileSync(new URL(`help/${path.replaceAll(' ', '-')}.txt`, import.meta.url), 'utf8')
      expect(text).toMatch(/^Examples?:$/m)
    }
  })

  test('groups are groups', () => {
    const groups = bcProgram().commands.filter((one) => one.commands.length > 0)
    expect(groups.map((one) => `bc ${one.name()}`)).toEqual(GROUPS)
  })
})

describe('where all is well', () => {
  testEach('$name in a pipe: 0, results alone on stdout', async ({ name, words, prints = 'json', ...one }) => {
    const run = await runs(name, words(world), nodeOf(one))
    expect(run, run.stderr).toMatchObject({ code: 0, signal: null })
    expect(run.stdout + run.stderr).not.toContain('\u001b')
    if (prints !== 'lines') expect(run.stdout).not.toBe('')
    if (prints === 'json') expect(typeof JSON.parse(run.stdout)).toBe('object')
    if (prints === 'lines') for (const line of run.stdout.split('\n').slice(0, -1)) JSON.parse(line)
  })

  testEach('$name with --json: JSON', async ({ name, words, ...one }) => {
    if (name === 'bc help') return
    const run = await runs(name, [...words(world), '--json'], nodeOf(one))
    expect(run, run.stderr).toMatchObject({ code: 0 })
    for (const line of run.stdout.split('\n').filter(Boolean)) expect(typeof JSON.parse(line)).toMatch(/object|string/)
  })

  const texts = RUN.filter(({ prints }) => prints === 'text')
  test.sequential.each(texts)(
    '$name in a pipe is a text whatever the config file says',
    async ({ name, words, ...one }) => {
      const file = fileWith(sharedFolder(), 'config.json', '{"json": true}')
      const run = await runs(name, words(world), { ...nodeOf(one), BC_CONFIG: file })
      expect(run, run.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[^{]/) })
    },
  )

  testEach('$name whose reader has left: 0, without a word', async ({ name, words, ...one }) => {
    const child = start('bc', argsOf(name, words(world)), { env: { ...env, ...nodeOf(one) } })
    child.stdout?.destroy()
    expect(await ended(child)).toMatchObject({ code: 0, signal: null, stderr: expect.not.stringMatching(/EPIPE|bug/) })
  })
})

describeOnTerminal('on a terminal of 40 columns, without colours', () => {
  testEach('$name', async ({ name, words, wide, ...one }) => {
    const argv = ['/bin/sh', '-c', 'exec "$0" "$@" 2>/dev/null', `${ROOT}/bin/bc`, ...argsOf(name, words(world))]
    const shown = await shellOnTerminal(argv, [], { columns: 40, env: { ...env, ...nodeOf(one), NO_COLOR: '1' } })
    expect(shown, shown.output).toMatchObject({ code: 0, signal: null })
    expect(shown.output).not.toContain('\u001b')
    if (wide) return
    // A value that is longer than the line stands alone on it, to be copied.
    expect(shown.output.split('\n').filter((line) => line.length > 40 && !/^ *\S+$/.test(line))).toEqual([])
  })
})

describe('usage: 2, nothing on stdout', () => {
  test.concurrent.each([...COMMANDS, { path: 'bc-node', command: bcNodeProgram() }])(
    '$path',
    async ({ path, command: one }) => {
      const [launcher, ...words] = path.split(' ') as ['bc' | 'bc-node', ...string[]]
      const refused = (...more: readonly string[]) => command(launcher, [...words, ...more])
      const start = `${launcher}: `
      expectFailure(await refused('--no-such-flag'), 2, `${start}unknown option '--no-such-flag'`)
      // The longest has the most to tell it from others.
      const option = one.options.map(({ long }) => long ?? '').sort((a, b) => b.length - a.length)[0] ?? '--node'
      const mistyped = option.slice(0, -1)
      expectFailure(
        await refused(mistyped),
        2,
        new RegExp(`^${start}unknown option '${mistyped}'\n\\(Did you mean .*${option}`),
      )
      const most = one.registeredArguments
      if (most.at(-1)?.variadic) return
      const many = most.map(({ argChoices }) => argChoices?.[0] ?? 'x')
      expectFailure(await refused(...many, 'x'), 2, `${start}too many arguments`)
      if (most[0]?.required) expectFailure(await refused(), 2, `${start}missing required argument '${most[0].name()}'`)
    },
  )

  test('a command that is mistyped', async () => {
    for (const { path } of COMMANDS) {
      const words = path.split(' ').slice(1)
      const last = words.pop() ?? ''
      const mistyped = `${last}x`
      const run = await command('bc', [...words, mistyped])
      expectFailure(run, 2, new RegExp(`^bc: unknown command '${mistyped}'\n\\(Did you mean .*\\b${last}\\b`))
    }
  })

  test.each([
    [['lab', 'partitoin'], /Allowed choices are .*\n\(Did you mean partition\?\)\n/],
    [['completion', 'bsh'], /\(Did you mean bash or zsh\?\)\n/],
    [['completion', 'tcsh'], /\(Did you mean bash, fish or zsh\?\)\n/],
    [['completion', 'powershell'], /Allowed choices are bash, zsh, fish\.\n\(add --help/],
    [['help', 'sgin'], /^bc: there is no such command\. Did you mean sign\?\n/],
    [['help', 'key', 'nwe'], /^bc: there is no such command\. Did you mean new\?\n/],
    [['explain', 'tx.nonze'], /Did you mean tx\.nonce\?/],
  ])('bc %j', async (args, reason) => {
    expectFailure(await command('bc', args), 2, reason)
  })
})

describe('a node that says no: its class, nothing on stdout', () => {
  const refusals: readonly (readonly [name: string, code: number, reason: RegExp, answer: RequestListener])[] = [
    ['a signature', 4, /^bc: tx\.signature: No\.\n$/m, refuses(401, 'tx.signature')],
    ['another rule', 5, /^bc: tx\.nonce: No\.\n$/m, refuses(409, 'tx.nonce')],
    ['a trouble of its own', 1, /^bc: node\.stopping: No\.\n$/m, refuses(503, 'node.stopping')],
    [
      'no node at all',
      1,
      /is that a node\?( It may have been taken all the same: see bc transactions\.)?\n$/m,
      (_, response) => void response.end('<!doctype html>'),
    ],
  ]
  const fakes: FakeNode[] = []
  beforeAll(async () => {
    for (const [, , , answer] of refusals) fakes.push(await fakeNode(answer))
  })
  afterAll(() => fakes.forEach((one) => void one.close()))

  test.concurrent.each(ASKING)('$name', async ({ name, words }) => {
    for (const [i, [, code, reason]] of refusals.entries())
      expectFailure(await runs(name, words(nowhere()), { BC_NODE: fakes[i]?.url }), code, reason)
    const nobody = await runs(name, words(nowhere()), { BC_NODE: 'http://127.0.0.1:9' })
    expectFailure(nobody, 3, /^bc: no node at http:\/\/127/m)
  })
})

function refuses(statusCode: number, code: string): RequestListener {
  const body = JSON.stringify({ statusCode, code, error: 'x', message: 'No.' })
  return (_, response) => void response.writeHead(statusCode).end(body)
}

describe('a config file that can not be used', () => {
  test.concurrent.each(RUN)('$name: 2, or it does not need it', async ({ name, words }) => {
    const run = await runs(name, words(world), { BC_CONFIG: '/no/such/file' })
    if (['bc completion', 'bc help'].includes(name)) expect(run).toMatchObject({ code: 0, stderr: '' })
    else expectFailure(run, 2, /^bc: The config can't be read from \/no\/such\/file/m)
  })
})

test('nothing of the tester’s own is in play', () => {
  for (const name of Object.keys(process.env).filter((one) => /^(BC_|NO_COLOR)/.test(one)))
    expect(CLEAN).not.toHaveProperty(name)
})
