/** Who is refused, for a while: peers by their names, and hosts with all that stand for the same one. */
import { subnetOf } from '../hosts.ts'
import { machineTime } from '../time.ts'
import { ShortMemory } from './short-memory.ts'

export class Bans {
  private readonly names = new ShortMemory<true>(machineTime.now)

  /** @param name a peer's or a host's */
  add(name: string, ms: number): void {
    this.names.set(subnetOf(name), true, ms)
  }

  has(name: string): boolean {
    return this.names.get(subnetOf(name)) !== undefined
  }
}
