/**
 * The process that asks: requests that lie ready as bytes go over a number of connections, on each the next one as soon
 * as the answer before it is there. It does as little as it can beside that, since it shares the cores with whom it asks.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { AnswerReader, type HttpAnswer } from './answers.ts'

export interface LoadQuestion {
  /** On 127.0.0.1. */
  readonly port: number
  readonly connections: number
  readonly requests: readonly Uint8Array[]
  /** How many are sent: where there are fewer requests they come again, from the first. */
  readonly count: number
  readonly expected: Expected
}

/** What every answer must be. */
export interface Expected {
  readonly status: number
  /** Must stand in its body as often as it says. */
  readonly text: string
  readonly times: number
}

export type LoadAnswer = { readonly ms: number } | { readonly fault: string }

/** Its connections last from one question to the next. */
const clients: Client[] = []

process.on('message', async (question: LoadQuestion) => {
  const answer = await ask(question).catch((error): LoadAnswer => ({ fault: String(error) }))
  process.send?.(answer)
})

async function ask({ port, connections, requests, count, expected }: LoadQuestion): Promise<LoadAnswer> {
  while (clients.length < connections) clients.push(new Client(port))
  await Promise.all(clients.map((client) => client.open()))
  let sent = 0
  const next = () => (sent < count ? requests[sent++ % requests.length] : undefined)
  const start = performance.now()
  await Promise.all(clients.map((client) => askAll(client, next, expected)))
  return { ms: performance.now() - start }
}

async function askAll(client: Client, next: () => Uint8Array | undefined, expected: Expected): Promise<void> {
  for (let request = next(); request; request = next()) {
    const answer = await client.ask(request)
    const times = answer.body.split(expected.text).length - 1
    if (answer.status === expected.status && times === expected.times) continue
    throw new Error(`an answer is ${answer.status}: ${answer.body.slice(0, 300)}`)
  }
}

/** One connection; a new one, where the server hangs up after an answer. */
class Client {
  private readonly port: number
  private readonly reader = new AnswerReader()
  private socket: Socket | undefined
  private waiting: { resolve: (answer: HttpAnswer) => void; reject: (error: Error) => void } | undefined

  constructor(port: number) {
    this.port = port
  }

  async open(): Promise<Socket> {
    if (this.socket) return this.socket
    const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    socket.on('data', (piece) => this.received(piece))
    socket.on('error', (error) => this.ended(socket, error))
    socket.on('close', () => this.ended(socket, new Error('the server has hung up')))
    this.socket = socket
    return socket
  }

  async ask(request: Uint8Array): Promise<HttpAnswer> {
    const socket = this.socket ?? (await this.open())
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject }
      socket.write(request)
    })
  }

  private received(piece: Buffer): void {
    try {
      const answer = this.reader.feed(piece)
      if (answer === undefined) return
      if (answer.closes) this.leave()
      this.waiting?.resolve(answer)
    } catch (error) {
      this.waiting?.reject(error as Error)
    }
  }

  private leave(): void {
    this.socket?.destroy()
    this.socket = undefined
  }

  /** One that was left already is none of our business. */
  private ended(socket: Socket, error: Error): void {
    if (socket !== this.socket) return
    this.socket = undefined
    this.waiting?.reject(error)
  }
}
