/**
 * Frames on a libp2p stream: each a varint of its length and so many bytes (multiformats/unsigned-varint).
 *
 * Not libp2p's own reader of frames: that one takes whatever arrives and gives up when it has too much, so an honest
 * peer that is faster than we are would be cut off. This one stops the sender instead.
 */
import type { Stream } from '@libp2p/interface'
import { PeerError } from '../transport.ts'

/** What may be waiting beside the frame that is being read. */
const AHEAD_BYTES = 64 * 1024
/** Frames are sent together up to so much, and long ones in pieces of it: what encrypts and sends them asks as much for each as for all. */
const TOGETHER_BYTES = 64 * 1024
/** A varint of 28 bits is longer than any frame. */
const MOST_LENGTH_BYTES = 4

export class FrameReader {
  private readonly stream: Stream
  private readonly maxFrameBytes: number
  private parts: Uint8Array[] = []
  private buffered = 0
  /** Of the frame that comes next, as far as its prefix has come. */
  private prefix = { value: 0, bytes: 0, complete: false }
  private ended = false
  private resuming = false
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
    for (;;) {
      const frame = this.ready()
      if (frame) return frame
      await this.more(signal)
    }
  }

  /**
   * The next frame where all of it has come already.
   * @throws PeerError `oversized`
   */
  ready(): Uint8Array | undefined {
    if (!this.prefix.complete) this.readPrefix()
    const { value, complete } = this.prefix
    if (!complete || this.buffered < value) return undefined
    this.prefix = { value: 0, bytes: 0, complete: false }
    return this.cut(value)
  }

  private readPrefix(): void {
    const { prefix } = this
    while (this.buffered > 0 && !prefix.complete) {
      if (prefix.bytes === MOST_LENGTH_BYTES)
        throw new PeerError('oversized', 'the length of a frame is longer than that of any')
      const [byte = 0] = this.cut(1)
      prefix.value += (byte & 0x7f) * 2 ** (7 * prefix.bytes++)
      prefix.complete = byte < 0x80
    }
    if (prefix.complete && prefix.value > this.maxFrameBytes)
      throw new PeerError('oversized', `the frame has ${prefix.value} bytes, above ${this.maxFrameBytes}`)
  }

  private take(bytes: Uint8Array): void {
    this.parts.push(bytes)
    this.buffered += bytes.length
    if (!this.resuming) this.pauseWhenFull()
    this.wake()
  }

  private pauseWhenFull(): void {
    if (this.buffered > this.maxFrameBytes + AHEAD_BYTES && this.stream.readStatus === 'readable') this.stream.pause()
  }

  /**
   * While it resumes, a stream hands on what has waited in it, and lets the sender go on only then: to be paused in the
   * midst of that would have it call itself paused, and the sender never stop.
   */
  private resume(): void {
    this.resuming = true
    this.stream.resume()
    this.resuming = false
    this.pauseWhenFull()
  }

  /** @param length not more than has come */
  private cut(length: number): Uint8Array {
    this.join(length)
    const [whole = new Uint8Array()] = this.parts
    this.parts[0] = whole.subarray(length)
    if (this.parts[0].length === 0) this.parts.shift()
    this.buffered -= length
    if (this.buffered <= this.maxFrameBytes && this.stream.readStatus === 'paused') this.resume()
    return whole.subarray(0, length)
  }

  /** Only when all of a frame is there, and no more than it: otherwise bytes would be copied again and again. */
  private join(length: number): void {
    if ((this.parts[0]?.length ?? 0) >= length) return
    let [count, size] = [0, 0]
    for (; size < length; count++) size += this.parts[count]?.length ?? 0
    this.parts.unshift(Buffer.concat(this.parts.splice(0, count), size))
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

export class FrameWriter {
  private readonly stream: Stream
  private parts: Uint8Array[] = []
  private waiting = 0

  constructor(stream: Stream) {
    this.stream = stream
  }

  /** Bytes that wait to be flushed. */
  get size(): number {
    return this.waiting
  }

  /** @returns whether it is time to {@link flush} */
  add(data: Uint8Array): boolean {
    const prefix = lengthPrefix(data.length)
    this.parts.push(prefix, data)
    this.waiting += prefix.length + data.length
    return this.waiting >= TOGETHER_BYTES
  }

  /**
   * Settles when the stream has passed all of it on, so that no more waits in memory for a slow reader.
   * @throws PeerError `gone`
   */
  async flush(signal: AbortSignal): Promise<void> {
    const { stream } = this
    const data = Buffer.concat(this.parts, this.waiting)
    this.parts = []
    this.waiting = 0
    // What arrives is seen piece by piece: one of a whole window would look like silence on a slow line.
    for (let at = 0; at < data.length && stream.status === 'open'; at += TOGETHER_BYTES) {
      stream.send(data.subarray(at, at + TOGETHER_BYTES))
      // What waits for a peer that has hung up is never taken.
      while (stream.writeBufferLength > 0 && stream.status === 'open') await flushed(stream, signal)
    }
    if (stream.status !== 'open') throw new PeerError('gone', 'the peer has ended the conversation')
  }
}

/**
 * One frame, at once.
 * @throws PeerError `gone`
 */
export async function writeFrame(stream: Stream, data: Uint8Array, signal: AbortSignal): Promise<void> {
  const writer = new FrameWriter(stream)
  writer.add(data)
  await writer.flush(signal)
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
