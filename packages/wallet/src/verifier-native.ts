/**
 * libsecp256k1, the library that Bitcoin verifies with, as the npm package `secp256k1` carries it prebuilt. It is the
 * faster of the two by far, where its binary loads.
 *
 * Only the package's binding is loaded. Its main file falls back to `elliptic` without a word: a third implementation
 * of the curve, slower than noble, that accepts high-S by itself, so that consensus would hang on one line of the
 * package's wrapper around it.
 */
import { createRequire } from 'node:module'
import type { SignatureVerifier } from '@bc/core'
import { areLengths, isKeyLength } from './lengths.ts'

/** What is used of `secp256k1/lib/index.js`, which throws for what it can't read and for nothing else. */
interface Binding {
  publicKeyVerify(publicKey: Uint8Array): boolean
  /** Refuses high-S, as `secp256k1_ecdsa_verify` documents; r and s of 0 too. */
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
  publicKeyConvert(publicKey: Uint8Array, compressed: boolean): Uint8Array
}

/** @returns undefined where the package has no binary for this platform (linux-arm64, say) or it can't be loaded */
export function nativeVerifier(): SignatureVerifier | undefined {
  const binding = loadBinding()
  return binding && verifierOver(binding)
}

function verifierOver(binding: Binding): SignatureVerifier {
  return {
    name: 'libsecp256k1',
    isPublicKey(publicKey) {
      return isKeyLength(publicKey) && binding.publicKeyVerify(publicKey)
    },
    verify(digest, signature, publicKey) {
      return areLengths(digest, signature, publicKey) && verifies(digest, signature, publicKey)
    },
    prepare(publicKey) {
      if (!isKeyLength(publicKey)) throw new TypeError('a compressed public key has 33 bytes')
      const point = binding.publicKeyConvert(publicKey, false)
      return {
        verify: (digest, signature) => areLengths(digest, signature, publicKey) && verifies(digest, signature, point),
      }
    },
  }

  function verifies(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
    try {
      return binding.ecdsaVerify(signature, digest, publicKey)
    } catch (error) {
      if (isUnreadable(error)) return false
      throw error
    }
  }
}

/**
 * The two errors that `ecdsaVerify` has for bytes of the right lengths: r or s not below n, and no point on the
 * curve. They have no code, only these sentences (5.0.2, pinned). Anything else is a bug, and shows as one.
 */
const UNREADABLE: readonly string[] = ['Signature could not be parsed', 'Public Key could not be parsed']

function isUnreadable(error: unknown): boolean {
  return error instanceof Error && UNREADABLE.includes(error.message)
}

function loadBinding(): Binding | undefined {
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
