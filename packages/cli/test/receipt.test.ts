/** Receipts: what `bc verify-proof` makes of good and of tampered ones, and the shell script that checks the same by hand. */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter } from 'node:path'
import {
  type BranchStep,
  canonicalJson,
  type Hash,
  type JsonObject,
  type JsonValue,
  merkleBranch,
  merkleLeaf,
  parseJson,
  type Reward,
  RuleError,
  sha256Hex,
  type Transaction,
  transactionId,
} from '@bc/core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { OFF_THE_CURVE, withFields, wrongChecksum } from '../../core/test/support/faults/fault.ts'
import { FAULTS, sites } from '../../core/test/support/generator.ts'
import { signDigest, verifier } from '../../core/test/support/keys.ts'
import { alice, blockOn, bob, type Plan, type Site } from '../../core/test/support/site.ts'
import { describeWith } from '../../core/test/support/where.ts'
import { checkReceipt } from '../src/receipt/receipt.ts'
import { shellCheck } from '../src/receipt/shell.ts'
import { type Ended, ended, ROOT } from './commands.ts'
import { hasTools, recommitted } from './support-audit.ts'

// Scripts at a time.
vi.setConfig({ maxConcurrency: 4 })

interface Mutable {
  receipt: JsonValue
  chain: string
  id: string
  index: number
  previous_proof?: string
  transaction: Record<string, JsonValue>
  branch: BranchStep[]
  headers: Record<string, JsonValue>[]
}

interface Where {
  readonly index: number
  readonly position: number
  readonly full?: boolean
}

function receiptOf({ texts, chain }: Site, { index, position, full = false }: Where): Mutable {
  const blocks = texts.map((text) => JSON.parse(text))
  const block = blocks[index - 1]
  const transaction = block.transactions[position]
  const headers = blocks.map(({ transactions: _, ...header }) => header)
  return {
    receipt: 1,
    chain,
    id: transactionId(transaction as Transaction | Reward, chain),
    index,
    transaction,
    branch: merkleBranch(block.transactions.map(merkleLeaf), position),
    ...(full ? { headers } : { headers: headers.slice(index - 1), previous_proof: blocks[index - 2].proof }),
  }
}

const { constant, moving } = sites()
/** Block 3 has a reward and three transfers, the first with a memo of all sorts; two blocks follow. */
const TRANSFER = { index: 3, position: 1 }

type Verdict = string

function ours(receipt: Mutable): Verdict {
  return oursOf(JSON.stringify(receipt))
}

function oursOf(text: string | Buffer): Verdict {
  try {
    checkReceipt(parseJson(text), verifier)
    return 'valid'
  } catch (error) {
    if (error instanceof RuleError) return error.code
    throw error
  }
}

let folder = ''
let script = ''
let written = 0

beforeAll(() => {
  folder = mkdtempSync(`${tmpdir()}/bc-receipt-`)
  script = `${folder}/check.sh`
  writeFileSync(script, shellCheck('receipt.json', undefined))
})
afterAll(() => rmSync(folder, { recursive: true }))

function byHand(receipt: JsonValue, by = script): Promise<Verdict> {
  return byHandOf(canonicalJson(receipt), by)
}

function fileOf(text: string | Buffer): string {
  const file = `${folder}/${++written}.json`
  writeFileSync(file, text)
  return file
}

const checked = (...args: readonly string[]): Promise<Ended> => ended(spawn('bash', args, { cwd: folder }))

async function byHandOf(text: string | Buffer, by = script, says?: RegExp): Promise<Verdict> {
  const { code, stdout, stderr } = await checked(by, fileOf(text))
  if (code === 0 && stderr === '' && stdout.endsWith('\nvalid\n')) return 'valid'
  expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: '' })
  if (says) expect(stderr).toMatch(says)
  return /^([a-z._]+): [ -~]+\n$/.exec(stderr)?.[1] ?? stderr
}

const GOOD: [string, Mutable][] = [
  ['a transfer', receiptOf(constant, TRANSFER)],
  ['each place of a block', receiptOf(constant, { index: 3, position: 3 })],
  ['a reward', receiptOf(constant, { index: 4, position: 0 })],
  ['a memo with an escape', receiptOf(constant, { index: 4, position: 1 })],
  ['the newest block', receiptOf(constant, { index: 5, position: 2 })],
  ['the block after genesis', receiptOf(constant, { index: 2, position: 0 })],
  ['a moving target', receiptOf(moving, TRANSFER)],
  ['all headers', receiptOf(constant, { ...TRANSFER, full: true })],
  ['all headers, a moving target', receiptOf(moving, { ...TRANSFER, full: true })],
  ['all headers, the newest block', receiptOf(moving, { index: 5, position: 0, full: true })],
]

const flipped = (hex: unknown, at = -1) => {
  const text = String(hex)
  const place = at < 0 ? text.length + at : at
  return `${text.slice(0, place)}${text[place] === '0' ? '1' : '0'}${text.slice(place + 1)}`
}

type Tamper = (receipt: Mutable) => void

/** The rule that must say so. */
const BAD: [string, string, Where & { readonly site?: Site }, Tamper][] = [
  [
    'message.malformed',
    'another form',
    TRANSFER,
    (r) => {
      r.receipt = 2
    },
  ],
  [
    'message.malformed',
    'another id',
    TRANSFER,
    (r) => {
      r.id = flipped(r.id)
    },
  ],
  [
    'message.malformed',
    'no headers',
    TRANSFER,
    (r) => {
      r.headers = []
    },
  ],
  [
    'message.malformed',
    'the block that is genesis',
    { ...TRANSFER, full: true },
    (r) => {
      r.index = 1
    },
  ],
  [
    'message.malformed',
    'another block of the same headers',
    TRANSFER,
    (r) => {
      r.index = 4
    },
  ],
  [
    'message.malformed',
    'headers that begin later',
    TRANSFER,
    (r) => {
      r.previous_proof = String(r.headers.shift()?.proof)
    },
  ],
  ['block.index', 'a header left out', TRANSFER, (r) => void r.headers.splice(1, 1)],
  [
    'block.timestamp',
    'a header from before',
    TRANSFER,
    (r) => {
      ;(r.headers[1] as Tampered).timestamp = 5
    },
  ],
  ['block.commitment', 'another Merkle root', TRANSFER, (r) => edit(r, 0, 'merkle_root')],
  [
    'block.commitment',
    'another timestamp',
    TRANSFER,
    (r) => {
      ;(r.headers[2] as Tampered).timestamp = Number(r.headers[2]?.timestamp) + 1
    },
  ],
  [
    'block.commitment',
    'a target that everything meets',
    TRANSFER,
    (r) => {
      ;(r.headers[0] as Tampered).target = 'f'.repeat(64)
    },
  ],
  ['block.commitment', 'another previous_hash', TRANSFER, (r) => edit(r, 1, 'previous_hash')],
  [
    'block.seal',
    'another proof before',
    TRANSFER,
    (r) => {
      r.previous_proof = unsealing(r, 0)
    },
  ],
  [
    'block.seal',
    'another nonce',
    TRANSFER,
    (r) => {
      ;(r.headers[2] as Tampered).proof = unsealed(r, 2)
    },
  ],
  ['block.merkle_root', 'a step left out', TRANSFER, (r) => void r.branch.pop()],
  ['block.merkle_root', 'a step more', TRANSFER, (r) => void r.branch.push({ side: 'left', hash: r.id as Hash })],
  ['block.merkle_root', 'a step on the other side', TRANSFER, (r) => void turn(r)],
  [
    'block.merkle_root',
    'another neighbour',
    TRANSFER,
    (r) => {
      r.branch[0] = { side: r.branch[0]?.side ?? 'left', hash: flipped(r.branch[0]?.hash) as Hash }
    },
  ],
  [
    'block.merkle_root',
    'a transaction of another block',
    TRANSFER,
    (r) => {
      const other = receiptOf(constant, { index: 5, position: 1 })
      Object.assign(r, { transaction: other.transaction, id: other.id })
    },
  ],
  [
    'tx.signature',
    'another amount',
    TRANSFER,
    (r) => {
      r.transaction.amount = 101
    },
  ],
  [
    'tx.signature',
    'another amount and its id',
    TRANSFER,
    (r) => {
      r.transaction.amount = 101
      r.id = transactionId(r.transaction as unknown as Transaction, r.chain as Hash)
    },
  ],
  [
    'tx.signature',
    'another chain and the id there',
    TRANSFER,
    (r) => {
      r.chain = flipped(r.chain)
      r.id = transactionId(r.transaction as unknown as Transaction, r.chain as Hash)
    },
  ],
  [
    'tx.signature',
    "somebody else's signature",
    TRANSFER,
    (r) => {
      r.transaction.signature = signDigest(r.id, bob)
    },
  ],
  [
    'tx.signature',
    'the same signature with a high s',
    TRANSFER,
    (r) => {
      const s = BigInt(`0x${String(r.transaction.signature).slice(64)}`)
      const high = (0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n - s).toString(16)
      r.transaction.signature = String(r.transaction.signature).slice(0, 64) + high.padStart(64, '0')
    },
  ],
  [
    'tx.address',
    'a recipient with a wrong checksum',
    TRANSFER,
    (r) => {
      r.transaction.recipient = flipped(r.transaction.recipient)
      r.id = transactionId(r.transaction as unknown as Transaction, r.chain as Hash)
    },
  ],
  [
    'block.reward',
    'a reward of another block',
    { index: 4, position: 0 },
    (r) => {
      r.transaction.nonce = 5
      r.id = transactionId(r.transaction as unknown as Reward, r.chain as Hash)
    },
  ],
  [
    'block.merkle_root',
    'a reward of more',
    { index: 4, position: 0 },
    (r) => {
      r.transaction.amount = 5_000
      r.id = transactionId(r.transaction as unknown as Reward, r.chain as Hash)
    },
  ],
  [
    'block.genesis',
    'another chain, with all headers',
    { ...TRANSFER, full: true },
    (r) => {
      r.chain = flipped(r.chain)
    },
  ],
  [
    'block.genesis',
    'another reward in the rules',
    { ...TRANSFER, full: true },
    (r) => {
      ;(r.headers[0] as Tampered).rules = { ...(r.headers[0]?.rules as JsonObject), miningReward: 51 }
    },
  ],
  ...[[], ['anything']].map((transactions): (typeof BAD)[number] => [
    'block.genesis',
    `transactions in the header of genesis: ${transactions.length}`,
    { ...TRANSFER, full: true },
    (r) => void Object.assign(r.headers[0] as Tampered, { transactions }),
  ]),
  [
    'block.previous_hash',
    'a second block that follows another genesis',
    { ...TRANSFER, full: true },
    (r) => edit(r, 1, 'previous_hash'),
  ],
  [
    'block.target',
    'a target of its own',
    { ...TRANSFER, full: true },
    (r) => {
      ;(r.headers[3] as Tampered).target = '1'.padEnd(64, 'f')
    },
  ],
]

const MOVING = { ...TRANSFER, full: true, site: moving }
BAD.push(
  ['block.target', 'a target that has moved before it may', MOVING, (r) => edit(r, 1, 'target')],
  ['block.target', 'a moving target that is not what the rules give', MOVING, (r) => edit(r, 3, 'target')],
  ['block.target', 'headers that took no work', MOVING, (r) => forge(r)],
)

type Tampered = Record<string, JsonValue>

function edit(receipt: Mutable, at: number, field: string): void {
  const header = receipt.headers[at] as Tampered
  header[field] = flipped(header[field])
}

/** All but block 2, which is anybody's to copy, for a target that everything meets. */
function forge({ headers }: Mutable): void {
  for (const header of headers.slice(2) as Tampered[]) {
    const { proof: _, ...committed } = Object.assign(header, { target: 'f'.repeat(64) })
    header.proof = sha256Hex(canonicalJson(committed)) + '0'.repeat(16)
  }
}

function turn({ branch }: Mutable): void {
  const [{ side, hash } = { side: 'left', hash: '' as Hash }] = branch
  branch[0] = { side: side === 'left' ? 'right' : 'left', hash }
}

/** The proof of a header with the first nonce that isn't enough. */
function unsealed(receipt: Mutable, at: number): string {
  const header = receipt.headers[at] as Tampered
  const proof = String(header.proof)
  return firstThat((nonce) => {
    const changed = structuredClone(receipt)
    ;(changed.headers[at] as Tampered).proof = proof.slice(0, 64) + nonce
    return ours(changed) === 'block.seal' ? String(changed.headers[at]?.proof) : undefined
  })
}

/** A proof before the headers that the first seal isn't of. */
function unsealing(receipt: Mutable, _at: number): string {
  return firstThat((nonce) => {
    const previous_proof = String(receipt.previous_proof).slice(0, 64) + nonce
    return ours({ ...receipt, previous_proof }) === 'block.seal' ? previous_proof : undefined
  })
}

function firstThat(make: (nonce: string) => string | undefined): string {
  for (let nonce = 0; nonce < 1000; nonce++) {
    const made = make(nonce.toString(16).padStart(16, '0'))
    if (made !== undefined) return made
  }
  throw new Error('there is none')
}

function tampered(where: Where & { readonly site?: Site }, tamper: Tamper): Mutable {
  const receipt = structuredClone(receiptOf(where.site ?? constant, where))
  tamper(receipt)
  return receipt
}

/** A receipt's text, spelled in another way that means the same to everybody. */
const SPELLED: [string, (receipt: Mutable) => string][] = [
  ['no final newline', (r) => canonicalJson(r as unknown as JsonValue)],
  ['a final newline', (r) => `${canonicalJson(r as unknown as JsonValue)}\n`],
  ['no spaces, the keys as they come', (r) => JSON.stringify(r)],
  ['a line for each thing, its characters as they are', (r) => JSON.stringify(r, null, 2)],
  ['tabs and CRLF', (r) => JSON.stringify(r, null, '\t').replaceAll('\n', '\r\n')],
]

const replaced = (from: string | RegExp, to: string) => (text: string) => {
  const forged = text.replace(from, to)
  expect(forged).not.toBe(text)
  return forged
}

/** Texts that say one thing to jq and another to a reader, or nothing at all to a strict one. */
const FORGED: [string, (text: string) => string | Buffer][] = [
  ['another amount before the signed one', replaced('"amount": 100', '"amount": 999999, "amount": 100')],
  ['another memo before the signed one', replaced('"memo": ', '"memo": "paid in full", "memo": ')],
  ['a recipient twice, spelled with an escape', replaced('"recipient": ', '"\\u0072ecipient": "0", "recipient": ')],
  ['the same amount twice', replaced('"amount": 100', '"amount": 100, "amount": 100')],
  ['a chain twice', replaced('"chain": ', `"chain": "${'0'.repeat(64)}", "chain": `)],
  ['a header twice over', replaced('"timestamp": ', '"timestamp": 0, "timestamp": ')],
  ['100.0', replaced('"amount": 100', '"amount": 100.0')],
  ['10e1', replaced('"amount": 100', '"amount": 10e1')],
  ['1E+2', replaced('"amount": 100', '"amount": 1E+2')],
  ['0100', replaced('"amount": 100', '"amount": 0100')],
  ['a fraction that jq rounds away', replaced('"amount": 100', '"amount": 100.000000000000000001')],
  ['a fraction above 2^53 - 2', replaced('"amount": 100', '"amount": 9007199254740990.4')],
  ['a whole number above 2^53 - 1', replaced('"amount": 100', '"amount": 9007199254740993')],
  ['minus nothing', replaced('"nonce": 0', '"nonce": -0')],
  ['nan', replaced('"amount": 100', '"amount": nan')],
  ['a form 1.0', replaced('"receipt": 1', '"receipt": 1.0')],
  ['an index 3.0', replaced(/"index": 3(?=, "prev)/, '"index": 3.0')],
  ['a byte order mark', (text) => `\ufeff${text}`],
  ['a byte that is not UTF-8', (text) => Buffer.from(replaced('"memo": "', '"memo": "\xff')(text), 'latin1')],
  ['a lone surrogate', replaced('"memo": "', '"memo": "\\ud800')],
  ['a line break in a string', replaced('"memo": "', '"memo": "\n')],
  ['a NUL after the end', (text) => `${text}\0`],
  ['two receipts', (text) => `${text}\n${text}`],
  ['half a receipt', (text) => text.slice(0, text.length / 2)],
  ['nothing', () => ''],
  ['a space', () => ' '],
  ['no JSON', () => '<html>\u001b[2J: gone</html>'],
  ['a list without an end', () => '['.repeat(1000)],
]

/** What is no receipt, though every part of it is. */
const NO_RECEIPT: [string, (receipt: Mutable) => unknown][] = [
  ['null', () => null],
  ['a list', () => []],
  ['a string', () => 'x'],
  ['no fields', () => ({})],
  ['a field more', (r) => ({ ...r, more: 1 })],
  ['no branch', ({ branch: _, ...r }) => r],
  ['a branch of other things', (r) => ({ ...r, branch: ['x'] })],
  ['a step with a field more', (r) => ({ ...r, branch: r.branch.map((step) => ({ ...step, more: 1 })) })],
  ['a branch without an end', (r) => ({ ...r, branch: Array(33).fill(r.branch[0]) })],
  ['a transaction that is a leaf', (r) => ({ ...r, transaction: r.id })],
  ['an index in a string', (r) => ({ ...r, index: '3' })],
  ['an index of 0', (r) => ({ ...r, index: 0 })],
  ['a form in a string', (r) => ({ ...r, receipt: '1' })],
  ['a proof before of other digits', (r) => ({ ...r, previous_proof: 'A'.repeat(80) })],
  ['a proof before that is null', (r) => ({ ...r, previous_proof: null })],
  ['headers that are an object', (r) => ({ ...r, headers: {} })],
  ['all headers, and there is none', ({ previous_proof: _, ...r }) => ({ ...r, headers: [] })],
]

/**
 * The receipt of a bad block that was mined: its id, its branch and its seal are right, and the rule that the block
 * breaks is all that speaks against it. Undefined where the block is too bad to have a transaction there.
 */
function receiptOfBad(plan: Plan, position: number): Mutable | undefined {
  const text = blockOn(constant, plan)
  const block = parsedOrNull(text)
  if (!Array.isArray(block?.transactions) || block.transactions.length <= position) return undefined
  const index = constant.texts.length + 1
  const receipt = receiptOf({ ...constant, texts: [...constant.texts, text] }, { index, position })
  const { signature: _, ...unsigned } = { ...receipt.transaction, chain: receipt.chain } as Tampered
  return { ...receipt, index: block.index ?? index, id: sha256Hex(canonicalJson(unsigned)) }
}

function parsedOrNull(text: string) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** What a receipt shows of a block's faults: the form of its header, and that of a transaction or of its reward. */
const SHOWN = /^(block\.(shape|reward)|tx\.(shape|number|memo|address|signature))$/

const MINED = FAULTS.flatMap(
  ({ name, code, position = 0, make, only, says }): [string, Mutable, RegExp | undefined][] => {
    const receipt = SHOWN.test(code) && only !== 'moving' ? receiptOfBad(make(constant), position) : undefined
    return receipt === undefined ? [] : [[`${code}: ${name}`, receipt, says]]
  },
)

/** A chain of somebody's own whose genesis block is none, which its id agrees with. */
const NO_GENESIS: [string, (genesis: JsonObject, rules: JsonObject) => JsonObject][] = [
  ['a seventh rule', (genesis, rules) => ({ ...genesis, rules: { ...rules, version: 1 } })],
  ['a rule that is a string', (genesis, rules) => ({ ...genesis, rules: { ...rules, miningReward: '50' } })],
  ['the difficulty 64', (genesis, rules) => ({ ...genesis, rules: { ...rules, difficulty: 64 } })],
  ['blocks of more than 1 MB', (genesis, rules) => ({ ...genesis, rules: { ...rules, maxBlockBytes: 1_000_001 } })],
  ['a blockTime without a halfLife', (genesis, rules) => ({ ...genesis, rules: { ...rules, blockTime: 10 } })],
  ['a target that anything meets', (genesis) => ({ ...genesis, target: 'f'.repeat(64) })],
  ['the index 2', (genesis) => ({ ...genesis, index: 2 })],
  ['a field more', (genesis) => ({ ...genesis, version: 1 })],
  ['a nonce in its proof', (genesis) => ({ ...genesis, proof: `${String(genesis.proof).slice(0, 79)}1` })],
  ...[wrongChecksum(alice), OFF_THE_CURVE, '0'].map((address): [string, (genesis: JsonObject) => JsonObject] => [
    `an allocation to ${address.slice(0, 8)}`,
    (genesis) => ({ ...genesis, rules: { ...(genesis.rules as JsonObject), allocations: { [address]: 1 } } }),
  ]),
  [
    'more coins than there can be',
    (genesis, rules) => ({
      ...genesis,
      rules: { ...rules, allocations: { [alice.address]: 2 ** 53 - 1, [bob.address]: 1 } },
    }),
  ],
]

function withGenesis(change: (typeof NO_GENESIS)[number][1]): Mutable {
  const receipt = structuredClone(receiptOf(constant, { ...TRANSFER, full: true }))
  const genesis = receipt.headers[0] as JsonObject
  const { transactions: _, ...changed } = recommitted(change(genesis, genesis.rules as JsonObject))
  receipt.headers[0] = changed as Tampered
  receipt.chain = sha256Hex(canonicalJson({ ...changed, transactions: [] }))
  return receipt
}

describe('bc verify-proof', () => {
  test.each(GOOD)('accepts %s', (_name, receipt) => {
    const report = checkReceipt(receipt as unknown as JsonObject, verifier)
    expect(report).toMatchObject({ id: receipt.id, index: receipt.index, full: receipt.previous_proof === undefined })
    expect(report.confirmations).toBe(6 - receipt.index)
  })

  test.each(BAD)('%s: %s', (code, _name, where, tamper) => {
    expect(ours(tampered(where, tamper))).toBe(code)
  })

  test.each(NO_RECEIPT)('what is no receipt: %s', (_name, change) => {
    const receipt = change(structuredClone(receiptOf(constant, TRANSFER))) as Mutable
    expect(ours(receipt)).toBe('message.malformed')
  })

  test('mined faults of every kind are among those that it refuses', () => {
    const codes = new Set(MINED.map(([name, receipt]) => [name.split(': ')[0], ours(receipt)].join(' as ')))
    for (const code of [
      'tx.shape',
      'tx.number',
      'tx.memo',
      'tx.address',
      'tx.signature',
      'block.reward',
      'block.shape',
    ])
      expect(codes).toContain(`${code} as ${code}`)
  })
})

describeWith(hasTools(), 'skipped: jq, openssl or xxd is missing', 'the script that checks by hand', () => {
  describe.concurrent('says the same of', () => {
    test.each(GOOD)('%s: valid', async (_name, receipt) => {
      expect(await byHand(receipt as unknown as JsonValue)).toBe('valid')
    })

    test.each(BAD)('%s: %s', async (code, _name, where, tamper) => {
      expect(await byHand(tampered(where, tamper) as unknown as JsonValue)).toBe(code)
    })

    test.each(SPELLED)('%s: valid', async (_name, spelled) => {
      const text = spelled(receiptOf(constant, TRANSFER))
      expect([oursOf(text), await byHandOf(text)]).toEqual(['valid', 'valid'])
    })

    test.each(FORGED)('%s: message.malformed', async (_name, forge) => {
      const text = forge(canonicalJson(receiptOf(constant, TRANSFER) as unknown as JsonValue))
      expect([oursOf(text), await byHandOf(text)]).toEqual(['message.malformed', 'message.malformed'])
    })

    test.each(NO_RECEIPT)('no receipt, %s: message.malformed', async (_name, change) => {
      const receipt = change(structuredClone(receiptOf(constant, TRANSFER)))
      expect(await byHand(receipt as JsonValue)).toBe('message.malformed')
    })

    test.each(MINED)('mined, %s', async (_name, receipt, says) => {
      const text = canonicalJson(receipt as unknown as JsonValue)
      expect(await byHandOf(text, script, says)).toBe(ours(receipt))
    })

    test.each(['\u0000', '\u0001', '\t', '\n', '\u001f'])('a memo with %j: only where it is escaped', async (memo) => {
      const text = canonicalJson(receiptOfBad(withFields(1, { memo }), 1) as unknown as JsonValue)
      expect([oursOf(text), await byHandOf(text)]).toEqual(['valid', 'valid'])
      const bare = replaced(JSON.stringify(memo), `"${memo}"`)(text)
      expect([oursOf(bare), await byHandOf(bare)]).toEqual(['message.malformed', 'message.malformed'])
    })

    test.each(NO_GENESIS)('a genesis block with %s: block.genesis', async (_name, change) => {
      const receipt = withGenesis(change)
      expect([ours(receipt), await byHand(receipt as unknown as JsonValue)]).toEqual(['block.genesis', 'block.genesis'])
    })
  })

  describe('shows what it has checked', () => {
    const shown = async (where: Where, site = constant) => {
      const receipt = receiptOf(site, where)
      const { stdout } = await checked(script, fileOf(canonicalJson(receipt as unknown as JsonValue)))
      return { receipt, lines: stdout.split('\n') }
    }

    test('of a transfer', async () => {
      const { receipt, lines } = await shown(TRANSFER)
      expect(lines.slice(0, 7)).toEqual([
        `transaction  ${receipt.id}, signed by its sender for the chain ${receipt.chain}`,
        `sender       ${alice.address}`,
        `recipient    ${bob.address}`,
        'amount       100',
        'fee          2',
        'memo         "\\u53d1\\u7968 42 \\u2014 \\ud83e\\uddfe"',
        'block        3: the branch leads to its Merkle root (steps: 2)',
      ])
    })

    test('of a transfer without a memo, and of one that would drive the terminal', async () => {
      expect((await shown({ index: 3, position: 2 })).lines.join('\n')).not.toContain('memo')
      expect((await shown({ index: 4, position: 1 })).lines[5]).toBe('memo         "\\u007f"')
    })

    test('of a reward', async () => {
      const { receipt, lines } = await shown({ index: 4, position: 0 })
      expect(lines.slice(0, 4)).toEqual([
        `transaction  ${receipt.id}, a reward on the chain ${receipt.chain}`,
        `recipient    ${alice.address}`,
        'amount       53',
        'block        4: the branch leads to its Merkle root (steps: 2)',
      ])
    })

    test('of what is open', async () => {
      const rest = 'and the rest of the block keeps the rules'
      const open = `not shown    whether this nonce was the next one and the balance covered it, ${rest}`
      expect((await shown(TRANSFER)).lines).toContain(open)
      const reward = (await shown({ index: 4, position: 0 })).lines
      expect(reward).toContain(`not shown    whether this amount was due, ${rest}`)
    })

    test('of the targets', async () => {
      const part = receiptOf(moving, TRANSFER).headers.map(({ target }) => String(target))
      const open = `not shown    whether its targets are the rules': the easiest of them is ${part.sort().at(-1)}`
      expect((await shown(TRANSFER, moving)).lines).toContain(open)
      for (const site of [constant, moving])
        expect((await shown({ ...TRANSFER, full: true }, site)).lines).toContain(
          'chain        from genesis on, every target the one that its rules give',
        )
    })
  })

  describe('says nothing where somebody ends it', () => {
    const receipt = () => fileOf(canonicalJson(receiptOf(constant, TRANSFER) as unknown as JsonValue))

    test('as a reader who has gone', async () => {
      const { stdout, stderr } = await checked(
        '-c',
        '"$BASH" "$0" "$1" | (exec <&-); echo $PIPESTATUS',
        script,
        receipt(),
      )
      expect(stdout).toBe('141\n')
      expect(stderr).not.toContain('failure')
    })

    test.each([
      ['HUP', 129],
      ['INT', 130],
      ['TERM', 143],
    ])('by SIG%s', async (signal, code) => {
      // Before the first tool that it runs.
      const line = `command() { kill -${signal} $$; }; export -f command; exec "$BASH" "$0" "$1"`
      expect(await checked('-c', line, script, receipt())).toMatchObject({ code, stdout: '', stderr: '' })
    })
  })

  describe('leaves with 2 where it could not look', () => {
    const good = () => fileOf(canonicalJson(receiptOf(constant, TRANSFER) as unknown as JsonValue))

    function expectNoVerdict({ code, stdout, stderr }: Ended, reason: RegExp): void {
      expect(stderr).toMatch(reason)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    }

    test.each(['/nonexistent', '.', '-', ''])('the file %j', async (file) => {
      expectNoVerdict(await checked(script, file), new RegExp(`^check: can't read ${file.replace('.', '\\.')}$`, 'm'))
    })

    /** Instead of the tool of that name. */
    const withTool = (name: string, text: string) => {
      const own = `${folder}/${name}-of-its-own`
      mkdirSync(own)
      writeFileSync(`${own}/${name}`, `#!/usr/bin/env bash\n${text}\n`)
      chmodSync(`${own}/${name}`, 0o755)
      const env = { ...process.env, PATH: `${own}${delimiter}${process.env.PATH}` }
      return ended(spawn('bash', [script, good()], { cwd: folder, env }))
    }

    test('an openssl without the curve', async () => {
      const real = execFileSync('bash', ['-c', 'command -v openssl'], { encoding: 'utf8' }).trim()
      const run = await withTool('openssl', `[[ $1 != pkey ]] || exit 1\nexec ${real} "$@"`)
      expectNoVerdict(run, /^check: this openssl does not know the curve secp256k1\n$/)
    })

    test('a jq that gives up, a hash that fails', async () => {
      expectNoVerdict(await withTool('jq', 'exit 1'), /^check: this jq is too old/)
      expectNoVerdict(await withTool('sha256sum', 'exit 1'), /^check: stopped by a failure of this machine/)
    })

    test.runIf(existsSync('/dev/full'))('a report that nobody can write down', async () => {
      const run = await checked('-c', '"$BASH" "$0" "$1" >/dev/full', script, good())
      expectNoVerdict(run, /check: stopped by a failure of this machine or this script\n$/)
    })
  })

  test('a chain that was asked for', async () => {
    const receipt = receiptOf(constant, TRANSFER) as unknown as JsonValue
    for (const [chain, verdict] of [
      [constant.chain, 'valid'],
      [moving.chain, 'block.genesis'],
    ] as const) {
      const own = `${folder}/own.sh`
      writeFileSync(own, shellCheck('receipt.json', chain))
      expect(await byHand(receipt, own)).toBe(verdict)
    }
  })

  test.each([
    ...['it\'s "$(touch canary)`touch canary`.json', '@CHAIN@', '@FILE@', '-n', '--help', '$& a}b\nc', '/absolute'],
  ])('the file may be called %j', async (called) => {
    const name = called.startsWith('/') ? `${folder}${called}` : called
    writeFileSync(
      called.startsWith('/') ? name : `${folder}/${name}`,
      canonicalJson(GOOD[0]?.[1] as unknown as JsonValue),
    )
    writeFileSync(`${folder}/named.sh`, shellCheck(name, constant.chain))
    for (const args of [[], [name]]) {
      const { code, stdout, stderr } = await checked('named.sh', ...args)
      expect({ code, stderr, valid: stdout.endsWith('valid\n') }).toEqual({ code: 0, stderr: '', valid: true })
    }
    expect(existsSync(`${folder}/canary`)).toBe(false)
  })

  test('a moving target is computed as the audit computes it, of which there are more tests', () => {
    const text = (file: string) => readFileSync(file, 'utf8')
    for (const name of ['asert', 'power_of_two']) {
      const [found] = new RegExp(`^${name}\\(\\) \\{.*?^\\}$`, 'ms').exec(text(`${ROOT}/scripts/audit.sh`)) ?? []
      expect(text(script)).toContain(found ?? `a function ${name}`)
    }
  })

  const hasShellCheck = (() => {
    try {
      return execFileSync('bash', ['-c', 'command -v shellcheck']).length > 0
    } catch {
      return false
    }
  })()
  describeWith(hasShellCheck, 'skipped: no shellcheck', 'ShellCheck', () => {
    test('has nothing to say of it', () => {
      execFileSync('shellcheck', ['--severity=style', script], { encoding: 'utf8' })
    })
  })
})
