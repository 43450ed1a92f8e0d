/** A Node whose OpenSSL was built without secp256k1. */
import { addressOf, type Secret } from '@bc/wallet'
import { expect, test, vi } from 'vitest'

const createECDH = vi.hoisted(() => vi.fn())
vi.mock('node:crypto', async (actual) => ({ ...(await actual<typeof import('node:crypto')>()), createECDH }))

const ONE = `${'0'.repeat(63)}1` as Secret

test('a signer makes the public key', () => {
  createECDH.mockImplementation(() => {
    throw Object.assign(new TypeError('Invalid EC curve name'), { code: 'ERR_CRYPTO_INVALID_CURVE' })
  })
  expect(addressOf(ONE)).toMatch(/^0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798/)
  expect(createECDH).toHaveBeenCalledOnce()
})

test('any other failure is told', () => {
  createECDH.mockImplementation(() => {
    throw new Error('out of memory')
  })
  expect(() => addressOf(ONE)).toThrow('out of memory')
})
