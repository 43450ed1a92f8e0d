/** Strict JSON from wherever it may be. */
import { DEFAULT_JSON_LIMITS, type JsonValue, parseJson, RuleError } from '@bc/core'

/**
 * undefined for anything but strict JSON.
 * @param maxBytes where whoever holds the text has no limit of his own
 */
export function parsed(text: string | Uint8Array, maxBytes = Number.POSITIVE_INFINITY): JsonValue | undefined {
  try {
    return parseJson(text, { ...DEFAULT_JSON_LIMITS, maxBytes })
  } catch (error) {
    if (error instanceof RuleError) return undefined
    throw error
  }
}
