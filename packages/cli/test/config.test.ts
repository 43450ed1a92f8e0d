/** The settings: flag > environment > config file > default, and what `bc config` tells of them. */
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { CLEAN, command, ended, expectFailure, fakeNode, ROOT } from './commands.ts'
import { temporaryFolder } from './nodes.ts'
import { describeOnTerminal, onTerminal } from './terminal.ts'

/** A config file with these fields, or this text, and the environment that names it. */
function configured(content: object | string | Buffer) {
  const file = `${temporaryFolder()}/config.json`
  const isText = typeof content === 'string' || Buffer.isBuffer(content)
  writeFileSync(file, isText ? content : JSON.stringify(content))
  return { file, env: { BC_CONFIG: file } }
}

async function settings(env: NodeJS.ProcessEnv, ...args: readonly string[]) {
  const run = await command('bc', ['config', ...args], { env })
  expect(run, run.stderr).toMatchObject({ code: 0, stderr: '' })
  return JSON.parse(run.stdout).settings
}

describe('where a setting is from', () => {
  test('nothing is set', async () => {
    const from = { source: 'default', from: null }
    expect(await settings({ XDG_DATA_HOME: '/data', HOME: '/home/alice' })).toEqual({
      node: { ...from, value: 'http://localhost:5000' },
      timeout: { ...from, value: 30 },
      token: { ...from, value: null },
      keys: { ...from, value: expect.stringMatching(/\/keys$/) },
      key: { ...from, value: null },
      passphraseFile: { ...from, value: null },
      json: { ...from, value: false },
      color: { ...from, value: true },
    })
  })

  test('a flag, then the environment, then the file, then the default', async () => {
    const { file, env } = configured({ node: 'file.example:1', timeout: 7 })
    const inFile = { source: 'file', from: file }
    expect(await settings(env)).toMatchObject({
      node: { ...inFile, value: 'http://file.example:1' },
      timeout: { ...inFile, value: 7 },
      json: { source: 'default' },
    })
    const both = { ...env, BC_NODE: 'env.example:2', BC_TIMEOUT: '8.5' }
    expect(await settings(both)).toMatchObject({
      node: { value: 'http://env.example:2', source: 'environment', from: 'BC_NODE' },
      timeout: { value: '8.5', source: 'environment', from: 'BC_TIMEOUT' },
    })
    expect(await settings(both, '--node', 'flag.example:3', '--timeout', '9')).toMatchObject({
      node: { value: 'http://flag.example:3', source: 'flag', from: '--node' },
      timeout: { value: 9, source: 'flag', from: '--timeout' },
    })
    expect(await settings({ ...env, BC_NODE: '', BC_TIMEOUT: '' })).toMatchObject({ node: inFile, timeout: inFile })
  })

  test('paths start at the config file, or at home', async () => {
    const { file, env } = configured({ tokenFile: 'token', keys: '~/keys' })
    expect(await settings(env)).toMatchObject({
      token: { value: `@${file.replace('config.json', 'token')}`, source: 'file' },
      keys: { value: `${homedir()}/keys`, source: 'file' },
    })
  })

  test('colours: NO_COLOR, then the file', async () => {
    const { env } = configured({ color: false })
    expect((await settings(env)).color).toMatchObject({ value: false, source: 'file' })
    expect((await settings({ NO_COLOR: '1' })).color).toEqual({ value: false, source: 'environment', from: 'NO_COLOR' })
  })

  test('a file that can be read only once', async () => {
    const shell = spawn('bash', ['-c', `BC_CONFIG=<(echo '{"timeout": 7}') '${ROOT}/bin/bc' config`], { env: CLEAN })
    const run = await ended(shell)
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(run.stdout)).toMatchObject({ exists: true, settings: { timeout: { value: 7, source: 'file' } } })
  })

  test('no secret is shown', async () => {
    const env = { BC_TOKEN: 'canary', BC_KEY: 'f'.repeat(64) }
    const run = await command('bc', ['config'], { env })
    expect(run.stdout).not.toMatch(/canary|ffff/)
    expect(JSON.parse(run.stdout).settings).toMatchObject({
      token: { value: 'set, and not shown', from: 'BC_TOKEN' },
      key: { value: 'set, and not shown', from: 'BC_KEY' },
    })
    expect((await settings({ BC_KEY: 'alice' })).key).toMatchObject({ value: 'alice', from: 'BC_KEY' })
    const typed = await command('bc', ['config', '--token', 'canary'])
    expect(typed.stdout + typed.stderr).not.toContain('canary')
  })
})

describe('an environment that is wrong', () => {
  const env = { BC_TIMEOUT: 'abc', BC_NODE: 'http://canary:canary@host' }

  test('matters to those that ask a node', async () => {
    const run = await command('bc', ['status'], { env: { BC_TIMEOUT: 'abc' } })
    expectFailure(run, 2, /^bc: BC_TIMEOUT: Seconds are a number from 0\.001 to 86400\.\n/)
    expectFailure(await command('bc', ['status', '--timeout', '9'], { env }), 2, /^bc: BC_NODE is not the address of a/)
    for (const words of [
      ['completion', 'bash'],
      ['key', 'new'],
      ['explain', 'tx.nonce'],
    ])
      expect(await command('bc', words, { env })).toMatchObject({ code: 0, stderr: '' })
  })

  test('config says what is wrong with which setting, and no secret', async () => {
    const run = await command('bc', ['config'], { env })
    expect(run).toMatchObject({ code: 0, stderr: '', stdout: expect.not.stringContaining('canary') })
    const place = { source: 'environment', value: null }
    expect(JSON.parse(run.stdout).settings).toMatchObject({
      node: { ...place, from: 'BC_NODE', fault: expect.stringMatching(/^BC_NODE is not the address of a node/) },
      timeout: { ...place, from: 'BC_TIMEOUT', fault: 'BC_TIMEOUT: Seconds are a number from 0.001 to 86400.' },
      keys: { source: 'default' },
    })
  })
})

describe('what the settings do', () => {
  test('the node of the file is asked, with the token of its file', async () => {
    const seen: (string | undefined)[] = []
    const node = await fakeNode((request, response) => {
      seen.push(request.headers.authorization)
      response.end('{"message": "ok"}')
    })
    const { file, env } = configured({ node: node.url, tokenFile: 'token' })
    writeFileSync(file.replace('config.json', 'token'), 'of-the-file\n')
    expect(await command('bc', ['secret'], { env })).toMatchObject({ code: 0 })
    await command('bc', ['secret'], { env: { ...env, BC_TOKEN: 'of-the-environment' } })
    expect(seen).toEqual(['Bearer of-the-file', 'Bearer of-the-environment'])
    node.close()
  })

  test('its timeout is for answers that come at once: mining goes on, unless a flag says when to give up', async () => {
    let wake = () => {}
    const asked = new Promise<void>((resolve) => (wake = resolve))
    const node = await fakeNode((request, response) => {
      if (request.url !== '/mine') return
      setTimeout(() => response.end('{"code": "node.stopping", "message": "Enough."}'), 1500)
      response.writeHead(503)
      wake()
    })
    const { env } = configured({ node: node.url, timeout: 1 })
    expectFailure(await command('bc', ['status'], { env }), 3, /no answer within 1 s/)
    expectFailure(await command('bc', ['mine'], { env }), 1, /node\.stopping: Enough/)
    await asked
    expectFailure(await command('bc', ['mine', '--timeout', '0.2'], { env }), 3, /no answer within 0\.2 s/)
    node.close()
  })

  test('json is for terminals: a path in a pipe stays one, unless the flag is there', async () => {
    const { file, env } = configured({ json: true })
    expect(await command('bc', ['config', '--path'], { env })).toMatchObject({ code: 0, stdout: `${file}\n` })
    const flagged = await command('bc', ['config', '--path', '--json'], { env })
    expect(JSON.parse(flagged.stdout)).toEqual({ path: file })
  })

  test('the platform’s folder holds the file where BC_CONFIG names none', async () => {
    const home = temporaryFolder()
    const env = { HOME: home, XDG_CONFIG_HOME: `${home}/conf` }
    const path = (await command('bc', ['config', '--path'], { env })).stdout.trim()
    expect(path).toMatch(/\/bc\/config\.json$/)
    expect(path.startsWith(home)).toBe(true)
    mkdirSync(path.replace('/config.json', ''), { recursive: true })
    writeFileSync(path, '{"timeout": 3}')
    expect((await settings(env)).timeout).toEqual({ value: 3, source: 'file', from: path })
    const named = await command('bc', ['config', '--path', '--json'], { env })
    expect(JSON.parse(named.stdout)).toEqual({ path })
  })
})

describe('a file that can not be used: 2, with the file and the field', () => {
  test.each([
    [
      { nodes: 'x' },
      /config\.json: nodes is no field of the config\. It has node, timeout, tokenFile, keys, json, col/,
    ],
    [{ secret: 'canary' }, /: secret is no field of the config\. .*secrets stay in files of their own/],
    [{ __proto__x: 1, toString: 'canary' }, /: __proto__x is no field/],
    ['{"toString": 1}', /: toString is no field/],
    ['{"\\u001b[2J": 1}', /: \\u\{1b\}\[2J is no field/],
    [{ node: 'canary://x' }, /config\.json: node is not the address of a node/],
    [{ node: 5 }, /: node must be a text/],
    [{ node: 'http://canary:canary@host' }, /: node is not the address of a node/],
    [{ timeout: '30' }, /: timeout must be whole seconds from 1 to 86400/],
    [{ timeout: 0 }, /: timeout must be whole seconds/],
    [{ json: 'yes' }, /: json must be true or false/],
    [{ color: null }, /: color must be true or false/],
    [{ tokenFile: '' }, /: tokenFile must be a text/],
    ['{"json": true, "json": false}', /can't be used: .*"json" stands twice/],
    ['{"json": true,}', /can't be used: /],
    ['[]', /holds no JSON object/],
    ['', /can't be used: /],
    ['x'.repeat(5000), /longer than 4096 bytes/],
    // Of two folders it would be the wrong one.
    [Buffer.from('{"keys": "/caf\xe9"}', 'latin1'), /can't be used: .*not UTF-8/],
  ])('%j', async (content, reason) => {
    const run = await command('bc', ['config'], { env: configured(content).env })
    expectFailure(run, 2, reason)
    expect(run.stderr).not.toContain('canary')
  })

  test('one that is named has to be there, and no command goes on without it', async () => {
    const env = { BC_CONFIG: '/no/such/file', BC_NODE: 'http://127.0.0.1:9' }
    for (const args of [['config'], ['status'], ['key', 'new'], ['explain']])
      expectFailure(await command('bc', args, { env }), 2, /^bc: The config can't be read from \/no\/such\/file: /)
  })

  test('what a person needs to put it right works all the same', async () => {
    const { file, env } = configured('nonsense')
    expect(await command('bc', ['config', '--path'], { env })).toMatchObject({ code: 0, stdout: `${file}\n` })
    expect(await command('bc', ['completion', 'bash'], { env })).toMatchObject({ code: 0, stderr: '' })
    expect(await command('bc', ['config', '--help'], { env })).toMatchObject({ code: 0 })
  })
})

/** As for a user whom the system doesn't know: `docker run --user 4242`. */
const NO_HOME = {
  HOME: undefined,
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
    "import os from 'node:os'; os.homedir = () => { throw new Error('uv_os_homedir returned ENOENT') }",
  )}`,
}

describe('an environment that has no place for files', () => {
  const NOWHERE = [
    ['HOME', { HOME: '', XDG_CONFIG_HOME: '', XDG_DATA_HOME: '' }],
    ['HOME', { HOME: 'home', XDG_CONFIG_HOME: '', XDG_DATA_HOME: '' }],
    // macOS knows no such variables.
    ['(?:XDG_\\w+_)?HOME', { HOME: '', XDG_CONFIG_HOME: 'config', XDG_DATA_HOME: './data' }],
    ['HOME', { ...NO_HOME, XDG_CONFIG_HOME: '', XDG_DATA_HOME: '' }],
  ] as const

  test.each(NOWHERE)('%s is no absolute path: nothing is put into the current folder', async (name, env) => {
    const cwd = temporaryFolder()
    const at = (...words: string[]) => command('bc', words, { cwd, env })
    const reason = (what: string, instead: string) =>
      new RegExp(`^bc: there is no place for ${what}, since ${name} is no absolute path: set it, or ${instead}\\.\n`)
    expectFailure(await at('key', 'new', 'alice'), 2, reason('keys', 'BC_KEYS'))
    expectFailure(await at('key', 'list'), 2, reason('keys', 'BC_KEYS'))
    expectFailure(await at('config', '--path'), 2, reason('the config file', 'BC_CONFIG'))
    const node = await command('bc-node', ['-p', '0'], { cwd, env })
    expectFailure(node, 2, new RegExp(`^bc-node: There is no place for the data, since ${name} is .*--data-dir\\.\n`))
    expect(readdirSync(cwd)).toEqual([])
  })

  test.each(NOWHERE)(
    '%s is no absolute path: whoever needs no file goes on, and finds none here',
    async (_name, env) => {
      const cwd = temporaryFolder()
      for (const folder of ['bc', '.config/bc', 'config/bc', 'home/.config/bc']) {
        mkdirSync(`${cwd}/${folder}`, { recursive: true })
        writeFileSync(`${cwd}/${folder}/config.json`, 'nonsense')
      }
      for (const words of [['--version'], ['completion', 'bash'], ['explain', 'tx.nonce'], ['key', 'new']])
        expect(await command('bc', words, { cwd, env })).toMatchObject({ code: 0, stderr: '' })
      const { file } = configured({ node: 'file.example:1' })
      const named = { ...env, BC_CONFIG: file, BC_KEYS: 'keys' }
      const run = await command('bc', ['config'], { cwd, env: named })
      expect(JSON.parse(run.stdout).settings).toMatchObject({ node: { source: 'file' }, keys: { value: 'keys' } })
    },
  )

  test.each([{ HOME: '' }, NO_HOME])('a path of the file that starts at home: %j', async (homeless) => {
    const { env } = configured({ keys: '~/keys' })
    const run = await command('bc', ['key', 'list'], { env: { ...env, ...homeless } })
    expectFailure(run, 2, /config\.json: keys starts at home, and HOME is no absolute path\.\n/)
  })
})

describeOnTerminal('on a terminal', () => {
  test('a value that is long stands alone, to be copied', async () => {
    const { file, env } = configured({ node: 'a.very.long.name.of.a.node.example:5001' })
    const { output } = await onTerminal('bc', ['config'], [], { columns: 40, env })
    expect(output).toContain('node (config file)\n  http://a.very.long.name.of.a.node.example:5001\n')
    expect(output).toMatch(/\ntimeout \(default\) +30\n/)
    expect(output).toMatch(new RegExp(`config file\n {2}${file}\n$`))
  })

  test('what is wrong stands where the value would', async () => {
    const { output, code } = await onTerminal('bc', ['config'], [], { env: { BC_TIMEOUT: '0' } })
    expect(code).toBe(0)
    expect(output).toMatch(/\ntimeout \(BC_TIMEOUT\)\s+BC_TIMEOUT: Seconds are a number from 0\.001 to 86400\.\n/)
  })

  test('json of the file, and --no-json for once', async () => {
    const { env } = configured({ json: true })
    const shown = async (...words: string[]) => (await onTerminal('bc', words, [], { env })).output
    expect(await shown('explain', 'tx.nonce')).toMatch(/^\{"code": "tx\.nonce"/)
    expect(await shown('key', 'new')).toMatch(/^\{"address"/)
    expect(await shown('explain', 'tx.nonce', '--no-json')).toMatch(/^tx\.nonce, exit/)
    expect(await shown('--no-json', 'key', 'new')).toMatch(/^Address/)
    expect(await shown('config', '--path')).toMatch(/config\.json\n$/)
  })
})
