/**
 * The search in WebAssembly with 128-bit vectors: four lanes, or eight. Its source is `assembly/search.ts`, and
 * `npm run build:kernel` makes `search-wasm.ts` of it.
 *
 * It says which nonce may meet the target, by the seal's first 32 bits. Whether it does, is for the plain code.
 */
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { meetsTarget, NONCES, nonceDigits, proofOf, type SealJob, type SealKernel, sealOf } from '../proof-of-work.ts'
import { SEARCH_WASM } from './search-wasm.ts'

/** What the module exports: see its source. */
interface Search {
  readonly memory: WebAssembly.Memory
  readonly TEXT: WebAssembly.Global<'i32'>
  begin(limit: number): void
  search4(first: number, end: number): number
  search8(first: number, end: number): number
}

/** What is hashed: two proofs and a hash, in hex. The module is made for exactly this length. */
const TEXT_BYTES = 224
/** Where in it the nonce begins. */
const NONCE_AT = 144
/** The module runs through the last four digits of the nonce. */
const SPAN = 0x10000n

/**
 * Those that can run here, if any can. Each call makes new ones, with a memory of their own.
 * Whoever uses them should see that they are right (`isRight`): compilers have got vectors wrong before.
 */
export function simdKernels(): readonly SealKernel[] {
  const search = openSearch()
  if (search === undefined) return []
  const text = new Uint8Array(search.memory.buffer, search.TEXT.value, TEXT_BYTES)
  return [
    { name: 'simd-8', searchNonce: searchWith(search, text, search.search8) },
    { name: 'simd-4', searchNonce: searchWith(search, text, search.search4) },
  ]
}

/** undefined without WebAssembly (`node --jitless`), without vectors in it, and where a page's policy forbids it. */
function openSearch(): Search | undefined {
  if (!Reflect.get(globalThis, 'WebAssembly')) return undefined
  const bytes = Uint8Array.from(atob(SEARCH_WASM), (character) => character.charCodeAt(0))
  if (!WebAssembly.validate(bytes)) return undefined
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Search
  } catch (error) {
    // It is valid: so `Content-Security-Policy` has no 'wasm-unsafe-eval'.
    if (error instanceof WebAssembly.CompileError) return undefined
    throw error
  }
}

function searchWith(search: Search, text: Uint8Array, run: Search['search4']): SealKernel['searchNonce'] {
  return (job, from, attempts) => {
    writeJob(text, job)
    search.begin(Number.parseInt(job.target.slice(0, 8), 16))
    const end = NONCES - from < attempts ? NONCES : from + BigInt(attempts)
    for (let nonce = from; nonce < end; ) {
      text.set(utf8ToBytes(nonceDigits(nonce)), NONCE_AT)
      const base = nonce - (nonce % SPAN)
      const stop = base + SPAN < end ? base + SPAN : end
      const first = Number(nonce - base)
      const found = run(first, Number(stop - base))
      // Nothing, or what no right compiler makes of the source: the search goes on in any case.
      if (found < first) nonce = stop
      else if (isProof(job, base + BigInt(found))) return base + BigInt(found)
      else nonce = base + BigInt(found) + 1n
    }
    return undefined
  }
}

/** @throws RangeError where the job's texts aren't as long as the protocol has them */
function writeJob(text: Uint8Array, { previousProof, commitment, previousHash }: SealJob): void {
  const bytes = utf8ToBytes(previousProof + commitment + nonceDigits(0n) + previousHash)
  if (bytes.length !== TEXT_BYTES) throw new RangeError(`a seal is of ${TEXT_BYTES} bytes, not ${bytes.length}`)
  text.set(bytes)
}

function isProof({ previousProof, commitment, previousHash, target }: SealJob, nonce: bigint): boolean {
  return meetsTarget(sealOf(previousProof, proofOf(commitment, nonce), previousHash), target)
}
