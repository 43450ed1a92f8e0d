/** Random and mutated requests to all that a node has, and to much that it hasn't. */
import { METHODS } from 'node:http'
import type { Transaction } from '@bc/core'
import type { Asked } from './http-client.ts'
import type { Dice } from './http-dice.ts'

/** Things that are there, so that some of the requests are good. */
export interface Known {
  /** Payments that can be made now, in this order. */
  readonly payments: readonly Transaction[]
  readonly hashes: readonly string[]
  readonly addresses: readonly string[]
  readonly ids: readonly string[]
}

const PIECES = [
  '',
  '.',
  '..',
  '...',
  '%',
  '%0',
  '%00',
  '%0a',
  '%0d%0a',
  '%2e%2e',
  '%2f',
  '%2F..%2f',
  '%252e',
  '%5c',
  '%c0%af',
  '%ed%a0%80',
  '%ff',
  '%zz',
  '%u0041',
  '%E4%BD%A0',
  '\u00e9',
  '\u00ff',
  ';',
  ';a=b',
  ':',
  '::',
  '*',
  '~',
  '@',
  '!',
  '$',
  '&',
  "'",
  '"',
  '<script>',
  '|',
  '\\',
  '^',
  '`',
  '{}',
  '[]',
  '0',
  '-1',
  '1e9',
  '9'.repeat(20),
  'null',
  'undefined',
  'NaN',
  '__proto__',
  'constructor',
  'x'.repeat(199),
  'x'.repeat(201),
  'x'.repeat(5000),
] as const

const HEADER_VALUES = [
  '',
  ' ',
  '0',
  '-1',
  '*',
  '*/*',
  'null',
  'identity',
  'gzip',
  'gzip, deflate, br',
  'chunked',
  'keep-alive',
  'close',
  'upgrade',
  'websocket',
  'h2c',
  'bytes=0-10',
  'bytes=-1',
  '"etag"',
  'W/"x"',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  'http://evil.example',
  'http://localhost',
  'none',
  'cross-site',
  'same-origin',
  'Bearer x',
  'Basic eDp5',
  '127.0.0.1',
  'évil',
  '\u00ff\u00fe',
  'a'.repeat(3000),
  'for=127.0.0.1',
  '\t',
] as const

const HEADER_NAMES = [
  'accept',
  'accept-encoding',
  'accept-language',
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-language',
  'content-range',
  'cookie',
  'date',
  'dnt',
  'forwarded',
  'from',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'keep-alive',
  'max-forwards',
  'origin',
  'pragma',
  'proxy-authorization',
  'range',
  'referer',
  'sec-fetch-site',
  'te',
  'upgrade',
  'user-agent',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-http-method-override',
  'x-original-url',
  '__proto__',
  'constructor',
] as const

const CONTENT_TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'application/json; charset=utf-16',
  'application/json;',
  'APPLICATION/JSON',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'application/xml',
  'application',
  '/',
  ';',
  '',
  'a/b/c',
  'application/json, text/plain',
  'application/json; x="',
  '*/*',
  'é/é',
  'application/vnd.api+json',
  '__proto__/x',
] as const

const HOSTS = [
  'localhost',
  '127.0.0.1:1',
  '[::1]',
  '0.0.0.0',
  'evil.example',
  '',
  '::::',
  '[',
  'localhost:x',
  '\u00e9',
] as const

const SPELLED = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1',
  '1.0',
  '1e3',
  '1e999',
  '0x10',
  '01',
  '+1',
  '.5',
  '5.',
  'NaN',
  'Infinity',
  '9007199254740991',
  '9007199254740992',
  '18446744073709551616',
  '1'.repeat(400),
  '""',
  '"0"',
  '"5"',
  '"-5"',
  '"٥"',
  '"\\u0000"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\ud83c\\udf89"',
  '"\\x41"',
  '"\\u00"',
  '"\u0007"',
  '"\u202e"',
  '"é"',
  '"e\u0301"',
  '"你好 🎉"',
  '"\ufeff"',
  '[]',
  '[1]',
  '{}',
  '{"a":{}}',
  '{"__proto__":1}',
  '[[[[[[[[[[[[]]]]]]]]]]]]',
  '"unclosed',
  '{',
  ']',
  `"${'x'.repeat(257)}"`,
  `"${'字'.repeat(90)}"`,
  `"${'0'.repeat(128)}"`,
  `"${'f'.repeat(128)}"`,
  `"02${'0'.repeat(72)}"`,
  `"${'x'.repeat(90_000)}"`,
] as const

const KEYS = [
  'amount',
  'fee',
  'memo',
  'nonce',
  'recipient',
  'sender',
  'signature',
  'nodes',
  'chain',
  'id',
  '__proto__',
  'toString',
  '',
  'ämount',
  'Amount',
] as const

const JSON_PARTS = [
  ...'{}[]:,"\\0123456789-+.eE \t\n\u0000tfnul',
  '\\u0000',
  '\ud800',
  '你',
  '🎉',
  '\ufeff',
  '//',
  '/*',
] as const

/** The next of very many requests. */
export function randomRequest(dice: Dice, known: Known): Asked {
  const asked = dice.chance(45) ? transactionRequest(dice, known) : otherRequest(dice, known)
  const headers = dice.chance(30) ? { ...asked.headers, ...oddHeaders(dice) } : (asked.headers ?? {})
  return { ...asked, headers, ...(dice.chance(4) && { method: dice.pick(ANY_METHODS) }) }
}

/** What the parser knows. An answer to CONNECT isn't HTTP any more. */
const ANY_METHODS = METHODS.filter((method) => method !== 'CONNECT')

function otherRequest(dice: Dice, known: Known): Asked {
  const path = pathOf(dice, known)
  const query = dice.chance(20) ? `?${queryOf(dice)}` : ''
  if (path === '/nodes/register') return { method: 'POST', path: path + query, ...jsonBody(dice, registerText(dice)) }
  if (dice.chance(5))
    return {
      method: dice.pick(['POST', 'PUT', 'PATCH', 'DELETE', 'GET']),
      path: path + query,
      ...jsonBody(dice, oddText(dice)),
    }
  return { path: path + query }
}

function pathOf(dice: Dice, known: Known): string {
  const { hashes, addresses, ids } = known
  const good = [
    ...[
      '/chain',
      '/transactions',
      '/nodes',
      '/nodes/register',
      '/nodes/resolve',
      '/secret',
      '/status',
      '/blocks',
      '/headers',
      '/health',
      '/openapi.json',
      '/',
    ],
    ...['/blocks/latest', `/blocks/${dice.int(40)}`, `/blocks/${dice.pick(hashes)}`, `/blocks/${dice.hex(64)}`],
    ...[
      `/transactions/${dice.pick(ids)}`,
      `/transactions/${dice.pick(ids)}/proof`,
      `/transactions/${dice.hex(64)}`,
      `/transactions/${dice.hex(64)}/proof`,
    ],
    ...[`/accounts/${dice.pick(addresses)}`, `/accounts/${dice.pick(addresses)}/transactions`],
  ]
  // Mining takes its time: a few blocks are enough.
  if (dice.chance(1)) return '/mine'
  const path = dice.pick(good)
  if (dice.chance(60)) return path
  const parts = path.split('/')
  const odd = dice.pick(PIECES)
  const at = dice.int(parts.length) + 1
  if (dice.chance(30)) parts.splice(at, 0, odd)
  else if (dice.chance(40)) parts[at] = (parts[at] ?? '') + odd
  else parts[at] = odd
  const mutated = parts.join('/')
  return (mutated.startsWith('/') ? mutated : `/${mutated}`).replaceAll(' ', '%20')
}

function queryOf(dice: Dice): string {
  const pair = () =>
    `${dice.pick(['from', 'limit', 'before', 'x', 'from[]', '__proto__', '', '%'])}=${dice.pick([...PIECES, '1', '2', '50', '1000', '0000000000000002-000000'])}`
  return Array.from({ length: dice.int(4) }, pair).join(dice.pick(['&', '&', '&&', ';']))
}

function oddHeaders(dice: Dice): Record<string, string> {
  const headers: Record<string, string> = Object.create(null)
  for (let i = dice.int(4); i >= 0; i--) headers[dice.pick(HEADER_NAMES)] = dice.pick(HEADER_VALUES)
  if (dice.chance(15)) headers['content-type'] = dice.pick(CONTENT_TYPES)
  if (dice.chance(10)) headers.host = dice.pick(HOSTS)
  if (dice.chance(5)) headers.expect = dice.pick(['100-continue', 'x'])
  return headers
}

function jsonBody(dice: Dice, text: string): Pick<Asked, 'headers' | 'body'> {
  const body = dice.chance(3) ? Buffer.concat([Buffer.from(text), dice.bytes(dice.int(50))]) : text
  return { headers: { 'content-type': 'application/json' }, body }
}

function registerText(dice: Dice): string {
  // Names that are refused by their form alone, also after a change or two: the node asks whoever else it is told of.
  const names = [
    '"ftp://localhost/"',
    '"http://user:pass@localhost/"',
    '"file:///etc/passwd"',
    '"/unix/nowhere"',
    '""',
    ...SPELLED.filter((text) => !text.startsWith('"')),
  ]
  const list = Array.from({ length: dice.int(5) }, () => dice.pick(names)).join(',')
  return dice.pick([
    `{"nodes":[${list}]}`,
    `{"nodes":[${list}]}`,
    `{"nodes":${dice.pick(SPELLED)}}`,
    `[${list}]`,
    oddText(dice),
  ])
}

function oddText(dice: Dice): string {
  return dice.pick([
    () => dice.pick(SPELLED),
    () => '['.repeat(dice.int(60_000)),
    () => '{"a":'.repeat(dice.int(15_000)),
    () => `{"a":${dice.pick(SPELLED)},"a":${dice.pick(SPELLED)}}`,
    () => dice.bytes(dice.int(300)).toString('latin1'),
    () => `{${Array.from({ length: dice.int(3_000) }, (_, i) => `"k${i}":${i}`).join(',')}}`,
    () => '',
    () => ' ',
  ])()
}

function transactionRequest(dice: Dice, known: Known): Asked {
  const text = transactionText(dice, known)
  const path = dice.chance(95) ? '/transactions/new' : `/transactions/new?${queryOf(dice)}`
  return { method: 'POST', path, ...jsonBody(dice, text) }
}

/** Some lines for `POST /transactions` and `POST /blocks`, which only look for the type of what they are sent. */
export function randomBatch(dice: Dice, known: Known): Asked {
  const lines = Array.from({ length: dice.int(12) }, () => transactionText(dice, known))
  const text = lines.map((line) => line + dice.pick(['\n', '\n', '\n', '\r\n', '\n\n', ''])).join('')
  const body = dice.chance(5) ? Buffer.concat([Buffer.from(text), dice.bytes(dice.int(50))]) : text
  const headers = { ...(dice.chance(10) && oddHeaders(dice)), 'content-type': 'application/x-ndjson' }
  return { method: 'POST', path: dice.chance(90) ? '/transactions' : '/blocks', headers, body }
}

/** A good transaction, as the tutorial sends it or whole, with something wrong with it more often than not. */
function transactionText(dice: Dice, known: Known): string {
  const { memo, nonce, fee, ...bare } = dice.pick(known.payments)
  const whole = {
    ...bare,
    amount: dice.chance(50) ? bare.amount : String(bare.amount),
    ...(dice.chance(60) && { nonce, fee, ...(memo && { memo }) }),
  }
  const fields = Object.entries(whole).map(([key, value]): [string, string] => [key, JSON.stringify(value)])
  const joined = () => `{${fields.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`
  const one = dice.int(fields.length)
  switch (dice.int(12)) {
    case 0:
    case 1:
      return joined()
    case 2:
    case 3:
      fields[one] = [fields[one]?.[0] ?? '', dice.pick(SPELLED)]
      return joined()
    case 4:
      fields.splice(one, 1)
      return joined()
    case 5:
      fields.push([dice.pick(KEYS), dice.pick(SPELLED)])
      return joined()
    case 6:
      return joined().slice(0, dice.int(joined().length))
    case 7:
      return dice.mutated(joined(), JSON_PARTS)
    case 8:
      return joined().replace(/[0-9a-f]/g, (digit) => (dice.chance(1) ? dice.hex(1) : digit))
    case 9:
      return joined() + dice.pick(['', ' ', '\n', '}', ',', joined(), '\u0000', '//'])
    case 10:
      return `${'['.repeat(dice.int(12))}${joined()}${']'.repeat(dice.int(12))}`
    default:
      return oddText(dice)
  }
}
