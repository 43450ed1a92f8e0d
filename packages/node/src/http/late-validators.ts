/** The validators of requests, each compiled for the first request that needs it. */
import { AjvCompiler, type BuildCompilerFromPool } from '@fastify/ajv-compiler'

type Compile = ReturnType<BuildCompilerFromPool>
type Validator = ReturnType<Compile>

/**
 * Fastify's own compiler, only later: it would compile the schemas of all routes before the node listens, and most are
 * never asked for. Tests ask for each route, so that a schema that can't be compiled is found there.
 */
export function buildLateValidators(...options: Parameters<BuildCompilerFromPool>): Compile {
  let compile: Compile | undefined
  return (schema) => {
    let compiled: Validator | undefined
    const nothingWillDo = takesNothing((schema as { readonly schema: object }).schema)
    const validate = (data: unknown) => {
      if (nothingWillDo && isNothing(data)) return true
      compile ??= AjvCompiler()(...options)
      compiled ??= compile(schema)
      const verdict = compiled(data)
      // Where Fastify looks after a refusal.
      Object.assign(validate, { errors: compiled.errors })
      return verdict
    }
    return validate as Validator
  }
}

/** What may stand in a schema whose every object may also be empty. */
const OF_FIELDS: readonly string[] = ['type', 'properties', 'additionalProperties', 'description']

/** Most requests have no query, and most routes want none: neither needs a compiler. */
function takesNothing(schema: object): boolean {
  return 'type' in schema && schema.type === 'object' && Object.keys(schema).every((key) => OF_FIELDS.includes(key))
}

function isNothing(data: unknown): boolean {
  return typeof data === 'object' && data !== null && !Array.isArray(data) && Object.keys(data).length === 0
}
