/** A thread that does curve arithmetic: a question in, its answer out, in order. */
import { parentPort } from 'node:worker_threads'
import { bestVerifier } from '@bc/wallet'
import { answer, type CurveQuestion } from './curve.ts'

if (parentPort === null) throw new TypeError('this module is the body of a worker thread')
const port = parentPort
const verifier = await bestVerifier()
port.on('message', (question: CurveQuestion) => port.postMessage(answer(question, verifier)))
