/**
 * Frames on a libp2p stream: each a varint of its length and so many bytes (multiformats/unsigned-varint).
 *
 * Not libp2p's own reader of frames: that one takes whatever arrives and gives up when it has too much, so an honest
 * peer that is faster than we are would be cut off. This one stops the sender instead.
 */
import type { Stream } from '@libp2p/interface'
import { PeerError } from './transport.ts'

/** What may be waiting beside the frame that is being read. */
const AHEAD_BYTES = 64 * 1024
/** A varint of 28 bits is longer than any frame. */
const MOST_LENGTH_BYTES = 4

export class FrameReader {
  private readonly stream: Stream
  private readonly maxFrameBytes: number
  private parts: Uint8Array[] = []
  private buffered = 0
  private ended = false
  private wake: () => void = () => undefined

  /** @param maxFrameBytes a longer frame is refused when its length has come */
  constructor(stream: Stream, maxFrameBytes: number) {
    this.stream = stream
    this.maxFrameBytes = maxFrameBytes
    const end = () => {
      this.ended = true
      this.wake()
    }
    stream.addEventListener('message', ({ data }) => this.take(data.subarray()))
    stream.addEventListener('remoteCloseWrite', end)
    stream.addEventListener('close', end)
    this.ended = stream.remoteWriteStatus !== 'writable' && stream.readBufferLength === 0
  }

  /**
   * The next frame. One reader at a time.
   * @throws PeerError `oversized`, `garbled`, or `gone` where the stream ends before
   */
  async read(signal: AbortSignal): Promise<Uint8Array> {
    const length = await this.readLength(signal)
    if (length > this.maxFrameBytes)
      throw new PeerError('oversized', `the frame has ${length} bytes, above ${this.maxFrameBytes}`)
    while (this.buffered < length) await this.more(signal)
    return this.cut(length)
  }

  private async readLength(signal: AbortSignal): Promise<number> {
    let length = 0
    for (let i = 0; i < MOST_LENGTH_BYTES; i++) {
      while (this.buffered === 0) await this.more(signal)
      const [byte = 0] = this.cut(1)
      length += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return length
    }
    throw new PeerError('oversized', 'the length of a frame is longer than that of any')
  }

  private take(bytes: Uint8Array): void {
    this.parts.push(bytes)
    this.buffered += bytes.length
    if (this.buffered > this.maxFrameBytes + AHEAD_BYTES && this.stream.readStatus === 'readable') this.stream.pause()
    this.wake()
  }

  /** Joins what has come only when all of it is there: otherwise a long frame would be copied for each of its parts. */
  private cut(length: number): Uint8Array {
    const [first = new Uint8Array()] = this.parts
    const whole = first.length >= length ? first : Buffer.concat(this.parts)
    if (whole !== first) this.parts = [whole]
    this.parts[0] = whole.subarray(length)
    if (this.parts[0].length === 0) this.parts.shift()
    this.buffered -= length
    if (this.buffered <= this.maxFrameBytes && this.stream.readStatus === 'paused') this.stream.resume()
    return whole.subarray(0, length)
  }

  private async more(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.ended) throw new PeerError('gone', 'the peer has ended the conversation')
    await new Promise<void>((resolve, reject) => {
      const abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      this.wake = () => {
        signal.removeEventListener('abort', abort)
        resolve()
      }
    })
  }
}

/**
 * Settles when the stream has passed all of it on, so that no more than one frame waits in memory for a slow reader.
 * @throws PeerError `gone`
 */
export async function writeFrame(stream: Stream, data: Uint8Array, signal: AbortSignal): Promise<void> {
  stream.send(Buffer.concat([lengthPrefix(data.length), data]))
  while (stream.writeBufferLength > 0) await flushed(stream, signal)
  if (stream.status !== 'open') throw new PeerError('gone', 'the peer has ended the conversation')
}

/** By hand: the stream's own `onDrain` remembers that it has drained once. */
async function flushed(stream: Stream, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const listening = new AbortController()
  const once = { once: true, signal: listening.signal }
  try {
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), once)
      for (const event of ['idle', 'drain', 'close'] as const) stream.addEventListener(event, () => resolve(), once)
    })
  } finally {
    listening.abort()
  }
}

function lengthPrefix(length: number): Uint8Array {
  const bytes: number[] = []
  let rest = length
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80)
  return Uint8Array.from([...bytes, rest])
}
