/** Signatures to verify, one after the other in shared memory: digest, signature, compressed public key. */
export type Checks = Uint8Array<SharedArrayBuffer>

const DIGEST_BYTES = 32
const SIGNATURE_BYTES = 64
export const CHECK_BYTES = DIGEST_BYTES + SIGNATURE_BYTES + 33

export function newChecks(count: number): Checks {
  return new Uint8Array(new SharedArrayBuffer(count * CHECK_BYTES))
}

/** @param check the bytes of one */
export function putCheck(checks: Checks, i: number, check: Uint8Array): void {
  checks.set(check, i * CHECK_BYTES)
}

export function checkAt(checks: Checks, i: number): [digest: Uint8Array, signature: Uint8Array, key: Uint8Array] {
  const at = i * CHECK_BYTES
  const [signature, key] = [at + DIGEST_BYTES, at + DIGEST_BYTES + SIGNATURE_BYTES]
  return [checks.subarray(at, signature), checks.subarray(signature, key), checks.subarray(key, at + CHECK_BYTES)]
}
