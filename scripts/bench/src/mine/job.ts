import { type Hash, type Proof, type SealJob, searchNonce, sha256Hex, type Target } from '@bc/core'

export type { SealJob } from '@bc/core'

/** @param leading the target's first digits */
export function jobOf(leading: string): SealJob {
  const nonce = sha256Hex('the nonce before').slice(0, 16)
  return {
    previousProof: (sha256Hex('the commitment before') + nonce) as Proof,
    previousHash: sha256Hex('the hash before') as Hash,
    commitment: sha256Hex('the commitment') as Hash,
    target: leading.padEnd(64, '0') as Target,
  }
}

/** What is hashed for the nonce 0, the target's first 32 bits, and the last four digits of the nonce that is right. */
export function plainSearch(job: SealJob): { text: string; limit: string; nonce: string } {
  return {
    text: job.previousProof + job.commitment + '0'.repeat(16) + job.previousHash,
    limit: job.target.slice(0, 8),
    nonce: searchNonce(job, 0n, 0x10000)?.toString(16).padStart(4, '0') ?? 'none',
  }
}
