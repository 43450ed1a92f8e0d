/** Random jobs of proof of work, and the search as anybody would write it. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { Hash, Proof, Target } from '../../src/primitives.ts'
import type { SealJob } from '../../src/proof-of-work.ts'

export const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits })

/** Each is met by one of 1 … 256 nonces, on average; with digits after the zeros that aren't all f. */
const target = fc
  .tuple(fc.nat(2), hex(64))
  .map(([zeros, digits]) => ('0'.repeat(zeros) + digits.slice(zeros)) as Target)

export const job: fc.Arbitrary<SealJob> = fc.record({
  previousProof: hex(80) as fc.Arbitrary<Proof>,
  previousHash: hex(64) as fc.Arbitrary<Hash>,
  commitment: hex(64) as fc.Arbitrary<Hash>,
  target,
})

export const naiveSeal = ({ previousProof, previousHash, commitment }: SealJob, nonce: bigint): string => {
  const digits = nonce.toString(16).padStart(16, '0')
  return createHash('sha256')
    .update(previousProof + commitment + digits + previousHash)
    .digest('hex')
}

export function naiveSearch(some: SealJob, from: bigint, attempts: number): bigint | undefined {
  for (let nonce = from; nonce < from + BigInt(attempts); nonce++)
    if (BigInt(`0x${naiveSeal(some, nonce)}`) <= BigInt(`0x${some.target}`)) return nonce
  return undefined
}

/** One job for each text. @param leading the target's first digits; the others are f */
export function jobOfText(text: string, leading: string): SealJob {
  const hash = (part: string) => createHash('sha256').update(`${text} ${part}`).digest('hex')
  return {
    previousProof: (hash('previous commitment') + hash('previous nonce').slice(0, 16)) as Proof,
    previousHash: hash('previous hash') as Hash,
    commitment: hash('commitment') as Hash,
    target: leading.padEnd(64, 'f') as Target,
  }
}
