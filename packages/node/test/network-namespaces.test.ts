/**
 * Machines of a network of their own, as network namespaces of this one. Three in a line, a cable between a and b, one
 * between b and c, and no other way; the cable is cut as a digger would cut it: nobody is told. And two that find each
 * other. Skipped where namespaces can't be made.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Status, temporaryFolder, until } from './support/network-nodes.ts'

const BC_NODE = fileURLToPath(new URL('../../../bin/bc-node', import.meta.url))
const spaces = (...names: string[]) => names.map((name) => `bc-${process.pid}-${name}`)
const LINE = spaces('a', 'b', 'c') as [string, string, string]
const [A, B, C] = LINE
const PAIR = spaces('d', 'e') as [string, string]
const [D, E] = PAIR

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: 'pipe' })
}

/** @returns what keeps us from making one */
function obstacle(): string | undefined {
  try {
    ip('netns', 'add', `${A}-try`)
    ip('netns', 'del', `${A}-try`)
    execFileSync('curl', ['--version'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return (error as Error).message.split('\n')[0]
  }
}

/** A cable between two spaces, with an address at each end. */
function cable(from: string, to: string, net: number, name: string): void {
  ip('-n', from, 'link', 'add', `${name}0`, 'type', 'veth', 'peer', 'name', `${name}1`, 'netns', to)
  for (const [space, end] of [
    [from, 0],
    [to, 1],
  ] as const) {
    ip('-n', space, 'addr', 'add', `10.77.${net}.${end + 1}/24`, 'dev', `${name}${end}`)
    ip('-n', space, 'link', 'set', `${name}${end}`, 'up')
  }
}

function curl(space: string, ...words: string[]): unknown {
  const text = execFileSync('ip', ['netns', 'exec', space, 'curl', '-s', '-m', '10', ...words], { encoding: 'utf8' })
  return JSON.parse(text)
}

const HERE = 'http://127.0.0.1:5000'
const statusIn = (space: string) => curl(space, `${HERE}/status`) as Status
const mineIn = (space: string) => curl(space, `${HERE}/mine`)

function registerIn(space: string, node: string) {
  const body = JSON.stringify({ nodes: [node] })
  return curl(space, '-H', 'content-type: application/json', '-d', body, `${HERE}/nodes/register`)
}

function agreed(...spaces: string[]): boolean {
  return new Set(spaces.map((space) => statusIn(space).tip)).size === 1
}

const reason = obstacle()
if (reason !== undefined) console.warn(`No network namespaces here: ${reason}`)

/** A node in each space, on one chain. Called in a `describe`, which makes the cables. */
function nodesIn(spaces: readonly string[], options: readonly string[], wire: () => void): void {
  const children: ChildProcess[] = []

  beforeAll(async () => {
    for (const space of spaces) {
      ip('netns', 'add', space)
      ip('-n', space, 'link', 'set', 'lo', 'up')
    }
    wire()
    const folder = temporaryFolder()
    const config = join(folder, 'config.json')
    writeFileSync(config, '{"difficulty": 1}')
    for (const [i, space] of spaces.entries()) {
      const words = ['-p', '5000', '--host', '0.0.0.0', '--p2p-port', '6000', '--config', config, ...options]
      const node = [process.execPath, BC_NODE, ...words, '--data-dir', join(folder, `${i}`)]
      children.push(spawn('ip', ['netns', 'exec', space, ...node], { stdio: 'ignore' }))
    }
    for (const space of spaces)
      await until(async () => {
        try {
          return statusIn(space).p2p.length > 0
        } catch {
          return false
        }
      }, 40_000)
  })

  afterAll(async () => {
    for (const child of children) {
      child.kill()
      if (child.exitCode === null) await once(child, 'exit')
    }
    for (const space of spaces) ip('netns', 'del', space)
  })
}

describe.skipIf(reason !== undefined)('three network namespaces in a line', () => {
  nodesIn(LINE, ['--no-discovery'], () => {
    cable(A, B, 1, 'ab')
    cable(B, C, 2, 'bc')
  })

  test('agree; are cut, mine on both sides; are mended, and agree on the most work', async () => {
    expect(registerIn(A, '10.77.1.2:5000')).toMatchObject({ message: 'New nodes have been added' })
    expect(registerIn(C, '10.77.2.1:5000')).toMatchObject({ message: 'New nodes have been added' })
    mineIn(A)
    await until(async () => agreed(A, B, C))

    ip('-n', B, 'link', 'set', 'ab1', 'down')
    for (let i = 0; i < 2; i++) mineIn(A)
    for (let i = 0; i < 4; i++) mineIn(C)
    await until(async () => agreed(B, C))
    expect(agreed(A, B)).toBe(false)
    const { tip } = statusIn(C)
    // Long enough for both to find that nobody is there.
    await until(async () => statusIn(A).peers === 0, 60_000)

    ip('-n', B, 'link', 'set', 'ab1', 'up')
    const start = performance.now()
    await until(async () => agreed(A, B, C), 90_000)
    console.log(`mended: all three agreed after ${Math.round(performance.now() - start)} ms`)
    expect(statusIn(A)).toMatchObject({ tip, height: 6 })
  }, 240_000)
})

describe.skipIf(reason !== undefined)('two network namespaces', () => {
  nodesIn(PAIR, [], () => {
    cable(D, E, 3, 'de')
    // What a default route is on a real machine: where multicast DNS goes.
    ip('-n', D, 'route', 'add', '224.0.0.0/4', 'dev', 'de0')
    ip('-n', E, 'route', 'add', '224.0.0.0/4', 'dev', 'de1')
  })

  test('find each other without a word, and agree', async () => {
    await until(async () => statusIn(D).peers === 1 && statusIn(E).peers === 1, 60_000)
    mineIn(D)
    await until(async () => agreed(D, E))
  }, 120_000)
})
