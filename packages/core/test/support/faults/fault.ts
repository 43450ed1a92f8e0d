import { addressOfPublicKey, type JsonObject, type RuleCode, sha256Hex } from '@bc/core'
import type { Key } from '../keys.ts'
import type { Plan, Site, Transfer } from '../site.ts'

/** One way of being wrong, and the rule that must name it. */
export interface Fault {
  readonly name: string
  readonly code: RuleCode
  /** The plan of a block that has this fault and no earlier one. */
  readonly make: (site: Site) => Plan
  /** Which transaction of the block the refusal must speak of. */
  readonly position?: number
  /** What the refusal must say, where the code alone can't tell two faults apart. */
  readonly says?: RegExp
  /** The one chain on which this fault is possible; any, unless said. */
  readonly only?: 'constant' | 'moving'
}

export const hex64 = (value: bigint): string => value.toString(16).padStart(64, '0')

/** The last digit one up or one down, whatever it was. */
export function nudged(hex: string, by: 1n | -1n): string {
  return (BigInt(`0x${hex}`) + by).toString(16).padStart(hex.length, '0')
}

/** Another hex digit in the place of the last one. */
export function flipped(hex: string): string {
  return hex.slice(0, -1) + (hex.endsWith('0') ? '1' : '0')
}

export function without(object: JsonObject, field: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== field))
}

/** secp256k1's field and its group's order. */
export const P = 2n ** 256n - 2n ** 32n - 977n
export const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** No y goes with x = 5: 5³ + 7 is no square. The checksum is right. */
export const OFF_THE_CURVE = addressOfPublicKey(`02${hex64(5n)}`)
/** x = 1 is on the curve, and P + 1 would be a second spelling of it. */
export const X_ABOVE_P = addressOfPublicKey(`02${hex64(P + 1n)}`)

export function wrongChecksum({ address }: Key): string {
  return flipped(address)
}

export const ANOTHER_CHAIN = sha256Hex('another chain')

/** The usual transfers with the one at a position changed: 1 is the first after the reward. */
export function withTransfer(position: number, change: (usual: Transfer) => Transfer): Plan {
  return { transfers: (usual) => usual.map((transfer, i) => (i === position - 1 ? change(transfer) : transfer)) }
}

/** The same, changing its fields before they are signed. */
export function withFields(position: number, fields: JsonObject): Plan {
  return withTransfer(position, (usual) => ({ ...usual, fields: { ...usual.fields, ...fields } }))
}
