/**
 * `bc verify` against `scripts/audit.sh`: of every tampered chain both must name the same first fault, block and code.
 * BC_TAMPERED says how many there are, BC_TAMPER_SEED which.
 */

import { localCurve } from '@bc/node/signatures'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { verifier } from '../../core/test/support/keys.ts'
import { describeWith } from '../../core/test/support/where.ts'
import { auditChain, ChainFault } from '../src/chain/audit.ts'
import { blocksIn } from '../src/chain/blocks.ts'
import { auditOf, expectNothingBehind, hasTools, makeFolders } from './support-audit.ts'
import { tampered } from './support-tamper.ts'

// Audits at a time.
vi.setConfig({ maxConcurrency: 4 })

const COUNT = Number(process.env.BC_TAMPERED ?? (process.env.CI ? 200 : 25))
const SEED = Number(process.env.BC_TAMPER_SEED ?? 1)

describeWith(hasTools(), 'skipped: jq, openssl, xxd or curl is missing', `${COUNT} tampered chains`, () => {
  const seen = new Map<string, number>()
  beforeAll(makeFolders)
  afterAll(expectNothingBehind)

  describe.concurrent('bc verify and the audit agree', () => {
    for (let n = 0; n < COUNT; n++) {
      const { name, document } = tampered(SEED, n)
      test(name, async () => {
        const ours = await verdictOf(document)
        expect(ours).toEqual(verdictIn(await auditOf(document)))
        seen.set(ours, (seen.get(ours) ?? 0) + 1)
      })
    }
  })

  test('they were wrong in many ways', () => {
    const codes = new Set([...seen.keys()].map((verdict) => verdict.split(': ')[1] ?? verdict))
    expect(codes.size).toBeGreaterThan(Math.min(14, COUNT / 4))
  })
})

test('what a block says doesn’t depend on how much of the document came with it', async () => {
  // As deep as a block may not be in a document, but may be alone.
  const deep = `{"chain": [{"index": ${'['.repeat(14)}${']'.repeat(14)}}], "length": 1}`
  async function* cutAt(end: number) {
    yield Buffer.from(deep.slice(0, end))
    yield Buffer.from(deep.slice(end))
  }
  const whole = await verdictFrom(cutAt(deep.length))
  expect(whole).toMatch(/message\.malformed/)
  for (let end = 50; end < deep.length; end++) expect(await verdictFrom(cutAt(end))).toBe(whole)
})

async function verdictOf(document: string): Promise<string> {
  return verdictFrom(pieces(Buffer.from(document)))
}

async function verdictFrom(document: AsyncIterable<Buffer>): Promise<string> {
  const source = await blocksIn('a document', document)
  try {
    const { tip, blocks } = await auditChain(source, { curve: localCurve(verifier), onProgress: () => {} })
    return `valid: ${tip} (block ${blocks})`
  } catch (error) {
    if (error instanceof ChainFault) return `${error.place}: ${error.code}`
    throw error
  }
}

/** In pieces of a size that cuts blocks and characters anywhere. */
async function* pieces(whole: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < whole.length; at += 997) yield whole.subarray(at, at + 997)
}

function verdictIn({ code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }): string {
  const tip = /^tip +([0-9a-f]{64} \(block \d+\))$/m.exec(stdout)?.[1]
  if (code === 0 && tip) return `valid: ${tip}`
  const [, place, rule] = /^([^:\n]*): ([^:\n]*): [ -~]+\n$/.exec(stderr) ?? []
  return code === 1 && place && rule ? `${place}: ${rule}` : `no verdict: ${code} ${stderr}`
}
