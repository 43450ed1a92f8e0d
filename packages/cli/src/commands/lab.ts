/** A network of real nodes on this machine, and what may happen to one: from the first process to the verdict. */
import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { canonicalJson, type JsonObject } from '@bc/core'
import type { ScenarioName } from '../command-line/arguments.ts'
import { CliError, Refusal, sentenceOf, writing } from '../failure.ts'
import { judge } from '../lab/agreement.ts'
import { type LabEvent, type Report, sentenceFor, type Verdict } from '../lab/events.ts'
import { Lab } from '../lab/lab.ts'
import { SCENARIOS } from '../lab/scenarios.ts'
import { View } from '../lab/view.ts'
import { print, terminalWidth } from '../terminal/output.ts'
import { counted, type Entry, rows } from '../terminal/text.ts'

export interface LabFlags {
  readonly nodes: number
  readonly seed: number
  readonly save?: string
  readonly logs?: string
}

/** One wait: a start on a busy machine is the longest. */
const USUAL_LIMIT = 60_000

export interface LabSettings {
  readonly json: boolean
  readonly color: boolean
  /** Milliseconds. */
  readonly timeout: number | undefined
}

export async function lab(
  scenario: ScenarioName,
  flags: LabFlags,
  { json, color, timeout }: LabSettings,
): Promise<void> {
  const { nodes, seed, save, logs } = flags
  // Now, and not after the whole experiment.
  if (save !== undefined) writing('cli.lab', save, () => checkPlace(save))
  const { interrupted, signal, forget } = interruption()
  const audience = audienceOf(scenario, flags, { json, color })
  let lab: Lab | undefined
  try {
    lab = await Lab.open({ nodes, seed, limit: timeout ?? USUAL_LIMIT, logs, signal, report: audience.report })
    audience.meet(lab)
    audience.conclude(await Promise.race([played(lab, scenario, flags), failureOf(lab)]))
  } catch (error) {
    if (!interrupted()) throw asVerdict(error)
  } finally {
    audience.leave()
    await lab?.close()
    forget()
  }
  // Everything is tidied up: now the signal may have its way, so that whoever sent it sees that it did.
  const sent = interrupted()
  if (sent !== undefined) process.kill(process.pid, sent)
}

/** @throws Error where no file of that name can be written */
function checkPlace(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder')
  accessSync(dirname(file), constants.W_OK)
}

async function played(lab: Lab, scenario: ScenarioName, flags: LabFlags): Promise<Verdict> {
  try {
    await lab.start()
    lab.begin(scenario)
    await SCENARIOS[scenario](lab)
    return await judge(lab, flags.save)
  } catch (error) {
    await lab.grace()
    throw error
  }
}

/** Whatever a node of the lab says or doesn't say, it is the lab that has failed. */
function asVerdict(error: unknown): unknown {
  return error instanceof CliError || error instanceof Refusal ? new CliError('cli.lab', sentenceOf(error)) : error
}

/** A node that is lost ends the lab, whatever is being waited for. */
function failureOf({ signal }: Lab): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}

/** The first signal ends the lab in order, the second at once: what is left then is killed and removed on exit. */
function interruption() {
  const ending = new AbortController()
  let sent: NodeJS.Signals | undefined
  const onSignal = (signal: NodeJS.Signals, number: number) => {
    if (sent !== undefined) process.exit(128 + number)
    sent = signal
    ending.abort(new CliError('cli.lab', `${signal}: the lab is closed.`))
  }
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of names) process.on(name, onSignal)
  const forget = () => names.forEach((name) => void process.off(name, onSignal))
  return { interrupted: () => sent, signal: ending.signal, forget }
}

/** Who watches: a program, a person, or a person whose terminal can't draw. */
interface Audience {
  readonly report: Report
  meet(lab: Lab): void
  conclude(verdict: Verdict): void
  leave(): void
}

function audienceOf(
  scenario: ScenarioName,
  { nodes, seed }: LabFlags,
  { json, color }: Omit<LabSettings, 'timeout'>,
): Audience {
  const nothing = () => undefined
  if (json || !process.stdout.isTTY) {
    const report = eventPrinter()
    return { report, meet: nothing, conclude: report, leave: nothing }
  }
  if (process.env.TERM === 'dumb') return { report: tell, meet: nothing, conclude: tellVerdict, leave: nothing }
  const view = new View(screen(color), `bc lab ${scenario}: ${nodes} nodes, seed ${seed}`)
  let verdict: Verdict | undefined
  return {
    report: (event) => view.add(event),
    meet: (lab) => view.show(lab),
    conclude: (agreed) => {
      verdict = agreed
    },
    leave: () => {
      view.close()
      if (verdict) tellVerdict(verdict)
    },
  }
}

/** @returns what prints events with the milliseconds since the lab began */
function eventPrinter(): Report {
  const start = performance.now()
  return (event) => print(canonicalJson({ ...event, at: Math.round(performance.now() - start) } as JsonObject))
}

function tell(event: LabEvent): void {
  const sentence = sentenceFor(event)
  if (sentence !== undefined) print(sentence)
}

function tellVerdict({ nodes, height, tip, supply, abandoned, deepest }: Verdict): void {
  const entries: Entry[] = [
    ['Height', height],
    ['Tip', tip],
    ['Supply', supply],
    [
      'Abandoned',
      abandoned === 0 ? 'no block' : `at most ${counted(deepest, 'block')} at once, ${abandoned} by all nodes together`,
    ],
    ['Audit', 'valid'],
  ]
  print(`All ${nodes} nodes agree.\n\n${rows(entries, terminalWidth())}`)
}

function screen(colors: boolean) {
  const { stdout } = process
  return {
    get columns() {
      return terminalWidth()
    },
    get rows() {
      return stdout.rows || 24
    },
    colors,
    write: (text: string) => void stdout.write(text),
  }
}
