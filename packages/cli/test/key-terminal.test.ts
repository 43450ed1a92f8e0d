/** Stored keys at a terminal: what is asked, what is shown, and what never is. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { describe, expect, test } from 'vitest'
import { ROOT } from './commands.ts'
import { ALICE, BOB, CHAIN } from './keys.ts'
import { emptyKeystore, keystoreOf, PASSPHRASE, type TestKeystore } from './keystores.ts'
import { temporaryFolder } from './nodes.ts'
import { describeOnTerminal, onTerminal, type Step, shellOnTerminal } from './terminal.ts'

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const CTRL_Z = '\u001a'
const ENTER = '\r'

const bcAt = ({ folder }: TestKeystore, args: readonly string[], steps: readonly Step[] = []) =>
  onTerminal('bc', [...args, '--keys', folder], steps)
const shellAt = ({ folder }: TestKeystore, script: string, steps: readonly Step[]) =>
  shellOnTerminal(['/bin/sh', '-c', `BC_KEYS='${folder}'; export BC_KEYS; ${script}`, `${ROOT}/bin/bc`], steps)

const TWICE: readonly Step[] = [
  ['New passphrase for alice: ', `${PASSPHRASE}${ENTER}`],
  ['Once more: ', `${PASSPHRASE}${ENTER}`],
]

describeOnTerminal('a new key', () => {
  test('its passphrase is asked for twice and not shown, its phrase is shown once', async () => {
    const keystore = emptyKeystore()
    const shown = await bcAt(keystore, ['key', 'new', 'alice'], TWICE)
    expect(shown).toMatchObject({ code: 0 })
    expect(shown.output).not.toContain(PASSPHRASE)
    const [, words = ''] = shown.output.match(/\nPhrase\n((?: {2}[a-z ]+\n){2,3})bc: write the 24 words down/) ?? []
    for (const line of shown.output.split('\n').slice(0, -3)) expect(line.length).toBeLessThanOrEqual(80)
    const phrase = words.trim().split(/\s+/)
    expect(phrase).toHaveLength(24)
    const { stdout } = await keystore.bc(['key', 'export', 'alice', '--phrase'])
    expect(JSON.parse(stdout).phrase).toBe(phrase.join(' '))
  })

  test('--json shows no phrase, unless it is asked for', async () => {
    const keystore = emptyKeystore()
    const shown = await bcAt(keystore, ['key', 'new', 'alice', '--json'], TWICE)
    expect(shown.output).toMatch(/\n\{"address": "0[23][0-9a-f]{72}", "name": "alice"\}\n$/)
  })

  test('both lines pasted at once', async () => {
    const keystore = emptyKeystore()
    const pasted = `${PASSPHRASE}${ENTER}${PASSPHRASE}${ENTER}`
    expect(await bcAt(keystore, ['key', 'new', 'alice'], [['New passphrase', pasted]])).toMatchObject({ code: 0 })
    expect(await keystore.bc(['key', 'export', 'alice'])).toMatchObject({ code: 0 })
  })

  test.each<[string, readonly Step[], RegExp]>([
    [
      'two that differ',
      [
        ['New', `a${ENTER}`],
        ['Once more: ', `b${ENTER}`],
      ],
      /the two passphrases differ: nothing/,
    ],
    ['an empty one', [['New', ENTER]], /the passphrase is empty/],
    ['Ctrl-D', [['New', CTRL_D]], /the answers ended too early: nothing was done/],
  ])('%s: nothing is stored', async (_name, steps, reason) => {
    const keystore = emptyKeystore()
    const shown = await bcAt(keystore, ['key', 'new', 'alice'], steps)
    expect(shown).toMatchObject({ code: 2, output: expect.stringMatching(reason) })
    expect(existsSync(keystore.folder)).toBe(false)
  })

  test('Ctrl-C ends it, and the terminal is sane afterwards', async () => {
    const shown = await bcAt(emptyKeystore(), ['key', 'new', 'alice'], [['New', CTRL_C]])
    expect(shown).toMatchObject({ code: null, signal: constants.signals.SIGINT })
    const script = 'trap : INT; "$0" key new alice < /dev/null; stty -a'
    const after = await shellAt(emptyKeystore(), script, [['New', CTRL_C]])
    expect(after.output).toMatch(/[ ;]icanon/)
    expect(after.output).toMatch(/[ ;]echo[ ;]/)
  })
})

describeOnTerminal('SIGHUP', () => {
  test.each(['new alice', 'import alice'])('of a terminal that is gone ends key %s as any program', async (words) => {
    const shown = await bcAt(emptyKeystore(), ['key', ...words.split(' ')], [['alice', null]])
    expect(shown).toMatchObject({ code: null, signal: constants.signals.SIGHUP })
  })

  test.each([
    ['a hidden question', 'new alice'],
    ['any other', 'remove alice'],
  ])('at %s ends it, and the terminal is sane afterwards', async (_name, words) => {
    const keystore = words.startsWith('new') ? emptyKeystore() : await keystoreOf({ alice: ALICE.secret })
    const pid = `${temporaryFolder()}/pid`
    const once = `until stty -a < /dev/tty | grep -q -- -icanon; do sleep 0.1; done; kill -HUP "$(cat '${pid}')"`
    const script = `{ ${once}; } & sh -c 'echo $$ > ${pid}; exec "$0" key ${words}' "$0"; echo "ended with $?"; stty -a`
    const after = await shellAt(keystore, script, [])
    expect(after.output).toContain(`ended with ${128 + constants.signals.SIGHUP}`)
    expect(after.output).toMatch(/[ ;]icanon/)
    expect(after.output).toMatch(/[ ;]echo[ ;]/)
  })
})

describeOnTerminal('Ctrl-Z and fg', () => {
  // With job control the shell goes on to its next command once the first is stopped.
  const stoppedOnce = (words: string) => `set -m; "$0" ${words}; echo away; fg; echo "ended with $?"`

  test('a hidden question is asked once more, and its answer stays hidden', async () => {
    const keystore = emptyKeystore()
    const steps: readonly Step[] = [['New passphrase for alice: ', `typed before${CTRL_Z}`], ['away', ''], ...TWICE]
    const shown = await shellAt(keystore, stoppedOnce('key new alice'), steps)
    expect(shown.output).toMatch(/\nended with 0\n$/)
    expect(shown.output.match(/New passphrase for alice: /g)).toHaveLength(2)
    expect(shown.output).not.toContain(PASSPHRASE)
    expect(await keystore.bc(['key', 'export', 'alice'])).toMatchObject({ code: 0 })
  })

  test('any other question too, and what was typed before is still there', async () => {
    const keystore = await keystoreOf({ alice: ALICE.secret })
    const steps: readonly Step[] = [
      ['Type alice to remove it: ', `ali${CTRL_Z}`],
      ['away', ''],
      ['Type alice to remove it: ', `ce${ENTER}`],
    ]
    const shown = await shellAt(keystore, stoppedOnce('key remove alice'), steps)
    expect(shown.output).toMatch(/\nended with 0\n$/)
    expect(existsSync(`${keystore.folder}/alice.json`)).toBe(false)
  })
})

describeOnTerminal('a key that is there', () => {
  test('the passphrase is asked for although standard input and all output are elsewhere', async () => {
    const keystore = await keystoreOf({ alice: ALICE.secret })
    const folder = temporaryFolder()
    const draft = { amount: 5, chain: CHAIN, fee: 0, nonce: 0, recipient: BOB.address, sender: ALICE.address }
    writeFileSync(`${folder}/tx.json`, JSON.stringify(draft))
    const script = `"$0" sign - --key alice < '${folder}/tx.json' > '${folder}/signed.json' 2> '${folder}/notes'; echo done`
    const shown = await shellAt(keystore, script, [['Passphrase of alice: ', `${PASSPHRASE}${ENTER}`]])
    expect(shown).toMatchObject({ code: 0, output: 'Passphrase of alice: \ndone\n' })
    expect(JSON.parse(readFileSync(`${folder}/signed.json`, 'utf8'))).toMatchObject({
      sender: ALICE.address,
      amount: 5,
    })
    expect(readFileSync(`${folder}/notes`, 'utf8')).toMatch(/^To be signed:\n/)
  })

  test('a wrong passphrase is one sentence', async () => {
    const keystore = await keystoreOf({ alice: ALICE.secret })
    const shown = await bcAt(keystore, ['key', 'export', 'alice'], [['Passphrase of alice: ', `wrong${ENTER}`]])
    expect(shown).toMatchObject({ code: 2, output: expect.stringMatching(/\nbc: the passphrase is not that of alice/) })
    expect(shown.output).not.toMatch(/wrong|^ {4}at /m)
  })

  test('export and list for people', async () => {
    const keystore = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
    const passphrase: Step = ['Passphrase of alice: ', `${PASSPHRASE}${ENTER}`]
    const exported = await bcAt(keystore, ['key', 'export', 'alice'], [passphrase])
    expect(exported.output).toContain(`Name     alice\nAddress\n  ${ALICE.address}\nSecret   ${ALICE.secret}\n`)
    const words = await bcAt(keystore, ['key', 'export', 'alice', '--phrase'], [passphrase])
    expect(words.output).toMatch(/\nPhrase\n {2}abandon abandon .*\n.* diesel\n$/s)
    const listed = await bcAt(keystore, ['key', 'list'])
    expect(listed.output).toBe(`alice\n  ${ALICE.address}\nbob\n  ${BOB.address}\n\n2 keys\n`)
  })

  describe('another passphrase', () => {
    const NEW = 'Шаг за шагом'
    const asked = (old: string, fresh: string, again: string): readonly Step[] => [
      ['Passphrase of alice: ', `${old}${ENTER}`],
      ['New passphrase for alice: ', `${fresh}${ENTER}`],
      ['Once more: ', `${again}${ENTER}`],
    ]

    test('the old one is asked for, the new one twice, and none is shown', async () => {
      const keystore = await keystoreOf({ alice: ALICE.secret })
      const shown = await bcAt(keystore, ['key', 'passphrase', 'alice'], asked(PASSPHRASE, NEW, NEW))
      expect(shown).toMatchObject({ code: 0, output: expect.stringContaining('\nalice has its new passphrase.\n') })
      expect(shown.output).not.toMatch(new RegExp(`${PASSPHRASE}|${NEW}`))
      const exported = await bcAt(keystore, ['key', 'export', 'alice'], [['of alice: ', `${NEW}${ENTER}`]])
      expect(exported.output).toContain(ALICE.secret)
    })

    test('all lines pasted at once', async () => {
      const keystore = await keystoreOf({ alice: ALICE.secret })
      const pasted = [PASSPHRASE, NEW, NEW].map((line) => `${line}${ENTER}`).join('')
      const shown = await bcAt(keystore, ['key', 'passphrase', 'alice'], [['Passphrase of alice: ', pasted]])
      expect(shown).toMatchObject({ code: 0 })
    })

    test.each<[string, readonly Step[], RegExp]>([
      ['a wrong old one', asked('wrong', '', '').slice(0, 1), /: \nbc: the passphrase is not that of alice/],
      ['two that differ', asked(PASSPHRASE, NEW, 'x'), /\nbc: the two passphrases differ: nothing was stored/],
      ['an empty one', asked(PASSPHRASE, '', '').slice(0, 2), /\nbc: the passphrase is empty/],
    ])('%s leaves the old one', async (_name, steps, reason) => {
      const keystore = await keystoreOf({ alice: ALICE.secret })
      const before = readFileSync(`${keystore.folder}/alice.json`)
      const shown = await bcAt(keystore, ['key', 'passphrase', 'alice'], steps)
      expect(shown).toMatchObject({ code: 2, output: expect.stringMatching(reason) })
      expect(readFileSync(`${keystore.folder}/alice.json`)).toEqual(before)
    })

    test('a file that was changed while it asked stays', async () => {
      const keystore = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
      const swap = 'read -r line; cp "$BC_KEYS/bob.json" "$BC_KEYS/alice.json"; echo swapped; cat'
      const script = `echo begun; "$0" key passphrase alice 2>&1 | { ${swap}; }`
      const steps: readonly Step[] = [
        ['begun', `${PASSPHRASE}${ENTER}${NEW}${ENTER}`],
        ['swapped', `${NEW}${ENTER}`],
      ]
      const shown = await shellAt(keystore, script, steps)
      expect(shown.output).toContain('bc: the file of alice is another one by now: nothing was changed.')
      const [alice, bob] = ['alice', 'bob'].map((name) => readFileSync(`${keystore.folder}/${name}.json`, 'utf8'))
      expect(alice).toBe(bob)
    })
  })

  test('remove asks for the name', async () => {
    const keystore = await keystoreOf({ alice: ALICE.secret })
    const remove = (answer: string) =>
      bcAt(keystore, ['key', 'remove', 'alice'], [['Type alice to remove it: ', `${answer}${ENTER}`]])
    expect(await remove('y')).toMatchObject({ code: 2, output: expect.stringContaining('bc: nothing was removed.') })
    expect(existsSync(`${keystore.folder}/alice.json`)).toBe(true)
    expect(await remove('alice')).toMatchObject({ code: 0, output: expect.stringMatching(/\nalice is removed\.\n$/) })
    expect(existsSync(`${keystore.folder}/alice.json`)).toBe(false)
  })

  test('remove leaves a key that was made while it asked', async () => {
    const keystore = await keystoreOf({ alice: ALICE.secret, bob: BOB.secret })
    const swap = 'read -r line; cp "$BC_KEYS/bob.json" "$BC_KEYS/alice.json"; echo swapped; cat'
    const script = `"$0" key remove alice 2>&1 | { ${swap}; }`
    const shown = await shellAt(keystore, script, [['swapped', `alice${ENTER}`]])
    expect(shown.output).toContain('bc: alice is another key by now: nothing was removed.')
    expect(existsSync(`${keystore.folder}/alice.json`)).toBe(true)
  })

  test('import takes a phrase of one word to a line', async () => {
    const lines = `${`abandon${ENTER}`.repeat(23)}diesel${ENTER}`
    const steps: readonly Step[] = [
      ['24 words of alice (not shown): ', lines],
      ['New passphrase for alice: ', ENTER],
    ]
    const shown = await bcAt(emptyKeystore(), ['key', 'import', 'alice'], steps)
    expect(shown).toMatchObject({ code: 2, output: expect.stringMatching(/the passphrase is empty/) })
  })

  test('import shows neither digits nor words, and takes a phrase as it was written down', async () => {
    const keystore = emptyKeystore()
    const phrase = [...'abandon '.repeat(23).trim().split(' '), 'diesel']
    const steps: readonly Step[] = [
      ['Secret or 24 words of alice (not shown): ', `${phrase.slice(0, 12).join(' ')}${ENTER}`],
      ['The words after these: ', `${phrase.slice(12).join(' ')}${ENTER}`],
      ...TWICE,
    ]
    const shown = await bcAt(keystore, ['key', 'import', 'alice'], steps)
    expect(shown).toMatchObject({ code: 0, output: expect.stringContaining(ALICE.address) })
    expect(shown.output).not.toMatch(/abandon|diesel/)
    rmSync(keystore.folder, { recursive: true })
    const digits: Step = ['Secret or 24 words of alice (not shown): ', `${ALICE.secret}${ENTER}`]
    const again = await bcAt(keystore, ['key', 'import', 'alice'], [digits, ...TWICE])
    expect(again).toMatchObject({ code: 0, output: expect.stringContaining(ALICE.address) })
    expect(again.output).not.toContain(ALICE.secret)
  })

  test('import of a phrase that ends too early', async () => {
    const steps: readonly Step[] = [
      ['not shown', `abandon abandon${ENTER}`],
      ['The words after these: ', ENTER],
    ]
    const shown = await bcAt(emptyKeystore(), ['key', 'import', 'alice'], steps)
    expect(shown).toMatchObject({ code: 2, output: expect.stringContaining('A phrase has 24 words, and this has 2.') })
  })
})
