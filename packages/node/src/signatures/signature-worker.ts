/** A thread that does curve arithmetic: a question in, its answer out, in order. */
import { parentPort } from 'node:worker_threads'
import { bestVerifier } from '@bc/wallet'
import { Answerer } from './curve.ts'
import type { BlocksQuestion, CurveQuestion } from './questions.ts'

if (parentPort === null) throw new TypeError('this module is the body of a worker thread')
const port = parentPort
const answerer = new Answerer(bestVerifier())
port.on('message', (question: CurveQuestion | BlocksQuestion) => {
  port.postMessage('texts' in question ? answerer.report(question) : answerer.ask(question))
})
