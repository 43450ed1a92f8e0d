/** What a row of the table is, and how two figures become a ratio that another machine can compare. */

export interface Size {
  /** How often each side is measured, in turns. */
  readonly runs: number
  /** A look at whether it works, with a fraction of the work: its figures are no measurement. */
  readonly quick: boolean
}

/** One line of the table: a figure of ours, one of somebody else's, and what their ratio must be. */
export interface Row {
  /** What `npm run bench -- NAME` calls it. A file may measure several lines under one name. */
  readonly name: string
  readonly ours: string
  readonly theirs: string
  readonly unit: string
  /** Of speeds the ratio must be at least so much, of times and sizes at most. */
  readonly bound: 'at least' | 'at most'
  readonly mustReach: number
  readonly aimFor: number
}

export interface Measured {
  readonly row: Row
  readonly outcome: Figures | Skipped
}

/** In the order of the runs: the first of ours was measured beside the first of theirs. */
export interface Figures {
  readonly ours: readonly number[]
  readonly theirs: readonly number[]
}

export interface Skipped {
  /** Why it can't be measured here. */
  readonly skipped: string
}

/** A file of `rows/`. */
export interface Bench {
  readonly rows: readonly Row[]
  /** @param folder a directory of its own, removed afterwards */
  measure(size: Size, folder: string): Promise<readonly Measured[]>
}

/** Turns of one run for what takes milliseconds: one by itself says little. */
export const SHORT_TURNS = 20

/**
 * Both sides in turns, so that whatever else the machine does meets both of them. Who goes first changes from turn to
 * turn.
 * @param turns of each run, whose figure is the median of them
 */
export async function sideBySide(
  runs: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
  turns = 1,
): Promise<Figures> {
  return inTurns(runs, { ours, theirs }, turns)
}

/** The same for more than two: what each has measured, by its name. */
export async function inTurns<Name extends string>(
  runs: number,
  sides: Readonly<Record<Name, () => Promise<number>>>,
  turns = 1,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(sides) as Name[]
  const nothing = () => Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>
  const figures = nothing()
  for (let run = 0; run < runs; run++) {
    const values = nothing()
    for (let turn = run * turns; turn < (run + 1) * turns; turn++)
      for (const name of turn % 2 === 0 ? names : names.toReversed()) values[name].push(await sides[name]())
    for (const name of names) figures[name].push(median(values[name]))
    tell(`run ${run + 1} of ${runs}: ${names.map((name) => shorten(figures[name][run])).join(' beside ')}`)
  }
  return figures
}

/** The middle one: a run that something else has disturbed doesn't count. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[middle - 1 + (sorted.length % 2)], sorted[middle]]
  if (low === undefined || high === undefined) throw new RangeError('nothing has been measured')
  return (low + high) / 2
}

/** Of the ratios of single runs, not of two medians: the two of one run had the same machine. */
export function ratioOf({ ours, theirs }: Figures): number {
  return median(ours.map((figure, run) => figure / (theirs[run] as number)))
}

export function reaches({ bound }: Row, ratio: number, goal: number): boolean {
  return bound === 'at least' ? ratio >= goal : ratio <= goal
}

/** For whoever waits: stdout is for the table alone. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Three digits say all that a measurement knows. */
export function shorten(value: number | undefined): string {
  if (value === undefined) return '-'
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3)
}
