/** A signature without a node, the whole process: what somebody waits for who signs one after another in a shell. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addressOf, parseSecret, type Secret } from '@bc/wallet'
import { launcher, lifetimeOf, lifetimeOfNothing } from '../processes/command.ts'
import { type Bench, type Row, SHORT_TURNS, sideBySide } from '../row.ts'

const ROW: Row = {
  name: 'sign',
  ours: 'bc sign offline, the whole process',
  theirs: 'node -e 0',
  unit: 'ms',
  bound: 'at most',
  mustReach: 1.5,
  aimFor: 1.2,
}

const [SENDER, RECIPIENT] = ['1', '2'].map((digit) => parseSecret(digit.repeat(64))) as [Secret, Secret]

export const bench: Bench = {
  rows: [ROW],
  async measure({ runs, quick }, folder) {
    const words = wordsIn(folder)
    // Whoever measures may have a config file.
    const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, BC_CONFIG: '' }
    const sign = () => lifetimeOf(words, { env })
    return [{ row: ROW, outcome: await sideBySide(runs, sign, lifetimeOfNothing, quick ? 1 : SHORT_TURNS) }]
  },
}

/** With chain and nonce, so that no node is asked. */
function wordsIn(folder: string): string[] {
  const key = join(folder, 'secret')
  writeFileSync(key, SENDER, { mode: 0o600 })
  const transaction = [addressOf(SENDER), addressOf(RECIPIENT), '5', `@${key}`]
  return [launcher('bc'), 'sign', ...transaction, '--nonce', '0', '--chain', 'c'.repeat(64), '--json']
}
