/** A chain to measure with: many senders, every block full of signed payments, the same for every run. */
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import {
  type Address,
  type Amount,
  addressOfPublicKey,
  type BlockEntry,
  blockTemplate,
  type ChainRules,
  entryAfter,
  type Genesis,
  genesisEntry,
  genesisOf,
  hashOf,
  type JsonValue,
  type PoolEntry,
  parseBlock,
  payloadOf,
  publicKeyOf,
  sealBlock,
  sha256Hex,
  type UnsignedTransaction,
} from '@bc/core'
import { CHECK_BYTES, type Checks } from '../verify/checks.ts'
import { BlocksFile } from './blocks-file.ts'

export interface ChainSize {
  readonly blocks: number
  /** Signed transactions of each, beside the reward. */
  readonly perBlock: number
  /** Those who send and receive. */
  readonly accounts: number
}

export interface MadeChain {
  readonly genesis: Genesis
  /** A `config.json` for nodes of this chain. */
  readonly config: string
  /** The blocks after genesis: see {@link BlocksFile}. */
  readonly blocks: string
  /** Of the newest block. */
  readonly height: number
  readonly tip: string
  /** What there is to verify in all of it. */
  readonly checks: Checks
}

const GENESIS_TIME = 1_700_000_000
const RULES = { blockTime: 0, difficulty: 0, halfLife: 0, maxBlockBytes: 1_000_000, miningReward: 50 }

interface Holder {
  readonly secret: Uint8Array
  readonly address: Address
  nonce: number
}

export function makeChain(folder: string, { blocks, perBlock, accounts }: ChainSize): MadeChain {
  const holders = Array.from({ length: accounts }, (_, i) => holder(i))
  const allocations = Object.fromEntries(holders.map(({ address }) => [address, 1_000_000 as Amount]))
  const genesis = genesisOf({ ...RULES, allocations } as unknown as ChainRules, GENESIS_TIME)
  const chain = hashOf(genesis)
  const checks = new Uint8Array(new SharedArrayBuffer(blocks * perBlock * CHECK_BYTES))
  const [config, file] = [join(folder, 'config.json'), join(folder, 'blocks')]
  const { rules, timestamp } = genesis
  writeFileSync(config, JSON.stringify({ ...rules, genesisTimestamp: timestamp }))
  const written = BlocksFile.create(file)
  let parent: BlockEntry = genesisEntry(genesis, chain)
  for (let block = 0, count = 0; block < blocks; block++) {
    const pool = Array.from({ length: perBlock }, () => {
      const sender = holders[(count * 7) % accounts] as Holder
      const recipient = holders[(count * 11 + 5) % accounts] as Holder
      const { transaction, check } = pay(sender, recipient.address, chain)
      checks.set(check, count++ * CHECK_BYTES)
      return { transaction }
    }) as unknown as PoolEntry[]
    const miner = (holders[block % accounts] as Holder).address
    const template = blockTemplate({ parent, rules, miner, now: parent.timestamp + 1, select: () => pool })
    const parsed = parseBlock(sealBlock(template, 0n) as unknown as JsonValue)
    written.append(parsed.canonical)
    parent = entryAfter(parent, parsed.block, parsed.hash)
  }
  written.close()
  return { genesis, config, blocks: file, height: parent.index, tip: parent.hash, checks }
}

function holder(i: number): Holder {
  const secret = Buffer.from(sha256Hex(`bc bench ${i}`), 'hex')
  const address = addressOfPublicKey(Buffer.from(curve.publicKeyCreate(secret, true)).toString('hex'))
  return { secret, address, nonce: 0 }
}

function pay(sender: Holder, recipient: Address, chain: string) {
  const unsigned = { amount: 1, fee: 1, nonce: sender.nonce++, recipient, sender: sender.address }
  const digest = Buffer.from(sha256Hex(payloadOf(unsigned as UnsignedTransaction, chain as never)), 'hex')
  const { signature } = curve.ecdsaSign(digest, sender.secret)
  const check = Buffer.concat([digest, signature, publicKeyOf(sender.address)])
  return { transaction: { ...unsigned, signature: Buffer.from(signature).toString('hex') }, check }
}

/** libsecp256k1 signs as well, thirty times as fast as noble: what isn't measured shouldn't take long. */
const curve = createRequire(import.meta.url)('secp256k1/bindings.js') as {
  publicKeyCreate(secret: Uint8Array, compressed: boolean): Uint8Array
  ecdsaSign(digest: Uint8Array, secret: Uint8Array): { signature: Uint8Array }
}
