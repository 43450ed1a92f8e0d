/** What somebody may have meant with a mistyped word. */
import { Command, CommanderError } from 'commander'

const MEANT = /\(Did you mean (?:one of )?(.*)\?\)/

const SILENT = { writeErr: () => undefined }

/**
 * The known words that are nearest to this one; none where all are too different. The measure is commander's, as for
 * commands and options. It isn't exported, so it is asked by a program whose commands are the known words.
 */
export function nearest(word: string, known: readonly string[]): readonly string[] {
  const program = new Command().helpOption(false).helpCommand(false).exitOverride().configureOutput(SILENT)
  for (const one of known) program.command(one)
  try {
    program.parse(['--', word], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return MEANT.exec(error.message)?.[1]?.split(', ') ?? []
    throw error
  }
  return known.filter((one) => one === word)
}

/** `bash, fish or zsh` */
export function either(words: readonly string[]): string {
  return words.join(', ').replace(/, ([^,]*)$/, ' or $1')
}
