/**
 * The scripts for users run with macOS's own tools: bash 3.2, BSD's sed and friends. There is none of these here, so
 * what they don't know is looked for in the text. BC_BASH_3=/path/to/bash-3.2 has that bash read the scripts as well.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { shellCheck } from '../src/receipt/shell.ts'
import { ROOT } from './commands.ts'

/** What `bc verify-proof --shell` prints, which runs wherever somebody doubts a receipt. */
const PRINTED = shellCheck('receipt.json', undefined)

const SCRIPTS = ['scripts', 'scripts/lib'].flatMap((folder) =>
  readdirSync(`${ROOT}${folder}`)
    .filter((file) => file.endsWith('.sh'))
    .map((file) => `${folder}/${file}`),
)

/** Each with a line that must be noticed. */
const FOREIGN: readonly (readonly [what: string, pattern: RegExp, example: string])[] = [
  ['mapfile', /\b(mapfile|readarray)\b/, 'mapfile -t lines <file'],
  ['maps', /\b(declare|local|typeset) -[a-z]*[Agn]/, 'declare -A map'],
  ['letters made large or small', /\$\{\w+(\[[^\]]*\])?(\^|,)/, 'echo $' + '{x,,}'],
  ['a transformation', /\$\{\w+(\[[^\]]*\])?@[A-Za-z]\}/, 'echo $' + '{x@Q}'],
  ['negative length or index', /\$\{\w+:[^}:]*:\s*-|\$\{\w+\[-/, 'echo $' + '{x:0:-1}'],
  ['&>>, |&', /&>>|\|&/, 'command |& tee'],
  [';& and ;;&', /;;?&/, 'a) b ;;&'],
  ['coproc', /\bcoproc\b/, 'coproc cat'],
  ['wait -n', /\bwait -[a-z]*n/, 'wait -n'],
  ['printf %(…)T', /%\(.*\)T/, "printf '%(%s)T'"],
  ['EPOCHSECONDS, BASHPID', /\b(EPOCHSECONDS|EPOCHREALTIME|BASHPID)\b/, 'echo $BASHPID'],
  ['[[ -v', /\[\[ -v /, '[[ -v x ]]'],
  ['a brace in a default', /\$\{\w+:?[-+=?][^}]*\\\}/, 'echo $' + '{x-{\\}}'],
  ['read -N, -i', /\bread -[a-zA-Z]*[Ni]\b/, 'read -N 1 x'],
  ['{fd}>', /\{\w+\}[<>]/, 'exec {fd}<file'],
  ['sed -i, -z, -s', /\bsed -[a-zA-Z]*[izs]/, 'sed -i s/a/b/ file'],
  ['\\+ and \\? of sed and grep', /\b(sed|grep)\b[^|]*\\[+?]/, "grep 'a\\+'"],
  ['\\n in a replacement of sed', /\bsed\b[^|]*s\/[^/]*\/[^/]*\\n/, "sed 's/,/\\n/'"],
  ['grep -P', /\bgrep -[a-zA-Z]*P/, 'grep -oP x'],
  ['readlink -f, realpath', /\breadlink -f|\brealpath\b/, 'readlink -f x'],
  ['GNU date', /\bdate\b.* (-d|--date|-Is|\+.*%N)/, 'date -d tomorrow'],
  ['timeout, seq -w, tac, shuf, nproc', /(?<!-)\b(timeout \d|seq -w|tac\b|shuf\b|nproc\b)/, 'timeout 5 x'],
  ['stat, find -printf', /\bstat -c|\bfind .*-printf/, 'stat -c %s x'],
  ['head -n -1', /\bhead -n -|\bhead -c -/, 'head -n -1'],
  ['xargs -r, sort -V', /\bxargs -[a-z]*r|\bsort -[a-z]*V/, 'xargs -r rm'],
  ['mktemp --tmpdir, -p', /\bmktemp .*(--tmpdir|-p )/, 'mktemp -p /tmp'],
  ['long options', /\b(cp|mv|rm|ls|sed|grep|sort|cut|tr|head|tail|wc|mkdir|fold|tee) (-\w+ )*--\w/, 'grep --quiet x'],
]

const code = (text: string) => text.split('\n').filter((line) => !/^\s*#/.test(line))

describe('what bash 3.2 and BSD do not know', () => {
  test.each(FOREIGN)('%s is noticed', (_, pattern, example) => {
    expect(example).toMatch(pattern)
  })

  test.each([
    ...SCRIPTS.map((script) => [script, readFileSync(`${ROOT}${script}`, 'utf8')]),
    ['the one that bc prints', PRINTED],
  ])('%s has none of it', (_script, text) => {
    const lines = code(text as string)
    const found = lines.flatMap((line) =>
      FOREIGN.filter(([, pattern]) => pattern.test(line)).map(([what]) => [what, line]),
    )
    expect(found).toEqual([])
  })

  const bash3 = process.env.BC_BASH_3
  test.runIf(bash3).each(SCRIPTS)('%s is read by bash 3.2', (script) => {
    expect(spawnSync(bash3 as string, ['-n', `${ROOT}${script}`])).toMatchObject({ status: 0 })
  })
  test.runIf(bash3)('the one that bc prints is read by bash 3.2', () => {
    expect(spawnSync(bash3 as string, ['-n'], { input: PRINTED })).toMatchObject({ status: 0 })
  })
})

test('a story is short', () => {
  const stories = SCRIPTS.filter((script) => !/lib\/|audit|demo/.test(script))
  expect(stories.length).toBeGreaterThanOrEqual(9)
  for (const story of stories)
    expect([story, readFileSync(`${ROOT}${story}`, 'utf8').split('\n').length - 1 < 60]).toEqual([story, true])
})
