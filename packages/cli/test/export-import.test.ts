/** `bc export` and `bc import`, between real nodes and against strange ones. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { bc, command, expectFailure, fakeNode, output } from './commands.ts'
import { startedNode, temporaryFolder } from './nodes.ts'
import { shell } from './support-audit.ts'
import { describeOnTerminal, onTerminal } from './terminal.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

async function minedNode(blocks: number) {
  const node = await startedNode(['--ephemeral'])
  for (let n = 0; n < blocks; n++) await output('mine', '--node', node.url)
  return node
}

describe('a chain goes from one node to another', () => {
  test('by a file, each line the text whose hash is the block’s', async () => {
    const from = await minedNode(3)
    const exported = await output('export', '--node', from.url)
    const lines = exported.split('\n').slice(0, -1)
    expect(lines).toHaveLength(4)
    for (const [i, line] of lines.slice(0, -1).entries())
      expect(JSON.parse(lines[i + 1] as string).previous_hash).toBe(sha256(line))

    const file = `${temporaryFolder()}/chain.ndjson`
    writeFileSync(file, exported)
    const to = await startedNode(['--ephemeral'])
    const answer = { height: 4, tip: sha256(lines[3] as string) }
    expect(JSON.parse(await output('import', file, '--node', to.url))).toEqual({
      ...answer,
      imported: 3,
      beside: 0,
      known: 1,
    })
    expect(JSON.parse(await output('import', file, '--node', to.url))).toEqual({
      ...answer,
      imported: 0,
      beside: 0,
      known: 4,
    })
    expect(await output('export', '--node', to.url)).toBe(exported)
    expect(JSON.parse(await output('verify', file))).toMatchObject({ valid: true, blocks: 4, tip: answer.tip })
  })

  test('in parts, by pipes', async () => {
    const from = await minedNode(3)
    const to = await startedNode(['--ephemeral'])
    const first = await output('export', '--to', '2', '--node', from.url)
    const rest = await output('export', '--from', '3', '--node', from.url)
    expect(first + rest).toBe(await output('export', '--node', from.url))
    const imported = (input: string) => command('bc', ['import', '--node', to.url], { input })
    expectFailure(await imported(rest), 5, /^bc: block\.previous_hash: line 1: .*\(0 blocks imported before it\)/)
    expect(await imported(first)).toMatchObject({ code: 0, stdout: expect.stringContaining('"imported": 1') })
    expect(await imported(rest)).toMatchObject({ code: 0, stdout: expect.stringContaining('"imported": 2') })
  })

  test('until a block breaks a rule', async () => {
    const from = await minedNode(3)
    const to = await startedNode(['--ephemeral'])
    const input = (await output('export', '--node', from.url)).replace(
      /"index": 3(.*)"timestamp": \d/,
      '"index": 3$1"timestamp": 9',
    )
    const run = await command('bc', ['import', '--node', to.url], { input })
    expectFailure(run, 5, /^bc: block\.commitment: line 3: .* \(1 block imported before it\)\n$/)
    expect(JSON.parse(await output('status', '--node', to.url))).toMatchObject({ height: 2 })
    // As an editor counts the lines of the file.
    const spaced = await command('bc', ['import', '--node', to.url], {
      input: `\n \r\n${input.replaceAll('\n', '\n\n')}`,
    })
    expectFailure(spaced, 5, /^bc: block\.commitment: line 7: .* \(0 blocks imported before it\)\n$/)
  })

  test('the line is that of the file also where it goes in parts', async () => {
    const from = await minedNode(1)
    const exported = await output('export', '--node', from.url)
    // What was sent before is known by now.
    const input = `${exported.repeat(600)}\n{}\n`
    const run = await command('bc', ['import', '--node', from.url], { input })
    expectFailure(run, 5, /^bc: block\.shape: line 1202: .* \(0 blocks imported before it\)\n$/)
  })
})

describe('export', () => {
  test('a chain that has become shorter meanwhile is not all of it', async () => {
    const hash = '0'.repeat(64)
    const status = { address: '', chain: hash, height: 9, pool: 0, target: hash, timestamp: 1, tip: hash }
    const node = await fakeNode((request, response) => {
      const blocks = { blocks: [{}, {}], next: null }
      response.end(JSON.stringify(request.url === '/status' ? { ...status, version: '', work: '0' } : blocks))
    })
    const run = await bc('export', '--node', node.url)
    node.close()
    expect(run).toMatchObject({ code: 1, stdout: '{}\n{}\n', stderr: expect.stringContaining('after 2 of 9 blocks') })
  })

  test('blocks that there aren’t', async () => {
    const { url } = await startedNode(['--ephemeral'])
    expectFailure(await bc('export', '--from', '2', '--node', url), 5, /^bc: request\.not_found: there is no block 2: /)
    expectFailure(await bc('export', '--to', '2', '--node', url), 5, /^bc: request\.not_found: there is no block 2: /)
    expectFailure(await bc('export', '--from', '0', '--node', url), 2, /--from.* whole number from 1/)
    expectFailure(await bc('export', '--from', '3', '--to', '2', '--node', url), 2, /--to is not below --from/)
    expectFailure(await bc('export', '--from', 'x', '--node', url), 2, /--from/)
  })

  test('to somebody who reads the first line alone', async () => {
    const { url } = await minedNode(1)
    const run = await shell(
      `'${process.cwd()}/bin/bc' export --node "$1" | head -1 | wc -l; echo "$\{PIPESTATUS[0]}"`,
      url,
    )
    expect(run).toMatchObject({ stdout: expect.stringMatching(/^ *1\n0\n$/), stderr: '' })
  })
})

describe('import', () => {
  test.each([
    ['nothing', ''],
    ['blank lines', '\n \n'],
  ])('%s', async (_name, input) => {
    expectFailure(await command('bc', ['import'], { input }), 2, /there is nothing to import/)
  })

  test('no such file', async () => {
    expectFailure(await bc('import', '/nonexistent/chain'), 2, /there is no such file/)
  })

  test.each([
    ['has less work', 2, 1002],
    ['turns out to have more', 0, 0],
  ])('in parts, of a branch that %s: so many stand beside the main chain', async (_name, last, total) => {
    const counts = [
      { imported: 1000, beside: 1000 },
      { imported: 2, beside: last },
    ]
    const node = await fakeNode((request, response) => {
      request.resume()
      response.end(JSON.stringify({ ...counts.shift(), known: 0, height: 9, tip: '0'.repeat(64) }))
    })
    const run = await command('bc', ['import', '--node', node.url], { input: '{}\n'.repeat(1002) })
    node.close()
    expect(JSON.parse(run.stdout)).toMatchObject({ imported: 1002, beside: total })
  })

  test('on a node that doesn’t know it, on one that answers nonsense', async () => {
    const old = await fakeNode((request, response) => {
      request.resume()
      response.writeHead(404).end('<h1>Not Found</h1>')
    })
    const odd = await fakeNode((request, response) => {
      request.resume()
      response.end('{"imported": -1}')
    })
    try {
      for (const { url } of [old, odd])
        expectFailure(await command('bc', ['import', '--node', url], { input: '{}\n' }), 1, /is that a node\?/)
    } finally {
      old.close()
      odd.close()
    }
  })
})

describeOnTerminal('on a terminal', () => {
  test('the counts in words', async () => {
    const from = await minedNode(2)
    const file = `${temporaryFolder()}/chain.ndjson`
    writeFileSync(file, await output('export', '--node', from.url))
    const { output: shown, code } = await onTerminal('bc', ['import', file, '--node', from.url])
    expect(code).toBe(0)
    expect(shown).toMatch(/Imported +0 blocks/)
    expect(shown).toMatch(/Known +3 blocks/)
    // Nothing is written over where a terminal can't do that.
    const dumb = await onTerminal('bc', ['import', file, '--node', from.url], [], { env: { TERM: 'dumb' } })
    expect(dumb.output).toMatch(/^Imported +0 blocks/)
  })
})
