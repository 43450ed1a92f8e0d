/** What is wrong with the form of a request, field by field: what the validator has found, in words that name the field. */
import { quoted, RuleError } from '@bc/core'
import type { FastifySchemaValidationError } from 'fastify'

type Fault = FastifySchemaValidationError

/** @param part of the request: `body`, `querystring`, … */
export function invalidRequest(faults: readonly Fault[], part: string): RuleError {
  return new RuleError('request.invalid', `${inWords(faults, part)}.`)
}

export function inWords(faults: readonly Fault[], part: string): string {
  const outside = faults.filter(({ schemaPath }) => !IN_ALTERNATIVE.test(schemaPath))
  return listed(
    outside.map((fault) => (fault.keyword === 'anyOf' ? nearest(fault, faults, part) : sentence(fault, part))),
    ', ',
  )
}

const IN_ALTERNATIVE = /\/anyOf\/\d+\//

function sentence({ keyword, instancePath, message, params }: Fault, part: string): string {
  const place = `${part}${instancePath}`
  if (keyword === 'additionalProperties') return `${place} has no field ${quoted(String(params.additionalProperty))}`
  return `${place} ${message}`
}

/** Where any of some will do, what is wrong by the one that the least is wrong by: it is what was meant. */
function nearest({ schemaPath }: Fault, faults: readonly Fault[], part: string): string {
  const inside = faults.filter((fault) => fault.schemaPath.startsWith(`${schemaPath}/`))
  const alternatives: string[][] = []
  for (const fault of inside) {
    const alternative = Number.parseInt(fault.schemaPath.slice(schemaPath.length + 1), 10)
    alternatives[alternative] ??= []
    alternatives[alternative].push(sentence(fault, part))
  }
  const fewest = Math.min(...alternatives.map(({ length }) => length))
  const meant = new Set(alternatives.filter(({ length }) => length === fewest).map((some) => listed(some, ' and ')))
  return meant.size > 1 ? `either ${[...meant].join(', or ')}` : [...meant].join()
}

/** Of more than these nobody reads on, and a body has room for thousands. */
const MOST = 10

function listed(sentences: readonly string[], between: string): string {
  const more = sentences.length - MOST
  return sentences.slice(0, MOST).join(between) + (more > 0 ? ` and ${more} more` : '')
}
