import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { asSource, compileKernel, TARGET } from '../assembly/build/compile.ts'

test('the compiled search is that of its source: npm run build:kernel', async () => {
  expect(readFileSync(TARGET, 'utf8')).toBe(asSource(await compileKernel()))
})
