/** `bc watch` as a shell sees it, with real nodes that stop, start and change their minds. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { bc, command, ended, expectFailure, fakeNode, output, ROOT, start } from './commands.ts'
import { running } from './listening.ts'
import { startedNode, temporaryFolder, waitFor } from './nodes.ts'
import { describeOnTerminal, shellOnTerminal } from './terminal.ts'

const CTRL_C = '\u0003'

async function mine(url: string): Promise<{ index: number; hash: string }> {
  return (await (await fetch(`${url}/mine`)).json()) as { index: number; hash: string }
}

function easy(more: object = {}): string[] {
  const file = `${temporaryFolder()}/config.json`
  writeFileSync(file, JSON.stringify({ difficulty: 1, ...more }))
  return ['--config', file]
}

/** A watcher that listens by now: it has told the newest block there is. */
async function watching(url: string, ...args: readonly string[]) {
  const { height } = (await (await fetch(`${url}/status`)).json()) as { height: number }
  const watcher = running('watch', ...args, '--from', String(height), '--node', url)
  await watcher.count(1)
  return watcher
}

const hashes = (lines: readonly Record<string, unknown>[]) => lines.map(({ hash }) => hash)

describe('in a pipe', () => {
  test('each block is told once and whole, through the death of the node and its return', async () => {
    const config = easy()
    const [folder, port] = [temporaryFolder(), String(await freePort())]
    const args = ['--data-dir', folder, '-p', port, ...config]
    const first = await startedNode(args)
    const watcher = await watching(first.url, 'blocks')
    const mined = [await mine(first.url), await mine(first.url)]
    await watcher.count(3)
    await first.stop('SIGKILL')
    await waitFor(() => watcher.stderr().includes('the connection is lost: '))
    const { url } = await startedNode(args)
    for (let i = 0; i < 3; i++) mined.push(await mine(url))
    await watcher.count(6)
    await waitFor(() => watcher.stderr().includes('the connection is there again'))
    mined.push(await mine(url))
    await watcher.count(7)
    expect(hashes(watcher.lines.slice(1))).toEqual(mined.map(({ hash }) => hash))
    expect(watcher.lines.every(({ event }) => event === 'block')).toBe(true)
    const { event: _, hash, ...block } = watcher.lines.at(-1) as Record<string, unknown>
    expect(block).toEqual(JSON.parse(await (await fetch(`${url}/blocks/${hash}`)).text()))
    expect(await watcher.stop('SIGINT')).toEqual({ code: null, signal: 'SIGINT' })
  })

  test('a reorganisation is told before the blocks that take the place of others', async () => {
    const config = easy()
    const [one, two] = await Promise.all([1, 2].map(() => startedNode(['--ephemeral', ...config])))
    if (!one || !two) throw new TypeError('two nodes were started')
    const left = [await mine(one.url), await mine(one.url)]
    const adopted = [await mine(two.url), await mine(two.url), await mine(two.url)]
    const [blocks, transactions] = [
      running('watch', 'blocks', '--from', '2', '--node', one.url),
      running('watch', 'transactions', '--from', '2', '--node', one.url),
    ]
    await Promise.all([blocks.count(2), transactions.count(2)])
    await output('register', two.url, '--node', one.url)
    await Promise.all([blocks.count(6), transactions.count(6)])
    expect(hashes(blocks.lines.slice(0, 2))).toEqual(hashes(left as never))
    expect(blocks.lines[2]).toEqual({
      event: 'reorganisation',
      index: 2,
      abandoned: left.map(({ index, hash }) => ({ index, hash })).reverse(),
    })
    expect(hashes(blocks.lines.slice(3))).toEqual(hashes(adopted as never))
    expect(transactions.lines[2]).toEqual(blocks.lines[2])
    expect(transactions.lines.slice(3).map(({ status, block }) => [status, (block as { hash: string }).hash])).toEqual(
      adopted.map(({ hash }) => ['confirmed', hash]),
    )
  })

  test('a revert in dev mode is told when it happens, also to one who began late', async () => {
    const { url } = await startedNode(['--dev'])
    const ask = (path: string, body: object) =>
      fetch(`${url}/dev/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    const { id } = (await (await ask('snapshot', {})).json()) as { id: number }
    const mined = [await mine(url), await mine(url)]
    const [all, late] = [running('watch', '--from', '2', '--node', url), running('watch', 'blocks', '--node', url)]
    await waitFor(async () => {
      mined.push(await mine(url))
      return late.lines.length > 0
    })
    await Promise.all([all.count(mined.length), late.count(1)])
    const { index: first } = late.lines[0] as { index: number }
    const told = mined.length - first + 2
    await late.count(told)
    expect((await ask('revert', { id })).status).toBe(200)
    await Promise.all([all.count(mined.length + 1), late.count(told + 1)])
    const abandoned = mined.map(({ index, hash }) => ({ index, hash })).reverse()
    expect(all.lines.at(-1)).toEqual({ event: 'reorganisation', index: 2, abandoned })
    expect(late.lines.at(-1)).toEqual(all.lines.at(-1))
    const { hash } = await mine(url)
    await late.count(told + 2)
    expect(late.lines.at(-1)).toMatchObject({ event: 'block', index: 2, hash })
  })

  test('a transaction is told when it waits and when it is confirmed, under one id', async () => {
    const [key, other] = [JSON.parse(await output('key', 'new')), JSON.parse(await output('key', 'new'))]
    const { url } = await startedNode(['--ephemeral', ...easy({ allocations: { [key.address]: 100 } })])
    const [all, ours] = [await watching(url), running('watch', 'transactions', '--from', '2', '--node', url)]
    const env = { BC_NODE: url }
    const words = ['sign', key.address, other.address, '5', '-', '--memo', 'for \u001b[2J', '--json']
    const signed = await command('bc', words, { env, input: key.secret })
    const { id } = JSON.parse((await command('send-tx', [], { env, input: signed.stdout })).stdout)
    await all.count(2)
    const transaction = JSON.parse(signed.stdout)
    expect(all.lines[1]).toEqual({ event: 'transaction', status: 'pending', id, transaction })
    const { hash } = await mine(url)
    await ours.count(2)
    await waitFor(() => ours.lines.some(({ status, id: of }) => status === 'confirmed' && of === id))
    expect(ours.lines.find(({ status, id: of }) => status === 'confirmed' && of === id)).toEqual({
      ...{ event: 'transaction', status: 'confirmed', id, transaction },
      block: { index: 2, hash, position: 1, timestamp: expect.any(Number) },
    })
  })

  test('ends well when nobody reads any more, and on a signal', async () => {
    const { url } = await startedNode(['--ephemeral', ...easy()])
    const script = `"$0" watch blocks --from 1 --node ${url} | head -1; echo "\${PIPESTATUS[0]}"`
    const shell = ended(spawn('/bin/bash', ['-c', script, `${ROOT}/bin/bc`]))
    await mine(url)
    await mine(url)
    // Node hears that the pipe is closed when it writes the next time.
    const more = setInterval(() => void mine(url).catch(() => undefined), 500)
    const run = await shell
    clearInterval(more)
    expect(run.stderr).toBe('')
    expect(run.stdout).toMatch(/^\{"event": "block", .*\}\n0\n$/)
  })

  test.skipIf(process.platform !== 'linux').each([['watch', '--from', '1'], ['export']])(
    'a full disk ends it: %j',
    async (...words) => {
      const { url } = await startedNode(['--ephemeral', ...easy()])
      const argv = ['-c', 'exec "$0" "$@" > /dev/full', `${ROOT}/bin/bc`, ...words, '--node', url]
      const stderr = expect.stringMatching(/^bc: the result can't be written: .*ENOSPC.*\n$/)
      expect(await ended(spawn('/bin/sh', argv))).toMatchObject({ code: 1, stderr })
    },
  )

  test('without a node it says so at once; --from is a height', async () => {
    expectFailure(await bc('watch', '--node', `127.0.0.1:${await freePort()}`), 3, /nothing listens there/)
    expectFailure(await bc('watch', '--from', '0'), 2, /whole number from 1/)
    expectFailure(await bc('watch', 'peers'), 2, /Allowed choices are blocks, transactions/)
  })

  test('a node of an older version has no events, and something else answers nonsense', async () => {
    const old = await fakeNode((_, response) =>
      response
        .writeHead(404)
        .end('{"statusCode":404,"code":"request.not_found","error":"Not Found","message":"There is no /events."}'),
    )
    const stream = { 'content-type': 'text/event-stream' }
    const odd = await fakeNode((_, response) => void response.writeHead(200, stream).end('event: block\ndata: [1]\n\n'))
    // Its end never comes.
    const page = await fakeNode((_, response) => void response.write('<!doctype html>'))
    expectFailure(
      await bc('watch', '--node', page.url),
      1,
      /something that is not text\/event-stream: is that a node\?/,
    )
    expectFailure(await bc('watch', '--node', old.url), 5, /request\.not_found: There is no \/events/)
    const run = start('bc', ['watch', '--node', odd.url])
    const end = ended(run)
    let told = ''
    run.stderr?.on('data', (chunk) => {
      told += chunk
    })
    await waitFor(() => told.includes("an event that isn't the protocol's JSON"))
    run.kill('SIGTERM')
    expect(await end).toMatchObject({ stdout: '', signal: 'SIGTERM' })
    for (const node of [old, odd, page]) node.close()
  })
})

describeOnTerminal('on a terminal', () => {
  test.each([80, 40])('what happens is one readable line each, in %i columns', async (columns) => {
    const { url } = await startedNode(['--ephemeral', ...easy()])
    const { hash } = await mine(url)
    const line = `stty cols ${columns}; exec "$0" watch --from 2 --node ${url}`
    const shown = await shellOnTerminal(['/bin/sh', '-c', line, `${ROOT}/bin/bc`], [['block 2', CTRL_C]])
    const [first = ''] = shown.output.split('\n')
    expect(first).toContain(columns === 80 ? `block 2  ${hash.slice(0, 16)}` : `block 2  ${hash.slice(0, 8)}`)
    expect(first).toContain(columns === 80 ? '  0 transactions  by 0' : '  0 txs  by 0')
    expect(first.length).toBeLessThan(columns)
    expect(shown.signal).toBe(2)
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
