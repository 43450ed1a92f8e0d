/**
 * The network between the nodes: who is linked with whom, how long things take, what gets lost.
 *
 * A link is a connection as TCP makes it: what goes over it comes in order or not at all, and it breaks when an end
 * dies, at once or, when the wire was cut in silence, after the keep-alive. Both ends dial again while they may.
 */
import { PeerError, type PeerId } from '@bc/node/parts'
import type { Task, VirtualClock } from './clock.ts'
import type { Journal } from './journal.ts'
import type { Random } from './random.ts'

export interface MediumOptions {
  /** Links of a node, on average. */
  readonly degree: number
  /** Median of the one-way delays of links, in milliseconds; each link has its own, and jitter on top. */
  readonly delayMs: number
  /** Share of gossiped messages that a hop loses. */
  readonly loss: number
  /** Share of questions that are never answered. */
  readonly stall: number
}

export interface MediumModules {
  readonly clock: VirtualClock
  readonly journal: Journal
  readonly random: Random
}

interface Link {
  readonly ends: readonly [PeerId, PeerId]
  /** Milliseconds, one way. */
  readonly delayMs: number
  /** The wire is cut for itself, whatever else is. */
  broken: boolean
  connected: boolean
  /** Counts connections: what is on its way when one breaks is lost. */
  epoch: number
  dialling: boolean
}

/** A node's end of its connections. */
export interface Endpoint {
  readonly self: PeerId
  heardOfJoining(peer: PeerId): void
  heardOfLeaving(peer: PeerId, reason: PeerError): void
}

/** Standard deviations of the logarithms of the delays: between links, and from message to message. */
const LINK_SIGMA = 0.6
const JITTER_SIGMA = 0.3
const DIAL_MS = [500, 5_000] as const
const KEEP_ALIVE_MS = [20_000, 60_000] as const

export class Medium<End extends Endpoint> {
  readonly options: MediumOptions
  private readonly modules: MediumModules
  private readonly linksOf = new Map<PeerId, Map<PeerId, Link>>()
  private readonly links: Link[] = []
  private readonly present = new Map<PeerId, End>()
  /** Which part of a divided network a node is in. */
  private sides: ReadonlyMap<PeerId, number> = new Map()
  /** "who whom" → until when, in milliseconds. */
  private readonly bans = new Map<string, number>()

  constructor(names: readonly PeerId[], options: MediumOptions, modules: MediumModules) {
    this.options = options
    this.modules = modules
    for (const name of names) this.linksOf.set(name, new Map())
    this.wire(modules.random.shuffled(names))
  }

  /** A node comes up: its neighbours will find it. */
  attach(transport: End): void {
    this.present.set(transport.self, transport)
    for (const link of this.linksFrom(transport.self)) this.dialSoon(link)
  }

  /** A node goes away, in an orderly way or not: its neighbours notice at once. */
  detach(name: PeerId): void {
    this.present.delete(name)
    for (const link of this.linksFrom(name)) this.disconnect(link)
  }

  peersOf(name: PeerId): PeerId[] {
    const links = this.linksOf.get(name) ?? new Map<PeerId, Link>()
    return [...links].filter(([, link]) => link.connected).map(([peer]) => peer)
  }

  /**
   * Divides the network.
   * @param silently nobody is told: links break by their keep-alive, unless the network is whole again before that
   */
  divide(sides: ReadonlyMap<PeerId, number>, silently: boolean): void {
    this.sides = sides
    for (const link of this.links) if (link.connected && !this.isOpen(link)) this.lose(link, silently)
  }

  unite(): void {
    this.sides = new Map()
    for (const link of this.links) this.dialSoon(link)
  }

  /** Cuts one wire for a while. */
  cutOne(ms: number): void {
    const { random, clock, journal } = this.modules
    const link = random.pick(this.links)
    if (link.broken) return
    journal.write('world', `the link ${link.ends.join('-')} is cut for ${(ms / 1000).toFixed(0)} s`)
    link.broken = true
    if (link.connected) this.lose(link, random.chance(0.5))
    clock.after(ms, () => {
      link.broken = false
      this.dialSoon(link)
      return false
    })
  }

  /** One end hangs up. @param banMs refuses the other one for so long */
  hangUp(who: PeerId, whom: PeerId, banMs: number | undefined): void {
    const link = this.linkBetween(who, whom)
    if (link === undefined) return
    if (banMs !== undefined) {
      this.bans.set(`${who} ${whom}`, this.modules.clock.now() + banMs)
      this.modules.clock.after(banMs, () => this.dialSoon(link))
    }
    this.disconnect(link)
    this.dialSoon(link)
  }

  /**
   * Carries something over a link. It is lost when the link breaks meanwhile.
   * @param earliest milliseconds; what goes before it over the same stream comes before it
   * @returns when it arrives, in milliseconds; undefined where there is no link
   */
  carry(from: PeerId, to: PeerId, arrive: (receiver: End) => boolean, earliest = 0): number | undefined {
    const { clock, random } = this.modules
    const link = this.linkBetween(from, to)
    if (!link?.connected) return undefined
    const { epoch } = link
    const at = Math.max(earliest, clock.now() + random.logNormal(link.delayMs, JITTER_SIGMA))
    clock.at(at, () => {
      const receiver = this.present.get(to)
      if (receiver === undefined || link.epoch !== epoch || !this.isOpen(link)) return false
      return arrive(receiver)
    })
    return at
  }

  losesMessage(): boolean {
    return this.modules.random.chance(this.options.loss)
  }

  losesQuestion(): boolean {
    return this.modules.random.chance(this.options.stall)
  }

  plan(ms: number, task: Task) {
    return this.modules.clock.after(ms, task)
  }

  now(): number {
    return this.modules.clock.now()
  }

  /** A ring, so that everybody can be reached, and random chords. */
  private wire(names: readonly PeerId[]): void {
    const { random } = this.modules
    for (const [i, name] of names.entries()) this.link(name, names[(i + 1) % names.length] as PeerId)
    const pairs = (names.length * (names.length - 1)) / 2
    const wanted = Math.min(pairs, Math.round((names.length * this.options.degree) / 2))
    while (this.links.length < wanted) this.link(random.pick(names), random.pick(names))
  }

  private link(one: PeerId, other: PeerId): void {
    if (one === other || this.linkBetween(one, other)) return
    const delayMs = this.modules.random.logNormal(this.options.delayMs, LINK_SIGMA)
    const link = { ends: [one, other] as const, delayMs, broken: false, connected: false, epoch: 0, dialling: false }
    this.linksOf.get(one)?.set(other, link)
    this.linksOf.get(other)?.set(one, link)
    this.links.push(link)
  }

  private linkBetween(one: PeerId, other: PeerId): Link | undefined {
    return this.linksOf.get(one)?.get(other)
  }

  private linksFrom(name: PeerId): Link[] {
    return [...(this.linksOf.get(name)?.values() ?? [])]
  }

  /** Whether anything can pass. */
  private isOpen({ broken, ends: [one, other] }: Link): boolean {
    return !broken && (this.sides.get(one) ?? 0) === (this.sides.get(other) ?? 0)
  }

  private mayConnect(link: Link): boolean {
    const [one, other] = link.ends
    const bothThere = this.present.has(one) && this.present.has(other)
    return bothThere && this.isOpen(link) && !this.isBanned(one, other) && !this.isBanned(other, one)
  }

  private isBanned(who: PeerId, whom: PeerId): boolean {
    return (this.bans.get(`${who} ${whom}`) ?? 0) > this.modules.clock.now()
  }

  private dialSoon(link: Link): boolean {
    if (link.connected || link.dialling || !this.mayConnect(link)) return false
    link.dialling = true
    this.modules.clock.after(this.modules.random.between(...DIAL_MS), () => {
      link.dialling = false
      if (link.connected || !this.mayConnect(link)) return false
      this.connect(link)
      return true
    })
    return false
  }

  private connect(link: Link): void {
    const [one, other] = link.ends
    link.connected = true
    link.epoch++
    this.present.get(one)?.heardOfJoining(other)
    this.present.get(other)?.heardOfJoining(one)
  }

  private disconnect(link: Link): void {
    if (!link.connected) return
    const [one, other] = link.ends
    link.connected = false
    link.epoch++
    const gone = new PeerError('gone', 'the connection is gone')
    this.present.get(one)?.heardOfLeaving(other, gone)
    this.present.get(other)?.heardOfLeaving(one, gone)
  }

  private lose(link: Link, silently: boolean): void {
    if (!silently) {
      this.disconnect(link)
      return
    }
    const { epoch } = link
    this.modules.clock.after(this.modules.random.between(...KEEP_ALIVE_MS), () => {
      if (link.epoch !== epoch || this.isOpen(link)) return false
      this.disconnect(link)
      return true
    })
  }
}
