/** What a dev node can be asked for that no other can. All of it is the operator's. */
import { type Amount, parseAddress, RuleError } from '@bc/core'
import type { Chain } from '../chain/chain.ts'
import { type App, answers, refuses } from '../http/app.ts'
import { NoQuery } from '../http/schemas.ts'
import type { Admission } from '../pool/admission.ts'
import type { Serial } from '../serial.ts'
import type { DevClock } from './clock.ts'
import type { Faucet } from './faucet.ts'
import type { FundedAccount } from './keys.ts'
import {
  DevAccountsSchema,
  DevTimeSchema,
  FundedSchema,
  FundSchema,
  MoveTimeSchema,
  RevertSchema,
  SnapshotSchema,
} from './schemas.ts'
import type { Snapshots } from './snapshots.ts'

/** Coins that the faucet gives to those who don't say how many. */
const USUAL_GIFT = 1_000 as Amount

export interface DevContext {
  readonly seed: number
  readonly accounts: readonly FundedAccount[]
  readonly faucet: Faucet
  readonly clock: DevClock
  readonly snapshots: Snapshots
  readonly chain: Chain
  readonly admission: Admission
  readonly door: Serial
  /** See {@link DevMode.mineAll}. */
  readonly mineAll: () => Promise<void>
}

export function devRoutes(app: App, context: DevContext): void {
  accounts(app, context)
  snapshots(app, context)
  time(app, context)
  fund(app, context)
}

const access = { exposeHeadRoute: false, config: { operator: true } } as const

function accounts(app: App, { seed, accounts, faucet }: DevContext): void {
  app.route({
    ...access,
    method: 'GET',
    url: '/dev/accounts',
    schema: {
      summary: 'The accounts that have coins from the start, with their secrets',
      querystring: NoQuery,
      response: { ...answers(200, DevAccountsSchema), ...refuses(403) },
    },
    handler: async () => ({ seed, accounts: [...accounts], faucet: faucet.address }),
  })
}

function snapshots(app: App, { snapshots, faucet }: DevContext): void {
  app.route({
    ...access,
    method: 'POST',
    url: '/dev/snapshot',
    schema: {
      summary: 'Remember the chain, the pool and the clock',
      querystring: NoQuery,
      response: { ...answers(200, SnapshotSchema), ...refuses(403) },
    },
    handler: () => snapshots.take(),
  })
  app.route({
    ...access,
    method: 'POST',
    url: '/dev/revert',
    schema: {
      summary: 'Go back to a snapshot; later ones are gone, this one stays',
      querystring: NoQuery,
      body: RevertSchema,
      response: { ...answers(200, SnapshotSchema), ...refuses(400, 403, 404) },
    },
    handler: ({ body: { id } }) => faucet.inTurn(() => snapshots.revert(id)),
  })
}

function time(app: App, { clock, chain, admission, door, mineAll }: DevContext): void {
  app.route({
    ...access,
    method: 'GET',
    url: '/dev/time',
    schema: {
      summary: 'What the dev clock shows',
      querystring: NoQuery,
      response: { ...answers(200, DevTimeSchema), ...refuses(403) },
    },
    handler: async () => ({ time: clock.now() }),
  })
  app.route({
    ...access,
    method: 'POST',
    url: '/dev/time',
    schema: {
      summary: 'Move the dev clock ahead, by some seconds or to a time',
      querystring: NoQuery,
      body: MoveTimeSchema,
      response: { ...answers(200, DevTimeSchema), ...refuses(400, 403) },
    },
    handler: async ({ body }) => {
      await door.run(async () => clock.moveTo('time' in body ? body.time : clock.now() + body.seconds))
      // What the node does every second of its own: done with the answer, it is the same in every run.
      await chain.importDue()
      await admission.expire()
      await mineAll()
      return { time: clock.now() }
    },
  })
}

function fund(app: App, { faucet }: DevContext): void {
  app.route({
    ...access,
    method: 'POST',
    url: '/dev/fund',
    schema: {
      summary: 'Have the faucet pay an address, in a block of its own',
      querystring: NoQuery,
      body: FundSchema,
      response: { ...answers(200, FundedSchema), ...refuses(400, 403, 422) },
    },
    handler: async ({ body: { recipient, amount } }) => {
      const address = parseAddress(recipient)
      if (address === undefined) throw new RuleError('tx.address', `"${recipient}" is no address.`)
      return faucet.pay(address, (amount as Amount | undefined) ?? USUAL_GIFT)
    },
  })
}
