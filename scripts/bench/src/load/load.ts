/** One load for all servers: the same process asks ours and theirs, over as many connections. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Expected, LoadAnswer, LoadQuestion } from './generator.ts'

export type { Expected } from './generator.ts'

const PROCESS = fileURLToPath(new URL('./generator.js', import.meta.url))

export interface Work {
  readonly requests: readonly Uint8Array[]
  /** How many are sent; each once, unless it says more. */
  readonly count?: number
  readonly expected: Expected
}

export class Load {
  private readonly child: ChildProcess
  private readonly port: number
  private readonly connections: number

  /** @param url of a server on 127.0.0.1 */
  constructor(url: string, connections: number) {
    this.child = fork(PROCESS, [], { serialization: 'advanced', execArgv: [] })
    this.port = Number(new URL(url).port)
    this.connections = connections
  }

  /**
   * @returns requests per second
   * @throws Error for the first answer that isn't what was expected
   */
  async run({ requests, count = requests.length, expected }: Work): Promise<number> {
    const question: LoadQuestion = { port: this.port, connections: this.connections, requests, count, expected }
    this.child.send(question)
    const [answer] = (await once(this.child, 'message')) as [LoadAnswer]
    if ('fault' in answer) throw new Error(answer.fault)
    return (count / answer.ms) * 1000
  }

  async close(): Promise<void> {
    const ended = once(this.child, 'exit')
    this.child.kill()
    await ended
  }
}

export function get(path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${HOST}\r\n`)
}

export function post(path: string, type: string, body: string): Buffer {
  const length = Buffer.byteLength(body)
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\n${HOST}Content-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n${body}`,
  )
}

const HOST = 'Host: localhost\r\n'
