/** What is wrong with the form of a transaction that is handed in, by itself or as a line of many. */
import { RuleError } from '@bc/core'
import type { FastifyRequest, FastifySchemaValidationError } from 'fastify'
import type { FormCheck } from '../pool/submission.ts'
import { inWords } from './form-faults.ts'
import { NewTransactionSchema } from './schemas.ts'

/** For a body that no route has looked at: by the schema that `POST /transactions/new` has, which Fastify compiles once. */
export function formCheck(request: Pick<FastifyRequest, 'compileValidationSchema'>): FormCheck {
  const validate = request.compileValidationSchema(NewTransactionSchema, 'body')
  return (value) => (validate(value) ? undefined : formFault((validate.errors ?? []) as FastifySchemaValidationError[]))
}

export function formFault(errors: readonly FastifySchemaValidationError[]): RuleError {
  const missing = errors.flatMap(missingFields)
  if (missing.length > 0) return new RuleError('tx.shape', `Missing values: ${missing.join(', ')}.`)
  return new RuleError('tx.shape', `This is no transaction: ${inWords(errors, 'body')}.`)
}

/** A body that is no object at all, or that isn't there, lacks every field. */
function missingFields({ keyword, params, instancePath }: FastifySchemaValidationError): unknown[] {
  if (keyword === 'required') return [params.missingProperty]
  return keyword === 'type' && instancePath === '' ? NewTransactionSchema.required : []
}
