import { createDecipheriv, scryptSync } from 'node:crypto'
import { canonicalJson, type JsonObject, parseJson } from '@bc/core'
import { addressOf, secretFromEntropy } from '@bc/wallet'
import {
  DEFAULT_COST,
  type KeyFileError,
  openKeyFile,
  parseKeyFile,
  SEAL_ENTROPY_BYTES,
  sealSecret,
} from '@bc/wallet/key-file'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { describe, expect, test } from 'vitest'

const SECRET = secretFromEntropy(new Uint8Array(32).fill(7))
const PASSPHRASE = 'correct horse 🐎 battery'
const ENTROPY = Uint8Array.from({ length: SEAL_ENTROPY_BYTES }, (_, i) => i)
/** A thirtieth of a second where the real one takes half of one. */
const CHEAP = { n: 2 ** 14, r: 8, p: 1 }

const sealed = () => sealSecret(SECRET, PASSPHRASE, ENTROPY, CHEAP)
const opened = async (text: string, passphrase = PASSPHRASE) => openKeyFile(parseKeyFile(text), passphrase)
const code = (code: string) => expect.objectContaining({ name: 'KeyFileError', code }) as KeyFileError
/** The document with some fields exchanged, its form kept. */
async function changed(change: (file: Record<string, unknown>) => void): Promise<string> {
  const file = JSON.parse(await sealed())
  change(file)
  return JSON.stringify(file)
}

/** HChaCha20 of draft-irtf-cfrg-xchacha-03, section 2.2, written down once more. */
function hchacha20(key: Uint8Array, nonce: Uint8Array): Buffer {
  const bytes = Buffer.concat([Buffer.from('expand 32-byte k'), key, nonce])
  const x = Uint32Array.from({ length: 16 }, (_, i) => bytes.readUInt32LE(4 * i))
  const at = (i: number) => x[i] as number
  const turn = (i: number, bits: number, by: number) => {
    const word = at(i) ^ by
    x[i] = (word << bits) | (word >>> (32 - bits))
  }
  const quarter = (a: number, b: number, c: number, d: number) => {
    for (const [first, second] of [
      [16, 12],
      [8, 7],
    ] as const) {
      x[a] = at(a) + at(b)
      turn(d, first, at(a))
      x[c] = at(c) + at(d)
      turn(b, second, at(c))
    }
  }
  for (let round = 0; round < 10; round++) {
    for (const i of [0, 1, 2, 3]) quarter(i, i + 4, i + 8, i + 12)
    for (const i of [0, 1, 2, 3]) quarter(i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4))
  }
  const subkey = Buffer.alloc(32)
  for (const [place, i] of [0, 1, 2, 3, 12, 13, 14, 15].entries()) subkey.writeUInt32LE(at(i), 4 * place)
  return subkey
}

describe('a key file', () => {
  test('HChaCha20 of this test, as the draft has it (section 2.2.1)', () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => i)
    const nonce = Buffer.from('000000090000004a0000000031415927', 'hex')
    expect(hchacha20(key, nonce).toString('hex')).toBe(
      '82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc',
    )
  })

  test('is opened by other code: scrypt and ChaCha20-Poly1305 of OpenSSL', async () => {
    const { ciphertext, ...open } = parseJson(await sealed()) as unknown as { ciphertext: string } & JsonObject
    const { kdf, nonce } = open as unknown as { kdf: { salt: string }; nonce: string }
    const salt = Buffer.from(kdf.salt, 'hex')
    const key = scryptSync(PASSPHRASE.normalize('NFKD'), salt, 32, { N: 2 ** 14, r: 8, p: 1, maxmem: 64 << 20 })
    const [long, bytes] = [Buffer.from(nonce, 'hex'), Buffer.from(ciphertext, 'hex')]
    const short = Buffer.concat([Buffer.alloc(4), long.subarray(16)])
    const subkey = hchacha20(key, long.subarray(0, 16))
    const decipher = createDecipheriv('chacha20-poly1305', subkey, short, { authTagLength: 16 })
    decipher.setAAD(Buffer.from(canonicalJson(open)), { plaintextLength: 32 })
    decipher.setAuthTag(bytes.subarray(32))
    const secret = Buffer.concat([decipher.update(bytes.subarray(0, 32)), decipher.final()])
    expect(secret.toString('hex')).toBe(SECRET)
  })

  test('of version 1 opens for ever: this one was written with the usual cost', async () => {
    const text =
      '{"address": "0319ab3f895311965c01ae310be81989528d8d13f7124d0414e4431e221bd72fe0ccfc86f9", "cipher": "xchacha20-poly1305", "ciphertext": "f2d2d52741055df97813da18fced08e7cce9e0f7fb8682459ab76239e97a5f1ba45e23710c330496e6b1f165adc0c08d", "kdf": {"n": 131072, "name": "scrypt", "p": 1, "r": 8, "salt": "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"}, "nonce": "dfdedddcdbdad9d8d7d6d5d4d3d2d1d0cfcecdcccbcac9c8", "version": 1}'
    expect(DEFAULT_COST).toEqual({ n: 131072, r: 8, p: 1 })
    expect(await opened(text)).toBe(SECRET)
  })

  test('shows its address and its cost, and neither the secret nor the passphrase', async () => {
    const text = await sealed()
    expect(parseKeyFile(text)).toMatchObject({
      version: 1,
      address: addressOf(SECRET),
      kdf: { name: 'scrypt', ...CHEAP },
    })
    expect(text).not.toContain(SECRET)
    expect(text).not.toContain('horse')
  })

  test('another salt or nonce is another file', async () => {
    const texts = await Promise.all(
      [0, 31, 32, 55].map((i) => sealSecret(SECRET, PASSPHRASE, ENTROPY.with(i, 255), CHEAP)),
    )
    expect(new Set([await sealed(), ...texts]).size).toBe(5)
  })

  test('one passphrase, however its letters were composed', async () => {
    const text = await sealSecret(SECRET, 'caf\u00e9 \ufb01', ENTROPY, CHEAP)
    expect(await opened(text, 'cafe\u0301 fi')).toBe(SECRET)
    await expect(opened(text, 'cafe fi')).rejects.toEqual(code('wallet.passphrase'))
  })

  test.each(['', PASSPHRASE.slice(1), ` ${PASSPHRASE}`, `${PASSPHRASE}\n`, PASSPHRASE.toUpperCase()])(
    'the passphrase %j is wrong',
    async (passphrase) => {
      await expect(opened(await sealed(), passphrase)).rejects.toEqual(code('wallet.passphrase'))
    },
  )
})

describe('a key file that was changed', () => {
  test('is refused, whichever of its bytes it was', async () => {
    const text = await sealed()
    const toOpen: string[] = []
    for (let i = 0; i < text.length; i++) {
      const flipped = text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ 1) + text.slice(i + 1)
      if (isForm(flipped)) toOpen.push(flipped)
    }
    // Digits of salt, nonce and ciphertext that stay hex digits: the cipher has to notice. Of these each eighth.
    expect(toOpen.length).toBeGreaterThan(150)
    for (const flipped of toOpen.filter((_, i) => i % 8 === 0))
      await expect(opened(flipped), flipped).rejects.toEqual(code('wallet.passphrase'))
  })

  function isForm(text: string): boolean {
    try {
      parseKeyFile(text)
      return true
    } catch (error) {
      expect(error).toEqual(code('wallet.form'))
      return false
    }
  }

  const other = addressOf(secretFromEntropy(new Uint8Array(32).fill(8)))
  test.each<[string, (file: Record<string, unknown>) => void]>([
    ["another's address", (file) => Object.assign(file, { address: other })],
    ['another cost', (file) => Object.assign(file.kdf as object, { n: 2 ** 15 })],
    ['more threads', (file) => Object.assign(file.kdf as object, { p: 2 })],
  ])('%s is noticed by the cipher', async (_name, change) => {
    await expect(opened(await changed(change))).rejects.toEqual(code('wallet.passphrase'))
  })

  test("a secret that isn't the address's is refused, though sealed with the right passphrase", async () => {
    const { ciphertext: _, ...open } = parseJson(await sealed()) as JsonObject
    const forged = { ...open, address: other }
    const key = scryptSync(PASSPHRASE.normalize('NFKD'), ENTROPY.subarray(0, 32), 32, { N: 2 ** 14, maxmem: 64 << 20 })
    for (const secret of [SECRET, '0'.repeat(64)]) {
      const cipher = xchacha20poly1305(key, ENTROPY.subarray(32), Buffer.from(canonicalJson(forged)))
      const ciphertext = Buffer.from(cipher.encrypt(Buffer.from(secret, 'hex'))).toString('hex')
      await expect(opened(JSON.stringify({ ...forged, ciphertext }))).rejects.toEqual(code('wallet.form'))
    }
  })
})

describe('what is no key file', () => {
  test.each<[string, (file: Record<string, unknown>) => void, RegExp]>([
    ['a version to come', (file) => Object.assign(file, { version: 2 }), /its version is not 1/],
    ['no version', (file) => delete file.version, /its version is not 1/],
    ['another cipher', (file) => Object.assign(file, { cipher: 'none' }), /cipher is not/],
    ['another kdf', (file) => Object.assign(file.kdf as object, { name: 'pbkdf2' }), /kdf is not/],
    ['a field more', (file) => Object.assign(file, { memo: '' }), /an unknown field/],
    ['a kdf field more', (file) => Object.assign(file.kdf as object, { x: 1 }), /kdf is not/],
    ['no nonce', (file) => delete file.nonce, /nonce is not/],
    ['a short salt', (file) => Object.assign(file.kdf as object, { salt: 'ab' }), /kdf is not/],
    ['upper case', (file) => Object.assign(file, { nonce: String(file.nonce).toUpperCase() }), /nonce is not/],
    ['no address', (file) => Object.assign(file, { address: 'alice' }), /address is not/],
    ['a null', (file) => Object.assign(file, { kdf: null }), /kdf is not/],
  ])('%s', async (_name, change, reason) => {
    const text = await changed(change)
    expect(() => parseKeyFile(text)).toThrow(reason)
    expect(() => parseKeyFile(text)).toThrow(code('wallet.form'))
  })

  test.each([
    ['n of 1', { n: 1 }],
    ['n below 16 MiB', { n: 2 ** 13 }],
    ['n above 512 MiB', { n: 2 ** 20 }],
    ['n that wraps around', { n: 2 ** 32 + 2 ** 17 }],
    ['n that is no power of two', { n: 2 ** 17 + 1 }],
    ['r of 1', { r: 1 }],
    ['r of 2^20', { r: 2 ** 20 }],
    ['p of 0', { p: 0 }],
    ['p of 5', { p: 5 }],
    ['p of 2^31', { p: 2 ** 31 }],
  ])('scrypt with %s is refused before a byte is derived', async (_name, cost) => {
    const text = await changed((file) => Object.assign(file.kdf as object, cost))
    expect(() => parseKeyFile(text)).toThrow(/scrypt parameters are out of bounds/)
  })

  test.each(['', '{', '[]', '"x"', 'null', `{"version": 1, "version": 1}`, ' '.repeat(5000)])('%.20j', (text) => {
    expect(() => parseKeyFile(text)).toThrow(code('wallet.form'))
  })
})

describe('bugs of a caller', () => {
  test.each([
    ['too little entropy', PASSPHRASE, ENTROPY.subarray(1), CHEAP],
    ['no passphrase', '', ENTROPY, CHEAP],
    ['too cheap', PASSPHRASE, ENTROPY, { n: 2, r: 8, p: 1 }],
  ])('%s', async (_name, passphrase, entropy, cost) => {
    await expect(sealSecret(SECRET, passphrase, entropy, cost)).rejects.toThrow(RangeError)
  })
})
