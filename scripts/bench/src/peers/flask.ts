/** The tutorial's node, in Python: served by Flask as the tutorial does it. What Python lacks is fetched from Debian. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder } from '../cache.ts'
import { type Skipped, tell } from '../row.ts'
import { lastLine } from './anvil.ts'
import { type PeerServer, startServer } from './server.ts'

const run = promisify(execFile)
const NODE = fileURLToPath(new URL('../../peers/tutorial/node.py', import.meta.url))

/** Where packages are unpacked. dpkg gives it their own age, and what looks old may be cleared away. */
const ROOT = 'root'

interface Library {
  readonly name: string
  /** Python that fails where it isn't there. */
  readonly probes: readonly string[]
  readonly debian: readonly string[]
}

const LIBRARIES: readonly Library[] = [
  {
    name: 'flask',
    probes: ['import flask'],
    debian: ['flask', 'werkzeug', 'jinja2', 'markupsafe', 'itsdangerous', 'click', 'blinker'],
  },
  // PyCrypto's successor.
  { name: 'pycryptodome', probes: ['import Crypto', 'import Cryptodome'], debian: ['pycryptodome'] },
]

/** @returns the environment in which Python finds all that it needs */
export async function pythonWithFlask(): Promise<{ environment: NodeJS.ProcessEnv } | Skipped> {
  let environment = process.env
  if (!(await works(['pass'], environment))) return { skipped: 'no python3' }
  for (const library of LIBRARIES) {
    if (await works(library.probes, environment)) continue
    const folder = cacheFolder(`python3-${library.name}`)
    const path = [join(folder, ROOT, 'usr/lib/python3/dist-packages'), environment.PYTHONPATH].filter(Boolean)
    environment = { ...environment, PYTHONPATH: path.join(delimiter) }
    if (await works(library.probes, environment)) continue
    const fault = await fetchFromDebian(library, folder)
    if (fault) return { skipped: `no ${library.name} here, and none from Debian: ${fault}` }
    if (!(await works(library.probes, environment))) return { skipped: `Debian's ${library.name} doesn't fit python3` }
  }
  return { environment }
}

export function startTutorialNode(environment: NodeJS.ProcessEnv): Promise<PeerServer> {
  return startServer('python3', (port) => [NODE, String(port)], environment)
}

async function works(probes: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  for (const probe of probes)
    try {
      await run('python3', ['-c', probe], { env })
      return true
    } catch {
      // The next one may.
    }
  return false
}

/** @returns why it can't be had; undefined where it lies in the folder */
async function fetchFromDebian({ name, debian }: Library, folder: string): Promise<string | undefined> {
  tell(`fetching ${name} from Debian`)
  try {
    await run('apt-get', ['download', '-q', ...debian.map((part) => `python3-${part}`)], { cwd: folder })
    for (const file of readdirSync(folder))
      if (file.endsWith('.deb')) await run('dpkg', ['-x', join(folder, file), join(folder, ROOT)])
  } catch (error) {
    return lastLine(error)
  }
  return undefined
}
