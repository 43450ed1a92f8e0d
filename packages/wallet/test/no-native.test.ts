/** A machine without a prebuilt binary. In a file of its own: node-gyp-build reads the architecture once, when loaded. */
import { bestSigner, bestVerifier, nativeSigner, nativeVerifier } from '@bc/wallet'
import { afterAll, expect, test, vi } from 'vitest'

vi.stubEnv('npm_config_platform', 'linux')
vi.stubEnv('npm_config_arch', 'riscv64')
afterAll(() => {
  vi.unstubAllEnvs()
})

test('nativeVerifier is undefined, and bestVerifier is WebAssembly', () => {
  expect(nativeVerifier()).toBeUndefined()
  expect(bestVerifier().name).toBe('libsecp256k1 in WebAssembly')
})

test('nativeSigner is undefined, and bestSigner is WebAssembly', () => {
  expect(nativeSigner()).toBeUndefined()
  expect(bestSigner().name).toBe('libsecp256k1 in WebAssembly')
})
