/**
 * Every scenario with many seeds, one lab after the other, and what came of it as a table.
 *
 *     npm run lab                                     all scenarios, 5 nodes, seeds 1 to 20
 *     npm run lab -- partition churn --seeds 3 --nodes 4
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Argument, Command } from 'commander'
import { labNodesOption, wholeOption } from '../command-line/arguments.ts'
import type { LabEvent } from './events.ts'
import { CHECKOUT } from './node-process.ts'
import { SCENARIOS } from './scenarios.ts'

interface Outcome {
  readonly seed: number
  readonly code: number | null
  readonly reason: string
  readonly ms: number
  /** Milliseconds from each new block to the last node that has it. */
  readonly followed: readonly number[]
  /** Milliseconds from the healing of a split until all are connected. */
  readonly connected: readonly number[]
  readonly deepest: number
}

interface Flags {
  readonly nodes: number
  readonly seeds: number
}

const names = Object.keys(SCENARIOS)

await new Command('lab')
  .addArgument(new Argument('[SCENARIO...]', 'default: all').choices(names))
  .option('--nodes <n>', 'nodes of each lab', labNodesOption, 5)
  .option('--seeds <n>', 'seeds from 1 to this', wholeOption, 20 as ReturnType<typeof wholeOption>)
  .action(async (scenarios: readonly string[], flags: Flags) => {
    for (const scenario of scenarios.length > 0 ? scenarios : names) await runAll(scenario, flags)
  })
  .parseAsync()

async function runAll(scenario: string, { nodes, seeds }: Flags): Promise<void> {
  const outcomes: Outcome[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const outcome = await runOne(scenario, nodes, seed)
    outcomes.push(outcome)
    if (outcome.code === 0) continue
    process.exitCode = 1
    console.log(`bc lab ${scenario} --nodes ${nodes} --seed ${seed}\n  ${outcome.reason}`)
  }
  console.log(summary(scenario, nodes, outcomes))
}

async function runOne(scenario: string, nodes: number, seed: number): Promise<Outcome> {
  const words = ['lab', scenario, '--nodes', String(nodes), '--seed', String(seed), '--json']
  const child = spawn(join(CHECKOUT, 'bin/bc'), words, { stdio: ['ignore', 'pipe', 'pipe'] })
  const said: Buffer[] = []
  child.stderr.on('data', (chunk) => said.push(chunk))
  const closed = once(child, 'close')
  const start = performance.now()
  const events: LabEvent[] = []
  for await (const line of createInterface(child.stdout)) events.push(JSON.parse(line))
  const [code] = await closed
  const of = <Name extends LabEvent['event']>(name: Name) =>
    events.filter((event): event is Extract<LabEvent, { event: Name }> => event.event === name)
  return {
    seed,
    code,
    reason: Buffer.concat(said).toString().trim(),
    ms: performance.now() - start,
    followed: of('followed').map(({ ms }) => ms),
    connected: of('connected').map(({ ms }) => ms),
    deepest: Math.max(0, ...of('tip').map(({ abandoned }) => abandoned)),
  }
}

function summary(scenario: string, nodes: number, outcomes: readonly Outcome[]): string {
  const good = outcomes.filter(({ code }) => code === 0)
  const figures = [
    `${scenario.padEnd(12)} ${nodes} nodes: ${good.length} of ${outcomes.length} seeds agree and pass the audit`,
    `  a lab, s                 ${spread(good.map(({ ms }) => Math.round(ms / 1000)))}`,
    `  a block is with all, ms  ${spread(outcomes.flatMap(({ followed }) => followed))}`,
  ]
  const connected = outcomes.flatMap((outcome) => outcome.connected)
  if (connected.length > 0) figures.push(`  connected again, ms      ${spread(connected)}`)
  const deepest = Math.max(0, ...outcomes.map((outcome) => outcome.deepest))
  if (deepest > 0) figures.push(`  deepest reorganisation   ${deepest} blocks`)
  return figures.join('\n')
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? '-'
  return `median ${at(0.5)}, 95 % ${at(0.95)}, most ${at(1)}`
}
