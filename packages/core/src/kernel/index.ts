/** The fast searches, apart from the package's main face: only who mines should load them. */
export { type FastestModules, fastestKernel, isRight } from './fastest.ts'
export { simdKernels } from './simd.ts'
