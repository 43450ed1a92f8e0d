/** Curve arithmetic on all cores, also for tools that are no node. */
export { type Curve, type CurveAnswer, type CurveQuestion, localCurve } from './curve.ts'
export { CurveWorkers } from './curve-workers.ts'
