/**
 * Bundles the commands and the threads of a node, each with all that it needs, so that they start in half the time and
 * one `npm pack` holds them: node .config/bundle.js. `npm install` and the tests do it by themselves.
 *
 *     packages/cli/bundle     bc.cjs, bc-node.cjs, the lab's gate.cjs, and what they share or load later
 *     packages/node/bundle    the worker threads
 *
 * Only packages with a binary of their own stay outside: they are the dependencies of the root package.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'

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
      ...Object.fromEntries(
        APART.map((name) => [`cli/bundle/${name.replace(/^(?:@|\.\/)|\.[jt]s$/g, '').replaceAll('/', '-')}`, name]),
      ),
      'node/bundle/seal-worker': 'packages/node/src/mining/seal-worker.ts',
      'node/bundle/signature-worker': 'packages/node/src/signatures/signature-worker.ts',
    },
    outdir: 'packages',
    outExtension: { '.js': '.cjs' },
    chunkNames: 'cli/bundle/[name]-[hash]',
    bundle: true,
    // One file for each `import()`: `bc sign` must not read an HTTP server.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: TARGET,
    conditions: ['source'],
    plugins: [
      late,
      binary,
      together,
      { name: 'places', setup: (build) => build.onLoad({ filter: OWN_SOURCE }, keepPlace) },
    ],
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  })
  const texts = outputFiles.map(async ({ path, text }) => {
    const code = await asCommonJs(text)
    return /** @type {const} */ ([path, LAUNCHED.test(path) ? COMPILE_CACHE + code : code])
  })
  const files = new Map(await Promise.all(texts))
  files.set(LICENCES, licencesOf(Object.keys(metafile.inputs)))
  replace(files)
}

/** What has a file of its own, as most that load its neighbours never use it. */
const APART = [
  // Whoever signs, or reads an address, needs no blocks, no ledger and no pool.
  './packages/core/src/address.ts',
  './packages/core/src/transaction.ts',
  // Most that is shown is ASCII.
  'string-width',
  // For signatures, where libsecp256k1 has neither a binary nor WebAssembly.
  '@noble/curves/secp256k1.js',
  // Whoever reads hex digits: hashes in plain JavaScript are for where there is no Node.
  '@noble/hashes/utils.js',
  // A node reads it when the first request is to be checked,
  '@fastify/ajv-compiler',
  // and these never: others have them for what nobody asks of them here.
  '@fastify/fast-json-stringify-compiler',
  'light-my-request',
  'memory-level',
  'semver',
  'yaml',
  // What these share with Fastify itself.
  'fast-deep-equal',
  'fast-json-stringify/lib/serializer.js',
  'fast-uri',
  'process-warning',
  'rfdc',
]

/** What commander, Fastify and its plugins require when they are loaded, for a few of their users. */
const LATE = /^(?:node:child_process|node:http2|node:https|semver|yaml)$/

/** Stands in for such a module until somebody asks for what it has. */
const late = {
  name: 'late',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: LATE }, ({ path, kind, namespace }) =>
      kind === 'require-call' && namespace !== 'late' ? { path, namespace: 'late' } : undefined,
    )
    build.onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({
      contents: `module.exports = new Proxy({}, { get: (_, name) => require('${path}')[name] })`,
      resolveDir: ROOT,
    }))
  },
}

/**
 * LevelDB's own binary is found and loaded by the package that holds it; what drives it is read with all else, so the
 * root's package.json names the one version that it belongs to.
 */
const binary = {
  name: 'binary',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /^\.\/binding$/ }, ({ importer }) =>
      LEVEL.test(importer) ? { path: 'classic-level/binding.js', external: true } : undefined,
    )
  },
}

const LEVEL = /[\\/]node_modules[\\/]classic-level[\\/]\w[\w-]*\.js$/

/**
 * What nearly every command needs, in one file: to look for twenty takes longer than to read what one of them leaves out.
 * esbuild puts together what the same entries reach, so each command reaches all of these.
 */
const TOGETHER = [
  'command-line/arguments',
  'command-line/heading',
  'command-line/run',
  'keys/key',
  'payment/place',
  'payment/signing',
  'payment/transaction-fields',
  'settings/options',
  'terminal/output',
]
const OF_A_COMMAND =
  /^\.\.\/src\/(?:(?:chain|commands|completion|keys|lab|program|receipt|watch)\/[\w-]+|bc|bc-node|client\/client|explanations)\.ts$/

const together = {
  name: 'together',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /^bc:together$/ }, ({ path }) => ({ path, namespace: 'together' }))
    build.onLoad({ filter: /.*/, namespace: 'together' }, () => ({
      contents: TOGETHER.map((name) => `import './${name}.ts'`).join('\n'),
      resolveDir: join(PACKAGES, 'cli/src'),
    }))
  },
}

/** The oldest Node that runs it. */
const TARGET = 'node20.19'

/**
 * esbuild splits modules of the newer kind alone, and Node takes 15 ms more to link those of `bc sign` than to require
 * the same as CommonJS: it does each in turns of its own, and asks every module of its own for all that it exports.
 * @param {string} text
 */
async function asCommonJs(text) {
  // Its comments are half of commander, and are read at every start. Only without line breaks esbuild leaves them out;
  // the second time it sets these again, for the traces of bugs. What a part was made of is said as a licence is.
  const told = text.replace(SOURCE, '//! $1')
  const { code: bare } = await transform(told, { minifyWhitespace: true, target: TARGET })
  const { code } = await transform(bare, {
    format: 'cjs',
    platform: 'node',
    target: TARGET,
    // What is loaded late is required late.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'bundleUrl' },
    banner: text.includes('import.meta.url') ? FILE_URL : '',
  })
  return requireLate(code.replaceAll('//! ', '// '))
}

/** esbuild's line before each part. */
const SOURCE = /^\/\/ ((?:packages|node_modules)\/\S+)$/gm

const IMPORT = /^var (import_\w+) = (.*);$/gm

/**
 * What is imported is required when it is used for the first time: most that a file can do is not asked of it, and most
 * commands need no sockets and no curve. esbuild names in each chunk all others that it reaches, for what they might do
 * when they are loaded: none of ours does anything then that another one would miss.
 * @param {string} code as esbuild writes it: an import is a variable, and its use a property of that
 */
function requireLate(code) {
  const names = [...code.matchAll(IMPORT)].map(([, name]) => name)
  const late = code.replace(IMPORT, 'let late_$1;\nconst $1 = () => late_$1 ??= $2;')
  return names.length === 0 ? late : late.replace(new RegExp(`\\b(${names.join('|')})\\.`, 'g'), '($1()).')
}

/** What `bin/` requires. */
const LAUNCHED = /[\\/]bc(?:-node)?\.cjs$/

/**
 * V8 keeps what it has compiled of the commands for their next start, beside the bundle, as Python does it. Whoever can
 * write there has us run his code: what Node compares is a hash of each file, which he can put right. So the folder is
 * its owner's alone, whatever the umask: Node would make it with 0777. In any other, and where we can't write, nothing is
 * kept. (Windows knows no such modes: there it is as safe as the code.) Node 20 has no such cache; with
 * NODE_DISABLE_COMPILE_CACHE=1 no other has either.
 */
const COMPILE_CACHE = `{
  const module = require('node:module')
  if (module.enableCompileCache && !process.env.NODE_DISABLE_COMPILE_CACHE) {
    const { mkdirSync, statSync } = require('node:fs')
    const folder = require('node:path').join(__dirname, '../.compile-cache')
    const isOurs = ({ mode, uid }) => !process.getuid || (uid === process.getuid() && (mode & 0o77) === 0)
    try {
      mkdirSync(folder, { mode: 0o700, recursive: true })
      if (isOurs(statSync(folder))) module.enableCompileCache(folder)
    } catch {}
    // It is written at the end of a process, and a node is killed as often as it is stopped.
    setTimeout(() => module.flushCompileCache?.(), 1000).unref()
  }
}
`

const FILE_URL = "const bundleUrl = require('node:url').pathToFileURL(__filename).href"

const OWN_SOURCE = /[\\/]packages[\\/]\w+[\\/]src[\\/].*\.ts$/

/**
 * A source finds files by `import.meta.url`: package.json, config.json, a worker. In the bundle it is told the place
 * that it has in the tree, not that of the file into which it was bundled.
 * @param {{ path: string }} source
 */
function keepPlace({ path }) {
  const place = relative(FOLDERS[0] ?? '', path).replaceAll('\\', '/')
  const text = readFileSync(path, 'utf8') + (OF_A_COMMAND.test(place) ? "\nimport 'bc:together'" : '')
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
  const old = left.filter((path) => !files.has(path))
  for (const path of old) rmSync(path, { force: true })
  // Node never removes what it has kept of files that are gone.
  if (old.length > 0) rmSync(join(PACKAGES, 'cli/.compile-cache'), { recursive: true, force: true })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setup()
