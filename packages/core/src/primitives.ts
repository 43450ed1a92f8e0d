/**
 * The branded types, each made by the one parser beside it. A parser matches the whole text: one value, one spelling.
 */
import { isHex } from './hex.ts'
import type { JsonValue } from './json.ts'

export type Brand<T, Name extends string> = T & { readonly __brand: Name }

/** 64 lower-case hex digits: a SHA-256. */
export type Hash = Brand<string, 'Hash'>
/** 64 lower-case hex digits: a 256-bit number that a seal may not exceed. */
export type Target = Brand<string, 'Target'>
/** 80 lower-case hex digits: the commitment, then the nonce. */
export type Proof = Brand<string, 'Proof'>
/** 128 lower-case hex digits: r, then s. Whether it is low-S and in range is the verifier's to say. */
export type Signature = Brand<string, 'Signature'>
/** Coins: a whole number from 0 to 2^53-1. */
export type Amount = Brand<number, 'Amount'>
/** A block's index, from 1. */
export type Height = Brand<number, 'Height'>

/** The largest number of the protocol, and the most coins there can ever be: 2^53-1. */
export const MAX_AMOUNT = Number.MAX_SAFE_INTEGER as Amount

export function parseHash(value: JsonValue | undefined): Hash | undefined {
  return isHex(value, 64) ? (value as Hash) : undefined
}

export function parseTarget(value: JsonValue | undefined): Target | undefined {
  return isHex(value, 64) ? (value as Target) : undefined
}

export function parseProof(value: JsonValue | undefined): Proof | undefined {
  return isHex(value, 80) ? (value as Proof) : undefined
}

export function parseSignature(value: JsonValue | undefined): Signature | undefined {
  return isHex(value, 128) ? (value as Signature) : undefined
}

export function parseAmount(value: JsonValue | undefined): Amount | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? (value as Amount) : undefined
}

export function parseHeight(value: JsonValue | undefined): Height | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 ? (value as Height) : undefined
}
