/** The commands about keys. */
import type { Command } from 'commander'
import { examples } from '../command-line/run.ts'
import {
  JSON_OPTION,
  jsonFlagOf,
  keySourceOf,
  wantsJson,
  wantsNdjson,
  withKeys,
  withNdjson,
  withNewPassphrase,
  withoutNodeOptions,
  withPassphrase,
} from '../settings/options.ts'

/** How KEY is described wherever it is an argument. */
export const KEY_FORMS = 'the name of a stored key, 64 hex digits, - for standard input, or @FILE'

export function addKeyCommands(bc: Command): void {
  const key = bc.command('key').description('Makes keys, keeps them encrypted, and reads them.')
  withoutNodeOptions(key)
  addNew(key)
  addList(key)
  addShow(key)
  addExport(key)
  addImport(key)
  addPassphrase(key)
  addRemove(key)
  addAddress(key)
  withKeys(key).addHelpText('after', PASSPHRASE)
}

const PASSPHRASE = `
A stored key is a file of its own, readable for you alone and encrypted with a
passphrase. That is asked for at the terminal, or read from the file that
BC_PASSPHRASE_FILE names, or from the descriptor of --passphrase-fd.`

interface PhraseOption {
  readonly phrase?: true
}

function addNew(key: Command): void {
  withPassphrase(key.command('new'))
    .description('Makes a key. With NAME it is stored, without it is only printed.')
    .argument('[NAME]', 'what to call it: a-z, 0-9, _ and -')
    .option('--phrase', 'print its 24 words in JSON too')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('bc key new alice', 'bc key new', '(umask 077; bc key new --json > alice.json)'))
    .action(async function (this: Command, name: string | undefined) {
      const flags = flagsOf(this)
      const { newKey } = await import('../commands/key.ts')
      if (name === undefined) return newKey(flags)
      const { storeNewKey } = await import('../commands/keystore.ts')
      await storeNewKey(name, flags, keySourceOf(this))
    })
}

function addList(key: Command): void {
  withNdjson(withKeys(key.command('list')))
    .description('Lists the stored keys with their addresses.')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('bc key list', "bc key list | jq -r '.keys[].name'"))
    .action(async function (this: Command) {
      const { listKeys } = await import('../commands/keystore.ts')
      await listKeys({ json: wantsJson(this), ndjson: wantsNdjson(this) }, keySourceOf(this))
    })
}

function addShow(key: Command): void {
  withKeys(key.command('show'))
    .description("Shows a stored key's address and its file. No passphrase is needed.")
    .argument('<NAME>', 'of a stored key')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('bc key show alice', 'cp "$(bc key show alice | jq -r .file)" /media/usb/'))
    .action(async function (this: Command, name: string) {
      const { showKey } = await import('../commands/keystore.ts')
      showKey(name, wantsJson(this), keySourceOf(this))
    })
}

function addExport(key: Command): void {
  withPassphrase(key.command('export'))
    .description("Prints a stored key's secret, or its phrase of 24 words.")
    .argument('<NAME>', 'of a stored key')
    .option('--phrase', 'the 24 words of BIP-39, of which the secret is the entropy')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('bc key export alice --phrase', '(umask 077; bc key export alice > alice.json)'))
    .action(async function (this: Command, name: string) {
      const { exportKey } = await import('../commands/keystore.ts')
      await exportKey(name, flagsOf(this), keySourceOf(this))
    })
}

function addImport(key: Command): void {
  withPassphrase(key.command('import'))
    .description('Stores a key that is there already: its 64 hex digits, or its 24 words.')
    .argument('<NAME>', 'what to call it: a-z, 0-9, _ and -')
    .argument('[SOURCE]', '- for standard input, which asks on a terminal, or @FILE', '-')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('bc key import alice', 'bc key import alice @alice.json'))
    .action(async function (this: Command, name: string, from: string) {
      const { importKey } = await import('../commands/keystore.ts')
      await importKey(name, from, flagsOf(this), keySourceOf(this))
    })
}

function addPassphrase(key: Command): void {
  withNewPassphrase(key.command('passphrase'))
    .description("Changes a stored key's passphrase. Its name and its address stay.")
    .argument('<NAME>', 'of a stored key')
    .option(...JSON_OPTION)
    .addHelpText('after', NEW_PASSPHRASE)
    .addHelpText('after', examples('bc key passphrase alice', 'bc key passphrase alice --new-passphrase-fd 3 3< FILE'))
    .action(async function (this: Command, name: string) {
      const { changePassphrase } = await import('../commands/keystore.ts')
      const { newPassphraseFd: newFd } = this.opts<{ newPassphraseFd?: number }>()
      await changePassphrase(name, { json: wantsJson(this), ...(newFd !== undefined && { newFd }) }, keySourceOf(this))
    })
}

const NEW_PASSPHRASE = `
The old passphrase and the new one are asked for at the terminal. The new one
can be read from the file that BC_NEW_PASSPHRASE_FILE names, too. Copies of the
file still open with the old one.`

function addRemove(key: Command): void {
  withKeys(key.command('remove'))
    .description('Removes a stored key, for good.')
    .argument('<NAME>', 'of a stored key')
    .option('--yes', 'ask nothing')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('bc key remove alice', 'bc key remove alice --yes'))
    .action(async function (this: Command, name: string) {
      const { removeKey } = await import('../commands/keystore.ts')
      const yes = this.opts<{ yes?: true }>().yes === true
      await removeKey(name, { json: wantsJson(this), yes }, keySourceOf(this))
    })
}

function addAddress(key: Command): void {
  withKeys(key.command('address'))
    .description('Prints the address that a secret is for.')
    .argument('<KEY>', KEY_FORMS)
    .option('--json', 'print {"address"}')
    .addHelpText(
      'after',
      examples('bc key address alice', 'bc key address @alice.json', 'jq -r .secret alice.json | bc key address -'),
    )
    .action(async function (this: Command, argument: string) {
      const { keyAddress } = await import('../commands/key.ts')
      await keyAddress(argument, jsonFlagOf(this), keySourceOf(this))
    })
}

function flagsOf(command: Command) {
  return { json: wantsJson(command), phrase: command.opts<PhraseOption>().phrase === true }
}
