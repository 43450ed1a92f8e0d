/** `scripts/audit.sh` against the block generator's table: it must name the same fault as core does, with other means. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { type ChainRules, canonicalJson, type JsonObject, type JsonValue, meetsTarget, sha256Hex } from '@bc/core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type BadCase, badCases, type GoodCase, goodCases, sites } from '../../core/test/support/generator.ts'
import {
  alice,
  blockOn,
  bob,
  extended,
  type Plan,
  pay,
  type Site,
  sealOn,
  siteAtGenesis,
} from '../../core/test/support/site.ts'
import { describeWith, hasVectors, readVectors } from '../../core/test/support/where.ts'
import { fakeNode } from './commands.ts'
import {
  audit,
  auditOf,
  bookOf,
  documentOf,
  expectFault,
  expectNothingBehind,
  expectNothingRun,
  expectNoVerdict,
  expectValid,
  hasTools,
  makeFolders,
  recommitted,
  shell,
} from './support-audit.ts'

// Audits at a time.
vi.setConfig({ maxConcurrency: 4 })

const STDIN = 'standard input'

describeWith(hasTools(), 'skipped: jq, openssl, xxd or curl is missing', 'scripts/audit.sh', () => {
  beforeAll(makeFolders)
  afterAll(expectNothingBehind)
  describe.concurrent('good chains', goodChains)
  describe.concurrent('bad blocks', badBlocks)
  describe.concurrent('a moving target', movingTarget)
  describe.concurrent('a bad genesis block', badGenesis)
  describe.concurrent('documents', documents)
  describe.concurrent('where a chain comes from', sources)
  describe.concurrent('no verdict', noVerdict)
  describe.concurrent('nothing in a document is run', injections)
})

/**
 * An audit is some hundred processes, so everybody's run takes a part of the table, CI's a larger one, and all of it is
 * for `BC_AUDIT_ALL=1`.
 */
const SHARE = process.env.CI ? 4 : 1
const SOME_BAD = 40 * SHARE
const SOME_GOOD = 8 * SHARE
/** Another word, other cases. */
const SEED = 'audit'

/** Always the same part: one case of every kind, and others. */
function sample<Case extends { name: string }>(cases: readonly Case[], size: number, kindOf: (of: Case) => string) {
  if (process.env.BC_AUDIT_ALL) return cases
  const place = (of: Case) => sha256Hex(SEED + of.name)
  const shuffled = cases.toSorted((a, b) => (place(a) < place(b) ? -1 : 1))
  const firsts = new Map(shuffled.toReversed().map((of) => [kindOf(of), of]))
  return [...new Set([...firsts.values(), ...shuffled])].slice(0, Math.max(size, firsts.size))
}

function goodChains(): void {
  const { constant, moving } = sites()
  test.each([constant, moving])('the generator’s, $name target', async ({ texts, chain }) => {
    const run = await auditOf(documentOf(texts))
    expectValid(run, STDIN, bookOf(texts))
    expect(run.stdout).toContain(`\nchain         ${chain}\n`)
  })

  test('genesis alone', async () => {
    const texts = constant.texts.slice(0, 1)
    expectValid(await auditOf(documentOf(texts)), STDIN, bookOf(texts))
  })

  for (const { name, parentChain, good } of sample([...goodCases()], SOME_GOOD, targetOf))
    test(`at the edge: ${name}`, async () => {
      const texts = [...parentChain, good]
      expectValid(await auditOf(documentOf(texts)), STDIN, bookOf(texts))
    })

  describeWith(hasVectors('chain.json'), 'skipped: no ../shared/vectors here', 'the published one', () => {
    test('its tip, its supply and its accounts are the published ones', async () => {
      const { chain, blocks, accounts } = JSON.parse(readVectors('chain.json')) as PublishedChain
      const balances = Object.values(accounts).map(({ balance }) => balance)
      const run = await auditOf(JSON.stringify({ length: chain.length, chain }))
      expectValid(run, STDIN, {
        tip: blocks.at(-1)?.hash as string,
        blocks: blocks.length,
        transactions: blocks.slice(1).reduce((sum, { transactions }) => sum + transactions.length - 1, 0),
        accounts: balances.length,
        supply: balances.reduce((sum, balance) => sum + balance, 0),
      })
    })
  })
}

interface PublishedChain {
  readonly chain: readonly JsonValue[]
  readonly blocks: readonly { readonly hash: string; readonly transactions: readonly unknown[] }[]
  readonly accounts: Readonly<Record<string, { readonly balance: number }>>
}

function targetOf({ rules }: GoodCase): string {
  return rules.blockTime === 0 ? 'constant' : 'moving'
}

function badBlocks(): void {
  for (const bad of sample([...badCases()], SOME_BAD, ({ code, says = '' }) => `${code} ${says}`))
    test(bad.name, async () => {
      const sentence = expectFault(await auditOf(documentOf([...bad.parentChain, bad.bad])), placeOf(bad), bad.code)
      if (bad.position !== undefined) expect(sentence).toMatch(new RegExp(`^transaction ${bad.position}: `))
      if (bad.says) expect(sentence).toMatch(bad.says)
    })

  const { texts } = sites().constant
  const middle = texts.with(2, (texts[2] as string).replace('"amount": 100', '"amount": 101'))

  test('a block with good ones after it', async () => {
    expectFault(await auditOf(documentOf(middle)), /^block 3$/, 'block.merkle_root')
  })

  test('of two bad blocks the first', async () => {
    expectFault(await auditOf(documentOf([...middle, '{}'])), /^block 3$/, 'block.merkle_root')
  })

  test('a block left out', async () => {
    expectFault(await auditOf(documentOf(texts.toSpliced(2, 1))), /^block 3$/, 'block.index')
  })
}

/** Where a text is no JSON, nobody can say what its blocks are. */
function placeOf({ bad, parentChain }: BadCase): RegExp {
  const block = `block ${parentChain.length + 1}`
  try {
    JSON.parse(bad)
    return new RegExp(`^${block}$`)
  } catch {
    return /^document$/
  }
}

/** What bash makes of ASERT with numbers of 64 bits, against core's with large ones. */
function movingTarget(): void {
  test('up and down again, past the clamp at ten block times', async () => {
    const { texts } = chainOf({ blockTime: 1000, halfLife: 3000 }, [...Array(13).fill(1), 10_005, 500, 0, 2700, 1])
    const targets = new Set(texts.map((text) => JSON.parse(text).target))
    expect(targets.size).toBeGreaterThan(texts.length - 3)
    expectValid(await auditOf(documentOf(texts)), STDIN, bookOf(texts))
  })

  // Too far down to be mined. But the target is judged before the seal, so who asks for a better seal agrees to it.
  test.each([
    [7, 3, 5],
    [1000, 777, 123],
    [20, 1, 1],
    [40, 1, 1],
    [65, 1, 1],
    [200, 1, 0],
    [300, 1, 0],
  ])('block time %d, half-life %d, a block after %d seconds', async (blockTime, halfLife, seconds) => {
    const site = chainOf({ blockTime, halfLife }, [seconds])
    const next = blockOn(site, { proof: (proof, target) => !meetsTarget(sealOn(site, proof), target) })
    const sentence = expectFault(await auditOf(documentOf([...site.texts, next])), /^block 3$/, 'block.seal')
    expect(sentence).toContain(JSON.parse(next).target)
  })
}

/** A chain of rewards alone, its blocks so many seconds apart. */
function chainOf(changed: Partial<ChainRules>, seconds: readonly number[]): Site {
  const rules = { allocations: {}, difficulty: 1, maxBlockBytes: 5000, miningReward: 5, ...changed } as ChainRules
  const after = (site: Site, time: number) => extended(site, { fields: { timestamp: site.parent.timestamp + time } })
  return seconds.reduce(after, siteAtGenesis('rewards', rules, 1_700_000_000))
}

function badGenesis(): void {
  const { texts } = sites().constant
  const genesis: JsonObject = JSON.parse(texts[0] as string)
  const rules = genesis.rules as JsonObject
  const withRules = (changed: JsonObject) => recommitted({ ...genesis, rules: { ...rules, ...changed } })
  const having = (changed: JsonObject) => recommitted({ ...genesis, ...changed })
  const { miningReward, ...fiveRules } = rules

  test.each<[string, JsonValue]>([
    ['a higher reward under the same proof', { ...genesis, rules: { ...rules, miningReward: 51 } }],
    ['another timestamp under the same proof', { ...genesis, timestamp: 1_700_000_001 }],
    ['null', null],
    ['the second block', JSON.parse(texts[1] as string)],
    ['a field more', having({ version: 1 })],
    ['the index 2', having({ index: 2 })],
    ['a previous_hash of zeros', having({ previous_hash: '0'.repeat(64) })],
    ['a timestamp that is a string', having({ timestamp: '1700000000' })],
    ['a target that anything meets', having({ target: 'f'.repeat(64) })],
    ['a merkle_root of nothing', having({ merkle_root: sha256Hex('') })],
    ['a transaction', having({ transactions: [null] })],
    ['a nonce in its proof', having({ proof: `${'0'.repeat(79)}1` })],
    ['a proof of 81 digits', having({ proof: '0'.repeat(81) })],
    ['no rules', having({ rules: null })],
    ['five rules', having({ rules: fiveRules })],
    ['a seventh rule', withRules({ version: 1 })],
    ['a rule that is a string', withRules({ miningReward: '50' })],
    ['the difficulty 64', withRules({ difficulty: 64 })],
    ['blocks of more than 1 MB', withRules({ maxBlockBytes: 1_000_001 })],
    ['a blockTime without a halfLife', withRules({ blockTime: 10 })],
    ['an allocation that is a string', withRules({ allocations: { [alice.address]: '1000' } })],
    ['an allocation to "0"', withRules({ allocations: { 0: 1 } })],
    ['an allocation to a wrong checksum', withRules({ allocations: { [alice.address.replace(/.$/, 'x')]: 1 } })],
    ['more than there can be', withRules({ allocations: { [alice.address]: 2 ** 53 - 1, [bob.address]: 1 } })],
  ])('%s', async (_name, changed) => {
    const chain = [JSON.stringify(changed), texts[1] as string]
    expectFault(await auditOf(documentOf(chain)), /^block 1$/, 'block.genesis')
  })

  test('no block at all', async () => {
    expectFault(await auditOf(documentOf([])), /^block 1$/, 'block.genesis')
  })

  test('a genesis block with other rules is another chain’s', async () => {
    const other = canonicalJson(withRules({ miningReward: 51 }))
    expectFault(await auditOf(documentOf([other, ...texts.slice(1)])), /^block 2$/, 'block.previous_hash')
  })
}

function documents(): void {
  const { texts } = sites().constant
  const blocks = `[${texts.join(', ')}]`
  const right = documentOf(texts)

  test('a bare list of blocks is one', async () => {
    expectValid(await auditOf(blocks), STDIN, bookOf(texts))
  })

  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['null', 'null'],
    ['a block', texts[0] as string],
    ['another length', `{"chain": ${blocks}, "length": ${texts.length + 1}}`],
    ['a length that is a string', `{"chain": ${blocks}, "length": "${texts.length}"}`],
    ['a length with a decimal point', `{"chain": ${blocks}, "length": ${texts.length}.0}`],
    ['no length', `{"chain": ${blocks}}`],
    ['a key more', `{"chain": ${blocks}, "length": ${texts.length}, "valid": true}`],
    ['a chain given twice', `{"chain": [], "chain": ${blocks}, "length": ${texts.length}}`],
    ['a chain that is an object', `{"chain": {"0": ${texts[0]}}, "length": 1}`],
    ['two documents', `${right}\n${right}`],
    ['half a document', right.slice(0, right.length / 2)],
    ['a byte order mark', `\ufeff${right}`],
    ['UTF-16', Buffer.from(right, 'utf16le')],
    ['a byte that is not UTF-8', Buffer.from(right.replace('index', 'inde\xff'), 'latin1')],
    ['a surrogate in UTF-8', Buffer.from(right.replace('index', 'inde\xed\xa0\x80'), 'latin1')],
    ['lists a thousand deep', `${'['.repeat(1000)}${']'.repeat(1000)}`],
    ['an error page', '<html>\u001b[2J: gone</html>'],
  ])('%s is none', async (_name, document) => {
    expectFault(await auditOf(document), /^document$/, 'message.malformed')
  })
}

function sources(): void {
  const { texts } = sites().moving
  const document = documentOf(texts)
  const known = bookOf(texts)
  const serving: RequestListener = ({ method, url, headers: { authorization } }, response) => {
    if (method === 'GET' && url === '/chain' && !authorization) response.end(document)
    else if (url === '/moved/chain') response.writeHead(302, { location: '/chain' }).end()
    else if (url === '/bad/chain') response.end(documentOf(texts.slice(1)))
    else response.writeHead(404).end('{"code": "request.unknown"}')
  }
  let folder = ''
  let file = ''
  let node = ''
  let close: () => void

  beforeAll(async () => {
    folder = mkdtempSync(`${tmpdir()}/audit-sources-`)
    file = `${folder}/chain.json`
    writeFileSync(file, document)
    const server = await fakeNode(serving)
    node = server.url
    close = () => server.close()
  })
  afterAll(() => {
    close()
    rmSync(folder, { recursive: true })
  })

  test('a file', async () => expectValid(await audit([file]), file, known))
  test('a pipe with a name', async () => {
    expect((await shell('"$0" <(cat "$1")', file)).stdout).toMatch(/\nvalid\n$/)
  })
  test('standard input: a socket above, a file and a pipe here', async () => {
    expectValid(await shell('"$0" - <"$1"', file), STDIN, known)
    expectValid(await shell('cat "$1" | "$0" -', file), STDIN, known)
  })
  test('standard input that somebody has begun to read', async () => {
    expectValid(await shell('{ echo first; cat "$1"; } | { read -r _; "$0" -; }', file), STDIN, known)
    const half = `${folder}/half`
    writeFileSync(half, `first\n${document}`)
    expectValid(await shell('{ read -r _; "$0" -; } <"$1"', half), STDIN, known)
  })

  test('a node, however its URL ends', async () => {
    for (const end of ['', '/', '/chain']) expectValid(await audit([`${node}${end}`]), `${node}/chain`, known)
  })
  test('the node that BC_NODE names', async () => {
    expectValid(await audit([], { env: { BC_NODE: node } }), `${node}/chain`, known)
    const bare = node.replace('http://', '')
    expectValid(await audit([], { env: { BC_NODE: bare } }), `${node}/chain`, known)
  })
  test('the node itself, and no proxy that answers for it', async () => {
    expectNoVerdict(await audit(['http://127.0.0.1:9'], { env: { http_proxy: node } }), 3, /no answer/)
  })
  test('for a caller who exports options of bash', async () => {
    expectValid(await audit([file], { env: { SHELLOPTS: 'noclobber:posix' } }), file, known)
  })
  test('for a reader who has gone', async () => {
    const { stdout, stderr } = await shell('"$0" "$1" | (exec <&-); echo $PIPESTATUS', file)
    expect(stdout).toBe('141\n')
    expect(stderr).not.toContain('failure')
  })
  test('a node with a bad chain', async () => {
    expectFault(await audit([`${node}/bad`]), /^block 1$/, 'block.genesis')
  })
  test('a node that answers with something else, or sends us elsewhere', async () => {
    expectNoVerdict(await audit([`${node}/none`]), 3, /answers with status 404\n$/)
    expectNoVerdict(await audit([`${node}/moved`]), 3, /answers with status 302\n$/)
  })
}

function noVerdict(): void {
  test('nothing listens there', async () => {
    expectNoVerdict(await audit(['http://127.0.0.1:9']), 3, /no answer from http:\/\/127\.0\.0\.1:9\/chain\n$/)
    expectNoVerdict(await audit([], { env: { BC_NODE: 'http://127.0.0.1:9' } }), 3, /no answer/)
  })

  test.each([
    [['/nonexistent/chain.json'], /no such file/],
    [['localhost:5000'], /a URL starts with http:/],
    [['file:///etc/passwd'], /no such file/],
    [['/'], /no such file/],
    [[''], /no such file/],
    [['-x'], /unknown option: -x/],
    [['--verbose'], /unknown option/],
    [['-', '-'], /one URL or FILE at most/],
  ])('usage: %j', async (args, reason) => {
    expectNoVerdict(await audit(args), 2, reason)
  })

  test('--help', async () => {
    const run = await audit(['--help'])
    expect(run).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^audit\.sh \[URL\|FILE\]: /) })
  })

  test('standard input that can’t be read', async () => {
    for (const from of ['<&-', '</']) {
      expectNoVerdict(await shell(`"$0" - ${from}`), 2, /audit\.sh: can't read standard input\n$/)
    }
  })

  test('a missing tool', async () => {
    const folder = mkdtempSync(`${tmpdir()}/audit-path-`)
    symlinkSync(execFileSync('bash', ['-c', 'command -v bash'], { encoding: 'utf8' }).trim(), `${folder}/bash`)
    expectNoVerdict(await audit(['-'], { env: { PATH: folder } }), 2, /jq is missing: install it first\n$/)
    rmSync(folder, { recursive: true })
  })

  test('no room for its own files', async () => {
    const run = await audit(['-'], { input: documentOf(sites().constant.texts), env: { TMPDIR: '/nonexistent' } })
    expectNoVerdict(run, 2, /nothing is said about the chain\n$/)
  })
}

/** Would leave a file behind where it is put into a command, in whatever quotes, and where bash computes with it. */
const COMMANDS = 'a[$(touch canary)],`touch canary`\n\ttouch canary\n\'\ntouch canary\n"\ntouch canary\n'

function injections(): void {
  const { constant } = sites()
  const inTransfer = (fields: JsonObject): Plan => ({ transfers: () => [pay(constant, alice, bob, 10, 1, fields)] })
  const signed = (signature: string): Plan => ({
    transfers: () => [{ ...pay(constant, alice, bob, 10, 1), signature: () => signature }],
  })
  const places: readonly [string, string, (text: string) => Plan][] = [
    ['recipient', 'tx.address', (recipient) => inTransfer({ recipient })],
    ['sender', 'tx.address', (sender) => inTransfer({ sender })],
    ['signature', 'tx.signature', signed],
    ['amount', 'tx.shape', (amount) => inTransfer({ amount })],
    ['field of a transaction', 'tx.shape', (name) => inTransfer({ [name]: 1 })],
    ['recipient of a reward', 'block.reward', (recipient) => ({ reward: (right) => ({ ...right, recipient }) })],
    ['index', 'block.shape', (index) => ({ fields: { index } })],
    ['previous_hash', 'block.shape', (hash) => ({ fields: { previous_hash: hash } })],
    ['target', 'block.shape', (target) => ({ fields: { target } })],
    ['timestamp', 'block.shape', (timestamp) => ({ fields: { timestamp } })],
    ['proof', 'block.shape', (proof) => ({ block: (right) => ({ ...right, proof }) })],
    ['field of a block', 'block.shape', (name) => ({ fields: { [name]: 1 } })],
  ]

  test.each(places)('%s', async (_field, code, plan) => {
    const chain = [...constant.texts, blockOn(constant, plan(COMMANDS))]
    expectFault(await auditOf(documentOf(chain)), /^block 6$/, code)
    expectNothingRun()
  })

  test('memo', async () => {
    const chain = [...constant.texts, blockOn(constant, inTransfer({ memo: COMMANDS }))]
    expectValid(await auditOf(documentOf(chain)), STDIN, bookOf(chain))
    expectNothingRun()
  })

  test('rules of genesis', async () => {
    const genesis: JsonObject = JSON.parse(constant.texts[0] as string)
    for (const changed of [{ allocations: { [COMMANDS]: 1 } }, { blockTime: COMMANDS }, { [COMMANDS]: 1 }]) {
      const other = recommitted({ ...genesis, rules: { ...(genesis.rules as JsonObject), ...changed } })
      expectFault(await auditOf(documentOf([canonicalJson(other)])), /^block 1$/, 'block.genesis')
    }
    expectNothingRun()
  })

  test('outside of blocks', async () => {
    for (const document of [
      COMMANDS,
      JSON.stringify({ chain: [], length: COMMANDS }),
      `{${JSON.stringify(COMMANDS)}: 0}`,
    ])
      expectFault(await auditOf(document), /^document$/, 'message.malformed')
    expectNothingRun()
  })

  test('the name of a file, a URL', async () => {
    expectNoVerdict(await audit([COMMANDS]), 2, /no such file/)
    expectNoVerdict(await audit([`http://127.0.0.1:9/${COMMANDS}`]), 3, /no answer/)
    expectNothingRun()
  })
}
