/** Compiles the search of `assembly/search.ts`, and makes the source file that holds it. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { main } from 'assemblyscript/asc'

const SOURCE = new URL('../search.ts', import.meta.url)
/** The compiled search, as core imports it. */
export const TARGET = new URL('../../src/kernel/search-wasm.ts', import.meta.url)

const OPTIONS = ['--optimizeLevel', '3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--initialMemory', '1']

/** @throws Error with the compiler's messages */
export async function compileKernel(): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined
  const messages: string[] = []
  const { error } = await main(['search.ts', ...OPTIONS, '--outFile', 'search.wasm'], {
    readFile: (name) => (name === 'search.ts' ? readFileSync(fileURLToPath(SOURCE), 'utf8') : null),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') wasm = contents
    },
    listFiles: () => [],
    stderr: { write: (chunk) => void messages.push(String(chunk)) },
  })
  if (error || wasm === undefined) throw new Error(`the kernel did not compile:\n${messages.join('')}`)
  return wasm
}

export function asSource(wasm: Uint8Array): string {
  const lines = Buffer.from(wasm)
    .toString('base64')
    .replace(/.{1,116}/g, '$&\n')
  return `// Made of assembly/search.ts by \`npm run build:kernel\`. A test compiles it anew and compares.

/** Base64, in lines. */
export const SEARCH_WASM = \`
${lines}\`
`
}
