/** The questions that a node in dev mode alone answers, and the shapes of its answers. */
import type { JsonObject } from '@bc/core'
import { isHash, isObject, isText, isWhole, type Shape } from './answer.ts'
import { ask, type Endpoint } from './http.ts'

/** What a snapshot remembers. */
export interface SnapshotAnswer {
  readonly id: number
  readonly height: number
  readonly tip: string
  /** Unix seconds. */
  readonly time: number
}

export interface TimeAnswer {
  readonly time: number
}

/** A payment of the faucet's, and its block. */
export interface FundedAnswer {
  readonly id: string
  readonly index: number
  readonly hash: string
  readonly transaction: { readonly amount: number; readonly recipient: string }
}

/** The clock is moved by so many seconds or to a time. */
export type Moving = { readonly seconds: number } | { readonly time: number }

export interface DevClient {
  snapshot(): Promise<SnapshotAnswer>
  revert(id: number): Promise<SnapshotAnswer>
  time(): Promise<TimeAnswer>
  moveTime(moving: Moving): Promise<TimeAnswer>
  /** @param amount what the faucet usually gives, unless given */
  fund(recipient: string, amount?: number): Promise<FundedAnswer>
}

export function connectDev(endpoint: Endpoint): DevClient {
  const post = <T>(path: string, shape: Shape<T>, body: JsonObject) =>
    ask(endpoint, { method: 'POST', path, shape, body, operator: true })
  return {
    snapshot: () => post<SnapshotAnswer>('/dev/snapshot', SNAPSHOT, {}),
    revert: (id) => post<SnapshotAnswer>('/dev/revert', SNAPSHOT, { id }),
    time: () => ask<TimeAnswer>(endpoint, { method: 'GET', path: '/dev/time', shape: TIME, operator: true }),
    moveTime: (moving) => post<TimeAnswer>('/dev/time', TIME, { ...moving }),
    fund: (recipient, amount) =>
      post<FundedAnswer>('/dev/fund', FUNDED, { recipient, ...(amount !== undefined && { amount }) }),
  }
}

const SNAPSHOT: Shape<SnapshotAnswer> = { id: isWhole, height: isWhole, tip: isHash, time: isWhole }
const TIME: Shape<TimeAnswer> = { time: isWhole }
const PAYMENT: Shape<FundedAnswer['transaction']> = { amount: isWhole, recipient: isText }
const FUNDED: Shape<FundedAnswer> = { id: isHash, index: isWhole, hash: isHash, transaction: isObject(PAYMENT) }
