/** What a signature binds beside the transaction's own words: the chain, and the sender's place in it. */
import { type Hash, parseHash } from '@bc/core'
import type { Settings } from '../settings/options.ts'

export interface Place {
  readonly chain: Hash
  readonly nonce: number
}

/** Asks the node for what wasn't given, and for nothing else. */
export async function placeOf(sender: string, { chain, nonce }: Partial<Place>, settings: Settings): Promise<Place> {
  if (chain !== undefined && nonce !== undefined) return { chain, nonce }
  const { connect } = await import('../client/client.ts')
  const node = connect(settings)
  const [status, account] = await Promise.all([
    chain === undefined ? node.status() : undefined,
    nonce === undefined ? node.account(sender) : undefined,
  ])
  return { chain: chain ?? (parseHash(status?.chain) as Hash), nonce: nonce ?? (account?.pendingNonce as number) }
}
