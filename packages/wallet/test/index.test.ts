import { expect, test } from 'vitest'
import * as wallet from '../src/index.ts'

test('the public face of @bc/wallet', () => {
  expect(Object.keys(wallet).sort()).toEqual([
    'WrongSecretError',
    'addressOf',
    'bestVerifier',
    'nativeVerifier',
    'nobleVerifier',
    'parseSecret',
    'secretFromEntropy',
    'signPayload',
    'signTransaction',
  ])
})
