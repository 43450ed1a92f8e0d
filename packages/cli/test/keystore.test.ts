/** Stored keys: what their commands do, and what they refuse. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { secretOfPhrase } from '@bc/wallet/phrase'
import { describe, expect, test } from 'vitest'
import { command, expectFailure, ROOT } from './commands.ts'
import { ALICE, BOB, CHAIN, PLAIN_SIGNATURE } from './keys.ts'
import { emptyKeystore, keystoreOf, PASSPHRASE } from './keystores.ts'
import { temporaryFolder } from './nodes.ts'

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
const PLACE = ['--nonce', '0', '--chain', CHAIN]

describe('bc key', () => {
  test('new stores a key, prints its address, and neither secret nor phrase', async () => {
    const { folder, bc, output } = emptyKeystore()
    const run = await bc(['key', 'new', 'alice'])
    expect(run).toMatchObject({ code: 0, stderr: '' })
    const key = JSON.parse(run.stdout)
    expect(Object.keys(key)).toEqual(['address', 'name'])
    expect(mode(folder)).toBe('700')
    expect(readdirSync(folder)).toEqual(['alice.json'])
    expect(mode(`${folder}/alice.json`)).toBe('600')
    const { secret } = JSON.parse(await output(['key', 'export', 'alice']))
    expect(await output(['key', 'address', '-'], { input: secret })).toBe(`${key.address}\n`)
    expect(await output(['key', 'address', 'alice'])).toBe(`${key.address}\n`)
  })

  test('new --phrase: the words that bring the key back', async () => {
    const { output, bc } = emptyKeystore()
    const { address, phrase } = JSON.parse(await output(['key', 'new', 'alice', '--phrase']))
    expect(JSON.parse(await output(['key', 'export', 'alice', '--phrase']))).toEqual({ address, phrase })
    expect(JSON.parse(await output(['key', 'import', 'again'], { input: `${phrase}\n` }))).toEqual({
      address,
      name: 'again',
    })
    const bare = JSON.parse((await bc(['key', 'new', '--phrase'])).stdout)
    expect(secretOfPhrase(bare.phrase)).toBe(bare.secret)
  })

  test('list, show and remove need no passphrase', async () => {
    const { folder, output, bc } = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
    const env = { BC_PASSPHRASE_FILE: '/no/such/file' }
    const listed = {
      keys: [
        { address: ALICE.address, name: 'alice' },
        { address: BOB.address, name: 'bob' },
      ],
      length: 2,
    }
    expect(JSON.parse(await output(['key', 'list'], { env }))).toEqual(listed)
    expect(JSON.parse(await output(['key', 'show', 'bob'], { env }))).toEqual({
      address: BOB.address,
      file: `${folder}/bob.json`,
      name: 'bob',
    })
    expectFailure(await bc(['key', 'remove', 'bob'], { env }), 2, /no terminal to ask at .* --yes says so/)
    expect(existsSync(`${folder}/bob.json`)).toBe(true)
    expect(JSON.parse(await output(['key', 'remove', 'bob', '--yes'], { env }))).toMatchObject({ name: 'bob' })
    expect(readdirSync(folder)).toEqual(['alice.json'])
    expectFailure(await bc(['key', 'show', 'bob'], { env }), 2, /there is no key of that name in .*: bc key list/)
  })

  test('list of nothing makes no folder', async () => {
    const { folder, output } = emptyKeystore()
    expect(await output(['key', 'list'])).toBe('{"keys": [], "length": 0}\n')
    expect(existsSync(folder)).toBe(false)
  })

  test('import takes digits, JSON and words, from standard input or @FILE', async () => {
    const { output } = emptyKeystore()
    const exported = await output(['key', 'import', 'a'], { input: ` ${ALICE.secret}\n` })
    expect(JSON.parse(exported)).toEqual({ address: ALICE.address, name: 'a' })
    const file = `${temporaryFolder()}/key`
    for (const [i, how] of [[], ['--phrase']].entries()) {
      writeFileSync(file, await output(['key', 'export', 'a', ...how]), { mode: 0o600 })
      expect(JSON.parse(await output(['key', 'import', `b${i}`, `@${file}`]))).toMatchObject({ address: ALICE.address })
    }
  })

  test.each([
    ['digits too few', ALICE.secret.slice(1), /no secret and no phrase of 24 words: it is 64/],
    ['zero', '0'.repeat(64), /below the order of secp256k1/],
    ['JSON of something else', '{"address": "x"}', /no secret and no phrase/],
    ['an unknown word', `${'abandon '.repeat(23)}cannary`, /Word 24 of the phrase is not in the English list/],
    ['a wrong checksum', `${'zoo '.repeat(23)}zoo`, /checksum doesn't agree/],
    ['zero in words', `${'abandon '.repeat(23)}art`, /no secret of secp256k1/],
    ['12 words', `${'abandon '.repeat(11)}about`, /A phrase has 24 words, and this has 12/],
  ])('import refuses %s, and repeats none of it', async (_name, input, reason) => {
    const { folder, bc } = emptyKeystore()
    const run = await bc(['key', 'import', 'alice'], { input })
    expectFailure(run, 2, reason)
    expect(run.stderr).not.toMatch(/abandon|cannary|zoo|0{60}/)
    expect(existsSync(folder)).toBe(false)
  })

  test('import takes no secret from the command line', async () => {
    const { bc } = emptyKeystore()
    const run = await bc(['key', 'import', 'alice', ALICE.secret])
    expectFailure(run, 2, /SOURCE is - for standard input or @FILE/)
    expect(run.stderr).not.toContain(ALICE.secret)
  })

  test('nothing is written over a key, by new or by import', async () => {
    const { folder, bc } = await keystoreOf({ alice: ALICE.secret })
    const before = readFileSync(`${folder}/alice.json`)
    expectFailure(await bc(['key', 'new', 'alice']), 2, /has a key alice already, and nothing is written over it/)
    expectFailure(await bc(['key', 'import', 'alice'], { input: BOB.secret }), 2, /already/)
    expect(readFileSync(`${folder}/alice.json`)).toEqual(before)
  })

  test('of two that take a name at once, one has it', async () => {
    const { folder, bc } = emptyKeystore()
    const runs = await Promise.all([1, 2, 3].map(() => bc(['key', 'new', 'alice'])))
    expect(runs.map(({ code }) => code).sort()).toEqual([0, 2, 2])
    const [winner] = runs.filter(({ code }) => code === 0)
    expect(JSON.parse(winner?.stdout ?? '').address).toBe(
      JSON.parse(readFileSync(`${folder}/alice.json`, 'utf8')).address,
    )
    expect(readdirSync(folder)).toEqual(['alice.json'])
  })

  test.each(['../alice', 'a/b', '.alice', 'alice.json', 'Alice', '5', '-', '@alice', 'a'.repeat(33), 'ä', ''])(
    '%j is no name',
    async (name) => {
      const { folder, bc } = emptyKeystore()
      const run = await bc(['key', 'new', '--', name])
      expectFailure(run, 2, /is no name for a key: a name is 1 to 32 of a-z, 0-9, _ and -, and starts with a letter/)
      expect(existsSync(folder)).toBe(false)
    },
  )

  test('a secret is no name, and whoever takes it for one repeats it nowhere', async () => {
    const { folder, bc } = emptyKeystore()
    for (const args of [['new'], ['import'], ['show'], ['export'], ['passphrase'], ['remove', '--yes']]) {
      const run = await bc(['key', ...args, ALICE.secret], { input: BOB.secret })
      expectFailure(run, 2, /is no name for a key/)
      expect(run.stderr).not.toContain(ALICE.secret)
    }
    expect(existsSync(folder)).toBe(false)
  })

  test('--keys goes before BC_KEYS, and an empty BC_KEYS is none', async () => {
    const { output, folder } = await keystoreOf({ alice: ALICE.secret })
    expect(await output(['key', 'list', '--keys', `${folder}/elsewhere`])).toContain('"length": 0')
    const home = temporaryFolder()
    const env = { BC_KEYS: '', HOME: home, XDG_DATA_HOME: '' }
    expect(await output(['key', 'list'], { env })).toContain('"length": 0')
    await output(['key', 'new', 'carol'], { env })
    const { file } = JSON.parse(await output(['key', 'show', 'carol'], { env }))
    expect(file).toMatch(new RegExp(`^${home}/.*/bc/keys/carol\\.json$`))
  })
})

describe('bc key passphrase', () => {
  /** A file that holds a passphrase. */
  function fileOf(passphrase: string): string {
    const file = `${temporaryFolder()}/passphrase`
    writeFileSync(file, passphrase, { mode: 0o600 })
    return file
  }

  test('changes it in place: name, address, secret and mode stay', async () => {
    const { folder, bc, output } = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
    const file = fileOf('another one\n')
    const changed = await bc(['key', 'passphrase', 'alice'], { env: { BC_NEW_PASSPHRASE_FILE: file } })
    expect(changed).toMatchObject({ code: 0, stdout: `{"address": "${ALICE.address}", "name": "alice"}\n`, stderr: '' })
    expect(readdirSync(folder)).toEqual(['alice.json', 'bob.json'])
    expect(mode(`${folder}/alice.json`)).toBe('600')
    expectFailure(await bc(['key', 'export', 'alice']), 2, /the passphrase is not that of alice/)
    const env = { BC_PASSPHRASE_FILE: file }
    const exported = JSON.parse(await output(['key', 'export', 'alice'], { env }))
    expect(exported).toEqual({ address: ALICE.address, secret: ALICE.secret })
    expect(await output(['key', 'export', 'bob'])).toContain(BOB.secret)
  })

  test('both from descriptors', async () => {
    const { env, output } = await keystoreOf({ alice: ALICE.secret })
    const script = '"$0" key passphrase alice --passphrase-fd 3 --new-passphrase-fd 4 3<"$1" 4<"$2"'
    const file = fileOf('another one')
    const files = [env.BC_PASSPHRASE_FILE as string, file]
    const all = { ...env, PATH: process.env.PATH, BC_PASSPHRASE_FILE: '/no/such/file', BC_NEW_PASSPHRASE_FILE: '/none' }
    execFileSync('/bin/sh', ['-c', script, `${ROOT}/bin/bc`, ...files], { env: all, stdio: 'pipe' })
    expect(await output(['key', 'export', 'alice'], { env: { BC_PASSPHRASE_FILE: file } })).toContain(ALICE.secret)
  })

  test.each<[string, string, string | undefined, number, RegExp]>([
    ['a wrong old one', 'guess', 'another', 2, /^bc: the passphrase is not that of alice, or /],
    ['an empty new one', PASSPHRASE, '\n', 2, /^bc: the passphrase is empty/],
    ['a new one of two lines', PASSPHRASE, 'a\nb', 2, /^bc: the passphrase is not one line/],
    [
      'no new one',
      PASSPHRASE,
      undefined,
      2,
      /^bc: a new passphrase is needed, .*: BC_NEW_PASSPHRASE_FILE names a file/,
    ],
  ])('%s leaves all as it was', async (_name, old, fresh, code, reason) => {
    const { folder, bc } = await keystoreOf({ alice: ALICE.secret })
    const before = readFileSync(`${folder}/alice.json`)
    const files = [fileOf(old), fresh === undefined ? '' : fileOf(fresh)] as const
    const env = { BC_PASSPHRASE_FILE: files[0], BC_NEW_PASSPHRASE_FILE: files[1] }
    expectFailure(await bc(['key', 'passphrase', 'alice'], { env }), code, reason)
    expect(readdirSync(folder)).toEqual(['alice.json'])
    expect(readFileSync(`${folder}/alice.json`)).toEqual(before)
  })

  test('of a key that is not there', async () => {
    const { bc, folder } = emptyKeystore()
    expectFailure(await bc(['key', 'passphrase', 'alice']), 2, /there is no key of that name/)
    expect(existsSync(folder)).toBe(false)
  })
})

describe('a KEY or an address by name', () => {
  test('bc sign alice bob 5 alice', async () => {
    const { output } = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
    expect(await output(['sign', 'alice', 'bob', '5', 'alice', ...PLACE])).toBe(`${PLAIN_SIGNATURE}\n`)
    expect(await output(['sign', ALICE.address, BOB.address, '5', '--key', 'alice', ...PLACE])).toBe(
      `${PLAIN_SIGNATURE}\n`,
    )
  })

  test('a name that nobody has, and what is neither', async () => {
    const { bc } = await keystoreOf({ alice: ALICE.secret })
    const sign = (...words: readonly string[]) => bc(['sign', ...words, ...PLACE])
    expectFailure(await sign('alice', 'bob', '5', 'alice'), 2, /RECIPIENT is no address: .*has no key of that name/)
    expectFailure(await sign('alice', 'alice', '5', 'bob'), 2, /there is no key of that name/)
    expectFailure(await bc(['key', 'address', 'bob']), 2, /^bc: there is no key of that name in .*: bc key list/)
    expectFailure(await sign('alice', 'alice', '5', 'Bob'), 2, /KEY is no secret and no name/)
    expectFailure(await sign('alice', 'alice', '5'), 2, /missing required argument 'KEY'/)
    expectFailure(await sign('alice', 'alice', '5', 'alice', '--key', 'alice'), 2, /are the same thing/)
  })

  test('the only key but not of the sender', async () => {
    const { bc } = await keystoreOf({ alice: ALICE.secret })
    const run = await bc(['sign', BOB.address, 'alice', '5', 'alice', ...PLACE])
    expectFailure(run, 2, `KEY is ${ALICE.address}'s secret and not SENDER's: nothing was signed.`)
  })
})

describe('the passphrase', () => {
  test('comes from a descriptor before it comes from the file', async () => {
    const { env, folder } = await keystoreOf({ alice: ALICE.secret })
    const script = '"$0" key export alice --passphrase-fd 3 3<"$1"'
    const file = `${temporaryFolder()}/passphrase`
    const run = (passphrase: string) => {
      writeFileSync(file, passphrase, { mode: 0o600 })
      const all = { ...env, PATH: process.env.PATH, BC_PASSPHRASE_FILE: '/no/such/file' }
      return execFileSync('/bin/sh', ['-c', script, `${ROOT}/bin/bc`, file], {
        env: all,
        encoding: 'utf8',
        stdio: 'pipe',
      })
    }
    expect(readdirSync(folder)).toEqual(['alice.json'])
    for (const passphrase of [PASSPHRASE, `${PASSPHRASE}\n`, `${PASSPHRASE}\r\n`, PASSPHRASE.normalize('NFD')])
      expect(run(passphrase)).toContain(ALICE.secret)
    expect(() => run(`${PASSPHRASE} `)).toThrow(/the passphrase is not that of alice/)
  })

  test.each([
    ['empty', '', /the passphrase is empty/],
    ['a line end', '\n', /the passphrase is empty/],
    ['two lines', 'one\ntwo\n', /the passphrase is not one line/],
    ['no UTF-8', Buffer.from([0xff, 0xfe, 0x41]), /the passphrase is not UTF-8/],
    ['endless', 'x'.repeat(5000), /it is longer than 4096 bytes/],
  ])('%s is refused, for a new key and for an old one', async (_name, content, reason) => {
    const { folder, bc } = await keystoreOf({ alice: ALICE.secret })
    const file = `${temporaryFolder()}/passphrase`
    writeFileSync(file, content, { mode: 0o600 })
    for (const args of [
      ['new', 'bob'],
      ['export', 'alice'],
    ])
      expectFailure(await bc(['key', ...args], { env: { BC_PASSPHRASE_FILE: file } }), 2, reason)
    expect(readdirSync(folder)).toEqual(['alice.json'])
  })

  test('where there is none and no terminal, it says where one may come from', async () => {
    const { bc, folder } = emptyKeystore()
    const run = await bc(['key', 'new', 'alice'], { env: { BC_PASSPHRASE_FILE: '' } })
    expectFailure(run, 2, /no terminal to ask at: BC_PASSPHRASE_FILE names a file .* --passphrase-fd a descriptor/)
    expectFailure(await bc(['key', 'new', 'alice', '--passphrase-fd', 'x']), 2, /A descriptor is a number/)
    expectFailure(await bc(['key', 'new', 'alice', '--passphrase-fd', '999']), 2, /descriptor 999: nothing was opened/)
    expect(existsSync(folder)).toBe(false)
  })

  test('a file that others can read is warned of', async () => {
    const { bc, env } = emptyKeystore()
    chmodSync(env.BC_PASSPHRASE_FILE as string, 0o644)
    const run = await bc(['key', 'new', 'alice'])
    expect(run).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^bc: warning: others can read .*chmod 600.*\n$/),
    })
  })

  test('a wrong one is the mistake of who gave it: no node has refused anything', async () => {
    const { bc, folder } = await keystoreOf({ alice: ALICE.secret })
    const file = `${temporaryFolder()}/passphrase`
    writeFileSync(file, 'guess', { mode: 0o600 })
    const env = { BC_PASSPHRASE_FILE: file }
    for (const args of [
      ['key', 'export', 'alice'],
      ['sign', 'alice', 'alice', '5', 'alice', ...PLACE],
    ])
      expectFailure(
        await bc(args, { env }),
        2,
        `bc: the passphrase is not that of alice, or ${folder}/alice.json was changed since it was written.\n`,
      )
  })
})

// Windows has no such bits.
describe.skipIf(process.platform === 'win32')('what is open to others is refused, and not repaired', () => {
  test.each(['755', '750', '701', '770'])('a folder of mode %s', async (bits) => {
    const { folder, bc } = await keystoreOf({ alice: ALICE.secret })
    chmodSync(folder, Number.parseInt(bits, 8))
    for (const args of [['list'], ['show', 'alice'], ['export', 'alice'], ['new', 'bob'], ['remove', 'alice', '--yes']])
      expectFailure(
        await bc(['key', ...args]),
        1,
        `${folder} can't be used: it is open to others: run chmod 700 on it.`,
      )
    expect(mode(folder)).toBe(bits)
    expect(readdirSync(folder)).toEqual(['alice.json'])
  })

  test.each(['644', '640', '604', '620', '601'])('a file of mode %s', async (bits) => {
    const { folder, bc, output } = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
    const file = `${folder}/alice.json`
    chmodSync(file, Number.parseInt(bits, 8))
    for (const args of [
      ['list'],
      ['show', 'alice'],
      ['export', 'alice'],
      ['passphrase', 'alice'],
      ['address', 'alice'],
    ])
      expectFailure(await bc(['key', ...args]), 1, `${file} can't be used: it is open to others: run chmod 600 on it.`)
    // The others go on.
    expect(await output(['key', 'address', 'bob'])).toBe(`${BOB.address}\n`)
    chmodSync(file, 0o600)
    expect(await output(['key', 'export', 'alice'])).toContain(ALICE.secret)
  })

  test.skipIf(process.getuid?.() !== 0)("somebody else's file or folder", async () => {
    const { folder, bc } = await keystoreOf({ alice: ALICE.secret })
    chownSync(`${folder}/alice.json`, 12345, 12345)
    expectFailure(await bc(['key', 'list']), 1, /alice\.json can't be used: it belongs to somebody else/)
    chownSync(folder, 12345, 12345)
    expectFailure(await bc(['key', 'list']), 1, /keys can't be used: it belongs to somebody else/)
  })

  test('a link, a pipe, a folder, a large file', async () => {
    const { folder, bc } = await keystoreOf({ alice: ALICE.secret })
    renameSync(`${folder}/alice.json`, `${folder}/elsewhere`)
    symlinkSync(`${folder}/elsewhere`, `${folder}/link.json`)
    execFileSync('mkfifo', ['-m', '600', `${folder}/pipe.json`])
    mkdirSync(`${folder}/folder.json`, { mode: 0o700 })
    writeFileSync(`${folder}/large.json`, ' '.repeat(5000), { mode: 0o600 })
    for (const [name, reason] of [
      ['link', 'it is a link'],
      ['pipe', 'it is no file'],
      ['folder', 'it is no file'],
      ['large', 'it is longer than 4096 bytes'],
    ])
      expectFailure(await bc(['key', 'export', name as string]), 1, `${folder}/${name}.json can't be used: ${reason}.`)
  })

  test('a folder that is a file', async () => {
    const { bc, folder } = emptyKeystore()
    writeFileSync(folder, '')
    expectFailure(await bc(['key', 'list']), 1, `${folder} can't be used: it is no folder.`)
  })

  test('a narrow or a wide umask makes no difference', async () => {
    for (const mask of ['000', '277']) {
      const { folder, env } = emptyKeystore()
      const script = `umask ${mask}; exec "$0" key new alice`
      execFileSync('/bin/sh', ['-c', script, `${ROOT}/bin/bc`], { env: { ...env, PATH: process.env.PATH } })
      expect([mode(folder), mode(`${folder}/alice.json`)]).toEqual(['700', '600'])
    }
  })
})

describe('a file that was changed', () => {
  /** One byte of each field, flipped so that the document is still a key file. */
  test.each(['ciphertext', 'nonce', 'salt'])('%s: nothing comes out', async (field) => {
    const { folder, bc } = await keystoreOf({ alice: ALICE.secret })
    const file = `${folder}/alice.json`
    const text = readFileSync(file, 'utf8')
    const at = text.indexOf(`"${field}": "`) + field.length + 6
    writeFileSync(file, text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1))
    expectFailure(await bc(['key', 'export', 'alice']), 2, /the passphrase is not that of alice, or .* was changed/)
  })

  test("another's file under this name, with the address exchanged", async () => {
    const { folder, bc, output } = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
    const text = readFileSync(`${folder}/bob.json`, 'utf8').replace(BOB.address, ALICE.address)
    writeFileSync(`${folder}/alice.json`, text)
    expectFailure(await bc(['key', 'export', 'alice']), 2, /was changed/)
    copyFileSync(`${folder}/bob.json`, `${folder}/alice.json`)
    expect(await output(['key', 'address', 'alice'])).toBe(`${BOB.address}\n`)
  })

  test('no key file at all, or one of a version to come', async () => {
    const keystore = emptyKeystore()
    const { folder } = keystore
    mkdirSync(folder, { mode: 0o700 })
    writeFileSync(`${folder}/alice.json`, '{"secret": 5}', { mode: 0o600 })
    for (const args of [['list'], ['export', 'alice'], ['new', 'alice']])
      expectFailure(await keystore.bc(['key', ...args]), 1, /alice\.json can't be used\. This is no key file of bc: /)
  })

  test('a file that asks for 4 GiB and more is refused before a byte of it is taken', async () => {
    const { folder, bc } = await keystoreOf({ alice: ALICE.secret })
    const file = `${folder}/alice.json`
    const text = readFileSync(file, 'utf8')
    for (const [from, to] of [
      ['"n": 16384', '"n": 4194304'],
      ['"r": 8', '"r": 1048576'],
      ['"p": 1', '"p": 1048576'],
      ['"n": 16384', '"n": 2'],
    ] as const) {
      writeFileSync(file, text.replace(from, to))
      expectFailure(await bc(['key', 'export', 'alice']), 1, /its scrypt parameters are out of bounds/)
    }
  })
})

describe('a write that is killed', () => {
  /** Loaded before bc: ends it without a warning when it calls this function of node:fs for the nth time. */
  const KILLER = `
    import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const [name, nth, half] = process.env.KILL_AT.split(' ')
    const real = fs[name]
    let calls = 0
    fs[name] = (...args) => {
      if (++calls < Number(nth)) return real(...args)
      if (half) real(args[0], args[1].slice(0, args[1].length / 2))
      process.kill(process.pid, 'SIGKILL')
    }
    syncBuiltinESMExports()`

  test.each([
    ['chmodSync 1', false],
    ['fchmodSync 1', false],
    ['writeFileSync 1', false],
    ['writeFileSync 1 half', false],
    ['fsyncSync 1', false],
    ['linkSync 1', false],
    ['rmSync 1', true],
    ['fsyncSync 2', true],
  ])('at %s leaves a new key whole or not at all', async (point, there) => {
    const { folder, bc, output } = emptyKeystore()
    const killer = `${temporaryFolder()}/killer.mjs`
    writeFileSync(killer, KILLER)
    const env = { NODE_OPTIONS: `--import=${killer}`, KILL_AT: point }
    const killed = await bc(['key', 'import', 'alice'], { input: ALICE.secret, env })
    expect(killed).toMatchObject({ code: null, signal: 'SIGKILL', stdout: '' })
    for (const file of readdirSync(folder)) expect(mode(`${folder}/${file}`)).toBe('600')
    expect(JSON.parse(await output(['key', 'list'])).length).toBe(there ? 1 : 0)
    const again = await bc(['key', 'import', 'alice'], { input: ALICE.secret })
    expect(again).toMatchObject({ code: there ? 2 : 0 })
    expect(await output(['key', 'export', 'alice'])).toContain(ALICE.secret)
  })

  test.each([
    ['fchmodSync 1', false],
    ['writeFileSync 1', false],
    ['writeFileSync 1 half', false],
    ['fsyncSync 1', false],
    ['renameSync 1', false],
    ['rmSync 1', true],
    ['fsyncSync 2', true],
  ])('at %s leaves the old passphrase or the new one', async (point, isNew) => {
    const { folder, env: old, bc, output } = await keystoreOf({ alice: ALICE.secret })
    const around = temporaryFolder()
    writeFileSync(`${around}/killer.mjs`, KILLER)
    writeFileSync(`${around}/new`, 'another', { mode: 0o600 })
    const env = {
      NODE_OPTIONS: `--import=${around}/killer.mjs`,
      KILL_AT: point,
      BC_NEW_PASSPHRASE_FILE: `${around}/new`,
    }
    expect(await bc(['key', 'passphrase', 'alice'], { env })).toMatchObject({ signal: 'SIGKILL', stdout: '' })
    for (const file of readdirSync(folder)) expect(mode(`${folder}/${file}`)).toBe('600')
    expect(JSON.parse(await output(['key', 'list'])).length).toBe(1)
    const now = isNew ? `${around}/new` : old.BC_PASSPHRASE_FILE
    expect(await output(['key', 'export', 'alice'], { env: { BC_PASSPHRASE_FILE: now } })).toContain(ALICE.secret)
  })
})

describe('nobody asks what is not needed', () => {
  test('no node is asked by any command of bc key', async () => {
    const { output } = await keystoreOf({ alice: ALICE.secret })
    const node = ['--node', 'http://127.0.0.1:9']
    for (const args of [['list'], ['show', 'alice'], ['export', 'alice'], ['address', 'alice'], ['new', 'bob']])
      await output(['key', ...args, ...node])
  })

  test('what the system says no to is a sentence', async () => {
    const { bc, env } = emptyKeystore()
    const run = await bc(['key', 'new', 'alice'], { env: { BC_KEYS: `${env.BC_PASSPHRASE_FILE}/keys` } })
    expectFailure(run, 1, /^bc: .*\/keys.* can't be used: ENOTDIR/)
  })
})

test('a launcher that is no bc knows names too', async () => {
  const { env } = await keystoreOf({ alice: ALICE.secret })
  const run = await command('sign', ['alice', BOB.address, '5', 'alice', ...PLACE], { env })
  expect(run).toMatchObject({ code: 0, stdout: `${PLAIN_SIGNATURE}\n`, stderr: '' })
})
