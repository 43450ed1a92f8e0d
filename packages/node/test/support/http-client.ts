/** A plain HTTP client that changes nothing of what it is told to send, and the raw socket under it. */
import { once } from 'node:events'
import { type Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Asked {
  readonly method?: string
  /** As it goes out: nothing is encoded. */
  readonly path: string
  /** Name and value, in this order, also twice. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer | undefined
}

export interface Target {
  readonly port: number
  readonly ip?: string
  readonly agent?: Agent
}

export async function ask({ port, ip = '127.0.0.1', agent }: Target, asked: Asked): Promise<Reply> {
  const { method = 'GET', path, headers = {}, body } = asked
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const sent = request({
    host: ip,
    port,
    method,
    path,
    headers: { host: `localhost:${port}`, ...length, ...headers },
    ...(agent && { agent }),
  })
  // Once there is an answer, a body that could not be sent to its end is nobody's business any more.
  sent.on('error', () => undefined)
  sent.end(body)
  const [message] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: message.statusCode ?? 0, headers: message.headers, text: await textOf(message) }
}

async function textOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of message) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

/** JSON in the body. */
export function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Asked {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { method: 'POST', path, body: text, headers: { 'content-type': 'application/json', ...headers } }
}

/** @param allowHalfOpen it doesn't hang up when the other side does */
export async function connected(port: number, allowHalfOpen = false): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

export interface ExchangeOptions {
  /** Milliseconds without a byte after which nothing more is expected. */
  readonly patience?: number
  /** So many answers are waited for, however long they take. */
  readonly answers?: number
  /** Whether our side is closed once all is sent. */
  readonly half?: boolean
}

/**
 * Sends bytes and takes what comes back until the other side hangs up, or until nothing more is expected.
 * @returns the bytes, and whether the other side hung up
 */
export async function exchange(
  port: number,
  bytes: string | Buffer,
  { patience = 400, answers = 0, half = false }: ExchangeOptions = {},
): Promise<{ text: string; closed: boolean }> {
  const socket = await connected(port)
  let text = ''
  const closed = new Promise<boolean>((resolve) => {
    socket.on('data', (part) => {
      text += part.toString('latin1')
    })
    socket.setTimeout(patience)
    socket.on('timeout', () => {
      if (countAnswers(text) >= answers) resolve(false)
      else socket.setTimeout(patience)
    })
    socket.once('close', () => resolve(true))
  })
  if (half) socket.end(bytes)
  else socket.write(bytes)
  const hungUp = await closed
  socket.destroy()
  return { text, closed: hungUp }
}

function countAnswers(text: string): number {
  return text.split(/HTTP\/1\.1 (?!100)\d{3} /).length - 1
}

/**
 * The answers in what a socket has received.
 * @throws where the text isn't a row of whole HTTP answers
 */
export function answersIn(received: string): Reply[] {
  const replies: Reply[] = []
  let rest = received
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) throw new Error(`no end of the headers in ${JSON.stringify(rest.slice(0, 200))}`)
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n')
    const status = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/.exec(statusLine)?.[1]
    if (status === undefined) throw new Error(`no status line: ${JSON.stringify(statusLine)}`)
    const headers = Object.fromEntries(lines.map((line) => splitHeader(line)))
    rest = rest.slice(end + 4)
    if (status === '100') continue
    const [text, after] = bodyOf(rest, headers)
    replies.push({ status: Number(status), headers, text: Buffer.from(text, 'latin1').toString() })
    rest = after
  }
  return replies
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':')
  if (colon <= 0) throw new Error(`no header: ${JSON.stringify(line)}`)
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}

function bodyOf(rest: string, headers: Record<string, string>): [string, string] {
  if (headers['transfer-encoding'] !== 'chunked') {
    const length = Number(headers['content-length'])
    if (!(length <= rest.length)) throw new Error(`a body of ${headers['content-length']}, and ${rest.length} came`)
    return [rest.slice(0, length), rest.slice(length)]
  }
  let [text, at] = ['', 0]
  for (;;) {
    const line = rest.indexOf('\r\n', at)
    const size = Number.parseInt(rest.slice(at, line), 16)
    if (line < 0 || Number.isNaN(size) || rest.length < line + size + 4) throw new Error('a chunk is cut off')
    text += rest.slice(line + 2, line + 2 + size)
    at = line + size + 4
    if (size === 0) return [text, rest.slice(at)]
  }
}
