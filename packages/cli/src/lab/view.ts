/**
 * The lab on a terminal, drawn anew in place:
 *
 *     partition, 5 nodes, seed 7                            12.3 s
 *
 *     node  block  tip       side  chain, each block as its miner
 *        1      9  7a3f90c1  A     ·12134551
 *        2     11  02bd11f0  B     ·12134422344
 */
import { stripVTControlCharacters } from 'node:util'
import { columnsOf, fitted } from '../terminal/columns.ts'
import { HIDE_CURSOR, SHOW_CURSOR, whileDrawing } from '../terminal/in-place.ts'
import { wrappedLines } from '../terminal/text.ts'
import type { KnownBlock } from './blocks.ts'
import { type LabEvent, seconds, sentenceFor } from './events.ts'
import type { Lab } from './lab.ts'
import type { NodeProcess } from './node-process.ts'

/** What the view needs of a terminal. */
export interface Screen {
  readonly columns: number
  readonly rows: number
  readonly colors: boolean
  write(text: string): void
}

const REDRAW_MS = 100
/** Sentences under the picture. */
const MOST_SENTENCES = 10
/** Lines of the newest ones, on however short a terminal. */
const LEAST_TOLD = 2
/** The genesis block, which nobody mined. */
const GENESIS_SIGN = '·'
const ESCAPE = '\u001b['
const PALETTE = [36, 33, 32, 35, 34, 31] as const
const DIM = 2
const BOLD = 1

export class View {
  private readonly screen: Screen
  private readonly title: string
  private readonly sentences: string[] = []
  private readonly timer: NodeJS.Timeout
  private lab: Lab | undefined
  /** Lines on the terminal that the next picture goes over. */
  private drawn = 0
  private readonly release: () => void
  private readonly startedAt = performance.now()

  constructor(screen: Screen, title: string) {
    this.screen = screen
    this.title = title
    screen.write(HIDE_CURSOR)
    this.timer = setInterval(() => this.draw(), REDRAW_MS)
    this.release = whileDrawing(this.leave, () => {
      screen.write(HIDE_CURSOR)
      this.draw()
    })
  }

  show(lab: Lab): void {
    this.lab = lab
  }

  add(event: LabEvent): void {
    const sentence = sentenceFor(event)
    if (sentence !== undefined) this.sentences.push(sentence)
  }

  /** The last picture stays. */
  close(): void {
    clearInterval(this.timer)
    this.draw()
    this.leave()
    this.release()
  }

  /** Others may write below this picture: the next is another. */
  private readonly leave = (): void => {
    this.drawn = 0
    this.screen.write(SHOW_CURSOR)
  }

  private draw(): void {
    const { columns, rows } = this.screen
    // A line that wraps, or a picture that scrolls, could not be drawn over.
    const height = Math.max(1, rows - 1)
    const lines = this.lines(columns, height).slice(0, height)
    const back = this.drawn > 0 ? `${ESCAPE}${this.drawn}A` : ''
    const text = lines.map((line) => `${ESCAPE}2K${cut(line, columns - 1)}\n`).join('')
    this.screen.write(`${back}\r${text}${ESCAPE}0J`)
    this.drawn = lines.length
  }

  private lines(columns: number, height: number): string[] {
    const time = seconds(performance.now() - this.startedAt)
    const gap = Math.min(columns, 80) - 1 - columnsOf(this.title) - columnsOf(time)
    const head = this.paint(this.title, BOLD) + (gap < 2 ? '' : ' '.repeat(gap) + this.paint(time, DIM))
    const picture = [head, '', ...this.table(columns), '']
    const told = this.sentences.slice(-MOST_SENTENCES).flatMap((text) => wrappedLines(text, columns - 1, '  '))
    // What happens now is under the picture: where there is room for too little of it, less is drawn of that.
    const newest = told.slice(-Math.max(LEAST_TOLD, height - picture.length - 1))
    return [...picture.slice(0, Math.max(1, height - newest.length - 1)), ...newest, '']
  }

  private table(columns: number): string[] {
    const { lab } = this
    if (lab === undefined) return ['The nodes start …']
    const split = lab.nodes.some(({ number }) => lab.sideOf(number) !== undefined)
    const wide = columns >= 60
    const head = `node  block  tip     ${wide ? '  ' : ''}${split ? '  side' : ''}  ${wide ? 'chain, each block as its miner' : 'chain'}`
    return [this.paint(head, DIM), ...lab.nodes.map((node) => this.row(lab, node, wide, split))]
  }

  private row(lab: Lab, node: NodeProcess, wide: boolean, split: boolean): string {
    const number = this.paint(String(node.number).padStart(4), this.colorOf(node.number))
    const { status } = node
    if (status === undefined) return `${number}      ${this.paint(`-  ${node.state}`, DIM)}`
    const side = split ? `  ${'AB'[lab.sideOf(node.number) ?? 0]}   ` : ''
    const tip = status.tip.slice(0, wide ? 8 : 6).padEnd(8)
    const start = `${number}  ${String(status.height).padStart(5)}  ${tip}${side}  `
    return start + this.chain(lab, status.tip, this.screen.columns - 1 - columnsOf(start))
  }

  /** The newest blocks of it: as many as there is room for. */
  private chain(lab: Lab, tip: string, room: number): string {
    const signs: string[] = []
    for (const block of lab.tips.blocks.chainOf(tip)) {
      if (signs.length === room) signs[room - 1] = this.paint('…', DIM)
      if (signs.length === room) break
      signs.push(this.sign(lab, block))
    }
    return signs.reverse().join('')
  }

  private sign(lab: Lab, { height, miner }: KnownBlock): string {
    if (height === 1) return this.paint(GENESIS_SIGN, DIM)
    const number = lab.minerOf(miner)
    return number === undefined ? '?' : this.paint(number.toString(36), this.colorOf(number))
  }

  private colorOf(node: number): number {
    return PALETTE[(node - 1) % PALETTE.length] as number
  }

  private paint(text: string, color: number): string {
    return this.screen.colors ? `${ESCAPE}${color}m${text}${ESCAPE}0m` : text
  }
}

/** Cut to the width, and then without its colours, which take none of it. */
function cut(line: string, width: number): string {
  return columnsOf(line) <= width ? line : fitted(stripVTControlCharacters(line), width)
}
