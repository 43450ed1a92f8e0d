/**
 * libsecp256k1 once more, compiled to WebAssembly, as the npm package `tiny-secp256k1` carries it: the same on every
 * platform. It is for those that have no binary (Docker on a Mac with an M chip, a Raspberry Pi): five times as slow as
 * one, and eight times as fast as noble.
 */
import { createRequire } from 'node:module'

/** What is used of the package. It throws for what it can't read, and for nothing else. */
export interface WasmBinding {
  isPointCompressed(publicKey: Uint8Array): boolean
  /** @param strict whether high-S is refused */
  verify(digest: Uint8Array, publicKey: Uint8Array, signature: Uint8Array, strict: boolean): boolean
  /** An uncompressed key of 65 bytes where `compressed` is false. */
  pointCompress(publicKey: Uint8Array, compressed: boolean): Uint8Array
  pointFromScalar(secret: Uint8Array, compressed: boolean): Uint8Array | null
  /** Low-S, and with RFC 6979's nonce of the two. What it does with secrets is blinded from its first use on. */
  sign(digest: Uint8Array, secret: Uint8Array): Uint8Array
}

/** @returns undefined where there is no WebAssembly (`node --jitless`) */
export function loadWasm(): WasmBinding | undefined {
  if (!Reflect.get(globalThis, 'WebAssembly')) return undefined
  return createRequire(import.meta.url)('tiny-secp256k1') as WasmBinding
}
