/** `bc explain`: every code, mistyped codes, and the hints that lead to it. */
import { RULES } from '@bc/core'
import { describe, expect, test } from 'vitest'
import { nearest } from '../src/command-line/suggestion.ts'
import { EXPLANATIONS, GROUPS, isCode } from '../src/explanations.ts'
import { exitCodeOf } from '../src/failure.ts'
import { bc, expectFailure, fakeNode, output } from './commands.ts'
import { CHAIN } from './keys.ts'
import { describeOnTerminal, onTerminal } from './terminal.ts'

const CODES = Object.keys(EXPLANATIONS)

describe('the explanations', () => {
  test('are of every rule, and every group has its heading', () => {
    expect(CODES).toEqual(expect.arrayContaining(Object.keys(RULES)))
    expect(Object.keys(GROUPS).sort()).toEqual([...new Set(CODES.map((code) => code.split('.')[0]))].sort())
    expect(isCode('tx.nonce')).toBe(true)
    expect(isCode('toString')).toBe(false)
  })

  test.each(CODES)('%s: sentences', (code) => {
    for (const text of Object.values(EXPLANATIONS[code as keyof typeof EXPLANATIONS])) {
      expect(text).toMatch(/^[A-Za-z].*[.:]$/)
      expect(text).not.toMatch(/ {2}|\n/)
    }
  })

  test('the commands that they name are there', async () => {
    const named = new Set(
      JSON.stringify(EXPLANATIONS)
        .match(/\bbc [a-z-]+/g)
        ?.filter((one) => one !== 'bc refuses'),
    )
    expect(named.size).toBeGreaterThan(5)
    for (const command of named) expect(await output(...command.split(' ').slice(1), '--help')).toContain('Usage: bc ')
  })
})

describe('bc explain', () => {
  test('one code, whole', async () => {
    expect(JSON.parse(await output('explain', 'tx.nonce'))).toEqual({
      code: 'tx.nonce',
      meaning: RULES['tx.nonce'],
      ...EXPLANATIONS['tx.nonce'],
      exit: 5,
    })
  })

  test('all of them, as a document and as lines', async () => {
    const { codes } = JSON.parse(await output('explain'))
    expect(codes.map((one: { code: string }) => one.code)).toEqual(CODES)
    for (const { code, exit } of codes) expect(exit).toBe(exitCodeOf(code))
    const lines = (await output('explain', '--ndjson')).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(codes)
  })

  test.each([
    ['tx.nonec', /Did you mean tx\.nonce\?/],
    ['nonce', /Did you mean tx\.nonce\?/],
    ['shape', /Did you mean tx\.shape or block\.shape\?/],
    ['xyzzy', /^bc: CODE is no code of a rule\. bc explain lists them all\.\n/],
    ['', /^bc: CODE is no code of a rule\. bc explain lists them all\.\n/],
    [CHAIN, /^bc: CODE is no code of a rule\. bc explain lists them all\.\n/],
  ])('%j is no code: 2', async (word, reason) => {
    expectFailure(await bc('explain', word), 2, reason)
  })

  test('a code may be written as it comes', async () => {
    expect(await output('explain', ' TX.Nonce ')).toBe(await output('explain', 'tx.nonce'))
  })
})

test('what is nearest', () => {
  expect(nearest('statsu', ['status', 'stats', 'start'])).toEqual(['stats', 'status'])
  expect(nearest('nwe', ['new', 'old'])).toEqual(['new'])
  expect(nearest('new', ['new', 'old'])).toEqual(['new'])
  for (const word of ['', 'xyzzy', '--help', 'help', '-V']) expect(nearest(word, ['new', 'old'])).toEqual([])
})

describeOnTerminal('on a terminal', () => {
  test('a text that fits', async () => {
    const { output } = await onTerminal('bc', ['explain', 'tx.nonce'], [], { columns: 40 })
    expect(output).toMatch(/^tx\.nonce, exit code 5\n\nThe rule\n {2}A nonce is the number of transactions\n {2}that/)
    expect(output.split('\n').filter((line) => line.length > 40)).toEqual([])
    for (const columns of [40, 80]) {
      const all = (await onTerminal('bc', ['explain'], [], { columns })).output
      expect(all.split('\n').filter((line) => line.length > columns)).toEqual([])
      for (const code of CODES) expect(all).toContain(`\n  ${code}`)
    }
  })

  test('a refusal ends with where to find more, and in a pipe it does not', async () => {
    const body = (code: string) => JSON.stringify({ statusCode: 409, code, error: 'x', message: 'No.' })
    let code = 'tx.nonce'
    const node = await fakeNode((_, response) => void response.writeHead(409).end(body(code)))
    const args = ['status', '--node', node.url]
    expect(await onTerminal('bc', args)).toMatchObject({
      code: 5,
      output: 'bc: tx.nonce: No.\n(bc explain tx.nonce)\n',
    })
    expectFailure(await bc(...args), 5, /^bc: tx\.nonce: No\.\n$/)
    code = 'tx.of_a_newer_node'
    expect((await onTerminal('bc', args)).output).toBe('bc: tx.of_a_newer_node: No.\n')
    node.close()
    expect((await onTerminal('bc', args)).output).toMatch(/nothing listens there.*\n\(bc explain cli\.no_node\)\n$/s)
    expect((await onTerminal('bc', ['tx', 'x'])).output).toBe(
      'bc: ID is 64 lower-case hex digits.\n(add --help for usage and examples)\n',
    )
    expect((await onTerminal('bc-node', ['--ephemeral', '--host', '203.0.113.1'])).output).toMatch(
      /\n\(bc explain cli\.node\)\n$/,
    )
  })
})
