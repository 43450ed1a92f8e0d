/** Keys, without a node and without a file. */
import { randomBytes } from 'node:crypto'
import { addressOf, secretFromEntropy } from '@bc/wallet'
import { readKey } from '../key.ts'
import { note, print, printResult } from '../output.ts'
import { rows } from '../readable.ts'

const ENTROPY_BYTES = 32

export function newKey(json: boolean): void {
  const secret = secretFromEntropy(randomBytes(ENTROPY_BYTES))
  const key = { address: addressOf(secret), secret }
  const entries = [
    ['Address', key.address],
    ['Secret', key.secret],
  ] as const
  printResult(key, json, (width) => rows(entries, width))
  if (process.stdout.isTTY)
    note('this secret is stored nowhere else: who has it has the coins, and who loses it has lost them.')
}

export async function keyAddress(argument: string, json: boolean): Promise<void> {
  const address = addressOf(await readKey(argument))
  if (json) printResult({ address }, true, () => address)
  else print(address)
}
