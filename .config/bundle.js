/**
 * Bundles the commands and the threads of a node, each with all that it needs, so that they start in half the time and
 * one `npm pack` holds them: node .config/bundle.js. `npm install` and the tests do it by themselves.
 *
 *     packages/cli/bundle     bc.js, bc-node.js, the lab's gate.js, and what they share or load later
 *     packages/node/bundle    the worker threads
 *
 * Only packages with a binary of their own stay outside: they are the dependencies of the root package.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PACKAGES = join(ROOT, 'packages')
const FOLDERS = ['cli/bundle', 'node/bundle'].map((folder) => join(PACKAGES, folder))
const LICENCES = join(PACKAGES, 'cli/bundle/LICENCES.txt')

/** Vitest calls this before the tests, whose launchers and threads are the bundle's. */
export async function setup() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: {
      'cli/bundle/bc': 'packages/cli/src/bc.ts',
      'cli/bundle/bc-node': 'packages/cli/src/bc-node.ts',
      'cli/bundle/gate': 'packages/cli/src/lab/gate.ts',
      'node/bundle/seal-worker': 'packages/node/src/mining/seal-worker.ts',
      'node/bundle/signature-worker': 'packages/node/src/signatures/signature-worker.ts',
    },
    outdir: 'packages',
    chunkNames: 'cli/bundle/[name]-[hash]',
    bundle: true,
    // One file for each `import()`: `bc sign` must not read an HTTP server.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    conditions: ['source'],
    external: ['classic-level'],
    // What is CommonJS asks for Node's own modules by this.
    banner: {
      js: "import { createRequire as bundleRequire } from 'node:module'\nconst require = bundleRequire(import.meta.url)",
    },
    plugins: [{ name: 'places', setup: (build) => build.onLoad({ filter: OWN_SOURCE }, keepPlace) }],
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  })
  const files = new Map(outputFiles.map(({ path, text }) => [path, text]))
  files.set(LICENCES, licencesOf(Object.keys(metafile.inputs)))
  replace(files)
}

const OWN_SOURCE = /[\\/]packages[\\/]\w+[\\/]src[\\/].*\.ts$/

/**
 * A source finds files by `import.meta.url`: package.json, config.json, a worker. In the bundle it is told the place
 * that it has in the tree, not that of the file into which it was bundled.
 * @param {{ path: string }} source
 */
function keepPlace({ path }) {
  const place = relative(FOLDERS[0] ?? '', path).replaceAll('\\', '/')
  const text = readFileSync(path, 'utf8')
  return { contents: text.replaceAll('import.meta.url', `new URL('${place}', import.meta.url).href`), loader: 'ts' }
}

/**
 * Whoever passes on these packages must pass on their licences.
 * @param {string[]} inputs paths from the root
 */
function licencesOf(inputs) {
  const folders = inputs.map((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1])
  return [...new Set(folders.filter((folder) => folder !== undefined))]
    .sort()
    .map(licenceIn)
    .join(`\n${'-'.repeat(80)}\n\n`)
}

/** @param {string} folder */
function licenceIn(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'))
  const texts = readdirSync(join(ROOT, folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
  const said = texts.map((file) => readFileSync(join(ROOT, folder, file), 'utf8').trim())
  return `${[`${name} ${version}, ${license}`, ...said].join('\n\n')}\n`
}

/**
 * A command that runs meanwhile finds either the old file or the new one, and one that has not changed stays. What is
 * loaded comes before what loads it.
 * @param {Map<string, string>} files
 */
function replace(files) {
  for (const folder of FOLDERS) mkdirSync(folder, { recursive: true })
  for (const [path, text] of [...files].reverse()) {
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
    writeFileSync(`${path}.${process.pid}`, text)
    renameSync(`${path}.${process.pid}`, path)
  }
  const left = FOLDERS.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  for (const path of left) if (!files.has(path)) rmSync(path, { force: true })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setup()
