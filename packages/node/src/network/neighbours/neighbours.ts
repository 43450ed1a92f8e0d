/**
 * The tutorial's neighbourhood, on top of the network: nodes that the operator has named. One that speaks our protocol
 * is dialled, and dialled again when it is gone; one that doesn't is a tutorial node, whose chain is pulled and judged
 * by our rules. Which of both is there is asked again now and then: another node may have its address. They are kept in
 * the data directory.
 */
import {
  type Block,
  type BlockEntry,
  checkHeader,
  DEFAULT_JSON_LIMITS,
  entryAfter,
  genesisEntry,
  type Hash,
  hashOf,
  hasMoreWork,
  type JsonValue,
  orRefusal,
  type ParsedBlock,
  parseBlock,
  parseHash,
  parseJson,
  RuleError,
} from '@bc/core'
import type { Chain } from '../../chain/chain.ts'
import { StartError, StorageError, stoppingError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { readPrivateJson, writePrivateJson } from '../../private-file.ts'
import { sharedEnd } from '../../shared-end.ts'
import type { LateNetwork } from '../late-network.ts'
import { machineTime } from '../time.ts'
import type { PeerId } from '../transport.ts'
import { askChain, askStatus, MOST_AT_ONCE, type NodeUrl, parseNodeUrl } from './http-peer.ts'

/** Neighbours at the most: an operator has no more friends than that. */
const MOST = 256
/** Addresses of one neighbour that are tried. */
const MOST_ADDRESSES = 4
/** How long a tutorial node may take to show its first block. */
const LOOK_MS = 10_000
/**
 * Neighbours that are gone are looked for after so long, and after twice as long each time that they aren't there. Also
 * those who are there, after the longest time.
 */
const LOOK_AGAIN_MS = 2_000
const LOOK_AGAIN_MOST_MS = 120_000
/** How long whoever wants us to catch up now waits for us to find them. */
const LOOK_NOW_MS = 10_000

export interface NeighbourModules {
  readonly chain: Chain
  readonly log: Log
  readonly network: Pick<LateNetwork, 'dial' | 'resolve' | 'isConnected' | 'listensAt'>
  /** Where they are kept; undefined for nowhere. */
  readonly file: string | undefined
}

interface Neighbour {
  /** As the tutorial shows it: host and port, or a multiaddress. */
  readonly name: string
  /** What its operator called it. */
  readonly text: string
  /** undefined for one that speaks our protocol, and for one that isn't reached. */
  readonly tutorial: NodeUrl | undefined
  readonly peer: PeerId | undefined
}

/** When it was last looked for. */
interface Look {
  /** In a row, since it was there. */
  failures: number
  /** Milliseconds of the machine's time. */
  nextAt: number
}

export class Neighbours {
  private readonly modules: NeighbourModules
  private readonly known = new Map<string, Neighbour>()
  private readonly looks = new Map<string, Look>()
  private readonly closing = sharedEnd()

  /** @throws StartError where those who are kept can't be read */
  constructor(modules: NeighbourModules) {
    this.modules = modules
    for (const [name, text] of storedTexts(modules.file))
      this.known.set(name, { name, text, tutorial: undefined, peer: undefined })
  }

  /** Looks for those who are gone, from now on. */
  start(): void {
    void this.keep()
  }

  /** Nobody is waited for any more, neither one who is looked for just now nor one whose chain is being read. */
  async close(): Promise<void> {
    this.closing.abort(stoppingError())
  }

  names(): string[] {
    return [...this.known.keys()]
  }

  /**
   * All of them or none: a list with one that is no node is refused whole.
   * @param texts at most {@link MOST_AT_ONCE}: `http://host:port`, `host:port`, or a multiaddress
   * @throws RuleError `request.invalid` for one that is no node, or a node of another chain
   * @throws StorageError where they can't be kept: then none was added
   */
  async register(texts: readonly string[]): Promise<void> {
    const neighbours = await Promise.all(texts.map((text) => this.meet(text)))
    const fresh = new Set(neighbours.map(({ name }) => name).filter((name) => !this.known.has(name)))
    if (this.known.size + fresh.size > MOST)
      throw new RuleError('node.busy', `There are ${this.known.size} neighbours, and ${MOST} are the most.`)
    const known = new Map(this.known)
    for (const neighbour of neighbours) known.set(neighbour.name, neighbour)
    // First: one that isn't kept is none, and would not be kept either when it is registered again. A known one may be
    // called something else now: `https://`, where it was `http://`.
    if (neighbours.some(({ name, text }) => this.known.get(name)?.text !== text))
      this.keepTexts([...known.values()].map(({ text }) => text))
    for (const neighbour of neighbours) this.note(neighbour, 0)
  }

  private keepTexts(texts: readonly string[]): void {
    const { file } = this.modules
    if (file === undefined) return
    try {
      writePrivateJson(file, { neighbours: texts })
    } catch (error) {
      throw new StorageError(`The neighbours can't be kept in ${file}: ${(error as Error).message}`, { cause: error })
    }
  }

  /**
   * Catches up with everybody now, also with those who were gone, or others, when we last looked.
   * @returns whether our chain was replaced: by theirs, not by what our own miner found meanwhile
   */
  async resolve(): Promise<boolean> {
    let replaced = await this.unlessClosing(this.modules.network.resolve(() => this.lookForAll()))
    const onMoved = () => {
      replaced = true
    }
    for (const { tutorial } of this.known.values()) if (tutorial) await this.pullCarefully(tutorial, onMoved)
    return replaced
  }

  /** @param tutorial whether it was a tutorial node: its chain is looked at when it is pulled */
  private async meet(text: string, tutorial?: NodeUrl): Promise<Neighbour> {
    if (text.startsWith('/')) return { ...(await this.dial([text], text)), text }
    const url = parseNodeUrl(text)
    const status = await askStatus(url, this.modules.chain.genesisBytes, this.closing.signal)
    if (status === undefined)
      return { name: url.name, text, tutorial: tutorial ?? (await this.look(url)), peer: undefined }
    if (status.chain !== this.modules.chain.id) throw otherChain(url, `${parseHash(status.chain) ?? 'it names none'}.`)
    const places = textsIn(status.p2p)
    const found = await this.dial(addressesOf(places, url), url.name)
    // Under a name that is connected libp2p dials nobody: whoever is meant would be none of our peers, and nobody told.
    if (!this.modules.network.listensAt(found.peer, places)) throw namesake(url)
    return { ...found, text }
  }

  /** That its chain is ours: how far it has come, resolving shows. */
  private async look(url: NodeUrl): Promise<NodeUrl> {
    for await (const _ of this.textsOf(url, LOOK_MS)) break
    return url
  }

  private async dial(addresses: readonly string[], name: string) {
    const failures: string[] = []
    for (const address of addresses) {
      try {
        return { name, tutorial: undefined, peer: await this.unlessClosing(this.modules.network.dial(address)) }
      } catch (error) {
        this.closing.signal.throwIfAborted()
        failures.push((error as Error).message)
      }
    }
    const reason = failures.join('; ') || 'it has none'
    throw new RuleError('request.invalid', `${name} can't be reached by its peer address: ${reason}.`)
  }

  /** What the network does comes to its end when that is closed: later than whoever waits for it should be told. */
  private unlessClosing<T>(task: Promise<T>): Promise<T> {
    const { signal } = this.closing
    return new Promise((resolve, reject) => {
      const end = () => reject(signal.reason)
      signal.addEventListener('abort', end)
      task.finally(() => signal.removeEventListener('abort', end)).then(resolve, reject)
      if (signal.aborted) end()
    })
  }

  private async pullCarefully(url: NodeUrl, onMoved: () => void): Promise<void> {
    try {
      await this.pull(url, onMoved)
    } catch (error) {
      this.closing.signal.throwIfAborted()
      if (!(error instanceof RuleError)) throw error
      this.modules.log.warn({ node: url.name, code: error.code }, error.message)
    }
  }

  /**
   * Twice: its headers show whether it has more work, and only then anything of it is kept.
   * @param onMoved called where our head is one of its blocks now, even if a rule refuses the rest
   */
  private async pull(url: NodeUrl, onMoved: () => void): Promise<void> {
    const { chain } = this.modules
    const wanted = await this.judgeHeaders(url)
    if (wanted === undefined) return
    let index = 0
    for await (const parsed of this.blocksOf(url)) {
      this.closing.signal.throwIfAborted()
      if (parsed.hash !== wanted[index++]) throw new RuleError('request.invalid', `${url.name} has changed its mind.`)
      const { kind } = await chain.import(parsed, { sync: index === wanted.length })
      // It may have been held already, until the one before it came.
      if (kind === 'head' || chain.head.hash === parsed.hash) onMoved()
      if (index === wanted.length) return
    }
  }

  /** @returns the hashes of its blocks after genesis; undefined where they are no more work than ours */
  private async judgeHeaders(url: NodeUrl): Promise<Hash[] | undefined> {
    const { chain } = this.modules
    let newest: BlockEntry = genesisEntry(chain.genesis, chain.id)
    const hashes: Hash[] = []
    for await (const { block, hash } of this.blocksOf(url)) {
      checkHeader(block, newest, chain.rules)
      newest = entryAfter(newest, block, hash)
      hashes.push(hash)
    }
    return hasMoreWork(newest, chain.head) ? hashes : undefined
  }

  /** All after genesis, which is ours already. */
  private async *blocksOf(url: NodeUrl): AsyncGenerator<ParsedBlock> {
    let first = true
    for await (const text of this.textsOf(url)) {
      if (!first) yield parseBlock(parseJson(text))
      first = false
    }
  }

  /** @throws RuleError `request.invalid` also where the first is another than our genesis block */
  private async *textsOf(url: NodeUrl, ms?: number): AsyncGenerator<Uint8Array> {
    const { id, rules, genesisBytes } = this.modules.chain
    let first = true
    for await (const text of askChain(url, Math.max(rules.maxBlockBytes, genesisBytes), this.closing.signal, ms)) {
      if (first && hashIn(text) !== id) throw otherChain(url, FOREIGN_START)
      first = false
      yield text
    }
  }

  private async keep(): Promise<void> {
    const { signal } = this.closing
    for (;;) {
      await machineTime.sleep(LOOK_AGAIN_MS, signal)
      if (signal.aborted) return
      for (const neighbour of this.known.values()) {
        if (signal.aborted) return
        if (this.isDue(neighbour)) await this.lookFor(neighbour)
      }
    }
  }

  /** Whoever was gone may be back, or elsewhere: an operator doesn't wait for when we would have looked again. */
  private async lookForAll(): Promise<void> {
    const over = sharedEnd()
    this.looks.clear()
    const goneFirst = [...this.known.values()].sort((a, b) => Number(this.isThere(a)) - Number(this.isThere(b)))
    const look = async () => {
      // All at once would fill the queue of those to be dialled.
      for (let at = 0; at < goneFirst.length && !over.signal.aborted; at += MOST_AT_ONCE)
        await Promise.all(goneFirst.slice(at, at + MOST_AT_ONCE).map((neighbour) => this.lookFor(neighbour)))
    }
    await Promise.race([look(), machineTime.sleep(LOOK_NOW_MS, over.signal)])
    over.abort()
  }

  /** As it was found when we last looked. */
  private isThere({ tutorial, peer }: Neighbour): boolean {
    return tutorial !== undefined || (peer !== undefined && this.modules.network.isConnected(peer))
  }

  private isDue(neighbour: Neighbour): boolean {
    const look = this.looks.get(neighbour.name)
    if (look === undefined || look.nextAt <= machineTime.now()) return true
    const isThere = this.isThere(neighbour)
    // It may have come to us. Whoever goes after that is looked for at once.
    if (isThere) look.failures = 0
    return !isThere && look.failures === 0
  }

  private async lookFor({ name, text, tutorial, peer }: Neighbour): Promise<void> {
    let found: Neighbour
    let failures = 0
    try {
      found = await this.meet(text, tutorial)
    } catch (error) {
      if (this.closing.signal.aborted) return
      const reason = (error as Error).message
      this.modules.log.info({ node: name, reason }, 'A neighbour is out of reach.')
      // Who comes in place of a tutorial node may be none. A peer goes by its own name, wherever it is.
      found = { name, text, tutorial: undefined, peer }
      if (!this.isThere(found)) failures = (this.looks.get(name)?.failures ?? 0) + 1
    }
    // Meanwhile it may have been registered by another text.
    if (this.known.get(name)?.text === text) this.note(found, failures)
  }

  private note(neighbour: Neighbour, failures: number): void {
    const wait = failures === 0 ? LOOK_AGAIN_MOST_MS : Math.min(LOOK_AGAIN_MOST_MS, LOOK_AGAIN_MS * 2 ** failures)
    this.known.set(neighbour.name, neighbour)
    this.looks.set(neighbour.name, { failures, nextAt: machineTime.now() + wait })
  }
}

/**
 * Their operator has named them, and nobody else knows of them. Of what he has edited nothing is passed over: it would be
 * gone with the next one that is registered.
 * @returns each one's name and text
 */
function storedTexts(file: string | undefined): [string, string][] {
  if (file === undefined) return []
  try {
    const stored = readPrivateJson(file) as { neighbours?: unknown } | null | undefined
    const list = stored === undefined ? [] : stored?.neighbours
    if (!Array.isArray(list)) throw new Error('it holds no list "neighbours"')
    return list.map((text) => [nameOf(text), text])
  } catch (error) {
    const reason = (error as Error).message.replace(/\.$/, '')
    throw new StartError(`The neighbours in ${file} can't be read: ${reason}. Without the file there are none.`)
  }
}

function nameOf(text: unknown): string {
  if (typeof text !== 'string') throw new Error(`${JSON.stringify(text)} is no node`)
  return text.startsWith('/') ? text : parseNodeUrl(text).name
}

/** However the block is spelled; undefined for what is none in form. */
function hashIn(text: Uint8Array): Hash | undefined {
  const block = orRefusal(() => parseJson(text, { ...DEFAULT_JSON_LIMITS, maxBytes: text.length }))
  return block instanceof RuleError ? undefined : hashOf(block as unknown as Block)
}

/** It follows whoever has the longer chain. */
const FOREIGN_START =
  'its first block is not ours. A tutorial node comes to our chain when it has registered this node, ours is the longer one, and it resolves.'

function otherChain({ name }: NodeUrl, what: string): RuleError {
  return new RuleError('request.invalid', `${name} is on another chain: ${what}`)
}

function namesake({ name }: NodeUrl): RuleError {
  return new RuleError(
    'request.invalid',
    `${name} has the name of another peer that is connected: where a data directory was copied, delete \`peer-key\` in the copy.`,
  )
}

function textsIn(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : []
}

/**
 * At the host by which it was named, and nowhere else: an answer must not send us to other machines, nor draw on the
 * terminal where it is told that we found nobody there.
 * @param places where it says itself that it listens
 */
function addressesOf(places: readonly string[], url: NodeUrl): string[] {
  const { hostname } = new URL(url.origin)
  const tails = places.flatMap((address) => /^\/ip[46]\/[^/]+(\/tcp\/\d{1,5}\/p2p\/\w{1,64})$/.exec(address)?.[1] ?? [])
  return [...new Set(tails)].slice(0, MOST_ADDRESSES).map((tail) => `${hostAddress(hostname)}${tail}`)
}

function hostAddress(hostname: string): string {
  const bare = hostname.replace(/^\[|\]$/g, '')
  if (bare.includes(':')) return `/ip6/${bare}`
  return /^\d+\.\d+\.\d+\.\d+$/.test(bare) ? `/ip4/${bare}` : bare === 'localhost' ? '/ip4/127.0.0.1' : `/dns4/${bare}`
}
