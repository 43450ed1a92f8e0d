/** A command of this checkout from its start to its end, as a shell would start it, but without the shell. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Of `bin/`. */
export function launcher(name: string): string {
  return fileURLToPath(new URL(`../../../../bin/${name}`, import.meta.url))
}

/**
 * @param words for Node: options of its own, a file, and what the file is given
 * @param options of the process; its standard error is ours
 * @returns milliseconds
 * @throws where it doesn't end with 0, as what fails is no measurement
 */
export async function lifetimeOf(words: readonly string[], options: SpawnOptions = {}): Promise<number> {
  const start = performance.now()
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'], ...options })
  const [code] = await once(child, 'exit')
  const end = performance.now()
  if (code !== 0) throw new Error(`${words.join(' ')} has ended with ${code}`)
  return end - start
}

/** What any program on Node costs before it has done anything. */
export function lifetimeOfNothing(): Promise<number> {
  return lifetimeOf(['-e', '0'])
}

/** Whatever becomes of the bench, nobody is left behind, nor writes where things are removed. */
export function endWithUs(child: ChildProcess): void {
  const kill = () => void child.kill('SIGKILL')
  process.prependOnceListener('exit', kill)
  child.once('exit', () => process.off('exit', kill))
}

/** Settles when it has ended, also where it had before. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
