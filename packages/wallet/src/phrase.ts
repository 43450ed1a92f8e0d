/**
 * A secret as 24 words to write on paper (BIP-39, English list): the phrase's 32 bytes of entropy are the secret itself.
 *
 * So a phrase and its secret are two spellings of one thing, and either is made from the other with a word list and
 * SHA-256 for the checksum, nothing else. BIP-39's own next step, PBKDF2 to a seed for many keys (BIP-32), isn't taken:
 * here one phrase is one key. Another wallet takes the same words for a seed, and finds other keys in them.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { entropyToMnemonic, mnemonicToEntropy, validateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { parseSecret, type Secret } from './secret.ts'

const WORDS = 24

/** The user's mistake. The message names places and never repeats a word: each is a part of a secret. */
export class PhraseError extends Error {
  override readonly name = 'PhraseError'
  readonly code = 'wallet.phrase'
}

/** 24 words with one space between them. */
export function phraseOf(secret: Secret): string {
  return entropyToMnemonic(hexToBytes(secret), wordlist)
}

/**
 * @param text 24 words in any case, with any white space between them
 * @throws PhraseError for another number of words, a word that isn't in the list, a wrong checksum, or (one phrase in
 *   2^127) a number that is no secret
 */
export function secretOfPhrase(text: string): Secret {
  const words = text.trim().toLowerCase().split(/\s+/)
  if (words.length !== WORDS) throw new PhraseError(`A phrase has ${WORDS} words, and this has ${words.length}.`)
  const unknown = words.findIndex((word) => !wordlist.includes(word))
  if (unknown >= 0) throw new PhraseError(`Word ${unknown + 1} of the phrase is not in the English list of BIP-39.`)
  const phrase = words.join(' ')
  if (!validateMnemonic(phrase, wordlist))
    throw new PhraseError("The phrase's checksum doesn't agree: a word is wrong, or two have changed places.")
  const secret = parseSecret(bytesToHex(mnemonicToEntropy(phrase, wordlist)))
  if (secret === undefined) throw new PhraseError('The phrase spells a number that is no secret of secp256k1.')
  return secret
}
