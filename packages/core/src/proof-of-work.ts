/**
 * The one definition of proof of work: the miner, the import of blocks and the tests all use it.
 *
 *     seal = sha256( previous block's proof ‖ proof ‖ previous_hash )      the tutorial's formula, over their text
 *     proof = commitment ‖ nonce                                          so it commits to its own block
 *
 * Valid when seal ≤ target, compared as strings of equal length.
 *
 * `searchNonce` is the search in plain JavaScript. `kernel/` has faster ones behind the same face, and they are measured
 * against this one.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { sha256Hex } from './hash.ts'
import type { Hash, Proof, Target } from './primitives.ts'

/** What a miner needs to know of a block: strings alone, so that it can be sent to another thread. */
export interface SealJob {
  readonly previousProof: Proof
  readonly previousHash: Hash
  readonly commitment: Hash
  readonly target: Target
}

/** A way to search nonces. All find the same. */
export interface SealKernel {
  readonly name: string
  /**
   * Tries `attempts` nonces from `from` on, in order, up to 2^64-1: all that are left for `Infinity`.
   * @returns the first nonce whose seal meets the target
   */
  searchNonce(job: SealJob, from: bigint, attempts: number): bigint | undefined
}

const NONCE_DIGITS = 16
export const NONCES = 2n ** 64n

/** @param nonce 0 … 2^64-1 */
export function nonceDigits(nonce: bigint): string {
  return nonce.toString(16).padStart(NONCE_DIGITS, '0')
}

export function proofOf(commitment: Hash, nonce: bigint): Proof {
  return (commitment + nonceDigits(nonce)) as Proof
}

export function commitmentOf(proof: Proof): Hash {
  return proof.slice(0, 64) as Hash
}

export function sealOf(previousProof: string, proof: string, previousHash: string): Hash {
  return sha256Hex(previousProof + proof + previousHash)
}

/** The strings are of equal length, so their order is the numbers' order. */
export function meetsTarget(seal: Hash, target: Target): boolean {
  return seal <= (target as string)
}

/**
 * {@link SealKernel.searchNonce} in plain JavaScript.
 *
 * The text before the nonce is the same in every attempt, so its hash state is computed once and copied.
 */
export function searchNonce(job: SealJob, from: bigint, attempts: number): bigint | undefined {
  const midstate = sha256.create().update(utf8ToBytes(job.previousProof + job.commitment))
  const scratch = midstate.clone()
  const tail = utf8ToBytes(nonceDigits(from) + job.previousHash)
  const seal = new Uint8Array(32)
  const target = hexToBytes(job.target)
  const left = NONCES - from
  const most = left < attempts ? Number(left) : attempts
  for (let i = 0; i < most; i++) {
    midstate._cloneInto(scratch).update(tail).digestInto(seal)
    if (isAtMost(seal, target)) return from + BigInt(i)
    increment(tail)
  }
  return undefined
}

/** For where there is no faster one, and what the faster ones are compared with. */
export const plainKernel: SealKernel = { name: 'plain', searchNonce }

const [ZERO, NINE, A, F] = [0x30, 0x39, 0x61, 0x66] as const

/** Adds one to the hex digits at the start of `tail`, in place. */
function increment(tail: Uint8Array): void {
  for (let i = NONCE_DIGITS - 1; i >= 0; i--) {
    if (tail[i] !== F) {
      tail[i] = tail[i] === NINE ? A : (tail[i] as number) + 1
      return
    }
    tail[i] = ZERO
  }
}

function isAtMost(seal: Uint8Array, target: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) if (seal[i] !== target[i]) return (seal[i] as number) < (target[i] as number)
  return true
}
