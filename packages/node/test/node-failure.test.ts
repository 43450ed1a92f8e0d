/** A node that finds damage: it says so, it stops, and it leaves a note for the next start, if the disk takes one. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Chain } from '../src/chain/chain.ts'
import { DamageError, StartError } from '../src/errors.ts'
import { ChainStore } from '../src/storage/chain-store.ts'
import { ask } from './support/http-client.ts'
import { ALICE, memoryLog, startTestNode, type TestNode } from './support/http-node.ts'

const damage = new DamageError('the record is not what was written')

let dataDirectory: string
let note: string
beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'bc-node-failure-'))
  note = join(dataDirectory, 'damage-found')
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(dataDirectory, { recursive: true, force: true })
})

/** Where a note is to be, there is a folder: so none can be written, as on a disk that is full. */
const keepNotesOut = () => mkdirSync(note)

describe('damage that a running node finds', () => {
  async function meetsDamage(node: TestNode) {
    vi.spyOn(ChainStore.prototype, 'account').mockRejectedValue(damage)
    const { status } = await ask(node, { path: `/accounts/${ALICE.address}` })
    expect(await node.failed).toBe(damage)
    vi.restoreAllMocks()
    await node.stop()
    return status
  }

  it('makes the next start rebuild', async () => {
    expect(await meetsDamage(await startTestNode({ dataDirectory }))).toBe(503)
    expect(readFileSync(note, 'utf8')).toBe(`${damage.message}\n`)
    const next = await startTestNode({ dataDirectory })
    expect(next.logged()).toContain('was rebuilt')
    expect(existsSync(note)).toBe(false)
    await next.stop()
  })

  it('stops it also where it can’t be noted', async () => {
    const node = await startTestNode({ dataDirectory })
    keepNotesOut()
    expect(await meetsDamage(node)).toBe(503)
    expect(node.logged()).toContain('can’t be noted')
    expect(node.logged()).toContain('The node stops.')
  })

  it('stops it, with a note, also where it can’t be logged', async () => {
    const { log } = memoryLog()
    log.fatal = () => {
      throw new Error('no space left')
    }
    await meetsDamage(await startTestNode({ dataDirectory, log }))
    expect(readFileSync(note, 'utf8')).toBe(`${damage.message}\n`)
  })
})

describe('damage that a start meets once the store is open', () => {
  const startMeets = async (found: () => void) => {
    await (await startTestNode({ dataDirectory })).stop()
    vi.spyOn(Chain, 'open').mockImplementationOnce(async () => {
      found()
      throw damage
    })
    return startTestNode({ dataDirectory })
  }

  it('makes the next one rebuild', async () => {
    await expect(startMeets(() => undefined)).rejects.toThrow(/is damaged: .* Start again, and the chain is rebuilt\.$/)
    const next = await startTestNode({ dataDirectory })
    expect(next.logged()).toContain('was rebuilt')
    await next.stop()
  })

  it('is a sentence also where it can’t be noted', async () => {
    const refused = startMeets(keepNotesOut)
    await expect(refused).rejects.toThrow(StartError)
    await expect(refused).rejects.toThrow(/is damaged: .*\. This can't be noted for the next start, .*EISDIR/)
  })
})
