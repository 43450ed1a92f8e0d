/** What a node in dev mode does beside a node's usual work. */
import type { Address } from '@bc/core'
import type { MoveTime, SnapshotAnswer } from '@bc/node'
import { connectDev } from '../client/dev-client.ts'
import { amountArgument, parseWhole } from '../command-line/arguments.ts'
import { usage } from '../failure.ts'
import type { Settings } from '../settings/options.ts'
import { printResult, printWord } from '../terminal/output.ts'
import { rows, utc } from '../terminal/text.ts'

/** The bare number, also for programs: `ID=$(bc snapshot)`. */
export async function snapshot(settings: Settings): Promise<void> {
  const taken = await connectDev(settings).snapshot()
  printWord(String(taken.id), taken, settings.jsonFlag)
}

export async function revert(id: string, settings: Settings): Promise<void> {
  const number = parseWhole(id)
  if (!number) throw usage('ID is a number that bc snapshot has printed.')
  const state = await connectDev(settings).revert(number)
  printResult(state, settings.json, (width) => readableState(state, width))
}

function readableState({ id, height, tip, time }: SnapshotAnswer, width: number): string {
  const entries = [
    ['Height', height],
    ['Tip', tip],
    ['Clock', `${time}, ${utc(time)}`],
  ] as const
  return `All is as it was at snapshot ${id}.\n\n${rows(entries, width)}`
}

/** Bare seconds for programs: `$(bc time)`. */
export async function time(when: string | undefined, settings: Settings): Promise<void> {
  const moving = when === undefined ? undefined : movingOf(when)
  const node = connectDev(settings)
  const { time } = moving === undefined ? await node.time() : await node.moveTime(moving)
  const isForPeople = process.stdout.isTTY && !settings.json
  printWord(isForPeople ? `${time}  ${utc(time)}` : String(time), { time }, settings.jsonFlag)
}

function movingOf(when: string): MoveTime {
  const ahead = when.startsWith('+')
  const seconds = parseWhole(ahead ? when.slice(1) : when)
  if (!seconds) throw usage('WHEN is +SECONDS, to move the clock ahead, or a time in Unix seconds.')
  return ahead ? { seconds } : { time: seconds }
}

export async function fund(recipient: Address, amount: string | undefined, settings: Settings): Promise<void> {
  const coins = amount === undefined ? undefined : amountArgument(amount)
  const funded = await connectDev(settings).fund(recipient, coins)
  printResult(funded, settings.json, (width) => {
    const entries = [
      ['Coins', funded.transaction.amount],
      ['Recipient', recipient],
      ['Id', funded.id],
      ['Block', funded.index],
    ] as const
    return rows(entries, width)
  })
}
