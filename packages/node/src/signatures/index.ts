/** Curve arithmetic on all cores, also for tools that are no node. */
export { type Curve, localCurve } from './curve.ts'
export { CurveWorkers } from './curve-workers.ts'
export type { CurveAnswer, CurveQuestion } from './questions.ts'
