/** The help texts, word for word: `npx vitest run packages/cli -u` writes them anew. */
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { bc, command, expectFailure } from './commands.ts'

const COMMANDS = [
  '',
  'mine',
  'watch',
  'wait',
  'chain',
  'transactions',
  'status',
  'secret',
  'block',
  'tx',
  'account',
  'history',
  'sign',
  'send-tx',
  'pay',
  'draft',
  'key',
  'key new',
  'key list',
  'key show',
  'key export',
  'key import',
  'key passphrase',
  'key remove',
  'key address',
  'nodes',
  'register',
  'resolve',
  'lab',
  'snapshot',
  'revert',
  'time',
  'fund',
  'verify',
  'export',
  'import',
  'prove',
  'verify-proof',
  'explain',
  'config',
  'completion',
  'help',
]

describe('help', () => {
  test.each(COMMANDS)('bc %s --help', async (name) => {
    const run = await bc(...name.split(' ').filter(Boolean), '--help')
    expect(run).toMatchObject({ code: 0, stderr: '' })
    await expectHelp(run.stdout, `bc ${name}`.trim())
  })

  test('bc-node --help', async () => {
    const run = await command('bc-node', ['--help'])
    expect(run).toMatchObject({ code: 0, stderr: '' })
    await expectHelp(run.stdout, 'bc-node')
  })

  async function expectHelp(text: string, name: string) {
    expect(text).toMatch(new RegExp(`^Usage: ${name} `))
    if (name !== 'bc key') expect(text).toMatch(/^Examples?:$/m)
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
    for (const example of examplesIn(text))
      expect(spawnSync('bash', ['-n'], { input: example, encoding: 'utf8' }).stderr, example).toBe('')
    await expect(text).toMatchFileSnapshot(`help/${name.replaceAll(' ', '-')}.txt`)
  }

  /** What is said of one stands behind some spaces. */
  function examplesIn(text: string): string[] {
    const [, lines = ''] = /^Examples?:\n((?: {2}.*\n)*)/m.exec(text) ?? []
    return [...lines.matchAll(/^ {2}(\S.*?)(?: {2,}.*)?$/gm)].map(([, example = '']) => example)
  }

  test('bc help COMMAND and -h are the same', async () => {
    const { stdout } = await bc('sign', '--help')
    expect(await bc('help', 'sign')).toMatchObject({ code: 0, stdout })
    expect(await command('sign', ['-h'])).toMatchObject({ code: 0, stdout })
    expect(await bc('help', 'key', 'new')).toMatchObject({ code: 0, stdout: (await bc('key', 'new', '-h')).stdout })
    expect(await bc('help')).toMatchObject({ code: 0, stdout: (await bc('--help')).stdout })
  })

  test('--version', async () => {
    expect(await bc('--version')).toMatchObject({ code: 0, stdout: '0.1.0\n', stderr: '' })
    expect(await command('bc-node', ['-V'])).toMatchObject({ code: 0, stdout: '0.1.0\n', stderr: '' })
  })
})

describe('mistyped', () => {
  test.each([
    [[], /^Usage: bc /],
    [['sgin'], /^bc: unknown command 'sgin'\n\(Did you mean sign\?\)\n\(add --help for usage and examples\)\n$/],
    [['mine', '--nod', 'x'], /^bc: unknown option '--nod'\n\(Did you mean --node\?\)/],
    [['mine', 'now'], /^bc: too many arguments for 'mine'/],
    [['status', '--node'], /^bc: option '--node <url>' argument missing/],
    [['sign', 'a', 'b'], /^bc: missing required argument 'AMOUNT'/],
    [['key'], /^Usage: bc key /],
    [['key', 'nwe'], /^bc: unknown command 'nwe'\n\(Did you mean new\?\)/],
    [['key', 'new', 'alice', 'bob'], /^bc: too many arguments for 'new'/],
  ])('bc %j', async (args, reason) => {
    expectFailure(await bc(...args), 2, reason)
  })
})
