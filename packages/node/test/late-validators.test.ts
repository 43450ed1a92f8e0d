/** Validators that are compiled late say what Fastify's own say. */
import { AjvCompiler } from '@fastify/ajv-compiler'
import fc from 'fast-check'
import * as Type from 'typebox'
import { expect, test } from 'vitest'
import { buildLateValidators } from '../src/http/late-validators.ts'

const OPTIONS = { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: true } }

const FIELDS = { a: Type.Optional(Type.String({ minLength: 1 })), b: Type.Optional(Type.Integer()) }

/** What may be empty, and what may not for each of the reasons that JSON Schema has. */
const SCHEMAS = {
  nothing: Type.Object({}, { additionalProperties: false }),
  'fields that may be there': Type.Object(FIELDS, { additionalProperties: false }),
  'a field that must be there': Type.Object({ a: Type.String() }),
  'some field': Type.Object(FIELDS, { minProperties: 1 }),
  'one of two forms': { type: 'object', anyOf: [{ required: ['a'] }, { required: ['b'] }] },
  'not nothing': { type: 'object', not: { maxProperties: 0 } },
  'a list': Type.Array(Type.Integer()),
  anything: {},
  'nothing at all': { type: 'object', enum: [1] },
}

const given = fc.oneof(
  fc.constantFrom(undefined, null, {}, [], '', 0, false, Object.create(null), { a: 'x' }, { b: 1 }, { c: 1 }),
  fc.jsonValue(),
)

test.each(Object.entries(SCHEMAS))('%s', (_, schema) => {
  const part = { schema, method: 'GET', url: '/', httpPart: 'querystring' }
  const late = buildLateValidators({}, OPTIONS)(part)
  const own = AjvCompiler()({}, OPTIONS)(part)
  const agree = fc.property(given, (data) => {
    expect(late(data)).toBe(own(data))
    // Fastify asks for the reasons of a refusal alone.
    if (!own(data)) expect(late.errors).toEqual(own.errors)
  })
  fc.assert(agree, { numRuns: 300 })
})

test('nothing is compiled before it is needed', () => {
  const broken = { type: 'object', properties: { a: { type: 'no type' } } }
  const validate = buildLateValidators({}, OPTIONS)({ schema: broken })
  expect(validate({})).toBe(true)
  expect(() => validate({ a: 1 })).toThrow(/no type|schema is invalid/)
})
