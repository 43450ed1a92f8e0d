/** Mining on a terminal: how fast, how much of it, and how long a block takes. One line, written over on stderr. */
import type { MiningEvent } from '@bc/node'
import { isText, isWhole, type Shape, wrongField } from '../client/answer.ts'
import type { Endpoint } from '../client/http.ts'
import { CliError, Refusal } from '../failure.ts'
import { HIDE_CURSOR, SHOW_CURSOR, whileDrawing } from '../terminal/in-place.ts'
import { terminalWidth } from '../terminal/output.ts'

const SHAPE: Shape<MiningEvent> = {
  index: isWhole,
  attempts: isWhole,
  rate: isWhole,
  expected: (value) => isText(value) && /^[0-9]{1,90}$/.test(value as string),
  milliseconds: isWhole,
}

/** From the cursor to the end of the line. */
const ERASE = '\u001b[K'

export interface MiningView {
  /** Whether anything has been drawn. */
  readonly isShown: boolean
  /** The line is gone, and the cursor is back. */
  close(): void
}

/** undefined where nobody could see it. */
export function openMiningView(endpoint: Endpoint): MiningView | undefined {
  const { stderr } = process
  if (!stderr.isTTY || process.env.TERM === 'dumb') return undefined
  const view = new TerminalView(stderr)
  void show(view, endpoint)
  return view
}

/** The block is what counts: where its progress can't be had (an older node, too many listeners), it isn't shown. */
async function show(view: TerminalView, endpoint: Endpoint): Promise<void> {
  const { nodeEvents } = await import('./node-events.ts')
  try {
    for await (const { event, data } of nodeEvents(endpoint, { types: ['mining'], signal: view.signal }))
      if (event === 'mining' && wrongField(data, SHAPE) === undefined) view.draw(data as unknown as MiningEvent)
  } catch (error) {
    const expected = view.signal.aborted || error instanceof CliError || error instanceof Refusal
    if (!expected) throw error
  }
}

class TerminalView implements MiningView {
  isShown = false
  private readonly stream: NodeJS.WriteStream
  private readonly ending = new AbortController()
  private readonly release: () => void
  private newest: MiningEvent | undefined

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream
    for (const signal of SIGNALS) process.on(signal, this.onSignal)
    this.release = whileDrawing(this.clear, () => this.newest && this.draw(this.newest))
  }

  get signal(): AbortSignal {
    return this.ending.signal
  }

  draw(event: MiningEvent): void {
    if (this.ending.signal.aborted) return
    const line = miningLine(event, terminalWidth(this.stream) - 1)
    this.stream.write(`${this.isShown ? '' : HIDE_CURSOR}\r${line}${ERASE}`)
    this.isShown = true
    this.newest = event
  }

  close(): void {
    this.ending.abort()
    this.clear()
    this.release()
    for (const signal of SIGNALS) process.off(signal, this.onSignal)
  }

  private readonly clear = (): void => {
    if (this.isShown) this.stream.write(`\r${ERASE}${SHOW_CURSOR}`)
    this.isShown = false
  }

  /** It ends us as it ends any program, once the terminal is as it was. */
  private readonly onSignal = (signal: NodeJS.Signals): void => {
    this.close()
    process.kill(process.pid, signal)
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** As much as there is room for. What was tried before says nothing of what is to come: every attempt is a new one. */
export function miningLine({ index, attempts, rate, expected, milliseconds }: MiningEvent, width: number): string {
  const average = Number(expected)
  const name = `block ${index}`
  const [time, speed] = [duration(milliseconds / 1000), `${metric(rate)}H/s`]
  const [tried, of] = [metric(attempts).trim(), metric(average).trim()]
  const each = rate > 0 ? `a block in ${duration(average / rate)}` : 'measuring'
  const lines = [
    [`mining ${name}`, time, speed, `${tried} of ${of} expected attempts`, each],
    [name, time, speed, `${tried} of ${of} expected`, each],
    [name, time, speed, `${tried}/${of}`],
    [time, speed, `${tried}/${of}`],
    [time, speed],
  ].map((words) => words.join('  '))
  return lines.find((line) => line.length <= width) ?? speed.slice(0, width)
}

const UNITS = ['', 'k', 'M', 'G', 'T', 'P'] as const

/** Three digits and a unit: `1.21 M`. */
function metric(value: number): string {
  const step = value < 1000 ? 0 : Math.floor(Math.log10(value) / 3 + 1e-9)
  const unit = UNITS[step]
  if (unit === undefined) return `${value.toExponential(1).replace('+', '')} `
  const scaled = value / 1000 ** step
  const digits = step === 0 || scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2
  return `${scaled.toFixed(digits)} ${unit}`
}

const SPANS: readonly (readonly [name: string, seconds: number])[] = [
  ['years', 31_557_600],
  ['days', 86_400],
  ['h', 3600],
  ['min', 60],
]

function duration(seconds: number): string {
  const [name, span] = SPANS.find(([, length]) => seconds >= 2 * length) ?? ['s', 1]
  const value = seconds / span
  if (value >= 10_000) return `${value.toExponential(0).replace('+', '')} ${name}`
  return `${value.toFixed(value < 10 && name === 's' ? 1 : 0)} ${name}`
}
