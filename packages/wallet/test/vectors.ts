/** The published vectors beside the repository: `../shared/vectors`, read by the tests that need them. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const FOLDER = new URL('../../../../shared/vectors/', import.meta.url)

/** Where the file is not there its tests are skipped, and say so; in CI that is a failure. */
export function describeWithVectors<Vectors>(name: string, file: string, body: (vectors: Vectors) => void): void {
  const url = new URL(file, FOLDER)
  describe(name, () => {
    if (existsSync(url)) body(JSON.parse(readFileSync(url, 'utf8')) as Vectors)
    else if (process.env.CI) test(`CI needs ../shared/vectors/${file}`, () => expect.fail('it is not there'))
    else test.skip(`skipped: ../shared/vectors/${file} is not there`)
  })
}
