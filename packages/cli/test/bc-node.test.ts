import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { Agent, get, request } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { bc, command, ended, expectFailure, output, ROOT, start } from './commands.ts'
import { startedNode, temporaryFolder, waitFor } from './nodes.ts'
import { describeOnTerminal, onTerminal } from './terminal.ts'

describe('the life of a node', () => {
  test('says where it listens, in the ready file and in one line on stdout, and takes its leave', async () => {
    const node = await startedNode(['--ephemeral'])
    expect(statSync(node.readyFile).mode & 0o777).toBe(0o600)
    expect(readdirSync(dirname(node.readyFile))).toEqual(['ready.json'])
    const text = readFileSync(node.readyFile, 'utf8')
    expect(JSON.parse(text)).toEqual({ url: node.url, pid: node.child.pid, chain: node.chain })
    expect(JSON.parse(await output('status', '--node', node.url))).toMatchObject({ chain: node.chain, height: 1 })
    const end = await node.stop()
    expect(end).toMatchObject({ code: 0, signal: null, stdout: text })
    expect(existsSync(node.readyFile)).toBe(false)
  })

  test.each(['SIGINT', 'SIGHUP'] as const)('%s ends it as well', async (signal) => {
    const node = await startedNode(['--ephemeral'])
    expect(await node.stop(signal)).toMatchObject({ code: 0, signal: null })
    expect(existsSync(node.readyFile)).toBe(false)
  })

  test('the second signal ends it at once', async () => {
    const node = await startedNode(['--ephemeral'])
    // Stopped, it gets both in one go.
    for (const signal of ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const) node.child.kill(signal)
    expect([128 + 2, 128 + 15]).toContain((await node.ended).code)
    expect(existsSync(node.readyFile)).toBe(false)
  })

  test('while it closes nobody is sent to it any more, and a second SIGHUP is of the same terminal', async () => {
    const node = await startedNode(['--ephemeral'])
    // An answer that is owed keeps it from its end.
    const headers = { expect: '100-continue', 'content-type': 'application/json', 'content-length': 9 }
    const asked = request(`${node.url}/transactions/new`, { method: 'POST', headers })
    const hungUp = vi.fn()
    asked.on('error', hungUp).flushHeaders()
    await once(asked, 'continue')
    node.child.kill('SIGHUP')
    await waitFor(() => !existsSync(node.readyFile))
    expect(hungUp).not.toHaveBeenCalled()
    node.child.kill('SIGHUP')
    asked.destroy()
    expect(await node.ended).toMatchObject({ code: 0, signal: null })
  })

  test('it goes on when nobody reads its output any more', async () => {
    const node = await startedNode(['--ephemeral'])
    node.child.stdout?.destroy()
    for (let i = 0; i < 3; i++) await output('secret', '--node', node.url)
    expect(JSON.parse(await output('status', '--node', node.url))).toMatchObject({ height: 1 })
    expect(await node.stop()).toMatchObject({ code: 0 })
  })

  test.skipIf(process.platform !== 'linux')(
    'a log on a full disk keeps it neither from its work nor from its end',
    async () => {
      const ready = `${temporaryFolder()}/ready.json`
      const words = ['-p', '0', '--ephemeral', '--no-discovery', '--ready-file', ready]
      const node = spawn('/bin/sh', ['-c', 'exec "$0" "$@" 2> /dev/full', `${ROOT}/bin/bc-node`, ...words])
      onTestFinished(() => void node.kill('SIGKILL'))
      const end = ended(node)
      await waitFor(() => existsSync(ready))
      const { url } = JSON.parse(readFileSync(ready, 'utf8'))
      expect(JSON.parse(await output('mine', '--node', url))).toMatchObject({ index: 2 })
      node.kill()
      expect(await end).toMatchObject({ code: 0, signal: null })
    },
  )

  test.skipIf(process.platform !== 'linux')('it mines once there are descriptors again', async () => {
    const ready = `${temporaryFolder()}/ready.json`
    const words = ['-p', '0', '--ephemeral', '--no-discovery', '--ready-file', ready]
    // Each thread that mines has four.
    const most = 64 + 4 * availableParallelism()
    const node = spawn('/bin/sh', ['-c', `ulimit -n ${most} && exec "$0" "$@"`, `${ROOT}/bin/bc-node`, ...words])
    onTestFinished(() => void node.kill('SIGKILL'))
    await waitFor(() => existsSync(ready))
    const { url } = JSON.parse(readFileSync(ready, 'utf8'))
    // One connection for all: nobody gets a second one then.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const statusOf = async (path: string) => {
      const [answer] = await once(get(`${url}${path}`, { agent }), 'response')
      answer.resume()
      await once(answer, 'end')
      return answer.statusCode
    }
    // It has loaded its network by then.
    expect(await statusOf('/nodes/resolve')).toBe(200)
    const idle: Socket[] = []
    let refused = 0
    while (refused === 0) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.on('error', () => undefined).on('close', () => refused++)
      await once(socket, 'connect')
      idle.push(socket)
    }
    expect(await statusOf('/mine')).toBe(500)
    for (const socket of idle) socket.destroy()
    await waitFor(async () => (await statusOf('/mine')) === 200)
  })

  test('a ready file that another has taken over is left alone', async () => {
    const node = await startedNode(['--ephemeral'])
    writeFileSync(node.readyFile, '{}')
    await node.stop()
    expect(readFileSync(node.readyFile, 'utf8')).toBe('{}')
  })

  test('what was left there by a node that is gone is removed at once, even if this one can’t start', async () => {
    const ready = `${temporaryFolder()}/ready.json`
    const { pid } = spawnSync('true')
    for (const left of [JSON.stringify({ url: 'http://localhost:5000', pid, chain: '' }), '']) {
      writeFileSync(ready, left)
      expectFailure(await command('bc-node', ['--config', 'none', '--ready-file', ready]), 2, /can't be read/)
      expect(existsSync(ready)).toBe(false)
    }
  })

  test('what was left there by a node with the number that is ours now, as in a container, is removed as well', async () => {
    const ready = `${temporaryFolder()}/ready.json`
    const line =
      'echo "{\\"url\\": \\"http://localhost:5000\\", \\"pid\\": $$}" > "$1"; exec "$0" --config none --ready-file "$1"'
    expectFailure(await ended(spawn('/bin/sh', ['-c', line, `${ROOT}/bin/bc-node`, ready])), 2, /can't be read/)
    expect(existsSync(ready)).toBe(false)
  })

  test('the ready file of a node that runs stays until another one is up', async () => {
    const node = await startedNode(['--ephemeral'])
    const words = ['-p', '0', '--ephemeral', '--no-discovery', '--ready-file', node.readyFile]
    expectFailure(await command('bc-node', [...words, '--config', 'none']), 2, /can't be read/)
    expect(JSON.parse(readFileSync(node.readyFile, 'utf8'))).toMatchObject({ pid: node.pid })
    const other = start('bc-node', words)
    onTestFinished(() => void other.kill('SIGKILL'))
    await waitFor(() => JSON.parse(readFileSync(node.readyFile, 'utf8')).pid === other.pid)
    await node.stop()
    expect(existsSync(node.readyFile)).toBe(true)
  })

  test('a number that has become a stranger’s is no node: nothing listens where it did', async () => {
    const ready = `${temporaryFolder()}/ready.json`
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const left = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, pid: process.pid, chain: '' }
    writeFileSync(ready, JSON.stringify(left))
    const words = ['--config', 'none', '--ready-file', ready]
    // Silent, as a node that is busy.
    expectFailure(await command('bc-node', words), 2, /can't be read/)
    expect(JSON.parse(readFileSync(ready, 'utf8'))).toEqual(left)
    server.close()
    expectFailure(await command('bc-node', words), 2, /can't be read/)
    expect(existsSync(ready)).toBe(false)
  })

  test.each([
    ['a text', 'notes of mine'],
    ['a list', '[]'],
    ['no url', '{"pid": 4194305}'],
    ['a group of processes', '{"url": "http://localhost:5000", "pid": 0}'],
    ['no number of a process', '{"url": "http://localhost:5000", "pid": 1e12}'],
    ['too long', 'x'.repeat(40_000)],
  ])('what is no ready file is left alone: %s', async (_name, text) => {
    const file = `${temporaryFolder()}/notes.txt`
    writeFileSync(file, text)
    const run = await command('bc-node', ['-p', '0', '--config', 'none', '--ready-file', file])
    expectFailure(run, 2, `bc-node: ${file} is no ready file: it is left alone.\n`)
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  test('--mine mines on and on', async () => {
    const node = await startedNode(['--ephemeral', '--mine'])
    await waitFor(async () => JSON.parse(await output('status', '--node', node.url)).height > 3)
    expect(await node.stop()).toMatchObject({ code: 0 })
  })

  test('everything is there after a restart, and after kill -9', async () => {
    const data = `${temporaryFolder()}/data`
    const first = await startedNode(['--data-dir', data])
    const mined = JSON.parse(await output('mine', '--node', first.url))
    const before = await output('chain', '--node', first.url)
    expect(await first.stop()).toMatchObject({ code: 0 })
    const second = await startedNode(['--data-dir', data])
    expect(await output('chain', '--node', second.url)).toBe(before)
    await second.stop('SIGKILL')
    expect(existsSync(second.readyFile)).toBe(true)
    const third = await startedNode(['--data-dir', data])
    expect(JSON.parse(await output('status', '--node', third.url))).toMatchObject({ height: 2, tip: mined.hash })
  })

  test('by default its data lies in the platform’s folder, by port', async () => {
    const home = temporaryFolder()
    const node = await startedNode([], { env: { HOME: home, XDG_DATA_HOME: `${home}/data` } })
    const { port } = new URL(node.url)
    const found = readdirSync(home, { recursive: true }).map(String)
    expect(found.some((path) => path.endsWith(`node-${port}`))).toBe(true)
  })
})

describe('what keeps it from starting', () => {
  const node = (...args: readonly string[]) => command('bc-node', args)

  test.each([
    [
      ['--ephemeral', '--data-dir', 'x'],
      /^bc-node: option '--ephemeral' cannot be used with option '--data-dir <dir>'/,
    ],
    [['--ephemeral', '--repair'], /cannot be used with option '--repair'/],
    [['-p', '65536'], /A port is a number from 0 to 65535/],
    [['-p', '-1'], /./],
    [['-p', '0', '--ephemeral', '--host', ''], 'bc-node: --host must be a host name or an IP address, not "".\n'],
    [['-p', '0', '--ephemeral', '--host', 'http://localhost'], /--host must be a host name or an IP address/],
    [['--log-level', 'loud'], /Allowed choices are trace/],
    [['--poort', '1'], /unknown option '--poort'\n\(Did you mean --port\?\)/],
    [['5001'], /too many arguments/],
  ])('usage: %j', async (args, reason) => {
    expectFailure(await node(...args), 2, reason)
  })

  test('a broken configuration names its file and its field', async () => {
    const file = `${temporaryFolder()}/config.json`
    for (const [text, fault] of [
      ['{"difficulty": "4"}', /difficulty must be a whole number/],
      ['{"dificulty": 4}', /dificulty is no field/],
      ['{', /is no JSON/],
    ] as const) {
      writeFileSync(file, text)
      const run = await node('-p', '0', '--ephemeral', '--config', file)
      expectFailure(run, 2, fault)
      expect(run.stderr).toContain(file)
    }
    expectFailure(await node('--config', `${file}.none`), 2, /can't be read/)
  })

  test('a configuration may change the chain', async () => {
    const file = `${temporaryFolder()}/config.json`
    writeFileSync(file, '{"difficulty": 1, "miningReward": 7}')
    const other = await startedNode(['--ephemeral', '--config', file])
    const { rules } = JSON.parse(await output('status', '--node', other.url))
    expect(rules).toMatchObject({ difficulty: 1, miningReward: 7, maxBlockBytes: 1_000_000 })
  })

  test('a port in use', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    for (const words of [
      ['-p', String(port)],
      ['-p', '0', '--p2p-port', String(port)],
    ])
      expectFailure(await node(...words, '--ephemeral', '--no-discovery'), 1, `Port ${port} is in use`)
    server.close()
  })

  test('an address that is not ours', async () => {
    expectFailure(
      await node('-p', '0', '--ephemeral', '--host', '192.0.2.1'),
      1,
      /^bc-node: The node can't listen on 192/m,
    )
    const home = temporaryFolder()
    const run = await command('bc-node', ['-p', '0', '--host', '192.0.2.1'], { env: { HOME: home } })
    expectFailure(run, 1, /^bc-node: No port of 192\.0\.2\.1 can be had/m)
  })

  test('a data directory that another node uses', async () => {
    const data = `${temporaryFolder()}/data`
    const first = await startedNode(['--data-dir', data])
    expectFailure(await node('-p', '0', '--data-dir', data), 1, data)
    expect(await first.stop()).toMatchObject({ code: 0 })
  })

  test('a ready file that can’t be written stops it again', async () => {
    const folder = temporaryFolder()
    expectFailure(
      await node('-p', '0', '--ephemeral', '--ready-file', `${folder}/no/ready`),
      1,
      /^bc-node: the ready file .*no\/ready can't be written/m,
    )
    mkdirSync(`${folder}/is-a-folder`)
    expectFailure(await node('-p', '0', '--ephemeral', '--ready-file', `${folder}/is-a-folder`), 1, /can't be written/)
  })
})

describe("the node's secret", () => {
  test('appears on its own stdout and nowhere else', async () => {
    const node = await startedNode(['--ephemeral', '--log-level', 'trace'])
    expect(await bc('secret', '--node', node.url)).toMatchObject({
      code: 0,
      stdout: '{"message": "secret sent in console..."}\n',
      stderr: '',
    })
    const { address } = JSON.parse(await output('status', '--node', node.url))
    const { stdout, stderr } = await node.stop()
    const candidates = (stdout.match(/\b[0-9a-f]{64}\b/g) ?? []).filter((hex) => hex !== node.chain)
    expect(candidates).toHaveLength(1)
    const [secret = ''] = candidates
    const found = await command('bc', ['key', 'address', '-'], { input: secret })
    expect(found.stdout).toBe(`${address}\n`)
    expect(stderr).not.toContain(secret)
  })
})

describeOnTerminal('on a terminal', () => {
  test('one banner, and Ctrl-C stops it', async () => {
    const shown = await onTerminal('bc-node', ['-p', '0', '--ephemeral'], [['export BC_NODE=', '\u0003']])
    expect(shown).toMatchObject({ code: 0 })
    expect(shown.output.match(/This is a bc node/g)).toHaveLength(1)
    expect(shown.output).toMatch(/^Listening {2}http:\/\/localhost:\d+$/m)
    expect(shown.output).toMatch(/^Address\n {2}0[23][0-9a-f]{72}$/m)
    expect(shown.output).toMatch(/^ {2}export BC_NODE=http:\/\/localhost:\d+$/m)
  })
})
