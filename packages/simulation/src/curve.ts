/**
 * The curve for many nodes in one process. Each of them verifies the same signatures, and the answer follows from the
 * question alone: it is worked out once. Only a simulation may do so, where all nodes are one party.
 */
import type { SignatureVerifier } from '@bc/core'
import { type Curve, localCurve } from '@bc/node/signatures'
import { bestVerifier } from '@bc/wallet'

/** Answers that are remembered: forgotten all at once when there are more. */
const MOST = 200_000

export function sharedCurve(): Curve {
  const verifier = bestVerifier()
  const points = new Memory()
  const verdicts = new Memory()
  const sharing: SignatureVerifier = {
    name: `${verifier.name}, remembered`,
    isPublicKey: (publicKey) => points.answer(text(publicKey), () => verifier.isPublicKey(publicKey)),
    verify: (digest, signature, publicKey) =>
      verdicts.answer(text(digest) + text(signature) + text(publicKey), () =>
        verifier.verify(digest, signature, publicKey),
      ),
  }
  return localCurve(sharing)
}

class Memory {
  private readonly answers = new Map<string, boolean>()

  answer(question: string, find: () => boolean): boolean {
    const known = this.answers.get(question)
    if (known !== undefined) return known
    if (this.answers.size >= MOST) this.answers.clear()
    const found = find()
    this.answers.set(question, found)
    return found
  }
}

/** Its length shows in it, so that parts that stand side by side can't be taken for others. */
function text(bytes: Uint8Array): string {
  return `${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}.`
}
