/** As much of HTTP/1.1 as a load generator needs to read answers: a length or chunks, no pipelining. */

export interface HttpAnswer {
  readonly status: number
  /** Each character is a byte. */
  readonly body: string
  /** The server hangs up after it. */
  readonly closes: boolean
}

interface Head {
  readonly status: number
  readonly closes: boolean
  /** undefined: in chunks. */
  readonly length: number | undefined
}

const END_OF_HEAD = '\r\n\r\n'
const END_OF_LINE = '\r\n'

/** Answers of one connection. Nothing is asked before an answer is whole, so nothing follows it. */
export class AnswerReader {
  /** What has come and was not read yet. */
  private text = ''
  private head: Head | undefined
  private body = ''

  /**
   * @returns the answer, once it is whole
   * @throws Error for an answer that has neither a length nor chunks
   */
  feed(piece: Buffer): HttpAnswer | undefined {
    this.text += piece.toString('latin1')
    this.head ??= this.takeHead()
    if (this.head === undefined) return undefined
    const whole = this.head.length === undefined ? this.takeChunks() : this.takeLength(this.head.length)
    if (!whole) return undefined
    const { status, closes } = this.head
    const answer = { status, closes, body: this.body }
    this.head = undefined
    this.body = ''
    return answer
  }

  private takeHead(): Head | undefined {
    const end = this.text.indexOf(END_OF_HEAD)
    if (end < 0) return undefined
    const head = this.text.slice(0, end + END_OF_LINE.length).toLowerCase()
    this.text = this.text.slice(end + END_OF_HEAD.length)
    const length = /\r\ncontent-length: *(\d+)\r\n/.exec(head)?.[1]
    if (length === undefined && !/\r\ntransfer-encoding: *chunked\r\n/.test(head))
      throw new Error(`an answer of unknown length: ${head}`)
    const closes = head.startsWith('http/1.0') || /\r\nconnection: *close\r\n/.test(head)
    return { status: Number(head.slice(9, 12)), closes, length: length === undefined ? undefined : Number(length) }
  }

  private takeLength(length: number): boolean {
    if (this.text.length < length) return false
    this.body = this.text
    this.text = ''
    return true
  }

  private takeChunks(): boolean {
    for (let at = 0; ; ) {
      const line = this.text.indexOf(END_OF_LINE, at)
      const size = Number.parseInt(this.text.slice(at, line), 16)
      const start = line + END_OF_LINE.length
      if (line < 0 || this.text.length < start + size + END_OF_LINE.length) {
        this.text = this.text.slice(at)
        return false
      }
      if (size === 0) break
      this.body += this.text.slice(start, start + size)
      at = start + size + END_OF_LINE.length
    }
    this.text = ''
    return true
  }
}
