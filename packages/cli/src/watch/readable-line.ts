/** A line of `bc watch` as people read it, in one line of the terminal. */
import { isJsonObject, type JsonObject, type JsonValue } from '@bc/core'
import { isReward, type Listed } from '../readable/answers.ts'
import { fitted } from '../terminal/columns.ts'
import { printable } from '../terminal/printable.ts'
import { counted, shortAddress, shortHash, time } from '../terminal/text.ts'
import type { Line } from './watcher.ts'

/** Below this many columns there is room for what has happened, and not for when. */
const NARROW = 60

export function readableLine(line: Line, width: number, now: Date): string {
  const clock = width < NARROW ? '' : `${time(now.getTime() / 1000).slice(11)}  `
  return fitted(clock + sentence(line, width), width)
}

function sentence(line: Line, width: number): string {
  if (line.event === 'block') return blockSentence(line, width)
  if (line.event === 'transaction') return transactionSentence(line, width)
  if (line.event === 'reorganisation') return reorganisationSentence(line, width)
  if (line.event === 'peer')
    return `peer ${printable(line.status)}, ${printable(line.peers)} now  ${printable(line.peer)}`
  return 'events were missed; no block was'
}

function blockSentence({ index, hash, transactions }: JsonObject, width: number): string {
  const listed = (Array.isArray(transactions) ? transactions : []) as unknown as readonly Listed[]
  const reward = listed.find(isReward)
  const others = counted(listed.length - (reward ? 1 : 0), width < NARROW ? 'tx' : 'transaction')
  const miner = reward ? `  by ${shortAddress(reward.recipient, width)}` : ''
  return `block ${printable(index)}  ${shortHash(hash, width)}  ${others}${miner}`
}

function transactionSentence({ status, reason, transaction, block }: JsonObject, width: number): string {
  const paid = payment(transaction, width)
  if (status === 'confirmed') return `in block ${isJsonObject(block) ? printable(block.index) : '?'}: ${paid}`
  return status === 'pending' ? `waiting: ${paid}` : `${printable(reason)}: ${paid}`
}

function payment(transaction: JsonValue | undefined, width: number): string {
  if (!isJsonObject(transaction)) return '?'
  const { amount, fee, sender, recipient, memo } = transaction
  const from = isReward(transaction as unknown as Listed) ? 'reward' : shortAddress(sender, width)
  const price = fee === undefined || fee === 0 ? '' : ` +${printable(fee)}`
  const note = typeof memo === 'string' ? `  ${printable(memo)}` : ''
  return `${printable(amount)}${price}  ${from} → ${shortAddress(recipient, width)}${note}`
}

function reorganisationSentence({ index, abandoned }: JsonObject, width: number): string {
  const left = Array.isArray(abandoned) ? abandoned : []
  const hashes = left.map((place) => (isJsonObject(place) ? shortHash(place.hash, width) : '?'))
  return `reorganisation: ${counted(left.length, 'block')} from ${printable(index)} on abandoned  ${hashes.join(' ')}`
}
