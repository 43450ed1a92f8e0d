/** A machine with neither a prebuilt binary nor WebAssembly (`node --jitless`), whose best is found once. */
import { bestSigner, bestVerifier, nobleSigner, nobleVerifier, wasmSigner, wasmVerifier } from '@bc/wallet'
import { afterAll, expect, test, vi } from 'vitest'

vi.stubEnv('npm_config_platform', 'linux')
vi.stubEnv('npm_config_arch', 'riscv64')
vi.stubGlobal('WebAssembly', undefined)
afterAll(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})

test('wasmVerifier is undefined, and bestVerifier is noble', () => {
  expect(wasmVerifier()).toBeUndefined()
  expect(bestVerifier()).toBe(nobleVerifier)
})

test('wasmSigner is undefined, and bestSigner is noble', () => {
  expect(wasmSigner()).toBeUndefined()
  expect(bestSigner()).toBe(nobleSigner)
})
