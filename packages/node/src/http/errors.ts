/** What follows from an error at this edge: its status, and its answer in Fastify's shape plus our code. */
import { STATUS_CODES } from 'node:http'
import { type RuleCode, RuleError } from '@bc/core'
import type { FastifyError } from 'fastify'
import { DamageError, StorageError } from '../errors.ts'
import type { ErrorAnswer } from './schemas.ts'

/** Every code that isn't here is 422: understood, and against the rules. */
const STATUS: Partial<Record<RuleCode, number>> = {
  'message.malformed': 400,
  'tx.shape': 400,
  'tx.number': 400,
  'tx.memo': 400,
  'tx.address': 400,
  'tx.signature': 401,
  'tx.nonce': 409,
  'pool.known': 409,
  'pool.gap': 409,
  'pool.replacement': 409,
  'pool.account': 429,
  'pool.full': 503,
  'request.invalid': 400,
  'request.not_found': 404,
  'request.method': 405,
  'request.media_type': 415,
  'request.too_large': 413,
  'request.timeout': 408,
  'request.rate': 429,
  'request.host': 403,
  'request.origin': 403,
  'request.operator': 403,
  'request.dev_only': 404,
  'node.busy': 503,
  'node.stopping': 503,
  'node.damaged': 503,
  'node.internal': 500,
}

/** Fastify's own refusals, by their status. */
const CODES: Readonly<Record<number, RuleCode>> = {
  404: 'request.not_found',
  408: 'request.timeout',
  413: 'request.too_large',
  414: 'request.too_large',
  415: 'request.media_type',
  429: 'request.rate',
  431: 'request.too_large',
}

export function answerOf(code: RuleCode, message: string): ErrorAnswer {
  const statusCode = STATUS[code] ?? 422
  return { statusCode, code, error: STATUS_CODES[statusCode] ?? 'Error', message }
}

/** Nobody hears it, but nothing more is done for him. */
export function clientGone(): RuleError {
  return new RuleError('request.timeout', 'The client has gone away.')
}

export function notFound(sentence: string): RuleError {
  return new RuleError('request.not_found', sentence)
}

/** What is damaged, or out of reach, lets no node go on: whoever answers for it says so. */
export function reportDamage(error: unknown, onFailure: (error: unknown) => void): void {
  if (explain(error)?.code === 'node.damaged') onFailure(error)
}

/** @returns undefined for an error that is a bug of ours */
export function explain(error: unknown): ErrorAnswer | undefined {
  if (error instanceof RuleError) return answerOf(error.code, error.message)
  if (error instanceof DamageError || error instanceof StorageError)
    return answerOf('node.damaged', 'The stored data of this node is damaged or out of reach: it is stopping.')
  const { statusCode, code, message } = error as FastifyError
  // What Node says where a client hangs up in the midst of a body, or of its answer.
  if ((code === 'ECONNRESET' && message === 'aborted') || code === 'ERR_STREAM_PREMATURE_CLOSE')
    return explain(clientGone())
  if (statusCode === undefined || statusCode < 400 || statusCode > 499) return undefined
  return answerOf(CODES[statusCode] ?? 'request.invalid', message)
}
