/**
 * Every rule of a whole chain, from genesis on: what `scripts/audit.sh` does with bash and openssl, by core's own
 * functions and on all cores. Both name the same first fault.
 *
 *     bytes → message, shape → position → body → [a batch of them] → signatures → ledger
 *
 * While one batch's signatures are looked at, the next is read: so a block's position may be judged before the signatures
 * of the blocks ahead of it. A fault of an earlier block is still the first.
 */
import {
  type Account,
  type Address,
  applyBlock,
  type BlockEntry,
  type ChainRules,
  checkBody,
  checkPosition,
  entryAfter,
  genesisAccounts,
  genesisEntry,
  type Hash,
  type JsonValue,
  judgeTransactions,
  orRefusal,
  parseBlock,
  parseGenesis,
  type ReadTransactions,
  type RuleCode,
  RuleError,
  readTransactions,
  type SizedBlock,
  supplyAt,
} from '@bc/core'
import type { Curve, CurveAnswer } from '@bc/node/signatures'
import { bestVerifier } from '@bc/wallet'
import { type BlockSource, type BlockText, parseBlockText } from './blocks.ts'

/** What was found, where nothing is wrong. */
export interface AuditReport {
  readonly chain: Hash
  readonly tip: Hash
  readonly blocks: number
  /** Without the rewards. */
  readonly transactions: number
  readonly accounts: number
  /** All coins there are: allocations and rewards, and the sum of all balances. */
  readonly supply: number
  /** Attempts that the chain stands for, in decimal. */
  readonly work: string
  /** Unix seconds of the newest block. */
  readonly timestamp: number
  readonly rules: ChainRules
}

/** The first rule that a chain breaks, and where. */
export class ChainFault extends Error {
  override readonly name = 'ChainFault'
  readonly code: RuleCode
  /** `block 4`, counted from 1 as the protocol does, or `document`. */
  readonly place: string

  constructor(place: string, { code, message }: RuleError) {
    super(message)
    this.code = code
    this.place = place
  }
}

export interface AuditModules {
  readonly curve: Curve
  /** Called now and then with the number of blocks that were read. */
  readonly onProgress: (blocks: number) => void
}

/** Signatures that are asked for at once, and blocks where they have few. */
const BATCH_CHECKS = 2048
const BATCH_BLOCKS = 512

/**
 * @throws ChainFault for the first rule that fails
 * @throws TypeError where the balances don't add up, which would be a bug of ours
 */
export async function auditChain(source: BlockSource, modules: AuditModules): Promise<AuditReport> {
  const audit = new Audit(modules)
  const blocks = source.blocks[Symbol.asyncIterator]()
  try {
    for (let next = await nextOf(blocks); next; next = await nextOf(blocks)) await audit.take(next)
    return await audit.end()
  } catch (error) {
    if (!(error instanceof ChainFault) || !source.isOneMessage || error.place === DOCUMENT) throw error
    throw (await malformedAfter(blocks, audit.height, error.code === 'message.malformed')) ?? error
  } finally {
    // Whoever still writes, or sends, isn't waited for.
    await blocks.return?.()
  }
}

const DOCUMENT = 'document'

async function nextOf(blocks: AsyncIterator<BlockText>): Promise<BlockText | undefined> {
  try {
    const { done, value } = await blocks.next()
    return done ? undefined : value
  } catch (error) {
    throw error instanceof RuleError ? new ChainFault(DOCUMENT, error) : error
  }
}

/**
 * A message is malformed before anything else is wrong with it, so the rest of one is read for its form alone.
 * @param known whether a block of it is malformed already: then only what is no JSON at all matters
 */
async function malformedAfter(blocks: AsyncIterator<BlockText>, height: number, known: boolean) {
  let first: ChainFault | undefined
  try {
    for (let next = await nextOf(blocks); next; next = await nextOf(blocks)) {
      height++
      const fault = formFault(next, height)
      if (fault?.place === DOCUMENT) return fault
      if (!known) first ??= fault
    }
  } catch (error) {
    if (error instanceof ChainFault) return error
    throw error
  }
  return first
}

function formFault(text: BlockText, height: number): ChainFault | undefined {
  const block = orRefusal(() => parseBlockText(text, height))
  return block instanceof RuleError ? new ChainFault(placeOf(text, height), block) : undefined
}

/** Where a document is no JSON at all, nobody can say what its blocks are. */
function placeOf({ bytes, isAlone }: BlockText, height: number): string {
  return isAlone || spellsObject(bytes) ? `block ${height}` : DOCUMENT
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function spellsObject(bytes: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

/** A block that only the curve and the ledger can still refuse. */
interface Waiting {
  readonly height: number
  readonly sized: SizedBlock
  readonly read: ReadTransactions
}

/** Where the next block goes; undefined before genesis. */
interface Position {
  readonly rules: ChainRules
  readonly chain: Hash
  readonly parent: BlockEntry
}

class Audit {
  height = 0
  private readonly modules: AuditModules
  private readonly accounts = new Map<Address, Account>()
  private on: Position | undefined
  private transactions = 0
  private batch: Waiting[] = []
  private checks = 0
  /** The batch before, on its way through the curve and the ledger. */
  private settling: Promise<void> = Promise.resolve()

  constructor(modules: AuditModules) {
    this.modules = modules
  }

  async take(text: BlockText): Promise<void> {
    this.height++
    try {
      const value = parseBlockText(text, this.height)
      this.on = this.on ? this.follow(value, this.on) : this.begin(value)
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      const isMalformed = error.code === 'message.malformed'
      // What is wrong with the blocks before goes first, unless all of them are one message, and that is malformed.
      if (!isMalformed || text.isAlone) {
        await this.settle()
        await this.settling
      }
      throw new ChainFault(isMalformed ? placeOf(text, this.height) : this.place, error)
    }
    if (this.checks < BATCH_CHECKS && this.batch.length < BATCH_BLOCKS) return
    await this.settle()
    this.modules.onProgress(this.height)
  }

  async end(): Promise<AuditReport> {
    await this.settle()
    await this.settling
    if (this.on === undefined) throw new ChainFault('block 1', new RuleError('block.genesis', 'The chain is empty.'))
    const { parent, rules, chain } = this.on
    return {
      chain,
      tip: parent.hash,
      blocks: this.height,
      transactions: this.transactions,
      accounts: this.accounts.size,
      supply: this.checkedSupply(rules),
      work: String(parent.totalWork),
      timestamp: parent.timestamp,
      rules,
    }
  }

  private get place(): string {
    return `block ${this.height}`
  }

  private begin(value: JsonValue): Position {
    const { genesis, hash } = parseGenesis(value, bestVerifier())
    this.write(genesisAccounts(genesis.rules))
    return { rules: genesis.rules, chain: hash, parent: genesisEntry(genesis, hash) }
  }

  private follow(value: JsonValue, { rules, chain, parent }: Position): Position {
    const parsed = parseBlock(value)
    checkPosition(parsed, parent, rules)
    const sized = checkBody(parsed, rules)
    const read = readTransactions(parsed.block.transactions, chain, parsed.texts)
    this.batch.push({ height: this.height, sized, read })
    this.checks += read.parsed.length
    return { rules, chain, parent: entryAfter(parent, parsed.block, parsed.hash) }
  }

  /** Starts the batch on its way, once the one before has arrived. */
  private async settle(): Promise<void> {
    const { batch, on } = this
    if (batch.length === 0 || on === undefined) return
    this.batch = []
    this.checks = 0
    await this.settling
    this.settling = this.ask(batch).then((answer) => this.applyAll(batch, answer, on.rules))
    // Awaited before the next batch and at the end: until then a fault may lie here unheard.
    this.settling.catch(() => undefined)
  }

  private ask(batch: readonly Waiting[]): Promise<CurveAnswer> {
    return this.modules.curve.ask({
      checks: batch.flatMap(({ read }) => read.parsed.map(({ check }) => check)),
      addresses: batch.map(({ sized }) => sized.reward.recipient),
    })
  }

  private applyAll(batch: readonly Waiting[], { verdicts, addresses }: CurveAnswer, rules: ChainRules): void {
    let from = 0
    for (const [i, { height, sized, read }] of batch.entries()) {
      const own = verdicts.slice(from, from + read.parsed.length)
      from += read.parsed.length
      try {
        const verified = judgeTransactions(sized, read, own, addresses[i] === true)
        this.write(applyBlock(verified, (address) => this.accounts.get(address), rules).changes)
        this.transactions += read.parsed.length
      } catch (error) {
        throw error instanceof RuleError ? new ChainFault(`block ${height}`, error) : error
      }
    }
  }

  private write(changes: ReadonlyMap<Address, Account | undefined>): void {
    for (const [address, account] of changes) {
      if (account) this.accounts.set(address, account)
      else this.accounts.delete(address)
    }
  }

  /** No rule, but a check of this audit: coins only change hands. */
  private checkedSupply(rules: ChainRules): number {
    const supply = supplyAt(this.height, rules)
    let sum = 0n
    for (const { balance } of this.accounts.values()) sum += BigInt(balance)
    if (sum !== supply) throw new TypeError(`the balances add up to ${sum} instead of ${supply}`)
    return Number(supply)
  }
}
