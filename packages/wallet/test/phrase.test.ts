import { createHash } from 'node:crypto'
import { parseSecret, type Secret } from '@bc/wallet'
import { phraseOf, secretOfPhrase } from '@bc/wallet/phrase'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { N } from './bytes.ts'

/** BIP-39's published vectors of 256 bits (trezor/python-mnemonic, vectors.json). */
const VECTORS = [
  [
    '7f'.repeat(32),
    'legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title',
  ],
  [
    '80'.repeat(32),
    'letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless',
  ],
  [
    '68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c',
    'hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length',
  ],
] as const

/** The mapping by hand: 256 bits and the first 8 of their SHA-256, 11 bits a word. */
function wordsOf(hex: string): string {
  const sum = createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex').slice(0, 2)
  const bits = BigInt(`0x${hex}${sum}`).toString(2).padStart(264, '0')
  return (bits.match(/.{11}/g) ?? []).map((index) => wordlist[Number.parseInt(index, 2)]).join(' ')
}

describe('a phrase', () => {
  test.each(VECTORS)('of %s, as published', (hex, phrase) => {
    expect(phraseOf(hex as Secret)).toBe(phrase)
    expect(secretOfPhrase(phrase)).toBe(hex)
  })

  test('and its secret are two spellings of one thing', () => {
    const secrets = fc.bigInt(1n, N - 1n).map((number) => number.toString(16).padStart(64, '0'))
    fc.assert(
      fc.property(secrets, (hex) => {
        expect(phraseOf(parseSecret(hex) as Secret)).toBe(wordsOf(hex))
        expect(secretOfPhrase(wordsOf(hex))).toBe(hex)
      }),
    )
  })

  test('is read in any case and over several lines', () => {
    const [hex, phrase] = VECTORS[2]
    expect(secretOfPhrase(`\n ${phrase.toUpperCase().replaceAll(' ', ' \r\n\t')}\n`)).toBe(hex)
  })
})

describe('refused, without repeating a word', () => {
  const phrase = VECTORS[2][1]
  test.each([
    ['nothing', '', /A phrase has 24 words, and this has 1\./],
    ['23 words', phrase.replace(/ \w+$/, ''), /this has 23\./],
    [
      '12 words, which are half a secret',
      'legal winner thank year wave sausage worth useful legal winner thank yellow',
      /this has 12\./,
    ],
    ['a word of no list', phrase.replace('dutch', 'dutsch'), /Word 4 of the phrase is not in the English list/],
    ['two words exchanged', phrase.replace('hamster diagram', 'diagram hamster'), /checksum doesn't agree/],
    ['another word of the list', phrase.replace('length', 'zoo'), /checksum doesn't agree/],
    ['zero', wordsOf('0'.repeat(64)), /is no secret of secp256k1/],
    ['the order of the curve', wordsOf(N.toString(16)), /is no secret of secp256k1/],
    ['all ones', wordsOf('f'.repeat(64)), /is no secret of secp256k1/],
  ])('%s', (_name, text, reason) => {
    expect(() => secretOfPhrase(text)).toThrow(reason)
    expect(() => secretOfPhrase(text)).toThrow(expect.objectContaining({ name: 'PhraseError', code: 'wallet.phrase' }))
    expect(() => secretOfPhrase(text)).not.toThrow(/dutsch|hamster|legal/)
  })
})
