/** The end of a command, whatever it did. */
import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { CLEAN, ended, ROOT } from './commands.ts'

/** A program whose only command does this. */
function commandThat(does: string) {
  const source = `import { Command } from 'commander'
import { run } from '${ROOT}/packages/cli/src/command-line/run.ts'
run(new Command('bc').action(${does}), [])`
  const words = ['--conditions=source', '--import', 'tsx', '--input-type=module', '--eval', source]
  return ended(spawn(process.execPath, words, { env: CLEAN, cwd: `${ROOT}/packages/cli` }))
}

test('a command that waits for what never comes has failed', async () => {
  expect(await commandThat('() => new Promise(() => {})')).toMatchObject({
    code: 1,
    stderr: 'bc: this is a bug of bc: it has ended before the command was done.\n',
  })
})

test('one that is done has not', async () => {
  expect(await commandThat('async () => {}')).toMatchObject({ code: 0, stderr: '' })
})
