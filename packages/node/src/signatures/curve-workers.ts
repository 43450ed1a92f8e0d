import { nativeVerifier } from '@bc/wallet'
import { startThread } from '../thread.ts'
import type { BlockReport } from './block-report.ts'
import { Answerer, type Curve } from './curve.ts'
import type { BlocksQuestion, CurveAnswer, CurveQuestion } from './questions.ts'

/**
 * So few signatures and addresses are looked at by the thread that asks: it would take as long to wake another one and
 * to hear from it as libsecp256k1 takes for two, and nobody could be answered before both were awake.
 */
const FEW = 16
/** Questions of a batch that one thread gets: fewer are not worth the message. */
const SHARE = 64

/** Curve arithmetic, off the event loop unless it is little. The threads start with the first question and live until {@link close}. */
export class CurveWorkers implements Curve {
  private readonly count: number
  private threads: CurveThread[] = []
  /** null where libsecp256k1 has no binary: everything else takes five times as long and more. */
  private here: Answerer | null | undefined

  /** @param count threads at the most */
  constructor(count: number) {
    this.count = count
  }

  async ask(question: CurveQuestion): Promise<CurveAnswer> {
    return this.answerFew(question) ?? this.askThreads(question)
  }

  private answerFew(question: CurveQuestion): CurveAnswer | undefined {
    if (question.checks.length + question.addresses.length > FEW) return undefined
    if (this.here === undefined) {
      const verifier = nativeVerifier()
      this.here = verifier ? new Answerer(verifier) : null
    }
    return this.here?.ask(question)
  }

  private async askThreads({ checks, addresses }: CurveQuestion): Promise<CurveAnswer> {
    const shares = Math.min(this.count, Math.max(1, Math.ceil(checks.length / SHARE)))
    const size = Math.ceil(checks.length / shares)
    const asked = Array.from({ length: shares }, (_, i) =>
      this.idlest().ask<CurveAnswer>({
        checks: checks.slice(i * size, (i + 1) * size),
        addresses: i === 0 ? addresses : [],
      }),
    )
    const answers = await Promise.all(asked)
    return {
      verdicts: answers.flatMap(({ verdicts }) => verdicts),
      addresses: answers.flatMap((one) => one.addresses),
    }
  }

  /** By one thread: whoever has many blocks asks about a few at a time. */
  report(question: BlocksQuestion): Promise<readonly BlockReport[]> {
    return this.idlest().ask(question)
  }

  async close(): Promise<void> {
    const threads = this.threads
    this.threads = []
    await Promise.all(threads.map((thread) => thread.close()))
  }

  /** Of the threads with the fewest questions before them the first, so that a new one is started only when all are busy. */
  private idlest(): CurveThread {
    this.threads = this.threads.filter(({ alive }) => alive)
    const [first] = this.threads.toSorted((a, b) => a.load - b.load)
    if (first && (first.load === 0 || this.threads.length === this.count)) return first
    const fresh = new CurveThread()
    this.threads.push(fresh)
    return fresh
  }
}

type Answer = CurveAnswer | readonly BlockReport[]

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

/** One thread. It answers in the order of the questions. */
class CurveThread {
  private readonly worker = startThread('signature-worker')
  private readonly waiting: Waiting[] = []
  alive = true

  constructor() {
    this.worker.on('message', (answer: Answer) => this.answered(answer))
    this.worker.on('error', (error) => this.fail(error as Error))
    this.worker.on('exit', () => this.fail(new Error('the signature thread has ended')))
    // After the listeners, each of which would undo it.
    this.worker.unref()
  }

  /** Questions that it hasn't answered yet. */
  get load(): number {
    return this.waiting.length
  }

  ask<T extends Answer>(question: CurveQuestion | BlocksQuestion): Promise<T> {
    return new Promise<Answer>((resolve, reject) => {
      this.waiting.push({ resolve, reject })
      // While a chain is rebuilt, before the node listens, nothing else may keep the process alive.
      this.worker.ref()
      this.worker.postMessage(question)
    }) as Promise<T>
  }

  async close(): Promise<void> {
    await this.worker.terminate()
  }

  private answered(answer: Answer): void {
    this.waiting.shift()?.resolve(answer)
    if (this.waiting.length === 0) this.worker.unref()
  }

  private fail(error: Error): void {
    this.alive = false
    for (const { reject } of this.waiting.splice(0)) reject(error)
  }
}
