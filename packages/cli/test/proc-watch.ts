/** Reads what any user of this machine may read of its processes, as long as it is told to. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

export interface ProcWatch {
  /** Whether this process was looked at, its command line and its environment both. */
  hasSeen(pid: number): boolean
  /** What was found, and where. */
  readonly found: readonly string[]
  stop(): Promise<void>
}

/** @param canaries texts by their names */
export function watchProcesses(canaries: Readonly<Record<string, Buffer>>): ProcWatch {
  const seen = new Set<number>()
  const found = new Set<string>()
  let stopped = false
  const look = (pid: number) => {
    const [cmdline, environ] = [read(pid, 'cmdline'), read(pid, 'environ')]
    for (const [name, canary] of Object.entries(canaries)) {
      if (cmdline?.includes(canary)) found.add(`${name} in the command line of ${cmdline.toString().split('\0')[1]}`)
      if (environ?.includes(canary)) found.add(`${name} in the environment of ${cmdline?.toString().split('\0')[1]}`)
    }
    if (cmdline?.length && environ?.length) seen.add(pid)
  }
  const round = async () => {
    for (; !stopped; await delay(2)) for (const name of readdirSync('/proc')) if (/^\d+$/.test(name)) look(Number(name))
  }
  const rounds = round()
  return {
    hasSeen: (pid) => seen.has(pid),
    get found() {
      return [...found]
    },
    stop() {
      stopped = true
      return rounds
    },
  }
}

/** Others' processes come and go, and their environment is theirs. */
function read(pid: number, what: 'cmdline' | 'environ'): Buffer | undefined {
  try {
    return readFileSync(`/proc/${pid}/${what}`)
  } catch {
    return undefined
  }
}
