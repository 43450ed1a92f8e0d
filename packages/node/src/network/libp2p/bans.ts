/** Who is refused, for a while: peers by their names, and hosts with all that stand for the same one. */
import { networkInterfaces } from 'node:os'
import { normalHost, subnetOf } from '../hosts.ts'
import { ShortMemory } from '../short-memory.ts'
import { machineTime } from '../time.ts'

export class Bans {
  private readonly names = new ShortMemory<true>(machineTime.now)
  private readonly ownHosts: () => readonly string[]

  /** @param ownHosts addresses of this machine */
  constructor(ownHosts: () => readonly string[] = addressesHere) {
    this.ownHosts = ownHosts
  }

  /** @param name a peer's or a host's */
  add(name: string, ms: number): void {
    this.names.set(this.ownerOf(name), true, ms)
  }

  has(name: string): boolean {
    return this.names.get(this.ownerOf(name)) !== undefined
  }

  /** Who is in one subnet with us is a neighbour, and has an address of his own. */
  ownerOf(name: string): string {
    const subnet = subnetOf(name)
    const host = normalHost(name)
    return subnet !== host && this.ownHosts().some((own) => subnetOf(own) === subnet) ? host : subnet
  }
}

function addressesHere(): string[] {
  return Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address))
}
