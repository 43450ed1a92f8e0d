/** Real nodes for tests: in memory, on a free port, with people who have coins from the start. */
import { Writable } from 'node:stream'
import type { Address, Amount, ChainRules, Hash, Transaction, UnsignedTransaction } from '@bc/core'
import { addressOf, type Secret, secretFromEntropy, signTransaction } from '@bc/wallet'
import { type LevelWithSilent, pino } from 'pino'
import { afterAll } from 'vitest'
import type { NodeConfig } from '../../src/config.ts'
import type { Log } from '../../src/log.ts'
import { type NodeOptions, type RunningNode, startNode } from '../../src/node.ts'

export interface Person {
  readonly secret: Secret
  readonly address: Address
}

/** @param n 0 … 255; the same number is the same person */
export function person(n: number): Person {
  const secret = secretFromEntropy(new Uint8Array(32).fill(n))
  return { secret, address: addressOf(secret) }
}

export const ALICE = person(1)
export const BOB = person(2)
/** Has no coins. */
export const CAROL = person(3)

export const FUNDS = 1_000_000

export function testRules(changed: Partial<Record<keyof ChainRules, unknown>> = {}): ChainRules {
  const allocations = { [ALICE.address]: FUNDS, [BOB.address]: FUNDS }
  const usual = { allocations, blockTime: 0, difficulty: 1, halfLife: 0, maxBlockBytes: 1_000_000, miningReward: 50 }
  return { ...usual, ...changed } as ChainRules
}

export interface TestOptions extends Partial<Omit<NodeOptions, 'config' | 'console'>> {
  readonly rules?: Partial<Record<keyof ChainRules, unknown>>
  readonly config?: Partial<NodeConfig>
  readonly logLevel?: LevelWithSilent
}

export interface TestNode extends RunningNode {
  readonly port: number
  /** All that was logged so far. */
  readonly logged: () => string
  /** All that the node's own terminal has shown. */
  readonly shown: () => string
}

const running: RunningNode[] = []

afterAll(async () => {
  // A test that stopped its node knows how that went.
  for (const node of running.splice(0)) await node.stop().catch(() => undefined)
})

/** Stopped after the file's last test, if not before. */
export async function startTestNode(options: TestOptions = {}): Promise<TestNode> {
  const { rules, config, logLevel = 'trace', ...rest } = options
  const { log, logged } = memoryLog(logLevel)
  const shown: string[] = []
  const node = await startNode({
    config: {
      rules: testRules(rules),
      genesisTimestamp: 1_700_000_000,
      port: 0,
      host: '127.0.0.1',
      allowedHosts: [],
      ...config,
    },
    host: '127.0.0.1',
    port: 0,
    dataDirectory: undefined,
    mine: false,
    repair: false,
    log,
    console: (text) => shown.push(text),
    ...rest,
  })
  running.push(node)
  return Object.assign(node, { port: Number(new URL(node.url).port), logged, shown: () => shown.join('') })
}

export function memoryLog(level: LevelWithSilent = 'trace'): { log: Log; logged: () => string } {
  const lines: string[] = []
  const sink = new Writable({
    decodeStrings: false,
    write: (line: string, _, done) => {
      lines.push(line)
      done()
    },
  })
  return { log: pino({ level }, sink), logged: () => lines.join('') }
}

export interface Payment {
  readonly from?: Person
  readonly to?: Address
  readonly amount?: number
  readonly fee?: number
  readonly nonce?: number
  readonly memo?: string
}

export function signed(chain: Hash, payment: Payment = {}): Transaction {
  const { from = ALICE, to = BOB.address, amount = 5, fee = 0, nonce = 0, memo } = payment
  const unsigned: UnsignedTransaction = {
    amount: amount as Amount,
    fee: fee as Amount,
    nonce,
    recipient: to,
    sender: from.address,
    ...(memo !== undefined && { memo }),
  }
  return signTransaction(unsigned, chain, from.secret)
}

/** What the tutorial's clients send: an amount in digits, no nonce and no fee. */
export function tutorialBody({ sender, recipient, amount, signature }: Transaction) {
  return { sender, recipient, amount: String(amount), signature }
}
