/** `bc sign` declares only what it needs: that must not show. */
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { bcProgram } from '../src/bc.ts'

const all = bcProgram()
/** These show the others. */
const NEED_ALL = ['explain', 'config', 'completion', 'help']

function helpOf(program: Command, name: string): string {
  const found = program.commands.find((one) => one.name() === name)
  if (found === undefined) throw new Error(`${name} is not declared`)
  return [found, ...found.commands].map((one) => one.helpInformation()).join('\n')
}

test.each(all.commands.map((one) => one.name()))('bc %s is the same when it is asked for', (name) => {
  const alone = bcProgram(name)
  expect(helpOf(alone, name)).toBe(helpOf(all, name))
  if (NEED_ALL.includes(name)) expect(alone.commands).toHaveLength(all.commands.length)
  else expect(alone.commands.length).toBeLessThan(8)
})

test.each(['--node', '--help', 'sing', '', 'help'])('with %j all are declared', (word) => {
  expect(bcProgram(word).commands).toHaveLength(all.commands.length)
})
