/** The completions for each shell: a table that is made of the programs, and the shell's own code that reads it. */
import { readFileSync } from 'node:fs'
import type { Shell } from '../command-line/arguments.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { LAUNCHERS } from './launchers.ts'
import type { CompletedCommand, CompletedOption } from './model.ts'

type Commands = readonly CompletedCommand[]

/** @param keys the folder of keys where no BC_KEYS names one */
export function completionScript(shell: Shell, commands: Commands, keys: string): string {
  const engine = readFileSync(new URL(`../../completions/engine.${shell}`, import.meta.url), 'utf8')
  return MAKERS[shell](commands, engine, keys)
}

const MAKERS: Readonly<Record<Shell, (commands: Commands, engine: string, keys: string) => string>> = {
  bash,
  zsh,
  fish,
}

const NAMES = Object.keys(LAUNCHERS).join(' ')

function bash(commands: Commands, engine: string, keys: string): string {
  return `# bc and its launchers in bash. Made by: bc completion bash

${cases('_bc_at', commands, (command) => [
  `subcommands=${shellWord(command.subcommands.map(({ name }) => name).join(' '))}`,
  `options=${shellWord(command.options.flatMap(({ names }) => names).join(' '))}`,
  `values=${shellWord(valued(command, '=').join(' '))}`,
  `arguments=${shellWord(argumentsOf(command).join(' '))}`,
])}

${launchers('path')}

_bc_keys_folder=${shellWord(keys)}

${engine}
complete -F _bc ${NAMES}
`
}

function zsh(commands: Commands, engine: string, keys: string): string {
  return `#compdef ${NAMES}
# bc and its launchers in zsh. Made by: bc completion zsh

${cases('_bc_at', commands, (command) => [
  `subcommands=(${command.subcommands.map(({ name, description }) => shellWord(`${name}:${description}`)).join(' ')})`,
  `options=(${described(command.options, ':').map(shellWord).join(' ')})`,
  `values=(${valued(command, ' ').join(' ')})`,
  `arguments=(${argumentsOf(command).join(' ')})`,
])}

${launchers('path_now')}

_bc_keys_folder=${shellWord(keys)}

${engine}
# Read as a file of fpath this is the function _bc itself, otherwise it is told of it.
if [[ $funcstack[1] == _bc ]]; then _bc; else compdef _bc ${NAMES}; fi
`
}

function fish(commands: Commands, engine: string, keys: string): string {
  return `# bc and its launchers in fish. Made by: bc completion fish

function __bc_at
    switch $argv[1]
${commands
  .map((command) =>
    [
      `        case ${quotedForFish(command.path)}`,
      setInFish(
        'subcommands',
        command.subcommands.map(({ name, description }) => `${name}\t${description}`),
      ),
      setInFish('options', described(command.options, '\t')),
      setInFish('values', valued(command, '=')),
      setInFish('arguments', argumentsOf(command)),
    ].join('\n'),
  )
  .join('\n')}
    end
end

function __bc_launcher
    switch $argv[1]
${Object.entries(LAUNCHERS)
  .map(([name, path]) => `        case ${name}\n            echo ${quotedForFish(path)}`)
  .join('\n')}
    end
end

set -g __bc_keys_folder ${quotedForFish(keys)}

${engine}
for name in ${NAMES}
    complete -c $name -f -a '(__bc_complete)'
end
`
}

function setInFish(name: string, values: readonly string[]): string {
  return ['            set -g', `__bc_${name}`, ...values.map(quotedForFish)].join(' ')
}

/** A function of bash or zsh that sets what may follow the words of a path. */
function cases(name: string, commands: Commands, body: (command: CompletedCommand) => readonly string[]): string {
  const entries = commands.map((command) =>
    [`    ${shellWord(command.path)})`, ...body(command).map((line) => `      ${line}`), '      ;;'].join('\n'),
  )
  return `${name}() {\n  case $1 in\n${entries.join('\n')}\n  esac\n}`
}

function launchers(variable: string): string {
  const entries = Object.entries(LAUNCHERS).map(([name, path]) => `    ${name}) ${variable}=${shellWord(path)} ;;`)
  return `_bc_launcher() {\n  case $1 in\n${entries.join('\n')}\n  esac\n}`
}

function argumentsOf(command: CompletedCommand): readonly string[] {
  return command.variadic ? [...command.arguments, '...'] : command.arguments
}

/** Each name of each option that takes a value, and the kind of it. */
function valued({ options, hidden }: CompletedCommand, between: string): readonly string[] {
  return [...options, ...hidden].flatMap(({ names, value }) =>
    value === undefined ? [] : names.map((name) => `${name}${between}${value}`),
  )
}

function described(options: readonly CompletedOption[], between: string): readonly string[] {
  return options.flatMap(({ names, description }) => names.map((name) => `${name}${between}${description}`))
}

/** A text as one word of fish, which knows `\'` and `\\` between single quotes. */
function quotedForFish(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
