/** Completions for a shell, of `bc`, of `bc-node` and of the launchers. */
import type { Command } from 'commander'
import { bcNodeProgram } from '../bc-node.ts'
import type { Shell } from '../command-line/arguments.ts'
import { completedCommands } from '../completion/model.ts'
import { completionScript } from '../completion/scripts.ts'
import { findKeysFolder } from '../settings/folders.ts'
import { printResult } from '../terminal/output.ts'

/** @param keys the folder of keys, where the flag or the config file names one */
export function completion(shell: Shell, bc: Command, keys: string | undefined, json: boolean): void {
  const commands = [...completedCommands(bc), ...completedCommands(bcNodeProgram())]
  // Where no folder can be, none has files: this runs when a shell starts, and it isn't the place for complaints.
  const script = completionScript(shell, commands, keys ?? findKeysFolder() ?? '/dev/null')
  // A script is for a shell and no person, in a pipe as on a terminal.
  if (json) printResult({ shell, script }, true, () => script)
  else process.stdout.write(script)
}
