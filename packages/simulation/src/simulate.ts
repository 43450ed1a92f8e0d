/** `npm run simulate`: many seeds, one seed with its log, or the propagation of blocks. */
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { svgPlot, table, terminalPlot } from './plot.ts'
import { measurePropagation, type PropagationResult } from './propagation.ts'
import { type Answer, runSeeds } from './seeds.ts'
import { type Outcome, simulate } from './simulation.ts'

const HELP = `Usage: npm run simulate -- [options]

Runs a network of nodes in one process, under virtual time: divided, restarted, robbed of messages, and healed in the
end. Then all must be on one tip, with one state and every coin accounted for. A seed always does the same.

  --seeds N        how many seeds (30)
  --from N         the first of them (1)
  --nodes N        nodes in each (20)
  --depth N        blocks that the weaker part finds in every division, instead of the seed's own number
  --jobs N         processes at a time (as many as there are cores)
  --seed N         only this one
  --log FILE       with --seed: writes down all that happened

  --propagation    measures how fast blocks spread, and how many are stale, over the block interval
  --nodes N        (500)
  --intervals A,B  seconds from block to block (0.5,1,2,4,8,16)
  --blocks N       blocks for each interval (200)
  --svg FILE       writes the plot as a picture

Every 20th seed has a reorganisation of hundreds of blocks. Exit code 1: a seed has failed; 2: wrong flags.
`

const OPTIONS = {
  seeds: { type: 'string', default: '30' },
  from: { type: 'string', default: '1' },
  nodes: { type: 'string' },
  depth: { type: 'string' },
  jobs: { type: 'string', default: String(availableParallelism()) },
  seed: { type: 'string' },
  log: { type: 'string' },
  propagation: { type: 'boolean', default: false },
  intervals: { type: 'string', default: '0.5,1,2,4,8,16' },
  blocks: { type: 'string', default: '200' },
  svg: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

type Flags = ReturnType<typeof parse>

const parse = () => parseArgs({ options: OPTIONS }).values
const print = (line: string) => process.stdout.write(`${line}\n`)

try {
  await run(parse())
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  if (!(error instanceof RangeError) && !code?.startsWith('ERR_PARSE_ARGS')) throw error
  process.stderr.write(`${message}\n`)
  process.exitCode = 2
}

async function run(flags: Flags): Promise<void> {
  if (flags.help) print(HELP)
  else if (flags.propagation) await spread(flags)
  else if (flags.seed !== undefined) await runOne(flags)
  else await runMany(flags)
}

/** @throws RangeError for what is no whole number */
function whole(text: string, flag: string, least = 1): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw new RangeError(`--${flag} must be a whole number, at least ${least}`)
  return value
}

/** @throws RangeError where it can't be written: before hours of work, and not after them */
function output(file: string, flag: string): string {
  try {
    writeFileSync(file, '')
    return file
  } catch (error) {
    throw new RangeError(`--${flag} can't be written: ${(error as Error).message}`)
  }
}

function question(seed: number, flags: Flags) {
  const nodes = whole(flags.nodes ?? '20', 'nodes', 2)
  return { seed, nodes, ...(flags.depth !== undefined && { depth: whole(flags.depth, 'depth') }) }
}

async function runOne(flags: Flags): Promise<void> {
  const asked = question(whole(flags.seed ?? '', 'seed', 0), flags)
  const log = flags.log && output(flags.log, 'log')
  const outcome = await simulate({ ...asked, keepLog: log !== undefined })
  if (log) writeFileSync(log, `${outcome.log?.join('\n')}\n`)
  print(lineOf(outcome))
  if (outcome.faults.length > 0) process.exitCode = 1
}

async function runMany(flags: Flags): Promise<void> {
  if (flags.log !== undefined) throw new RangeError('--log goes with --seed: it is of one seed')
  const [count, from] = [whole(flags.seeds, 'seeds'), whole(flags.from, 'from', 0)]
  const answers: Answer[] = []
  const start = performance.now()
  const questions = Array.from({ length: count }, (_, i) => question(from + i, flags))
  await runSeeds(questions, whole(flags.jobs, 'jobs'), (answer) => {
    answers.push(answer)
    const { seed, outcome, seconds } = answer
    print(outcome ? `${lineOf(outcome)}  ${seconds.toFixed(1)} s` : `seed ${seed}: its process has died  FAILED`)
  })
  summarise(flags, answers, (performance.now() - start) / 1000)
}

function lineOf(outcome: Outcome): string {
  const { seed, height, mined, reorganisations, deepest, payments, virtualSeconds, fingerprint, faults } = outcome
  const parts = [
    `seed ${String(seed).padStart(4)}`,
    `height ${String(height).padStart(4)}`,
    `mined ${String(mined).padStart(4)}`,
    `${String(reorganisations).padStart(4)} reorganisations, deepest ${String(deepest).padStart(3)}`,
    `${String(payments).padStart(3)} payments`,
    `${String(Math.round(virtualSeconds / 60)).padStart(3)} min`,
    fingerprint,
    faults.length === 0 ? 'agreed' : 'FAILED',
  ]
  return [parts.join('  '), ...faults.map((fault) => `    ${fault}`)].join('\n')
}

function summarise(flags: Flags, answers: readonly Answer[], seconds: number): void {
  const outcomes = answers.flatMap(({ outcome }) => outcome ?? [])
  const failed = answers.filter(({ outcome }) => outcome === undefined || outcome.faults.length > 0)
  const total = (of: (outcome: Outcome) => number) => outcomes.reduce((sum, one) => sum + of(one), 0)
  const deepest = Math.max(0, ...outcomes.map((one) => one.deepest))
  const busy = answers.reduce((sum, one) => sum + one.seconds, 0)
  print('')
  print(`${answers.length} seeds, ${failed.length} failed; ${total(({ mined }) => mined)} blocks mined`)
  print(`${total((one) => one.reorganisations)} reorganisations, the deepest of ${deepest} blocks`)
  print(`${seconds.toFixed(0)} s; ${(busy / answers.length).toFixed(2)} s of a core for each seed`)
  for (const { seed } of failed) print(`Again, with its log: npm run simulate -- ${again(seed, flags)}`)
  if (failed.length > 0) process.exitCode = 1
}

function again(seed: number, { nodes, depth }: Flags): string {
  const same = [nodes !== undefined && `--nodes ${nodes}`, depth !== undefined && `--depth ${depth}`].filter(Boolean)
  return [...same, `--seed ${seed} --log seed-${seed}.log`].join(' ')
}

async function spread(flags: Flags): Promise<void> {
  const nodes = whole(flags.nodes ?? '500', 'nodes', 2)
  const blocks = whole(flags.blocks, 'blocks')
  const seed = whole(flags.seed ?? '1', 'seed', 0)
  const intervals = flags.intervals.split(',').map(seconds)
  const svg = flags.svg && output(flags.svg, 'svg')
  const results: PropagationResult[] = []
  for (const interval of intervals) {
    results.push(await measurePropagation({ nodes, seed, blocks, interval }))
    process.stderr.write(`${interval} s is done\n`)
  }
  print(`${nodes} nodes, ${blocks} blocks for each interval\n`)
  print(table(results))
  print('')
  print(terminalPlot(results))
  if (svg) writeFileSync(svg, svgPlot(results, nodes))
}

/** @throws RangeError */
function seconds(text: string): number {
  const value = Number(text)
  if (value >= 0.001) return value
  throw new RangeError('--intervals are numbers of seconds, at least 0.001')
}
