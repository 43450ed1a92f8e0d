import { RULES } from '@bc/core'
import { expect, test } from 'vitest'
import * as cli from '../src/index.ts'

test('the public face', () => {
  expect(Object.keys(cli).sort()).toEqual(['CliError', 'EXIT', 'Refusal', 'bc', 'connect', 'exitCodeOf'])
})

test('every code has its exit code', () => {
  expect(cli.EXIT).toEqual({ ok: 0, other: 1, usage: 2, noNode: 3, signature: 4, rule: 5 })
  const expected = (code: string) => (code === 'tx.signature' ? 4 : code.startsWith('node.') ? 1 : 5)
  for (const code of Object.keys(RULES)) expect([code, cli.exitCodeOf(code)]).toEqual([code, expected(code)])
  const ours = ['cli.usage', 'cli.no_node', 'cli.answer', 'cli.output', 'cli.node', 'cli.lab'].map(cli.exitCodeOf)
  expect(ours).toEqual([2, 3, 1, 1, 1, 1])
})
