/**
 * libsecp256k1, the library that Bitcoin verifies and signs with, as the npm package `secp256k1` carries it prebuilt. It
 * is the fastest by far, where its binary loads.
 *
 * Only the package's binding is loaded. Its main file falls back to `elliptic` without a word: a third implementation
 * of the curve, slower than noble, that accepts high-S by itself, so that consensus would hang on one line of the
 * package's wrapper around it.
 */
import { createRequire } from 'node:module'

/** What is used of `secp256k1/lib/index.js`, which throws for what it can't read and for nothing else. */
export interface Binding {
  publicKeyVerify(publicKey: Uint8Array): boolean
  /** Refuses high-S, as `secp256k1_ecdsa_verify` documents; r and s of 0 too. */
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
  publicKeyConvert(publicKey: Uint8Array, compressed: boolean): Uint8Array
  publicKeyCreate(secret: Uint8Array, compressed: boolean): Uint8Array
  /** Low-S, and with RFC 6979's nonce of the two, where no options are given. */
  ecdsaSign(digest: Uint8Array, secret: Uint8Array): { readonly signature: Uint8Array }
  /** Blinds what is done with secrets from here on; its time doesn't depend on them without that. */
  contextRandomize(seed: Uint8Array): void
}

/** @returns undefined where the package has no binary for this platform (linux-arm64, say) or it can't be loaded */
export function loadBinding(): Binding | undefined {
  try {
    return createRequire(import.meta.url)('secp256k1/bindings.js') as Binding
  } catch (error) {
    if (isNotHere(error)) return undefined
    throw error
  }
}

/** Not installed; not loadable (another libc, a damaged file); forbidden by `node --no-addons`. */
const NOT_HERE: readonly unknown[] = ['MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED', 'ERR_DLOPEN_DISABLED']

function isNotHere(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  // node-gyp-build has a sentence and no code for a platform without a prebuilt binary.
  return ('code' in error && NOT_HERE.includes(error.code)) || error.message.startsWith('No native build was found')
}
