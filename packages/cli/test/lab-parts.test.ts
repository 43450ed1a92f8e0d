/** What a lab is made of, without nodes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { stripVTControlCharacters } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { KnownBlocks } from '../src/lab/blocks.ts'
import type { Lab } from '../src/lab/lab.ts'
import { Random } from '../src/lab/random.ts'
import { View } from '../src/lab/view.ts'
import { Wire, Wiring } from '../src/lab/wire.ts'
import { ended, ROOT } from './commands.ts'
import { waitFor } from './nodes.ts'

test('the same seed makes the same choices, in range, and all of them come up', () => {
  const choices = (seed: number) => {
    const random = new Random(seed)
    return Array.from({ length: 200 }, () => random.between(3, 7))
  }
  expect(choices(1)).toEqual(choices(1))
  expect(choices(1)).not.toEqual(choices(2))
  expect([...new Set(choices(1))].sort()).toEqual([3, 4, 5, 6, 7])
  expect(new Random(5).shuffled([1, 2, 3, 4, 5, 6]).sort()).toEqual([1, 2, 3, 4, 5, 6])
})

async function echo(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

function dialled(port: number) {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  onTestFinished(() => void socket.destroy())
  return socket
}

test('a wire carries, is cut under the feet of who uses it, and mended', async () => {
  const { port } = await echo()
  const wire = await Wire.lay()
  onTestFinished(() => wire.remove())
  // It leads nowhere yet.
  await once(dialled(wire.port), 'close')
  wire.leadTo(port)
  const socket = dialled(wire.port)
  socket.write('a')
  expect(String((await once(socket, 'data'))[0])).toBe('a')
  wire.cut()
  await once(socket, 'close')
  await once(dialled(wire.port), 'close')
  wire.mend()
  const again = dialled(wire.port)
  again.write('b')
  expect(String((await once(again, 'data'))[0])).toBe('b')
})

test('between every two nodes there is one wire, and the lower number dials', async () => {
  const wiring = await Wiring.lay(4)
  onTestFinished(() => wiring.remove())
  expect(wiring.between(3, 1)).toBe(wiring.between(1, 3))
  expect([1, 2, 3, 4].map((node) => wiring.portsOf(node, 4).length)).toEqual([3, 2, 1, 0])
  expect(new Set([1, 2, 3].flatMap((node) => wiring.portsOf(node, 4))).size).toBe(6)
})

test('a node of the lab reaches its wires and nothing else', async () => {
  const [wired, other] = [await echo(), await echo()]
  const attempt = async (script: string) => {
    const words = ['--import', `${ROOT}/packages/cli/dist/lab/gate.js`, '--input-type=module', '-e', script]
    const env = { PATH: process.env.PATH, BC_LAB_WIRES: `1,${wired.port}` }
    return (await ended(spawn(process.execPath, words, { env }))).stdout
  }
  const dial = (port: number) => `
    const socket = connect({ port: ${port}, host: '127.0.0.1' })
    socket.on('error', ({ code }) => console.log(code)).on('connect', () => { console.log('met'); socket.end() })`
  const both = `import { connect } from 'node:net'; {${dial(wired.port)}} {${dial(other.port)}}`
  expect((await attempt(both)).split('\n').sort()).toEqual(['', 'ECONNREFUSED', 'met'])
  const fetched = `await fetch('http://127.0.0.1:${other.port}').catch(({ cause }) => console.log(cause.code))`
  expect(await attempt(fetched)).toBe('ECONNREFUSED\n')
})

test('who loses the channel to the lab ends', async () => {
  const words = [
    '--import',
    `${ROOT}/packages/cli/dist/lab/gate.js`,
    '-e',
    'setInterval(() => {}, 1000); process.send("up")',
  ]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'message')
  child.disconnect()
  await waitFor(() => child.signalCode === 'SIGKILL')
})

test('of two chains it is known where they part', async () => {
  // 1 ─ 2 ─┬─ 3a ─ 4a
  //        └─ 3b
  const parents: Record<string, readonly [parent: string, index: number]> = {
    1: ['', 1],
    2: ['1', 2],
    '3a': ['2', 3],
    '4a': ['3a', 4],
    '3b': ['2', 3],
  }
  const asked: string[] = []
  const block = async (name: string | number) => {
    asked.push(String(name))
    const [previous_hash, index] = parents[name] as readonly [string, number]
    return { index, previous_hash, transactions: [{ recipient: `miner of ${name}` }] } as never
  }
  const blocks = new KnownBlocks()
  await blocks.learn('4a', { block })
  await blocks.learn('3b', { block })
  expect(asked).toEqual(['4a', '3a', '2', '1', '3b'])
  expect(blocks.abandoned('4a', '3b')).toBe(2)
  expect(blocks.abandoned('3b', '4a')).toBe(1)
  expect(blocks.abandoned('2', '4a')).toBe(0)
  expect([...blocks.chainOf('3b')].map(({ miner }) => miner)).toEqual(['miner of 3b', 'miner of 2', 'miner of 1'])
})

test.each([
  [80, 24],
  [24, 24],
  [24, 15],
  [80, 12],
  [40, 7],
])('what happened last stands under the picture, on a terminal of %i columns and %i lines', (columns, rows) => {
  const written: string[] = []
  const view = new View({ columns, rows, colors: false, write: (text) => void written.push(text) }, 'bc lab mine')
  const nodes = [1, 2, 3, 4, 5].map((number) => ({ number, state: 'starting' }))
  view.show({ nodes, sideOf: () => undefined } as unknown as Lab)
  for (let i = 1; i <= 20; i++) view.add({ event: 'note', text: `Sentence ${i} is one that takes some lines.` })
  view.close()
  const lines = stripVTControlCharacters(written.find((text) => text.includes('Sentence')) ?? '').split('\n')
  expect(lines.length).toBeLessThanOrEqual(rows)
  expect(lines.join(' ').replace(/\s+/g, ' ')).toMatch(/ one that takes some lines. $/)
  // As much of it as there is room for.
  expect(lines.length === rows || lines.filter((line) => line.startsWith('Sentence')).length === 10).toBe(true)
})
