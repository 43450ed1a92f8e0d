/** `block.shape` to `block.size`. */
import { canonicalJson, easiestTarget, type JsonValue, meetsTarget, nextTarget, sealOf, sha256Hex } from '@bc/core'
import { type Plan, type Site, sealOn } from '../site.ts'
import { type Fault, flipped, nudged, without } from './fault.ts'
import { ofSize } from './size.ts'

const FIELDS = ['index', 'merkle_root', 'previous_hash', 'proof', 'target', 'timestamp', 'transactions']

const of =
  (code: Fault['code']) =>
  (name: string, make: Fault['make']): Fault => ({ name, code, make })

const shape = of('block.shape')

/** A field of the header with another value, which the proof then commits to. */
const header = (name: string, field: string, value: string | number | null): Fault =>
  shape(name, () => ({ fields: { [field]: value } }))

const SHAPE_FAULTS: readonly Fault[] = [
  shape('a block that is null', () => ({ text: () => 'null' })),
  shape('a block that is a number', () => ({ text: () => '7' })),
  shape('a block that is a string', () => ({ text: (right) => JSON.stringify(right) })),
  shape('a list of one block', () => ({ text: (right) => `[${right}]` })),
  shape('an empty object', () => ({ text: () => '{}' })),
  ...FIELDS.map((field) => shape(`no ${field}`, () => ({ block: (right) => without(right, field) }))),
  shape('a field more', () => ({ fields: { version: 1 } })),
  shape('the rules, which only genesis has', ({ texts }) => ({ fields: { rules: rulesIn(texts[0] as string) } })),
  shape('the genesis block again', ({ texts }) => ({ text: () => texts[0] as string })),
  shape('a field __proto__', () => ({ text: (right) => right.replace(/^\{/, '{"__proto__": {}, ') })),
  shape('seven fields, one of them unknown', () => ({
    block: (right) => ({ ...without(right, 'target'), bits: '0f' }),
  })),
  header('an index that is a string', 'index', '6'),
  header('the index 0', 'index', 0),
  header('an index that is null', 'index', null),
  header('a timestamp that is a string', 'timestamp', '1700000060'),
  header('a timestamp that is null', 'timestamp', null),
  header('a previous_hash "1", as genesis has', 'previous_hash', '1'),
  header('a previous_hash in upper case', 'previous_hash', 'AB'.repeat(32)),
  header('a previous_hash of 65 digits', 'previous_hash', 'a'.repeat(65)),
  header('a previous_hash with a line break after it', 'previous_hash', `${'a'.repeat(64)}\n`),
  header('a target of 63 digits', 'target', '0'.padEnd(63, 'f')),
  header('a target in upper case', 'target', '0'.padEnd(64, 'F')),
  header('a target with 0x before it', 'target', '0x0'.padEnd(66, 'f')),
  header('a target that is a number', 'target', 15),
  shape('a merkle_root in upper case', () => ({ root: () => 'A'.repeat(64) })),
  shape('a merkle_root of 63 digits', () => ({ root: (right) => right.slice(1) })),
  shape('a proof of 79 digits', () => ({ block: (right) => ({ ...right, proof: String(right.proof).slice(1) }) })),
  shape('a proof of 81 digits', () => ({ block: (right) => ({ ...right, proof: `${right.proof}0` }) })),
  shape('a proof in upper case', () => ({ block: (right) => ({ ...right, proof: 'A'.repeat(80) }) })),
  shape("a proof that is a number, as the tutorial's", () => ({ block: (right) => ({ ...right, proof: 35293 }) })),
  shape('transactions that are an object', () => ({ transactions: ([reward]) => ({ 0: reward ?? null }) })),
  shape('transactions that are null', () => ({ transactions: () => null })),
  shape('transactions that are a string', () => ({ transactions: () => '[]' })),
]

function rulesIn(genesis: string): JsonValue {
  return JSON.parse(genesis).rules
}

const index = of('block.index')
const timestamp = of('block.timestamp')
const previousHash = of('block.previous_hash')
const target = of('block.target')

const POSITION_FAULTS: readonly Fault[] = [
  index('the index 1', () => ({ fields: { index: 1 } })),
  index("the parent's index", ({ parent }) => ({ fields: { index: parent.index } })),
  index('an index left out', ({ parent }) => ({ fields: { index: parent.index + 2 } })),
  index('the index 2^53-1', () => ({ fields: { index: 2 ** 53 - 1 } })),
  timestamp('a second before the parent', ({ parent }) => ({ fields: { timestamp: parent.timestamp - 1 } })),
  timestamp('the timestamp of genesis', (site) => ({ fields: { timestamp: site.timestamp } })),
  timestamp('the timestamp 0', () => ({ fields: { timestamp: 0 } })),
  previousHash('a parent that nobody knows', () => ({ fields: { previous_hash: 'ab'.repeat(32) } })),
  previousHash("the parent's parent", ({ parent }) => ({ fields: { previous_hash: parent.previousHash } })),
  previousHash("the parent's hash but for a digit", ({ parent }) => ({
    fields: { previous_hash: flipped(parent.hash) },
  })),
  target('a target 1 too easy', (site) => ({ fields: { target: nudged(rightTarget(site), 1n) } })),
  target('a target 1 too hard', (site) => ({ fields: { target: nudged(rightTarget(site), -1n) } })),
  target('a target that anything meets', () => ({ fields: { target: 'f'.repeat(64) } })),
  target('the target 0', () => ({ fields: { target: '0'.repeat(64) } })),
  { ...target('the easiest target', () => ({ fields: { target: easiestTarget(1) } })), only: 'moving' },
  { ...target("the parent's target", ({ parent }) => ({ fields: { target: parent.target } })), only: 'moving' },
  {
    ...target('the target of a higher difficulty', () => ({ fields: { target: easiestTarget(2) } })),
    only: 'constant',
  },
]

function rightTarget({ parent, rules }: Site): string {
  return nextTarget(parent, rules)
}

const merkleRoot = of('block.merkle_root')
const commitment = of('block.commitment')

/** Done to the block's transactions after its root was made and its proof found. */
const afterwards = (name: string, change: (transactions: readonly JsonValue[]) => JsonValue[]): Fault =>
  merkleRoot(name, () => ({
    block: (right) => ({ ...right, transactions: change(right.transactions as readonly JsonValue[]) }),
  }))

const seal = (name: string, proof: (site: Site) => NonNullable<Plan['proof']>): Fault => ({
  name,
  code: 'block.seal',
  make: (site) => ({ proof: proof(site) }),
})

const BINDING_FAULTS: readonly Fault[] = [
  merkleRoot('a root of nothing', () => ({ root: () => '0'.repeat(64) })),
  merkleRoot('the root but for a digit', () => ({ root: flipped })),
  afterwards('two transactions that changed places', ([reward, first, second, ...rest]) =>
    [reward, second, first, ...rest].filter((transaction) => transaction !== undefined),
  ),
  afterwards('the last of four transactions again, twice (CVE-2012-2459)', (list) => [...list, ...list.slice(-2)]),
  afterwards('the last transaction left out', (list) => list.slice(0, -1)),
  afterwards('all transactions left out', () => []),
  merkleRoot('a letter of a memo changed', () => ({ text: (right) => right.replace('quote', 'quota') })),
  merkleRoot('a digit of a signature changed', () => ({
    text: (right) => right.replace(/"signature": "(.)/, (_, digit) => `"signature": "${digit === '0' ? '1' : '0'}`),
  })),
  commitment('the commitment but for a digit', () => ({ commitment: flipped })),
  commitment('a commitment of zeros', () => ({ commitment: () => '0'.repeat(64) })),
  commitment("the parent's commitment", ({ parent }) => ({ commitment: () => parent.proof.slice(0, 64) })),
  commitment("the parent's proof", ({ parent }) => ({ block: (right) => ({ ...right, proof: parent.proof }) })),
  commitment('a timestamp rewritten under the same proof', () => ({
    block: (right) => ({ ...right, timestamp: Number(right.timestamp) + 1 }),
  })),
  ...['index', 'merkle_root', 'previous_hash', 'target', 'timestamp'].map((field) =>
    commitment(`a commitment that doesn't cover ${field}`, () => ({
      commitment: (_, whole) => sha256Hex(canonicalJson(without(whole, field))),
    })),
  ),
  seal('the first nonce that is not enough', (site) => (proof, limit) => !meetsTarget(sealOn(site, proof), limit)),
  seal("a seal without the parent's proof", (site) => (proof, limit) => {
    return meetsTarget(sealOf('', proof, site.parent.hash), limit) && !meetsTarget(sealOn(site, proof), limit)
  }),
  seal("a seal without the parent's hash", (site) => (proof, limit) => {
    return meetsTarget(sealOf(site.parent.proof, proof, ''), limit) && !meetsTarget(sealOn(site, proof), limit)
  }),
  {
    ...seal('a seal that is enough for the easiest target only', (site) => (proof, limit) => {
      return meetsTarget(sealOn(site, proof), easiestTarget(1)) && !meetsTarget(sealOn(site, proof), limit)
    }),
    only: 'moving',
  },
]

const SIZE_FAULTS: readonly Fault[] = [
  {
    name: 'one byte too many',
    code: 'block.size',
    only: 'constant',
    make: (site) => ofSize(site, site.rules.maxBlockBytes + 1),
  },
  {
    name: 'twice the allowed size',
    code: 'block.size',
    only: 'constant',
    make: (site) => ofSize(site, 2 * site.rules.maxBlockBytes),
  },
]

export const BLOCK_FAULTS: readonly Fault[] = [...SHAPE_FAULTS, ...POSITION_FAULTS, ...BINDING_FAULTS, ...SIZE_FAULTS]
