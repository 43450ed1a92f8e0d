/** The log of a node whose disk is full: it must not end what it tells of, nor keep it from its end. */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const LOG = new URL('../src/log.ts', import.meta.url)

/** @returns what the script has printed, if it came to its end */
function run(script: string, redirected: string) {
  const flags = ['--import', 'tsx', '--conditions=source', '--input-type=module', '-e', script]
  const { status, stdout, stderr } = spawnSync(
    '/bin/sh',
    ['-c', `exec "$0" "$@" ${redirected}`, process.execPath, ...flags],
    { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' },
  )
  return { status, stdout, lines: stderr.split('\n').filter(Boolean) }
}

const SCRIPT = `
import { createLogger } from ${JSON.stringify(LOG)}
const log = await createLogger({ terminal: false, level: 'info' })
log.info('one')
log.fatal('two')
await new Promise((resolve) => setTimeout(resolve, 50))
log.fatal('three')
console.log('done')`

test('holds every line', () => {
  const { status, stdout, lines } = run(SCRIPT, '')
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'done\n' })
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['one', 'two', 'three'])
})

test.skipIf(process.platform !== 'linux')('that can’t be written: all goes on, also after the last word', () => {
  expect(run(SCRIPT, '2> /dev/full')).toEqual({ status: 0, stdout: 'done\n', lines: [] })
})

test.skipIf(process.platform !== 'linux')('that can’t be written: a process ends when it says so', () => {
  expect(run(`${SCRIPT}\nprocess.exit(7)`, '2> /dev/full')).toMatchObject({ status: 7, stdout: 'done\n' })
})

test.skipIf(process.platform !== 'linux')('that can’t be written: what waits for room is bounded', () => {
  const much = `
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createLogger } from ${JSON.stringify(LOG)}
setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')
const held = () => (gc(), process.memoryUsage().heapUsed)
const log = await createLogger({ terminal: false, level: 'info' })
const before = held()
for (let i = 0; i < 20_000; i++) log.info('x'.repeat(1_000) + i)
console.log(held() - before < 5_000_000)`
  expect(run(much, '2> /dev/full')).toMatchObject({ status: 0, stdout: 'true\n' })
})
