/** Every answer of a node against the schema that its own OpenAPI document gives for it. */
import { STATUS_CODES } from 'node:http'
import { parseJson, RULES } from '@bc/core'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { expect } from 'vitest'
import type { App } from '../../src/http/app.ts'
import { ErrorSchema } from '../../src/http/schemas.ts'
import { type Asked, ask, type Reply, type Target } from './http-client.ts'

export type Json = { readonly [key: string]: unknown }

export interface OpenApi {
  readonly openapi: string
  readonly info: Json
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

export interface Operation {
  readonly summary?: string
  readonly security?: readonly Json[]
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: Json }[]
  readonly requestBody?: { content: Record<string, { schema: Json }> }
  readonly responses: Readonly<Record<string, { description: string; content: Record<string, { schema: Json }> }>>
}

/** A checked answer. */
export interface Answer<T = Json> extends Reply {
  readonly json: T
}

export class Contract {
  readonly document: OpenApi
  private readonly ajv = new Ajv2020({ strict: true, allErrors: true, strictTypes: false })
  private readonly compiled = new Map<object, ValidateFunction>()

  private constructor(document: OpenApi) {
    this.document = document
  }

  static async of(app: App): Promise<Contract> {
    return new Contract((await app.inject('/openapi.json')).json())
  }

  /** Asks, and checks the answer. */
  async ask<T = Json>(target: Target, asked: Asked): Promise<Answer<T>> {
    return this.check<T>(asked, await ask(target, asked))
  }

  check<T = Json>({ method = 'GET', path }: Pick<Asked, 'method' | 'path'>, reply: Reply): Answer<T> {
    const told = `${method} ${path.slice(0, 200)} → ${reply.status} ${reply.text.slice(0, 500)}`
    checkHeaders(reply, told)
    if (method === 'HEAD') {
      expect(reply.text, told).toBe('')
      return { ...reply, json: {} as T }
    }
    const json = parsed(reply.text, told)
    const operation = this.operationOf(method, path)
    if (reply.status >= 400) checkError(reply.status, json as Json, told)
    const schema =
      operation === undefined
        ? undefined
        : (schemaOf(operation, String(reply.status)) ?? schemaOf(operation, 'default'))
    if (schema === undefined) expect(reply.status, told).toBeGreaterThanOrEqual(400)
    this.validate(schema ?? (ErrorSchema as unknown as Json), json, told)
    return { ...reply, json: json as T }
  }

  /** The operation that the document has for a request; a path without parameters goes before one with. */
  operationOf(method: string, path: string): Operation | undefined {
    const plain = plainPath(path)
    const item = this.document.paths[plain] ?? Object.entries(this.document.paths).find(([at]) => fits(at, plain))?.[1]
    return item?.[method.toLowerCase()]
  }

  compile(schema: Json): ValidateFunction {
    const validate = this.compiled.get(schema) ?? this.ajv.compile(schema)
    this.compiled.set(schema, validate)
    return validate
  }

  validate(schema: Json, value: unknown, told: string): void {
    const validate = this.compile(schema)
    if (!validate(value)) expect.fail(`${told}\n${this.ajv.errorsText(validate.errors)}`)
  }
}

/** Without the query, and "%6dine" is "mine" to everybody who reads URLs. */
function plainPath(path: string): string {
  const [plain = ''] = path.split('?')
  try {
    return decodeURI(plain)
  } catch {
    return plain
  }
}

function fits(pattern: string, path: string): boolean {
  const source = pattern.split('/').map((part) => (part.startsWith('{') ? '[^/]+' : part.replaceAll('.', '\\.')))
  return new RegExp(`^${source.join('/')}$`).test(path)
}

function schemaOf({ responses }: Operation, status: string): Json | undefined {
  return responses[status]?.content['application/json']?.schema
}

/** Strictly, as core reads messages: no duplicate key, no float. */
function parsed(text: string, told: string): unknown {
  try {
    return parseJson(text, { maxBytes: 200_000_000, maxDepth: 64 })
  } catch (error) {
    return expect.fail(`${told}\n${(error as Error).message}`)
  }
}

function checkHeaders({ headers, text }: Reply, told: string): void {
  expect(headers['content-type'], told).toBe('application/json; charset=utf-8')
  const shared = Object.keys(headers).filter((name) => name.startsWith('access-control-'))
  expect(shared, told).toEqual([])
  if (text !== '' && headers['content-length'] !== undefined)
    expect(Buffer.byteLength(text), told).toBe(Number(headers['content-length']))
}

function checkError(status: number, json: Json, told: string): void {
  expect(json.statusCode, told).toBe(status)
  expect(json.error, told).toBe(STATUS_CODES[status])
  expect(Object.keys(RULES), told).toContain(json.code)
  expect(json.message, told).not.toBe('')
}
