/** Strict JSON from wherever it may be. */
import { DEFAULT_JSON_LIMITS, type JsonValue, orRefusal, parseJson, RuleError } from '@bc/core'

/**
 * undefined for anything but strict JSON.
 * @param maxBytes where whoever holds the text has no limit of his own
 */
export function parsed(text: string | Uint8Array, maxBytes = Number.POSITIVE_INFINITY): JsonValue | undefined {
  const value = orRefusal(() => parseJson(text, { ...DEFAULT_JSON_LIMITS, maxBytes }))
  return value instanceof RuleError ? undefined : value
}
