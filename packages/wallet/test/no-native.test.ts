/** A machine without a prebuilt binary. In a file of its own: node-gyp-build reads the architecture once, when loaded. */
import { bestSigner, bestVerifier, nativeSigner, nativeVerifier, nobleSigner, nobleVerifier } from '@bc/wallet'
import { afterAll, expect, test, vi } from 'vitest'

vi.stubEnv('npm_config_platform', 'linux')
vi.stubEnv('npm_config_arch', 'riscv64')
afterAll(() => {
  vi.unstubAllEnvs()
})

test('nativeVerifier is undefined, and bestVerifier is noble', () => {
  expect(nativeVerifier()).toBeUndefined()
  expect(bestVerifier()).toBe(nobleVerifier)
})

test('nativeSigner is undefined, and bestSigner is noble', () => {
  expect(nativeSigner()).toBeUndefined()
  expect(bestSigner()).toBe(nobleSigner)
})
