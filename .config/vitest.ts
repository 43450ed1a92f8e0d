import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// Tests run the sources ("source" is the condition in each package's exports); launchers and worker
// threads run the bundle, which is made of the sources before the tests.
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source', 'node', 'import', 'default'] } },
  test: {
    globalSetup: '.config/bundle.js',
    include: ['packages/*/test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Real nodes and processes share two cores with whatever else runs. A wait that was too short is waited for once
    // more, and the report says so; what is wrong is wrong at once.
    retry: { count: 1, condition: /not so within|timed out/i },
    // Two cores, and most of the slow tests start processes of their own.
    maxWorkers: 2,
    slowTestThreshold: 5_000,
    // CI's log is for its failures: what a test prints is shown where it fails.
    silent: process.env.CI ? 'passed-only' : false,
  },
})
