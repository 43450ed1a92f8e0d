/** The completions, in the shells themselves. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bcProgram } from '../src/bc.ts'
import { bcNodeProgram } from '../src/bc-node.ts'
import { LAUNCHERS } from '../src/completion/launchers.ts'
import { type CompletedCommand, completedCommands } from '../src/completion/model.ts'
import { EXPLANATIONS } from '../src/explanations.ts'
import { CLEAN, command, ended, output, ROOT } from './commands.ts'
import { describeOnTerminal, shellOnTerminal } from './terminal.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

/** Files and keys to be completed. */
const folder = `/tmp/bc-completion-${process.pid}`
// fish makes itself a folder where its settings would be.
const env = {
  ...CLEAN,
  PATH: `${ROOT}/bin:${CLEAN.PATH}`,
  HOME: folder,
  XDG_CONFIG_HOME: `${folder}/config`,
  BC_KEYS: `${folder}/keys`,
}

beforeAll(() => {
  mkdirSync(`${folder}/keys`, { recursive: true })
  mkdirSync(`${folder}/here/some-folder`, { recursive: true })
  writeFileSync(`${folder}/here/some-folder/dave.json`, '{}')
  for (const name of ['alice', 'bob']) writeFileSync(`${folder}/keys/${name}.json`, '{}')
  for (const name of ['some-file', 'with space']) writeFileSync(`${folder}/here/${name}`, '')
})
afterAll(() => void spawnSync('rm', ['-rf', folder]))

function there(shell: Shell): boolean {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0
}

function describeIn(shell: Shell, body: () => void): void {
  describe(shell, () => {
    if (there(shell)) body()
    else if (process.env.CI) test(`CI needs ${shell}`, () => expect.fail('it is not there'))
    else test.skip(`skipped: there is no ${shell}`)
  })
}

test.each(SHELLS)('%s: keys are those of the config file where no BC_KEYS names others', async (shell) => {
  const config = `${folder}/keys-elsewhere.json`
  writeFileSync(config, '{"keys": "else where"}')
  const run = await command('bc', ['completion', shell], { env: { BC_CONFIG: config } })
  expect(run).toMatchObject({ code: 0, stdout: expect.stringMatching(`_bc_keys_folder[= ]'${folder}/else where'\n`) })
})

test.each(SHELLS)('%s: or those of the flag, from wherever they are completed', async (shell) => {
  const words = ['completion', shell, '--keys', 'some-folder']
  const run = await command('bc', words, { cwd: `${folder}/here`, env: { BC_KEYS: '/elsewhere' } })
  const named = expect.stringMatching(`_bc_keys_folder[= ]'[^']*/here/some-folder'\n`)
  expect(run).toMatchObject({ code: 0, stdout: named })
})

const CODES = Object.keys(EXPLANATIONS)
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/**
 * A line, and what may come next: the whole last word. `@` files are compared without the `@`, which bash takes for
 * a word of its own.
 */
const LINES: readonly (readonly [line: string, candidates: readonly string[]])[] = [
  ['bc bl', ['block']],
  ['bc key ad', ['address']],
  ['bc key show ', ['alice', 'bob']],
  ['bc key list --keys some', ['some-folder']],
  ['bc pay bob 5 --from al', ['alice']],
  ['bc pay bob 5 --wait --fe', ['--fee']],
  ['bc pay --wait 3 al', ['alice']],
  ['bc pay --wait --fee 1 al', ['alice']],
  ['bc pay --wait ', []],
  ['bc --keys some-folder pay ', ['dave']],
  ['bc --keys ~/here/some-folder pay ', ['dave']],
  ['bc --keys key pay --fe', ['--fee']],
  ['bc key show --keys some-folder --json ', ['dave']],
  ['bc key show --keys=some-folder ', ['dave']],
  ['bc key list --keys some-folder --keys ', ['some-folder']],
  ['bc sign some-fi', ['some-file']],
  ['bc verify some-fi', ['some-file']],
  ['bc key import carol @some-fi', ['@some-file']],
  ['bc --node localhost:5001 --json lab p', ['partition']],
  ['bc lab --see', ['--seed']],
  ['bc lab --seed ', []],
  ['bc lab --seed 5 ch', ['churn']],
  ['bc lab --save some-fi', ['some-file']],
  ['bc lab --save=some-fi', ['--save=some-file']],
  ['bc lab --logs some', ['some-folder']],
  ['bc explain tx.n', CODES.filter((code) => code.startsWith('tx.n'))],
  ['bc explain block.', CODES.filter((code) => code.startsWith('block.'))],
  ['bc explain tx.nonce ', []],
  ['bc block lat', ['latest']],
  ['bc completion ', [...SHELLS]],
  ['bc help hist', ['history']],
  ['bc sign a b 5 al', ['alice']],
  ['bc sign a b 5 @some-fi', ['@some-file']],
  ['bc sign ali', ['alice']],
  ['bc account b', ['bob']],
  ['bc --token @some-fi', ['@some-file']],
  ['bc mine -- --js', []],
  ['bc no-such-command ', ['mine', 'chain']],
  ['bc-node --log-level ', LEVELS],
  ['bc-node --log-level=inf', ['--log-level=info']],
  ['bc-node --eph', ['--ephemeral']],
  ['bc-node --data-dir some', ['some-folder']],
  ['mine --ndj', []],
  ['chain --ndj', ['--ndjson']],
  ['sign --fe', ['--fee']],
  ['send-tx --mem', ['--memo']],
  [`${ROOT}/bin/sign a b 5 bo`, ['bob']],
]

/** @param answer candidates between bars; some shells end a folder with a slash */
function expectCandidates(answer: string | undefined, expected: readonly string[], line: string): void {
  const found = (answer ?? '').split('|').flatMap((word) => (word === '' ? [] : [word.replace(/\/$/, '')]))
  // After a word that is no command the commands are still offered.
  if (line.includes('no-such')) expect(found).toEqual(expect.arrayContaining([...expected]))
  else expect([line, ...found.sort()]).toEqual([line, ...[...expected].sort()])
}

describeIn('bash', () => {
  test('every line', async () => {
    const { spawn } = await import('node:child_process')
    const child = spawn('bash', ['--norc'], { env, cwd: `${folder}/here` })
    child.stdin.end(`eval "$(bc completion bash)"\n${BASH_TRY}\n${LINES.map(([line]) => tryIn(line)).join('\n')}\n`)
    const run = await ended(child)
    expect(run).toMatchObject({ code: 0, stderr: '' })
    const answers = run.stdout.trimEnd().split('\n')
    for (const [i, [line, expected]] of LINES.entries()) expectCandidates(answers[i], expected, line)
  })

  test('without keys, in a shell to which a pattern without a match is an error', async () => {
    const script = `eval "$(bc completion bash)"\nshopt -s failglob\n${BASH_TRY}\n${tryIn('bc key show ')}\n`
    const run = spawnSync('bash', ['--norc'], { env: { ...env, BC_KEYS: `${folder}/none` }, input: script })
    expect([run.status, `${run.stdout}`, `${run.stderr}`]).toEqual([0, '\n', ''])
  })

  test('it is fine in a strict shell, and its functions name nothing of the user’s', async () => {
    const script = await output('completion', 'bash')
    const names = [...script.matchAll(/^([a-zA-Z_]+)\(\)/gm)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) expect(name).toMatch(/^_bc/)
    expect(spawnSync('bash', ['-euc', script], { env }).status).toBe(0)
  })
})

/** Readline hands over the words, of which : = and @ are some, and as $2 what it is going to replace. */
const BASH_TRY = String.raw`
compopt() { :; }
try() {
  local replaced=$2 start i
  COMP_LINE=$1 COMP_WORDS=("$__{@:3}") COMP_CWORD=$(($# - 3))
  _bc "$3" "$replaced"
  start=$__{COMP_LINE##* }
  start=$__{start%"$replaced"}
  for ((i = 0; i < $__{#COMPREPLY[@]}; i++)); do printf '%s|' "$start$__{COMPREPLY[i]}"; done
  printf '\n'
}`.replaceAll('$__', '$')

function tryIn(line: string): string {
  const words = line.split(' ').flatMap((word) => (word === '' ? [''] : (word.match(/[:=@]+|[^:=@]+/g) ?? [])))
  const replaced = /@?[^:=@ ]*$/.exec(line)?.[0] ?? ''
  return `try ${[line, replaced, ...words].map((word) => `'${word}'`).join(' ')}`
}

describeIn('fish', () => {
  test('every line', () => {
    const lines = LINES.map(
      ([line]) => `echo (complete -C '${line}' | string replace -r '\\t.*' '' | string join -- '|')`,
    )
    const script = `bc completion fish | source\n${lines.join('\n')}\n`
    const run = spawnSync('fish', ['--no-config', '-c', script], { env, cwd: `${folder}/here`, encoding: 'utf8' })
    expect(run.stderr).toBe('')
    const answers = run.stdout.split('\n')
    for (const [i, [line, expected]] of LINES.entries()) expectCandidates(answers[i], expected, line)
  })
})

describeOnTerminal('typed at a terminal', () => {
  const PROMPT = 'ready> '
  const TAB = '\t'
  const SHOW = '\u0001printf "<%s>\\n" \r'

  /** What a line has become after Tab: `printf` shows its words. */
  async function typed(shell: Shell, start: string, lines: readonly string[]) {
    const argv = { bash: ['--norc', '-i'], zsh: ['-f', '-i'], fish: ['--no-config', '-i'] }[shell]
    const path = spawnSync('sh', ['-c', `command -v ${shell}`], { encoding: 'utf8' }).stdout.trim()
    const steps = lines.flatMap((line): [string, string][] => [[PROMPT, `${line}${TAB}${SHOW}`]])
    const shown = await shellOnTerminal([path, ...argv], [['', `${start}\r`], ...steps, [PROMPT, 'exit\r']], {
      env: { ...env, PS1: '', TERM: 'dumb' },
      columns: 200,
    })
    return shown.output
  }

  const COMPLETED = [
    ['bc hist', '<history>'],
    ['sign a b 5 al', '<alice>'],
    [`bc sign a b 5 @${folder}/here/some-fi`, `<@${folder}/here/some-file>`],
    ['bc-node --log-level=sil', '<--log-level=silent>'],
    ['bc explain pool.kn', '<pool.known>'],
    [`bc lab --save ${folder}/here/with`, `<${folder}/here/with space>`],
  ] as const

  describeIn('bash', () => {
    test('Tab', async () => {
      const start = `eval "$(bc completion bash)"; PS1='rea''dy> '`
      const shown = await typed(
        'bash',
        start,
        COMPLETED.map(([line]) => line),
      )
      for (const [, word] of COMPLETED) expect(shown).toContain(`${word}\n`)
    })
  })

  describeIn('zsh', () => {
    test('Tab', async () => {
      const start = `autoload -U compinit; compinit -u -D; eval "$(bc completion zsh)"; PS1='rea''dy> '`
      const shown = await typed(
        'zsh',
        start,
        COMPLETED.map(([line]) => line),
      )
      for (const [, word] of COMPLETED) expect(shown).toContain(`${word}\n`)
    })

    test('every line of one candidate', async () => {
      const one = LINES.filter(([, expected]) => expected.length === 1)
      const start = `cd ${folder}/here; autoload -U compinit; compinit -u -D; eval "$(bc completion zsh)"; PS1='rea''dy> '`
      const shown = await typed(
        'zsh',
        start,
        one.map(([line]) => line),
      )
      for (const [line, [word]] of one) expect([line, shown]).toEqual([line, expect.stringContaining(`<${word}>\n`)])
    })
  })
})

describe('what they are made of', () => {
  const commands = [...completedCommands(bcProgram()), ...completedCommands(bcNodeProgram())]
  const at = (path: string) => commands.find((one) => one.path === path) as CompletedCommand

  test('every launcher of bin/ is completed, and stands for a command that is there', () => {
    const launchers = readdirSync(`${ROOT}/bin`).filter((name) => name !== 'rc' && name !== 'package.json')
    expect(Object.keys(LAUNCHERS).sort()).toEqual(launchers.sort())
    for (const path of Object.values(LAUNCHERS)) expect(at(path)).toBeDefined()
  })

  test('the name of a value says what it is', () => {
    expect(at('bc sign').arguments).toEqual(['nameorfile', 'name', 'none', 'key'])
    expect(at('bc lab').options.find(({ names }) => names.includes('--logs'))?.value).toBe('folder')
    expect(at('bc status').options.find(({ names }) => names.includes('--token'))?.value).toBe('atfile')
    expect(at('bc register')).toMatchObject({ arguments: ['none'], variadic: true })
    expect(at('bc-node').options.find(({ names }) => names.includes('-p'))).toMatchObject({
      names: ['-p', '--port'],
      value: 'none',
    })
  })

  test('options are those that the help shows', () => {
    const options = (path: string) => at(path).options.flatMap(({ names }) => names)
    expect(options('bc explain')).toEqual(['--ndjson', '--json', '-h', '--help'])
    expect(options('bc key new')).toContain('--keys')
    expect(options('bc chain')).toEqual(expect.arrayContaining(['--ndjson', '--node', '--json', '--help']))
    expect(options('bc lab')).not.toContain('--node')
    for (const { path } of commands) expect(options(path)).not.toContain('--no-json')
  })
})
