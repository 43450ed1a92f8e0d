/** config.json: the shipped one is whole and good, and a broken one is an error that names file and field. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { canonicalJson, genesisOf, hashOf } from '@bc/core'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../src/config.ts'
import { ALICE, BOB, signed, startTestNode } from './support/http-node.ts'

const SHIPPED = fileURLToPath(new URL('../../../config.json', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'bc-config-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let count = 0
function file(content: string | Buffer | object): string {
  const path = join(directory, `config-${count++}.json`)
  writeFileSync(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content))
  return path
}

const CHAIN_ID = '2f24f02ce675afe8fd0c60b7015cb7cd03754e51f5d6ac97c738328965acc564'
const shipped = JSON.parse(readFileSync(SHIPPED, 'utf8')) as Record<string, unknown>
const FIELDS = Object.keys(shipped)

async function refusal(load: Promise<unknown>): Promise<string> {
  const error = await load.then(
    () => expect.fail('it was accepted'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigError)
  const { message } = error as ConfigError
  expect(message).toMatch(/\.$/)
  return message
}

describe('the shipped config.json', () => {
  it('is complete, valid, and what the documentation says', async () => {
    expect(await loadConfig(SHIPPED)).toEqual({
      rules: { allocations: {}, blockTime: 0, difficulty: 4, halfLife: 0, maxBlockBytes: 1_000_000, miningReward: 50 },
      genesisTimestamp: shipped.genesisTimestamp,
      port: 5000,
      host: '127.0.0.1',
      allowedHosts: [],
    })
  })

  it.each(FIELDS)('is an error without %s', async (field) => {
    const { [field]: _, ...rest } = shipped
    const path = file(rest)
    expect(await refusal(loadConfig(path))).toBe(`${path}: ${field} is missing.`)
  })

  it('makes the same chain everywhere: whoever changes it makes another one', async () => {
    const { rules, genesisTimestamp } = await loadConfig(SHIPPED)
    // By Python: sha256(json.dumps(genesis, sort_keys=True)).
    expect(hashOf(genesisOf(rules, genesisTimestamp))).toBe(CHAIN_ID)
  })
})

describe('another file', () => {
  it('stands in for some of the fields', async () => {
    const path = file({
      difficulty: 2,
      allocations: { [ALICE.address]: 7 },
      port: 0,
      allowedHosts: ['Box.local', 'a_b'],
    })
    expect(await loadConfig(SHIPPED, path)).toMatchObject({
      rules: { difficulty: 2, allocations: { [ALICE.address]: 7 }, miningReward: 50 },
      port: 0,
      host: '127.0.0.1',
      allowedHosts: ['Box.local', 'a_b'],
    })
    expect(await loadConfig(SHIPPED, file('{}'))).toEqual(await loadConfig(SHIPPED))
    expect(await loadConfig(SHIPPED, file(' \n\t{ } \n'))).toEqual(await loadConfig(SHIPPED))
  })

  it('with a block time and no half-life gets one of 60 block times', async () => {
    expect((await loadConfig(SHIPPED, file({ blockTime: 30 }))).rules).toMatchObject({ blockTime: 30, halfLife: 1800 })
    expect((await loadConfig(SHIPPED, file({ blockTime: 30, halfLife: 77 }))).rules.halfLife).toBe(77)
  })

  it.each([
    ['difficulty', 0],
    ['difficulty', 63],
    ['miningReward', 0],
    ['miningReward', Number.MAX_SAFE_INTEGER],
    ['maxBlockBytes', 3_000],
    ['maxBlockBytes', 1_000_000],
    ['port', 65_535],
    ['host', '::1'],
    ['host', 'my-box.example'],
    ['host', 'my_box'],
  ])('may say %s: %j', async (field, value) => {
    await expect(loadConfig(SHIPPED, file({ [field]: value }))).resolves.toBeDefined()
  })

  it.each<[string, string, unknown]>([
    ...['difficulty', 'miningReward', 'blockTime', 'halfLife', 'maxBlockBytes', 'genesisTimestamp', 'port'].flatMap(
      (field): [string, string, unknown][] =>
        ['4', null, true, [4], {}, -1, 4.5, 2 ** 53, 1e300, ''].map((value) => [
          field,
          'must be a whole number from',
          value,
        ]),
    ),
    ['difficulty', 'from 0 to 63', 64],
    ['maxBlockBytes', 'from 3000 to 1000000', 2_999],
    ['maxBlockBytes', 'from 3000 to 1000000', 1_000_001],
    ['port', 'from 0 to 65535', 65_536],
    ['blockTime', 'from 0 to 1000000', 1_000_001],
    ...[null, 7, '', ' ', 'a b', 'http://localhost', 'localhost/x', 'ä', 'x'.repeat(254), ['localhost']].map(
      (value): [string, string, unknown] => ['host', 'must be a host name or an IP address', value],
    ),
    ...[null, 'localhost', {}, [7], [''], ['a b'], ['*'], ['node.example:5000'], ['http://node.example'], [['x']]].map(
      (value): [string, string, unknown] => ['allowedHosts', 'must be a list of host names, without ports', value],
    ),
    ...[null, 7, 'x', [], [[ALICE.address, 1]]].map((value): [string, string, unknown] => [
      'allocations',
      'must be an object of addresses and coins',
      value,
    ]),
  ])('that says a wrong %s: %s, not %j', async (field, fault, value) => {
    const path = file({ [field]: value })
    const message = await refusal(loadConfig(SHIPPED, path))
    expect(message).toContain(`${path}: ${field} ${fault.startsWith('from') ? 'must be a whole number ' : ''}${fault}`)
  })

  const offCurve = '02000000000000000000000000000000000000000000000000000000000000000500000000'
  it.each([
    'x',
    '',
    '0',
    ALICE.address.toUpperCase(),
    ALICE.address.slice(1),
    `${ALICE.address} `,
    `${ALICE.address.slice(0, -1)}${ALICE.address.endsWith('0') ? '1' : '0'}`,
    offCurve,
    'toString',
  ])('that allocates coins to "%s"', async (address) => {
    const path = file({ allocations: { [BOB.address]: 1, [address]: 1 } })
    expect(await refusal(loadConfig(SHIPPED, path))).toContain(
      `${path}: allocations must name valid addresses, and "${address}" is none`,
    )
  })

  it.each([-1, 1.5, '1', null, 2 ** 53, [1]])('that allocates %j coins', async (amount) => {
    const path = file({ allocations: { [BOB.address]: amount } })
    const message = await refusal(loadConfig(SHIPPED, path))
    expect(message).toContain(
      `${path}: allocations of ${BOB.address} must be a whole number from 0 to 9007199254740991`,
    )
  })

  it('that allocates more than there can ever be', async () => {
    const path = file({ allocations: { [ALICE.address]: Number.MAX_SAFE_INTEGER, [BOB.address]: 1 } })
    expect(await refusal(loadConfig(SHIPPED, path))).toBe(
      `${path}: allocations: the allocations add up to more than 2^53-1.`,
    )
    await loadConfig(SHIPPED, file({ allocations: { [ALICE.address]: Number.MAX_SAFE_INTEGER, [BOB.address]: 0 } }))
  })

  it('with a half-life and no block time', async () => {
    const path = file({ halfLife: 60 })
    expect(await refusal(loadConfig(SHIPPED, path))).toMatch(
      new RegExp(`^${path}: halfLife must be 0 where blockTime is 0`),
    )
  })

  it('with a block time or a half-life by which no difficulty could settle', async () => {
    for (const [field, fields] of [
      ['blockTime must be 0 or at least 2', { blockTime: 1 }],
      ['blockTime must be 0 or at least 2', { blockTime: 1, halfLife: 60 }],
      ['halfLife must be 0 or at least 60', { blockTime: 60, halfLife: 1 }],
      ['halfLife must be 0 or at least 60', { blockTime: 60, halfLife: 59 }],
    ] as const) {
      const path = file(fields)
      expect(await refusal(loadConfig(SHIPPED, path))).toMatch(new RegExp(`^${path}: ${field}`))
    }
    for (const fields of [{ blockTime: 2 }, { blockTime: 2, halfLife: 2 }, { blockTime: 60, halfLife: 60 }])
      expect((await loadConfig(SHIPPED, file(fields))).rules).toMatchObject(fields)
  })

  it.each([
    ['{"difficlty": 4}', 'difficlty is no field'],
    ['{"toString": 4}', 'toString is no field'],
    ['{"__proto__": 4}', '__proto__ is no field'],
    ['{"rules": {}}', 'rules is no field'],
    ['[]', 'holds no JSON object'],
    ['null', 'holds no JSON object'],
    ['"difficulty"', 'holds no JSON object'],
    ['4', 'holds no JSON object'],
    ['', 'is no JSON'],
    ['{', 'is no JSON'],
    ['{"difficulty": 4,}', 'is no JSON'],
    ['{"difficulty": 04}', 'is no JSON'],
    ['{difficulty: 4}', 'is no JSON'],
    ["{'difficulty': 4}", 'is no JSON'],
    ['// comment\n{"difficulty": 4}', 'is no JSON'],
    ['{"difficulty": NaN}', 'is no JSON'],
    ['\ufeff{"difficulty": 4}', 'is no JSON'],
    ['difficulty = 4', 'is no JSON'],
    ['{"host": "\u0007"}', 'is no JSON'],
    ['{"difficulty": 4, "difficulty": 5}', '"difficulty" stands twice'],
    [`{\n  "port": 1,\n  "allocations": {\n    "${ALICE.address}": 1,\n    "${ALICE.address}": 2\n  }\n}`, 'line 5'],
    ['{\n  "port": 1,\n  "difficulty": 4.0\n}', 'line 3: "difficulty": 4.0'],
    ['{"difficulty": 4e0}', '"difficulty": 4e0'],
    ['{"blockTime": -0}', 'blockTime must be a whole number'],
    ['{"genesisTimestamp": 9007199254740993}', 'genesisTimestamp must be a whole number'],
  ])('that reads %j', async (text, fault) => {
    const path = file(text)
    const message = await refusal(loadConfig(SHIPPED, path))
    expect(message.startsWith(path)).toBe(true)
    expect(message).toContain(fault)
  })

  it('of any length, since allocations have no limit, and all on one line', async () => {
    const allowedHosts = Array(200_000).fill('node.example')
    expect((await loadConfig(SHIPPED, file({ allowedHosts }))).allowedHosts).toEqual(allowedHosts)
    // Of so long a line a refusal quotes what is wrong with it.
    const hosts = JSON.stringify(allowedHosts)
    for (const [text, fault] of [
      [`{"allowedHosts": ${hosts}, "difficulty": 4.0, "allowedHosts": ${hosts}}`, '"difficulty": 4.0, "allowedHosts"'],
      [`{"difficulty": ${hosts}}`, 'not ["node.example",'],
    ] as const) {
      const message = await refusal(loadConfig(SHIPPED, file(text)))
      expect(message).toContain(fault)
      expect(message.length).toBeLessThan(400)
    }
  })

  it('that is not there, is a directory, or is no text', async () => {
    const gone = join(directory, 'gone.json')
    expect(await refusal(loadConfig(SHIPPED, gone))).toMatch(new RegExp(`^${gone} can't be read: ENOENT`))
    expect(await refusal(loadConfig(SHIPPED, directory))).toMatch(new RegExp(`^${directory} can't be read: EISDIR`))
    await refusal(loadConfig(SHIPPED, file(Buffer.from([0xff, 0xfe, 0x7b, 0x7d]))))
    await refusal(loadConfig(gone))
  })

  it('of any content is a configuration or a ConfigError (property)', async () => {
    const value = fc.oneof(
      fc.constantFrom(0, 1, 4, 60, 5000, '127.0.0.1', [], {}, ['x'], { [ALICE.address]: 5 }),
      fc.jsonValue({ maxDepth: 2 }),
    )
    const content = fc.dictionary(fc.oneof(fc.constantFrom(...FIELDS), fc.string()), value)
    await fc.assert(
      fc.asyncProperty(content, async (fields) => {
        const path = file(fields)
        const outcome = await loadConfig(SHIPPED, path).catch((error: unknown) => error)
        rmSync(path)
        if (!(outcome instanceof Error)) return
        expect(outcome).toBeInstanceOf(ConfigError)
        expect(outcome.message.startsWith(path)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})

it('the smallest blocks that are allowed have room for the longest transaction', async () => {
  const most = Number.MAX_SAFE_INTEGER
  const fields = { difficulty: 1, miningReward: 0, maxBlockBytes: 3_000, allocations: { [ALICE.address]: most } }
  const node = await startTestNode({ config: await loadConfig(SHIPPED, file(fields)) })
  const longest = signed(node.chain, { amount: 2 ** 52, fee: 2 ** 52 - 1, memo: '\u0001'.repeat(256) })
  const sent = await node.app.inject({ method: 'POST', url: '/transactions/new', payload: longest })
  expect(sent.statusCode).toBe(201)
  const { index } = (await node.app.inject('/mine')).json()
  const block = (await node.app.inject(`/blocks/${index}`)).json()
  const [reward, ...others] = block.transactions
  expect(others).toEqual([longest])
  // With the longest numbers as well that a chain could ever come to.
  const transactions = [
    { ...reward, amount: most, nonce: most },
    { ...longest, nonce: most },
  ]
  const size = canonicalJson({ ...block, index: most, timestamp: most, transactions }).length
  expect(size).toBe(2532)
  await node.stop()
})

it('names that are allowed are found in any case', async () => {
  const { allowedHosts } = await loadConfig(SHIPPED, file({ allowedHosts: ['Node.Example'] }))
  const node = await startTestNode({ config: { allowedHosts } })
  const headers = { host: 'nODE.example:5000' }
  expect((await node.app.inject({ url: '/health', headers })).statusCode).toBe(200)
  await node.stop()
})
