import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { DamageError } from '../errors.ts'
import { number } from './layout.ts'

/** What the witness file says: the number of the newest batch, and the head of the chain after it. */
export interface WitnessLine {
  readonly sequence: number
  readonly head: string
}

export const NO_HEAD = '-'.repeat(64)
const WITNESS_LINE = /^([0-9]{16}) ([0-9a-f]{64}|-{64})\n$/

/**
 * @returns undefined where there is no such file, or nothing in it yet
 * @throws DamageError where it holds something else
 */
export function readWitness(file: string): WitnessLine | undefined {
  const line = existsSync(file) ? readFileSync(file, 'latin1') : ''
  if (line === '') return undefined
  const [, sequence, head] = WITNESS_LINE.exec(line) ?? []
  if (sequence === undefined || head === undefined) throw new DamageError(`the file ${file} holds no batch number`)
  return { sequence: Number(sequence), head }
}

/** The witness file: one line of one length, written over in place. */
export class Witness {
  private readonly descriptor: number
  private head: string

  constructor(file: string, head: string) {
    this.descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600)
    this.head = head
  }

  /** @param head undefined where the batch didn't move it */
  remember(head: string | undefined): void {
    this.head = head ?? this.head
  }

  write(sequence: number): void {
    writeSync(this.descriptor, `${number(sequence)} ${this.head}\n`, 0, 'latin1')
  }

  close(): void {
    closeSync(this.descriptor)
  }
}
