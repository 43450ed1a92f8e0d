/** Tampered chains: each a document as `GET /chain` answers it, wrong in one way or in two, always the same for a seed. */
import { type ChainRules, canonicalJson, type JsonObject, type JsonValue, merkleLeaf, merkleRoot } from '@bc/core'
import { FAULTS, PAIRS } from '../../core/test/support/generator.ts'
import { alice, blockOn, bob, extended, type Site, siteAtGenesis } from '../../core/test/support/site.ts'
import { Dice } from '../../node/test/support/http-dice.ts'
import { documentOf, recommitted } from './support-audit.ts'

export interface Tampered {
  readonly name: string
  readonly document: string
}

/** The sites of one good chain: after genesis, after block 2, … */
type Climb = readonly Site[]

const HEIGHT = 5 // with genesis, and the four that climb() mines

function climb(name: 'constant' | 'moving', changed: Partial<ChainRules>): Climb {
  const allocations = { [alice.address]: 1000, [bob.address]: 500 }
  const usual = { allocations, blockTime: 0, difficulty: 1, halfLife: 0, maxBlockBytes: 5000, miningReward: 50 }
  const sites = [siteAtGenesis(name, { ...usual, ...changed } as ChainRules, 1_700_000_000)]
  for (const seconds of [3, 25, 0, 1]) {
    const site = sites.at(-1) as Site
    sites.push(extended(site, { fields: { timestamp: site.parent.timestamp + seconds } }))
  }
  return sites
}

let climbs: readonly [Climb, Climb] | undefined

function bothClimbs(): readonly [Climb, Climb] {
  climbs ??= [climb('constant', {}), climb('moving', { blockTime: 10, halfLife: 20 })]
  return climbs
}

/** What a tampering works on: the blocks' texts of one good chain, and the chance that it may use. */
interface Bench {
  readonly dice: Dice
  readonly sites: Climb
  readonly other: Climb
  readonly texts: readonly string[]
}

/** @returns what was done, and the blocks or the whole document after it */
type Tampering = (bench: Bench) => { readonly did: string; readonly texts?: readonly string[]; readonly whole?: string }

const CHARACTERS = [...'"\\{}[]:, 019abcfnxu.-+eE', '\n', '\u0000', '\u00e9', '🧾', '\\u0061', '\\ud800', 'null', '1.5']

const TAMPERINGS: readonly Tampering[] = [
  ...[1, 2, 3].map(() => aFault),
  aPair,
  someCharacters,
  ...[1, 2].map(() => aField),
  ...[1, 2, 3].map(() => aFieldMinedAgain),
  theOrder,
  theGenesis,
  theFrame,
  theSpelling,
]

/** Chain `n` of a seed. One in five is tampered with twice. */
export function tampered(seed: number, n: number): Tampered {
  const dice = new Dice(seed * 100_003 + n)
  const [one, two] = bothClimbs()
  const [sites, other] = dice.chance(50) ? [one, two] : [two, one]
  const texts = sites.at(-1)?.texts as readonly string[]
  const tampering = dice.pick(TAMPERINGS)
  const first = tampering({ dice, sites, other, texts })
  const name = `${n}, ${sites[0]?.name} target: ${first.did}`
  if (first.whole !== undefined || !dice.chance(20)) return { name, document: wholeOf(first) }
  const second = aField({ dice, sites, other, texts: first.texts ?? texts })
  return { name: `${name}; ${second.did}`, document: wholeOf(second) }
}

function wholeOf({ whole, texts = [] }: ReturnType<Tampering>): string {
  return whole ?? documentOf(texts)
}

/** A block with a fault of the generator's table in the place of a good one, and the good ones after it. */
function aFault({ dice, sites, texts }: Bench): ReturnType<Tampering> {
  const at = dice.int(2) + HEIGHT - 2
  const site = sites[at - 1] as Site
  const fault = dice.pick(FAULTS.filter(({ only }) => only === undefined || only === site.name))
  return { did: `${fault.code}: ${fault.name}`, texts: texts.with(at, blockOn(site, fault.make(site))) }
}

function aPair({ dice, sites, other }: Bench): ReturnType<Tampering> {
  const [constant] = [sites, other].filter(([first]) => first?.name === 'constant') as [Climb]
  const site = constant.at(-1) as Site
  const fault = dice.pick(PAIRS)
  return { did: fault.name, texts: [...site.texts, blockOn(site, fault.make(site))] }
}

function someCharacters({ dice, texts }: Bench): ReturnType<Tampering> {
  return { did: 'some characters', whole: dice.mutated(documentOf(texts), CHARACTERS) }
}

/** Some field of some block, and nothing else. */
function aField(bench: Bench): ReturnType<Tampering> {
  const { dice, texts } = bench
  const at = dice.int(texts.length)
  const block = parsedOrNull(texts[at] as string)
  if (block === null) return { did: 'nothing more', texts }
  const { did, value } = changedSomewhere(block, bench)
  return { did: `block ${at + 1}: ${did}`, texts: texts.with(at, canonicalJson(value)) }
}

/** The same, and then the block is put right around it: root, commitment and proof. */
function aFieldMinedAgain(bench: Bench): ReturnType<Tampering> {
  const { dice, sites, texts } = bench
  const at = dice.int(HEIGHT - 1) + 1
  const { transactions, proof: _, ...header } = JSON.parse(texts[at] as string) as JsonObject
  const inHeader = dice.chance(30)
  const part = inHeader ? header : (transactions as JsonValue)
  const { did, value } = changedSomewhere(part, bench)
  const list = inHeader ? (transactions as readonly JsonValue[]) : (value as readonly JsonValue[])
  const root = merkleRoot(list.map(merkleLeaf))
  const fields = { ...((inHeader ? value : header) as JsonObject) }
  const text = blockOn(sites[at - 1] as Site, {
    fields: inHeader ? fields : { ...fields, merkle_root: root },
    transactions: () => list,
  })
  return { did: `block ${at + 1}, mined again: ${did}`, texts: texts.with(at, text) }
}

function theOrder({ dice, texts, other }: Bench): ReturnType<Tampering> {
  const at = dice.int(HEIGHT)
  const text = texts[at] as string
  switch (dice.int(4)) {
    case 0:
      return { did: `block ${at + 1} left out`, texts: texts.toSpliced(at, 1) }
    case 1:
      return { did: `block ${at + 1} twice`, texts: texts.toSpliced(at, 0, text) }
    case 2:
      return { did: `block ${at + 1} moved`, texts: texts.toSpliced(at, 1).toSpliced(dice.int(HEIGHT), 0, text) }
    default:
      return { did: `block ${at + 1} of another chain`, texts: texts.with(at, other.at(-1)?.texts[at] as string) }
  }
}

function theGenesis(bench: Bench): ReturnType<Tampering> {
  const { dice, texts } = bench
  const genesis: JsonObject = JSON.parse(texts[0] as string)
  const { did, value } = changedSomewhere(dice.chance(70) ? (genesis.rules as JsonValue) : genesis, bench)
  const changed = value === null || !('miningReward' in (value as object)) ? value : { ...genesis, rules: value }
  const again = dice.chance(70) && isObject(changed) ? recommitted(changed) : changed
  return { did: `genesis: ${did}`, texts: texts.with(0, canonicalJson(again)) }
}

function theFrame({ dice, texts }: Bench): ReturnType<Tampering> {
  const right = documentOf(texts)
  const blocks = `[${texts.join(', ')}]`
  const frames: readonly [string, string][] = [
    ['a bare list', blocks],
    ['a length of one more', `{"chain": ${blocks}, "length": ${texts.length + 1}}`],
    ['no length', `{"chain": ${blocks}}`],
    ['a key more', `{"chain": ${blocks}, "length": ${texts.length}, "more": []}`],
    ['the list twice', `{"chain": ${blocks}, "chain": ${blocks}, "length": ${texts.length}}`],
    ['the end cut off', right.slice(0, dice.int(right.length))],
    ['more after the end', `${right} ${dice.pick(['{}', '0', ',', ']', '\u0000'])}`],
    ['null among the blocks', `{"chain": [${texts.toSpliced(dice.int(5), 0, 'null').join()}], "length": 6}`],
    ['an empty list', '{"chain": [], "length": 0}'],
  ]
  const [did, whole] = dice.pick(frames)
  return { did, whole }
}

/** Spelled otherwise, and as good as before. */
function theSpelling({ dice, texts }: Bench): ReturnType<Tampering> {
  const right = documentOf(texts)
  return dice.chance(50)
    ? { did: 'other spaces', whole: ` ${right.replaceAll(', ', ',\r\n\t').replaceAll(': ', ':')}\n` }
    : { did: 'two spaces for each', whole: JSON.stringify(JSON.parse(right), null, 2) }
}

// ----------------------------------------------------------------------------------------------------- Values anywhere

interface Changed {
  readonly did: string
  readonly value: JsonValue
}

/** Goes down to some value within this one and changes it. A list stays a list and an object an object at the top. */
function changedSomewhere(value: JsonValue, bench: Bench): Changed {
  const { dice } = bench
  if (Array.isArray(value)) {
    if (value.length === 0 || dice.chance(15))
      return { did: 'a list that is longer', value: [...value, dice.pick(ODD)] }
    const at = dice.int(value.length)
    if (dice.chance(10)) return { did: `item ${at} left out`, value: value.toSpliced(at, 1) }
    const inner = changedBelow(value[at] as JsonValue, bench)
    return { did: `[${at}]${inner.did}`, value: value.with(at, inner.value) }
  }
  if (!isObject(value)) return changedBelow(value, bench)
  const keys = Object.keys(value)
  if (keys.length === 0 || dice.chance(5)) return { did: 'a key more', value: { ...value, more: dice.pick(ODD) } }
  const key = dice.pick(keys)
  const { [key]: old = null, ...others } = value
  if (dice.chance(5)) return { did: `no ${key}`, value: others }
  const inner = changedBelow(old, bench)
  return { did: `.${key}${inner.did}`, value: { ...value, [key]: inner.value } }
}

const ODD: readonly JsonValue[] = [null, true, 0, 1, '', '0', 'x', [], {}, 2 ** 53 - 1, 'é', '🧾']

function changedBelow(value: JsonValue, bench: Bench): Changed {
  const { dice } = bench
  if (dice.chance(15)) {
    const odd = dice.pick(ODD)
    return { did: ` is ${JSON.stringify(odd)}`, value: odd }
  }
  if (typeof value === 'number') {
    const other = dice.pick([value + 1, Math.max(0, value - 1), value + 1000, value * 2, 0].filter((n) => n !== value))
    return { did: ` is ${other} for ${value}`, value: other }
  }
  if (typeof value === 'string') return changedText(value, dice)
  return changedSomewhere(value, bench)
}

function changedText(text: string, dice: Dice): Changed {
  const at = dice.int(text.length + 1)
  const digit = dice.int(16).toString(16)
  switch (dice.int(4)) {
    case 0:
      return { did: ' is longer', value: text.slice(0, at) + digit + text.slice(at) }
    case 1:
      return { did: ' is in upper case', value: text.toUpperCase() }
    default:
      return { did: ' has another digit', value: text.slice(0, at) + digit + text.slice(at + 1) }
  }
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is malformed stays as it is. */
function parsedOrNull(text: string): JsonValue {
  try {
    const value = JSON.parse(text)
    canonicalJson(value)
    return value
  } catch {
    return null
  }
}
