/** Whether an answer has the fields that are read of it. The node's own schemas would load all of its HTTP server. */
import { isJsonObject, type JsonObject, type JsonValue, parseAmount, parseHash } from '@bc/core'
import { PLACE } from '@bc/node/layout'

export type Check = (value: JsonValue | undefined) => boolean
export type Shape<T> = { readonly [Field in keyof T]?: Check }

export const isText: Check = (value) => typeof value === 'string'
export const isWhole: Check = (value) => parseAmount(value) !== undefined
export const isHash: Check = (value) => parseHash(value) !== undefined

/** A history's `next`. It goes into the address of the next question. */
export const isCursor: Check = (value) => typeof value === 'string' && PLACE.test(value)

export const isTexts: Check = (value) => Array.isArray(value) && value.every(isText)

export function optional(check: Check): Check {
  return (value) => value === undefined || check(value)
}

export function orNull(check: Check): Check {
  return (value) => value === null || check(value)
}

export function isObject<T>(of: Shape<T>): Check {
  return (value) => isJsonObject(value) && wrongField(value, of) === undefined
}

export function isList<T>(of: Shape<T>, atLeast = 0): Check {
  return (value) => Array.isArray(value) && value.length >= atLeast && value.every(isObject(of))
}

/** The first field that fails its check. */
export function wrongField<T>(answer: JsonObject, shape: Shape<T>): string | undefined {
  return Object.entries<Check | undefined>(shape).find(([field, check]) => check?.(answer[field]) === false)?.[0]
}
