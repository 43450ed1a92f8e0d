/** What `bc-node --dev` has that no other node has: the mode itself, and what is told of it. */
import type { DevMode } from '@bc/node/dev'
import { usage } from '../failure.ts'

/** A constant, and none of chance: what a suite has seen once it sees again. */
const USUAL_SEED = 1

export interface DevFlags {
  readonly dev?: true
  readonly seed?: number
}

/** The mode is loaded for nobody else. */
export async function devMode({ dev, seed }: DevFlags): Promise<DevMode | undefined> {
  if (!dev && seed !== undefined) throw usage('--seed goes with --dev.')
  if (!dev) return undefined
  const { DevMode } = await import('@bc/node/dev')
  return DevMode.open(seed ?? USUAL_SEED)
}

/** For programs, beside what is told of every node. An account has the form of what `bc key new --json` prints. */
export function devFields({ seed, accounts }: DevMode) {
  return { seed, accounts: accounts.map(({ address, secret }) => ({ address, secret })) }
}

/** For people, below the rest. */
export function readableAccounts({ accounts: [first, ...others] }: DevMode): string {
  const listed = [first, ...others].map((account, i) => `${i}  ${account?.address}\n   ${account?.secret}`)
  const head = [
    `Accounts of ${first?.amount} coins each.`,
    'Everybody knows their secrets:',
    'they are for this chain only.',
  ]
  return `${head.join('\n')}\n\n${listed.join('\n')}`
}
