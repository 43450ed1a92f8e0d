/**
 * A known secret, its phrase and its passphrase go through every safe form, while somebody reads the command line and
 * the environment of every process. They must stand nowhere: not there, not in output or logs, not in any file.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addressOf, type Secret, secretFromEntropy } from '@bc/wallet'
import { phraseOf } from '@bc/wallet/phrase'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Ended, ended, start } from './commands.ts'
import { BOB, CHAIN } from './keys.ts'
import { startedNode, temporaryFolder, waitFor } from './nodes.ts'
import { type ProcWatch, watchProcesses } from './proc-watch.ts'

const SECRET = secretFromEntropy(Buffer.from('a canary in a coal mine, 32 bytes and more'))
const ADDRESS = addressOf(SECRET)
const PASSPHRASE = 'Kanarienvogel-2b7e151628aed2a6'
const WORDS = phraseOf(SECRET).split(' ')

/** The spellings in which each might turn up, and enough of it to do harm. */
function canariesOf(secret: Secret): Record<string, Buffer> {
  const bytes = Buffer.from(secret, 'hex')
  const texts = {
    'the first half of the secret': secret.slice(0, 32),
    'the second half of the secret': secret.slice(32),
    'the secret in upper case': secret.toUpperCase(),
    'the secret in base64': bytes.toString('base64').slice(0, 42),
    'the secret in base64url': bytes.toString('base64url'),
    'four words of the phrase': WORDS.slice(0, 4).join(' '),
    'four more words': WORDS.slice(20).join(' '),
    'the passphrase': PASSPHRASE,
    'the passphrase in base64': Buffer.from(PASSPHRASE).toString('base64').slice(0, 38),
  }
  const spelled = Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)])
  return { ...Object.fromEntries(spelled), 'the bytes of the secret': bytes }
}

const CANARIES = canariesOf(SECRET)

function canariesIn(bytes: Buffer, where: string): string[] {
  return Object.entries(CANARIES).flatMap(([name, canary]) => (bytes.includes(canary) ? [`${name} in ${where}`] : []))
}

function canariesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const file = join(entry.parentPath, entry.name)
    return entry.isFile() ? canariesIn(readFileSync(file), file) : []
  })
}

describe.skipIf(!existsSync('/proc/self/environ'))('a canary', () => {
  let watch: ProcWatch
  /** Files of ours that hold the canaries, as the user's own would. */
  let given: string
  let home: string
  let env: NodeJS.ProcessEnv
  const ends: Ended[] = []

  beforeEach(() => {
    given = temporaryFolder()
    home = temporaryFolder()
    writeFileSync(`${given}/passphrase`, PASSPHRASE, { mode: 0o600 })
    env = { HOME: home, XDG_DATA_HOME: '', BC_PASSPHRASE_FILE: `${given}/passphrase` }
    ends.length = 0
    watch = watchProcesses(CANARIES)
  })
  afterEach(() => watch.stop())

  /** Held still until the watch has looked at it: a fast command must not escape. */
  async function run(args: readonly string[], input: string | Buffer = ''): Promise<string> {
    const child = start('bc', args, { env, detached: true })
    const end = ended(child)
    const { pid } = child as { pid: number }
    onTestFinished(() => void child.kill('SIGKILL'))
    child.kill('SIGSTOP')
    await waitFor(() => watch.hasSeen(pid))
    child.kill('SIGCONT')
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
    const run = await end
    ends.push(run)
    expect(run, run.stderr).toMatchObject({ code: 0 })
    return run.stdout
  }

  test('is nowhere after every safe form', async () => {
    const config = `${given}/config.json`
    writeFileSync(config, JSON.stringify({ difficulty: 1, allocations: { [ADDRESS]: 100 } }))
    const data = `${temporaryFolder()}/data`
    mkdirSync(data, { mode: 0o700 })
    const node = await startedNode(['--data-dir', data, '--config', config, '--log-level', 'trace'])
    env = { ...env, BC_NODE: node.url }
    const to = [BOB.address, '1']

    await run(['key', 'import', 'canary'], SECRET)
    await run(['key', 'new', 'other'])
    writeFileSync(`${given}/phrase`, WORDS.join('\n'), { mode: 0o600 })
    await run(['key', 'import', 'again', `@${given}/phrase`])
    await run(['key', 'remove', 'again', '--yes'])
    env = { ...env, BC_NEW_PASSPHRASE_FILE: `${given}/passphrase` }
    await run(['key', 'passphrase', 'canary'])
    await run(['key', 'list'])
    await run(['key', 'show', 'canary'])
    await run(['key', 'address', 'canary'])
    await run(['key', 'address', '-'], SECRET)
    writeFileSync(`${given}/secret`, SECRET, { mode: 0o600 })
    await run(['key', 'address', `@${given}/secret`])
    const pay = await run(['pay', ...to, '--from', 'canary'])
    expect(JSON.parse(pay)).toMatchObject({ transaction: { sender: ADDRESS } })
    env = { ...env, BC_KEY: `@${given}/secret` }
    await run(['pay', ...to])
    await run(['sign', 'canary', ...to, '-'], SECRET)
    const signature = await run(['sign', 'canary', ...to, 'canary'])
    await run(['send-tx', 'canary', ...to, signature.trim()])
    const draft = await run(['draft', 'canary', ...to])
    await run(['send-tx'], await run(['sign', '-', '--key', 'canary'], draft))
    // From standard input, where the terminal and BC_PASSPHRASE_FILE are not.
    env = { ...env, BC_PASSPHRASE_FILE: '' }
    await run(['sign', 'canary', ...to, 'canary', '--passphrase-fd', '0'], PASSPHRASE)
    await run(['mine'])
    await watch.stop()

    expect(watch.hasSeen(node.pid)).toBe(true)
    expect(watch.found).toEqual([])
    const logged = await node.stop()
    expect(logged.stderr).toContain('Listening at')
    const said = [...ends, logged].map(({ stdout, stderr }) => stdout + stderr).join('\n')
    expect(canariesIn(Buffer.from(said), 'what was printed or logged')).toEqual([])
    expect(canariesUnder(home)).toEqual([])
    expect(canariesUnder(data)).toEqual([])
    expect(readdirSync(`${home}/.local/share/bc/keys`)).toEqual(['canary.json', 'other.json'])
    // Some twenty commands, each with a key to derive.
  }, 300_000)

  test('is nowhere after every refusal', async () => {
    const refused = async (args: readonly string[], input = '') => {
      const child = start('bc', args, { env, detached: true })
      child.stdin?.on('error', () => {})
      child.stdin?.end(input)
      const end = await ended(child)
      expect(end.code, args.join(' ')).toBeGreaterThan(0)
      ends.push(end)
    }
    const place = ['--nonce', '0', '--chain', CHAIN]
    await run(['key', 'import', 'canary'], SECRET)
    await refused(['key', 'import', 'canary'], SECRET)
    await refused(['key', 'import', 'short'], SECRET.slice(1))
    await refused(['key', 'import', 'short'], WORDS.slice(1).join(' '))
    await refused(['key', 'import', 'typo'], WORDS.with(7, 'cannary').join(' '))
    await refused(['key', 'import', 'swapped'], [...WORDS].reverse().join(' '))
    await refused(['sign', BOB.address, 'canary', '1', 'canary', ...place])
    await refused(['sign', BOB.address, 'canary', '1', '-', ...place], `${SECRET}${SECRET}`)
    await refused(['sign', '-', '--key', 'canary'], JSON.stringify({ secret: SECRET }))
    await refused(['sign', '-', '--key', 'canary'], SECRET)
    writeFileSync(`${given}/passphrase`, `${PASSPHRASE}\n${PASSPHRASE}`)
    await refused(['key', 'export', 'canary'])
    writeFileSync(`${given}/passphrase`, `${PASSPHRASE}!`)
    await refused(['key', 'export', 'canary'])
    rmSync(`${given}/passphrase`)
    await refused(['key', 'export', 'canary'])
    await refused(['key', 'new', PASSPHRASE])
    await watch.stop()

    const said = ends.map(({ stdout, stderr }) => stdout + stderr).join('\n')
    expect(canariesIn(Buffer.from(said), 'what was printed')).toEqual([])
    expect(canariesUnder(home)).toEqual([])
  }, 300_000)

  test('is seen where it stands: on a command line, in an environment, in a file', async () => {
    await run(['key', 'address', SECRET])
    env = { ...env, LEAK: PASSPHRASE }
    await run(['key', 'list'])
    for (const found of [/^the first half of the secret in the command line/, /^the passphrase in the environment/])
      expect(watch.found).toContainEqual(expect.stringMatching(found))
    writeFileSync(`${home}/notes`, Buffer.from(SECRET, 'hex'))
    expect(canariesUnder(home)).toEqual([`the bytes of the secret in ${home}/notes`])
  })
})
