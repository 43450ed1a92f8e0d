/** The stale blocks over the block interval: as a table, in the terminal, and as a picture. */
import { expectedStale, type PropagationResult } from './propagation.ts'

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
const seconds = (value: number) => `${value.toFixed(value < 10 ? 3 : 1)} s`

export function table(results: readonly PropagationResult[]): string {
  const head = ['interval', 'blocks', 'p50', 'p95', 'mean', 'stale', '1 − e^(−mean/interval)']
  const rows = results.map(({ interval, blocks, p50, p95, mean, stale, expected }) => [
    `${interval} s`,
    String(blocks),
    ...[p50, p95, mean].map(seconds),
    ...[stale, expected].map(percent),
  ])
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) => cells.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  ')
  return [head, ...rows].map(line).join('\n')
}

interface Scale {
  /** 0 … 1 for an interval, on a logarithmic axis, and for a share. */
  readonly x: (interval: number) => number
  readonly y: (share: number) => number
  readonly top: number
  /** Of all results: what the curve is drawn with. */
  readonly mean: number
  readonly intervals: readonly number[]
}

function scaleOf(results: readonly PropagationResult[]): Scale {
  const intervals = results.map(({ interval }) => interval)
  const least = Math.log(Math.min(...intervals)) - 0.2
  const most = Math.log(Math.max(...intervals)) + 0.2
  const top = Math.max(0.05, ...results.flatMap(({ stale, expected }) => [stale, expected])) * 1.1
  return {
    x: (interval) => (Math.log(interval) - least) / (most - least),
    y: (share) => share / top,
    top,
    mean: results.reduce((sum, { mean }) => sum + mean, 0) / results.length,
    intervals,
  }
}

/** Points of the known curve. */
function curveOf({ x, y, mean, intervals }: Scale, count: number): [number, number][] {
  const [least, most] = [Math.min(...intervals), Math.max(...intervals)]
  return Array.from({ length: count }, (_, i) => {
    const interval = least * (most / least) ** (i / (count - 1))
    return [x(interval), y(expectedStale(mean, interval))]
  })
}

const COLUMNS = 64
const ROWS = 16

export function terminalPlot(results: readonly PropagationResult[]): string {
  const scale = scaleOf(results)
  const cells = Array.from({ length: ROWS + 1 }, () => Array.from({ length: COLUMNS + 1 }, () => ' '))
  const put = (x: number, y: number, mark: string) => {
    const row = cells[ROWS - Math.round(y * ROWS)]
    if (row) row[Math.round(x * COLUMNS)] = mark
  }
  for (const [x, y] of curveOf(scale, 4 * COLUMNS)) put(x, y, '·')
  for (const { interval, stale } of results) put(scale.x(interval), scale.y(stale), 'o')
  const label = (i: number) => (i % 4 === 0 ? percent((scale.top * (ROWS - i)) / ROWS) : '').padStart(7)
  const body = cells.map((row, i) => `${label(i)} │${row.join('')}`)
  const axis = Array.from({ length: COLUMNS + 8 }, () => ' ')
  for (const interval of scale.intervals)
    axis.splice(Math.round(scale.x(interval) * COLUMNS), String(interval).length, ...String(interval))
  const legend = `o measured   · 1 − e^(−${seconds(scale.mean)} / interval)`
  const bottom = [
    `        └${'─'.repeat(COLUMNS + 1)}`,
    `         ${axis.join('').trimEnd()}   seconds from block to block`,
  ]
  return ['stale blocks', ...body, ...bottom, `         ${legend}`].join('\n')
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 420, 70, 20, 50, 60] as const

export function svgPlot(results: readonly PropagationResult[], nodes: number): string {
  const scale = scaleOf(results)
  const px = (x: number) => (LEFT + x * (WIDTH - LEFT - RIGHT)).toFixed(1)
  const py = (y: number) => (HEIGHT - BOTTOM - y * (HEIGHT - TOP - BOTTOM)).toFixed(1)
  const text = (x: string | number, y: string | number, anchor: string, what: string) =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}">${what}</text>`
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((y) => [
    `<line x1="${px(0)}" y1="${py(y)}" x2="${px(1)}" y2="${py(y)}" stroke="#ddd"/>`,
    text(LEFT - 8, Number(py(y)) + 4, 'end', percent(y * scale.top)),
  ])
  const ticks = scale.intervals.map((one) => text(px(scale.x(one)), HEIGHT - BOTTOM + 20, 'middle', String(one)))
  const points = results.map(
    ({ interval, stale }) => `<circle cx="${px(scale.x(interval))}" cy="${py(scale.y(stale))}" r="4" fill="#c33"/>`,
  )
  const curve = curveOf(scale, 200).map(([x, y]) => `${px(x)},${py(y)}`)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>Stale blocks among ${nodes} nodes, over the seconds from block to block</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(WIDTH / 2, 22, 'middle', `Stale blocks among ${nodes} nodes`),
    ...grid,
    ...ticks,
    text(WIDTH / 2, HEIGHT - 16, 'middle', 'seconds from block to block'),
    `<polyline points="${curve.join(' ')}" fill="none" stroke="#36c" stroke-width="1.5"/>`,
    ...points,
    `<circle cx="${WIDTH - 260}" cy="58" r="4" fill="#c33"/>`,
    text(WIDTH - 248, 62, 'start', 'measured'),
    `<line x1="${WIDTH - 268}" y1="76" x2="${WIDTH - 252}" y2="76" stroke="#36c" stroke-width="1.5"/>`,
    text(WIDTH - 248, 80, 'start', `1 − e^(−${seconds(scale.mean)} / interval)`),
    '</svg>',
    '',
  ].join('\n')
}
