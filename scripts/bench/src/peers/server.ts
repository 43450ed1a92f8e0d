/** Somebody else's server, as a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '@bc/node'
import { endWithUs, stopProcess } from '../processes/command.ts'

const LIMIT_MS = 60_000
const LOOK_MS = 20

export interface PeerServer {
  readonly url: string
  stop(): Promise<void>
}

/**
 * Settles when it listens.
 * @param wordsOf its command line, for a port
 * @throws Error where it ends before that
 */
export async function startServer(
  program: string,
  wordsOf: (port: number) => readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<PeerServer> {
  const port = await freePort('127.0.0.1')
  const child = spawn(program, wordsOf(port), { stdio: 'ignore', env: environment })
  const stop = () => stopProcess(child)
  endWithUs(child)
  // Its end is seen below, and what could not be started has none.
  child.on('error', () => undefined)
  for (const deadline = performance.now() + LIMIT_MS; !(await listens(port)); await delay(LOOK_MS)) {
    if (child.pid !== undefined && child.exitCode === null && performance.now() < deadline) continue
    await stop()
    throw new Error(`${program} does not start`)
  }
  return { url: `http://127.0.0.1:${port}`, stop }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
