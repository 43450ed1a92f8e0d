/** `npm run bench`: all rows of the table, or those that are named. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Bench, type Measured, type Size, tell } from './row.ts'
import { table } from './table.ts'

/** In the order of the table. Each is loaded when its turn comes. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  mine: async () => (await import('./rows/mine.ts')).bench,
  import: async () => (await import('./rows/import.ts')).bench,
  sync: async () => (await import('./rows/sync.ts')).bench,
  ingest: async () => (await import('./rows/ingest.ts')).bench,
  read: async () => (await import('./rows/read.ts')).bench,
  sign: async () => (await import('./rows/sign.ts')).bench,
  ready: async () => (await import('./rows/ready.ts')).bench,
  height: async () => (await import('./rows/height.ts')).bench,
  status: async () => (await import('./rows/status.ts')).bench,
}

const HELP = `Usage: npm run bench [-- [NAME...] [options]]

Measures this checkout beside what people use, and prints one table. Names: ${Object.keys(BENCHES).join(', ')}.

  --runs N   how often each side is measured, in turns (5)
  --quick    one run with little work: to see that it works
  --json     the figures of every run, as JSON
`

const OPTIONS = {
  runs: { type: 'string', default: '5' },
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

class UsageError extends Error {}

try {
  await main()
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  if (!(error instanceof UsageError) && !code?.startsWith('ERR_PARSE_ARGS')) throw error
  tell(message)
  process.exitCode = 2
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true })
  if (values.help) return void process.stdout.write(HELP)
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHES)
  const unknown = names.find((name) => !Object.hasOwn(BENCHES, name))
  if (unknown) throw new UsageError(`There is no row ${unknown}: ${Object.keys(BENCHES).join(', ')}.`)
  const runs = values.quick ? 1 : Number(values.runs)
  if (!Number.isSafeInteger(runs) || runs < 1) throw new UsageError('--runs must be a whole number from 1.')
  const measured = await measureAll(names, { runs, quick: values.quick })
  process.stdout.write(
    values.json ? `${JSON.stringify(measured, undefined, 2)}\n` : `${machine()}\n\n${table(measured, values.quick)}`,
  )
}

/** @throws whatever a row throws: a table with a hole would be taken for the whole */
async function measureAll(names: readonly string[], size: Size): Promise<Measured[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bc-bench-'))
  const measured: Measured[] = []
  // To be called off is an ordinary end: what was made is removed, and whoever was started ends.
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const name of names) {
    tell(`\n${name}`)
    const bench = await (BENCHES[name] as () => Promise<Bench>)()
    const own = join(folder, name)
    mkdirSync(own)
    measured.push(...(await bench.measure(size, own)))
    rmSync(own, { recursive: true })
  }
  return measured
}

function machine(): string {
  const [core] = cpus()
  return `Node ${process.version}, ${availableParallelism()} cores: ${core?.model.trim() ?? 'unknown'}`
}
