/** The search for a nonce in a browser: core's sources, bundled for a page as anybody's build would do it. */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { jobOfText, naiveSearch } from '../../core/test/support/seal-jobs.ts'
import { describeWith } from '../../core/test/support/where.ts'
import { browse, CHROMIUM, serve } from './support/http-browser.ts'

const JOB = jobOfText('a browser', '000fffff')

const SCRIPT = `
  import { fastestKernel, simdKernels } from '@bc/core/kernel'
  const job = ${JSON.stringify(JOB)}
  const salt = crypto.getRandomValues(new Uint8Array(16)).join()
  const chosen = fastestKernel(simdKernels(), { now: () => performance.now(), salt })
  const found = [...simdKernels(), chosen].map(({ name, searchNonce }) => [name, String(searchNonce(job, 0n, 1e6))])
  // Until one is chosen; no nonce meets a target of zeros.
  const never = { ...job, target: '0'.repeat(64) }
  for (let i = 0; i < 1_000 && chosen.name === 'several in turns'; i++) chosen.searchNonce(never, 0n, 16_384)
  await fetch('/done', { method: 'POST', body: JSON.stringify({ found, chosen: chosen.name }) })
`

describeWith(CHROMIUM !== undefined, 'no chromium here: apt-get install chromium', 'in a real browser', () => {
  it('a page finds what Node finds', { timeout: 180_000 }, async () => {
    const { outputFiles } = await build({
      stdin: { contents: SCRIPT, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      conditions: ['source'],
      write: false,
    })
    const page = await serve(`<!doctype html><script type="module">${outputFiles[0]?.text}</script>`)
    try {
      await browse(`http://127.0.0.1:${page.port}/`, [], page.done)
    } finally {
      page.server.close()
    }
    const nonce = String(naiveSearch(JOB, 0n, 100_000))
    const { found, chosen } = JSON.parse(await page.done)
    expect(found).toEqual([
      ['simd-8', nonce],
      ['simd-4', nonce],
      ['several in turns', nonce],
    ])
    expect(['simd-8', 'simd-4']).toContain(chosen)
  })
})
