/** The commands about `bc` itself: they ask no node. */
import { resolve } from 'node:path'
import { Argument, type Command } from 'commander'
import { SHELLS, type Shell } from '../command-line/arguments.ts'
import { examples } from '../command-line/run.ts'
import { either, nearest } from '../command-line/suggestion.ts'
import { usage } from '../failure.ts'
import {
  configFileOf,
  JSON_OPTION,
  jsonFlagOf,
  sourceOf,
  wantsJson,
  wantsNdjson,
  withNdjson,
  withoutNodeOptions,
} from '../settings/options.ts'

export function addSelfCommands(bc: Command): void {
  addExplain(bc)
  addConfig(bc)
  addCompletion(bc)
  addHelp(bc)
}

function addExplain(bc: Command): void {
  withNdjson(withoutNodeOptions(bc.command('explain')))
    .description('Tells what the code of a refusal means, why the rule is there, and how to put it right.')
    .argument('[CODE]', 'a code such as tx.nonce (default: a list of all)')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('bc explain', 'bc explain tx.nonce', 'bc explain --ndjson | jq -r .code'))
    .action(async function (this: Command, code: string | undefined) {
      const { explain } = await import('../commands/explain.ts')
      await explain(code, { json: wantsJson(this), ndjson: wantsNdjson(this) })
    })
}

function addConfig(bc: Command): void {
  bc.command('config')
    .description('Shows each setting, its value and where it is from.')
    .option('--path', 'print the path of the config file, whether it is there or not')
    .addHelpText(
      'after',
      `${CONFIG_FILE}\n${examples(
        'bc config',
        'bc config | jq -r .settings.node.from',
        'bc config --path',
        'bc --no-json status                  for once not what the config file says',
      )}`,
    )
    .action(async function (this: Command) {
      const { showConfig, showConfigPath } = await import('../commands/config.ts')
      if (this.opts<{ path?: true }>().path) showConfigPath(this)
      else showConfig(this)
    })
}

const CONFIG_FILE = `
A flag goes before the environment, the environment before the config file, and
that before the default. The config file is JSON with any of these fields:
  node       the address of a node
  timeout    whole seconds
  tokenFile  a file with the operator's token
  keys       the folder of keys
  json       true: print JSON on a terminal too
  color      false: no colours
BC_CONFIG names another file. Secrets have no place in it.`

function addCompletion(bc: Command): void {
  withoutNodeOptions(bc.command('completion'))
    .description('Prints the completions of all commands for a shell.')
    .addArgument(new Argument('<SHELL>', 'for which shell').choices(SHELLS))
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples(
        'eval "$(bc completion bash)"         in ~/.bashrc',
        'eval "$(bc completion zsh)"          in ~/.zshrc, after compinit',
        'bc completion fish | source          in ~/.config/fish/config.fish',
      ),
    )
    .action(async function (this: Command, shell: Shell) {
      const { completion } = await import('../commands/completion.ts')
      const { keys } = this.optsWithGlobals<{ keys?: string }>()
      // BC_KEYS is read when a name is completed.
      const isGiven = keys !== undefined && sourceOf(this, 'keys') === 'cli'
      completion(shell, bc, isGiven ? resolve(keys) : configFileOf(this).fields.keys, jsonFlagOf(this))
    })
}

/** In place of commander's own, which knows no commands below commands and no suggestions. */
function addHelp(bc: Command): void {
  bc.helpCommand(false)
  withoutNodeOptions(bc.command('help'))
    .description('Shows the help of a command.')
    .argument('[COMMAND...]', 'which one')
    .addHelpText('after', examples('bc help', 'bc help sign', 'bc help key new'))
    .action((words: readonly string[]) => commandOf(bc, words).outputHelp())
}

function commandOf(program: Command, [word, ...rest]: readonly string[]): Command {
  if (word === undefined) return program
  const found = program.commands.find((one) => one.name() === word || one.aliases().includes(word))
  if (found) return commandOf(found, rest)
  const names = program.commands.map((one) => one.name())
  const meant = nearest(word, names)
  throw usage(`there is no such command.${meant.length === 0 ? '' : ` Did you mean ${either(meant)}?`}`)
}
