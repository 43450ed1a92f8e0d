/** The questions that a node in dev mode alone answers, and the shapes of its answers. */
import type { JsonObject } from '@bc/core'
import type { DevTimeAnswer, FundedAnswer, MoveTime, SnapshotAnswer } from '@bc/node'
import { isHash, isObject, isText, isWhole, type Shape } from './answer.ts'
import { ask, type Endpoint } from './http.ts'

export interface DevClient {
  snapshot(): Promise<SnapshotAnswer>
  revert(id: number): Promise<SnapshotAnswer>
  time(): Promise<DevTimeAnswer>
  moveTime(moving: MoveTime): Promise<DevTimeAnswer>
  /** @param amount what the faucet usually gives, unless given */
  fund(recipient: string, amount?: number): Promise<FundedAnswer>
}

export function connectDev(endpoint: Endpoint): DevClient {
  const post = <T>(path: string, shape: Shape<T>, body: JsonObject) =>
    ask(endpoint, { method: 'POST', path, shape, body, operator: true })
  return {
    snapshot: () => post<SnapshotAnswer>('/dev/snapshot', SNAPSHOT, {}),
    revert: (id) => post<SnapshotAnswer>('/dev/revert', SNAPSHOT, { id }),
    time: () => ask<DevTimeAnswer>(endpoint, { method: 'GET', path: '/dev/time', shape: TIME, operator: true }),
    moveTime: (moving) => post<DevTimeAnswer>('/dev/time', TIME, { ...moving }),
    fund: (recipient, amount) =>
      post<FundedAnswer>('/dev/fund', FUNDED, { recipient, ...(amount !== undefined && { amount }) }),
  }
}

const SNAPSHOT: Shape<SnapshotAnswer> = { id: isWhole, height: isWhole, tip: isHash, time: isWhole }
const TIME: Shape<DevTimeAnswer> = { time: isWhole }
const PAYMENT: Shape<FundedAnswer['transaction']> = { amount: isWhole, recipient: isText }
const FUNDED: Shape<FundedAnswer> = { id: isHash, index: isWhole, hash: isHash, transaction: isObject(PAYMENT) }
