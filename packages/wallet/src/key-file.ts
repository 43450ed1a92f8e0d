/**
 * The encrypted key file: one secret under one passphrase, as one JSON document. Text in, text out.
 *
 *     {"address", "cipher", "ciphertext", "kdf": {"n", "name", "p", "r", "salt"}, "nonce", "version"}
 *
 *     key         scrypt(passphrase as UTF-8 in NFKD, salt, n, r, p), 32 bytes
 *     ciphertext  XChaCha20-Poly1305 of the secret's 32 bytes: they and the tag, 48 bytes
 *     bound by it the canonical JSON of all the other fields, so none of them can be exchanged for another
 *
 * The address stands in clear: to list keys, or to be paid, takes no passphrase. Not part of the package's main face,
 * since whoever signs with a bare secret needs no cipher.
 */
import { type ScryptOptions, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { type Address, canonicalJson, isJsonObject, type JsonValue, parseAddress, parseJson, RuleError } from '@bc/core'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { addressOf, parseSecret, type Secret } from './secret.ts'

/** What one guess at the passphrase costs: 128 * n * r bytes of memory, and time in proportion to n * r * p. */
export type ScryptCost = {
  readonly n: number
  readonly r: number
  readonly p: number
}

/** What OWASP's "Password Storage" asks of scrypt: 128 MiB for each guess, and some 0.4 s. */
export const DEFAULT_COST: ScryptCost = { n: 2 ** 17, r: 8, p: 1 }

/**
 * A file says what its key costs, so a file could ask for all of a machine's memory, or for a passphrase that is
 * guessed in no time: 16 MiB at least, 512 MiB at most.
 */
const LEAST_N = 2 ** 14
const MOST_N = 2 ** 19
const MOST_P = 4

const VERSION = 1
const CIPHER = 'xchacha20-poly1305'
const KDF = 'scrypt'

const SALT_BYTES = 32
const NONCE_BYTES = 24
const SECRET_BYTES = 32
const TAG_BYTES = 16
const KEY_BYTES = 32

/** How many random bytes one {@link sealSecret} takes: a salt and a nonce. */
export const SEAL_ENTROPY_BYTES = SALT_BYTES + NONCE_BYTES

/** A document has some 500 bytes. */
const LIMITS = { maxBytes: 4096, maxDepth: 2 }

export type KeyFile = {
  readonly address: Address
  readonly cipher: typeof CIPHER
  /** 48 bytes in hex. */
  readonly ciphertext: string
  /** The salt is 32 bytes in hex. */
  readonly kdf: ScryptCost & { readonly name: typeof KDF; readonly salt: string }
  /** 24 bytes in hex. */
  readonly nonce: string
  readonly version: typeof VERSION
}

/** `form`: that text is no key file. `passphrase`: it doesn't open with this passphrase, or was changed since. */
export type KeyFileFault = 'form' | 'passphrase'

export class KeyFileError extends Error {
  override readonly name = 'KeyFileError'
  readonly code: `wallet.${KeyFileFault}`

  constructor(fault: KeyFileFault, message: string) {
    super(message)
    this.code = `wallet.${fault}`
  }
}

/**
 * @param entropy {@link SEAL_ENTROPY_BYTES} random bytes, for this one file
 * @returns the document, in canonical JSON
 * @throws RangeError for another length, an empty passphrase or a cost out of bounds: bugs of the caller
 */
export async function sealSecret(
  secret: Secret,
  passphrase: string,
  entropy: Uint8Array,
  { n, r, p }: ScryptCost = DEFAULT_COST,
): Promise<string> {
  if (entropy.length !== SEAL_ENTROPY_BYTES)
    throw new RangeError(`a key file takes ${SEAL_ENTROPY_BYTES} bytes of entropy, not ${entropy.length}`)
  if (passphrase === '') throw new RangeError('a passphrase is not empty')
  if (!isAffordable({ n, r, p })) throw new RangeError(`a key file can't cost n ${n}, r ${r}, p ${p}`)
  const open: Omit<KeyFile, 'ciphertext'> = {
    address: addressOf(secret),
    cipher: CIPHER,
    kdf: { n, name: KDF, p, r, salt: bytesToHex(entropy.subarray(0, SALT_BYTES)) },
    nonce: bytesToHex(entropy.subarray(SALT_BYTES)),
    version: VERSION,
  }
  const cipher = await cipherOf(open, passphrase)
  return jsonOf({ ...open, ciphertext: bytesToHex(cipher.encrypt(hexToBytes(secret))) })
}

/**
 * The form alone: that the address is the secret's is for {@link openKeyFile} to find out.
 * @throws KeyFileError `wallet.form`
 */
export function parseKeyFile(text: string): KeyFile {
  const value = jsonIn(text)
  if (!isJsonObject(value)) throw form('it is no JSON object')
  if (value.version !== VERSION) throw form(`its version is not ${VERSION}`)
  const wrong = wrongField(value, FIELDS)
  if (wrong !== undefined) throw form(`${wrong} is not what it should be`)
  if (!isAffordable(value.kdf as unknown as ScryptCost))
    throw form(`its scrypt parameters are out of bounds: n from 2^14 to 2^19, r 8, p from 1 to ${MOST_P}`)
  return value as unknown as KeyFile
}

/**
 * @throws KeyFileError `wallet.passphrase`, also where any field is not the one that was written: the cipher can't
 *   tell the two apart
 */
export async function openKeyFile(file: KeyFile, passphrase: string): Promise<Secret> {
  const { ciphertext, ...open } = file
  const cipher = await cipherOf(open, passphrase)
  const secret = parseSecret(bytesToHex(opened(() => cipher.decrypt(hexToBytes(ciphertext)))))
  // Only somebody who had the passphrase can have written such a file.
  if (secret === undefined || addressOf(secret) !== file.address) throw form("its secret isn't its address's")
  return secret
}

async function cipherOf(open: Omit<KeyFile, 'ciphertext'>, passphrase: string) {
  const { n, r, p, salt } = open.kdf
  // One passphrase has one spelling, whichever keyboard composed its letters.
  const password = passphrase.normalize('NFKD')
  const key = await derived(password, hexToBytes(salt), KEY_BYTES, { N: n, r, p, maxmem: memoryOf({ n, r, p }) })
  return xchacha20poly1305(key, hexToBytes(open.nonce), utf8ToBytes(jsonOf(open)))
}

/** OpenSSL's: it takes half as long as any in JavaScript, and leaves the event loop alone. */
const derived = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt)

/** What OpenSSL counts: RFC 7914's V of n blocks, two to work in, and p of B. */
function memoryOf({ n, r, p }: ScryptCost): number {
  return 128 * r * (n + 2 + p)
}

function jsonOf(file: KeyFile | Omit<KeyFile, 'ciphertext'>): string {
  return canonicalJson(file)
}

function opened(decrypt: () => Uint8Array): Uint8Array {
  try {
    return decrypt()
  } catch (error) {
    // Noble has no code for it, only this word. All lengths were checked, so anything else is a bug.
    if (error instanceof Error && error.message === 'invalid tag')
      throw new KeyFileError('passphrase', 'The passphrase is wrong, or the key file was changed.')
    throw error
  }
}

function isAffordable({ n, r, p }: ScryptCost): boolean {
  return n >= LEAST_N && n <= MOST_N && Number.isInteger(Math.log2(n)) && r === 8 && p >= 1 && p <= MOST_P
}

type Check = (value: JsonValue | undefined) => boolean
type Fields = Readonly<Record<string, Check>>

const isNumber: Check = (value) => typeof value === 'number'
const is =
  (expected: string | number): Check =>
  (value) =>
    value === expected
const isBytes =
  (count: number): Check =>
  (value) =>
    typeof value === 'string' && value.length === 2 * count && /^[0-9a-f]+$/.test(value)
const KDF_FIELDS: Fields = { n: isNumber, name: is(KDF), p: isNumber, r: isNumber, salt: isBytes(SALT_BYTES) }
const FIELDS: Fields = {
  address: (value) => parseAddress(value) !== undefined,
  cipher: is(CIPHER),
  ciphertext: isBytes(SECRET_BYTES + TAG_BYTES),
  kdf: (value) => wrongField(value, KDF_FIELDS) === undefined,
  nonce: isBytes(NONCE_BYTES),
  version: is(VERSION),
}

/** The first field that is missing, wrong or unknown. */
function wrongField(value: JsonValue | undefined, fields: Fields): string | undefined {
  if (!isJsonObject(value)) return 'the whole'
  const missing = Object.keys(fields).find((field) => !fields[field]?.(value[field]))
  return missing ?? (Object.keys(value).length > Object.keys(fields).length ? 'an unknown field' : undefined)
}

function jsonIn(text: string): JsonValue {
  try {
    return parseJson(text, LIMITS)
  } catch (error) {
    if (error instanceof RuleError) throw form(error.message)
    throw error
  }
}

function form(fault: string): KeyFileError {
  return new KeyFileError('form', `This is no key file of bc: ${fault.replace(/\.$/, '')}.`)
}
