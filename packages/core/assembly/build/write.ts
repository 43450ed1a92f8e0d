/** `npm run build:kernel` */
import { writeFileSync } from 'node:fs'
import { asSource, compileKernel, TARGET } from './compile.ts'

const wasm = await compileKernel()
writeFileSync(TARGET, asSource(wasm))
process.stderr.write(`${wasm.length} bytes\n`)
