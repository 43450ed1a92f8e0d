import { expect, test } from 'vitest'
import * as wallet from '../src/index.ts'
import * as keyFile from '../src/key-file.ts'
import * as phrase from '../src/phrase.ts'

test('the public face of @bc/wallet', () => {
  expect(Object.keys(wallet).sort()).toEqual([
    'WrongSecretError',
    'addressOf',
    'bestSigner',
    'bestVerifier',
    'nativeSigner',
    'nativeVerifier',
    'nobleSigner',
    'nobleVerifier',
    'parseSecret',
    'secretFromEntropy',
    'signPayload',
    'signTransaction',
    'wasmSigner',
    'wasmVerifier',
  ])
})

test('@bc/wallet/key-file and @bc/wallet/phrase, apart from it: most who sign need no cipher and no list of words', () => {
  expect(Object.keys(keyFile).sort()).toEqual([
    'DEFAULT_COST',
    'KeyFileError',
    'SEAL_ENTROPY_BYTES',
    'openKeyFile',
    'parseKeyFile',
    'sealSecret',
  ])
  expect(Object.keys(phrase).sort()).toEqual(['PhraseError', 'phraseOf', 'secretOfPhrase'])
})
