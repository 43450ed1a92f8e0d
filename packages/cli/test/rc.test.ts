/** `. bin/rc`, in each shell that is here: what it does is seen in the tutorial's session, what it undoes is seen here. */
import { spawn, spawnSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ended, ROOT } from './commands.ts'
import { temporaryFolder } from './nodes.ts'

const SCRIPT = fileURLToPath(new URL('rc-undone.sh', import.meta.url))
// BC_BASH_3: a bash 3.2, which is macOS's own.
const SHELLS = [
  ['bash'],
  ['bash', '-eu'],
  ['zsh', '-f'],
  ['zsh', '-feu'],
  ...(process.env.BC_BASH_3 ? [[process.env.BC_BASH_3]] : []),
]

const isThere = (shell: string) => spawnSync(shell, ['-c', ':']).status === 0

async function run(shell: readonly string[], rc: string) {
  const [program = '', ...options] = shell
  const child = spawn(program, [...options, SCRIPT, rc, temporaryFolder()], {
    env: { PATH: process.env.PATH, HOME: temporaryFolder() },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return await ended(child)
}

test.each(SHELLS)('%s %s finds the commands through links to the file', async (...shell) => {
  const [program = '', ...options] = shell
  if (!isThere(program)) return
  const folder = temporaryFolder()
  symlinkSync(`${ROOT}bin/rc`, `${folder}/link`)
  symlinkSync('link', `${folder}/link to it`)
  const script = '. "$1" localhost:5001; command -v resolve'
  const child = spawn(program, [...options, '-c', script, '-', `${folder}/link to it`], {
    env: { PATH: process.env.PATH },
  })
  expect(await ended(child)).toMatchObject({ code: 0, stdout: `${ROOT}bin/resolve\n` })
})

test.each(SHELLS)('%s %s finds them where cd says where it went', async (...shell) => {
  const [program = '', ...options] = shell
  if (!isThere(program)) return
  const script = 'cd() { builtin cd "$@" && pwd; }; . "$1" localhost:5001; command -v resolve'
  const child = spawn(program, [...options, '-c', script, '-', 'bin/rc'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, CDPATH: '.' },
  })
  expect(await ended(child)).toMatchObject({ code: 0, stdout: `${ROOT}bin/resolve\n` })
})

test.each(SHELLS)('%s %s is after rc off as it was before', async (...shell) => {
  if (!isThere(shell[0] as string)) return expect(process.env.CI, `CI needs ${shell[0]}`).toBeUndefined()
  expect(await run(shell, `${ROOT}bin/rc`)).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
})
