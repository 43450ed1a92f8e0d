/** Frames on a stream, however the bytes are cut on their way. */
import type { Stream } from '@libp2p/interface'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameReader, FrameWriter, writeFrame } from '../src/network/libp2p/frames.ts'

const { signal } = new AbortController()
const LIMIT = 300_000

/** As much of a stream as frames use: what is sent is kept, what comes is handed on. */
class Pipe extends EventTarget {
  readonly sent: Uint8Array[] = []
  status = 'open'
  readStatus = 'readable'
  remoteWriteStatus = 'writable'
  readBufferLength = 0
  writeBufferLength = 0

  send(bytes: Uint8Array): boolean {
    this.sent.push(bytes)
    return true
  }

  pause(): void {
    this.readStatus = 'paused'
  }

  resume(): void {
    this.readStatus = 'readable'
  }

  come(bytes: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: { subarray: () => bytes } }))
  }

  get stream(): Stream {
    return this as unknown as Stream
  }
}

async function written(frames: readonly Uint8Array[]): Promise<Buffer> {
  const pipe = new Pipe()
  const writer = new FrameWriter(pipe.stream)
  for (const frame of frames) if (writer.add(frame)) await writer.flush(signal)
  await writer.flush(signal)
  return Buffer.concat(pipe.sent)
}

const lengths = fc.oneof(fc.nat(5), fc.nat(300), fc.constantFrom(127, 128, 16_383, 16_384, LIMIT))

test('come out as they went in, in whatever pieces they come', async () => {
  const frames = fc.array(lengths, { maxLength: 12 })
  const cuts = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 70_000 })), { minLength: 1, maxLength: 9 })
  await fc.assert(
    fc.asyncProperty(frames, cuts, async (sizes, pieces) => {
      const sent = sizes.map((size, i) => Buffer.alloc(size, i + 1))
      const bytes = await written(sent)
      const pipe = new Pipe()
      const reader = new FrameReader(pipe.stream, LIMIT)
      const read: Uint8Array[] = []
      for (let at = 0, i = 0; at < bytes.length; i++) {
        // Long stretches don't come byte by byte, or it would take all day.
        const size = (pieces[i % pieces.length] as number) + (i > 100 ? 50_000 : 0)
        if (pipe.readStatus === 'readable') pipe.come(bytes.subarray(at, at + size))
        at += size
        for (let frame = reader.ready(); frame; frame = reader.ready()) read.push(frame)
      }
      expect(read.map((frame) => Buffer.from(frame).equals(sent[read.indexOf(frame)] as Buffer))).toEqual(
        sent.map(() => true),
      )
      expect(reader.ready()).toBeUndefined()
    }),
    { numRuns: 60 },
  )
})

test('short ones are sent together, a long one in pieces', async () => {
  const pipe = new Pipe()
  const writer = new FrameWriter(pipe.stream)
  const due = Array.from({ length: 20 }, () => writer.add(new Uint8Array(5_000)))
  expect(due.indexOf(true)).toBe(13)
  await writer.flush(signal)
  await writer.flush(signal)
  await writeFrame(pipe.stream, new Uint8Array(150_000), signal)
  expect(pipe.sent.map(({ length }) => length)).toEqual([65_536, 34_504, 65_536, 65_536, 18_931])
  await writeFrame(pipe.stream, new Uint8Array(3), signal)
  expect(pipe.sent.at(-1)).toEqual(Buffer.from([3, 0, 0, 0]))
  pipe.status = 'reset'
  await expect(writeFrame(pipe.stream, new Uint8Array(3), signal)).rejects.toMatchObject({ fault: 'gone' })
})

test('a writer waits until the stream has passed on what it was given', async () => {
  const pipe = new Pipe()
  pipe.writeBufferLength = 3
  let done = false
  const writing = writeFrame(pipe.stream, new Uint8Array(3), signal).then(() => {
    done = true
  })
  for (let left = 2; left >= 0; left--) {
    await new Promise(setImmediate)
    expect(done).toBe(false)
    pipe.writeBufferLength = left
    pipe.dispatchEvent(new Event('drain'))
  }
  await writing
})

test('a reader waits for what is missing, and is told of the end', async () => {
  const pipe = new Pipe()
  const reader = new FrameReader(pipe.stream, LIMIT)
  const frame = reader.read(signal)
  for (const byte of [2, 7, 8]) pipe.come(Uint8Array.of(byte))
  expect([...(await frame)]).toEqual([7, 8])
  const next = reader.read(signal)
  pipe.come(Uint8Array.of(2, 7))
  pipe.dispatchEvent(new Event('close'))
  await expect(next).rejects.toMatchObject({ fault: 'gone' })
})

test('a longer one than allowed is refused by its length alone, and so is a length without an end', () => {
  for (const bytes of [
    [0x81, 0x80, 0x01],
    [0xff, 0xff, 0xff, 0xff, 0x7f],
  ]) {
    const pipe = new Pipe()
    const reader = new FrameReader(pipe.stream, 16_384)
    pipe.come(Uint8Array.from(bytes))
    expect(() => reader.ready()).toThrow(expect.objectContaining({ fault: 'oversized' }))
  }
})

test('a sender that is faster than its reader is made to wait', () => {
  const pipe = new Pipe()
  const reader = new FrameReader(pipe.stream, 1_000)
  pipe.come(
    Buffer.concat(Array.from({ length: 70 }, () => Buffer.concat([Buffer.from([0xe8, 0x07]), Buffer.alloc(1_000)]))),
  )
  expect(pipe.readStatus).toBe('paused')
  for (let i = 0; i < 70; i++) expect(reader.ready()?.length).toBe(1_000)
  expect(pipe.readStatus).toBe('readable')
})

/** As libp2p's streams do it: what comes while one is paused waits in it, and goes on before the sender is let go on. */
class Pausing extends Pipe {
  private waiting: Uint8Array[] = []
  senderStopped = false

  override pause(): void {
    if (this.readStatus === 'paused') return
    this.readStatus = 'paused'
    this.senderStopped = true
  }

  override resume(): void {
    this.readStatus = 'readable'
    for (const bytes of this.waiting.splice(0)) this.come(bytes)
    this.senderStopped = false
  }

  override come(bytes: Uint8Array): void {
    if (this.readStatus === 'paused') this.waiting.push(bytes)
    else super.come(bytes)
  }
}

test('and again at once where more has waited in the stream than the reader wants', () => {
  const pipe = new Pausing()
  const reader = new FrameReader(pipe.stream, 1_000)
  const frames = Buffer.concat(
    Array.from({ length: 70 }, () => Buffer.concat([Buffer.from([0xe8, 0x07]), Buffer.alloc(1_000)])),
  )
  for (let i = 0; i < 5; i++) pipe.come(frames)
  for (let i = 0; i < 5 * 70; i++) {
    // Where it isn't stopped, it has been asked for more, and no more of it waits than the reader wants.
    expect(pipe.senderStopped).toBe(pipe.readStatus === 'paused')
    expect(reader.ready()?.length).toBe(1_000)
  }
  expect(pipe).toMatchObject({ readStatus: 'readable', senderStopped: false })
  expect(reader.ready()).toBeUndefined()
})

test('what waits for a peer that has hung up is given up at once', async () => {
  const pipe = new Pipe()
  pipe.writeBufferLength = 10
  const flushed = writeFrame(pipe.stream, Buffer.from('frame'), AbortSignal.timeout(5_000))
  pipe.status = 'reset'
  pipe.dispatchEvent(new Event('close'))
  await expect(flushed).rejects.toMatchObject({ fault: 'gone' })
})
