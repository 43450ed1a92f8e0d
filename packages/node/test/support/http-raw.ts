/** What comes over a socket that is hardly HTTP, or not at all. */
import type { Dice } from './http-dice.ts'

const HEALTH = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'
const head = (lines: string, method = 'GET', path = '/health') =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n\r\n`
const sent = (lines: string, body: string, path = '/transactions/new') =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${lines}\r\n\r\n${body}`
const chunked = (body: string) => sent('Transfer-Encoding: chunked', body)

/** Each once, by name. Paths that answer 2xx are `/health` alone. */
export const RAW_MESSAGES: Readonly<Record<string, string>> = {
  nothing: '',
  'one byte': 'G',
  'line ends': '\r\n\r\n\r\n\r\n',
  'TLS hello': `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${'\x00'.repeat(512)}`,
  SSH: 'SSH-2.0-OpenSSH_9.6\r\n',
  SMTP: 'EHLO localhost\r\n',
  'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00',
  'Bitcoin message': '\xf9\xbe\xb4\xd9version\x00\x00\x00\x00\x00d\x00\x00\x00',
  'HTTP/0.9': 'GET /health\r\n\r\n',
  'HTTP/1.0': 'GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n',
  'HTTP/1.0 kept alive': 'GET /health HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n',
  'HTTP/3.0': 'GET /health HTTP/3.0\r\nHost: localhost\r\n\r\n',
  'HTTP/1.10': 'GET /health HTTP/1.10\r\nHost: localhost\r\n\r\n',
  'method in lower case': 'get /health HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'unknown method': 'MINE /health HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'endless method': 'G'.repeat(100_000),
  'no path': 'GET  HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'path without slash': 'GET health HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'whole URL': 'GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'asterisk form': 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n',
  connect: 'CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'spaces in the path': 'GET /health /mine HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'NUL in the path': 'GET /health\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'UTF-8 in the path': 'GET /health\xc3\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'endless path': `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  'long path': `GET /blocks/${'x'.repeat(8_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  'long query': `GET /blocks?from=${'1'.repeat(12_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  'line feeds alone': HEALTH.replaceAll('\r', ''),
  'carriage returns alone': HEALTH.replaceAll('\n', ''),
  'header without colon': head('nothing'),
  'header without name': head(': x'),
  'space before the colon': head('X : y'),
  'folded header': head('X: y\r\n z'),
  'NUL in a header': head('X: \x00'),
  'control character in a header': head('X: \x01\x7f'),
  'bytes in a header': head('X: \xff\xfe'),
  'header name with bytes': head('\xff: x'),
  'long header': head(`X: ${'y'.repeat(12_000)}`),
  'endless header': head(`X: ${'y'.repeat(100_000)}`),
  'many headers': head(Array.from({ length: 500 }, (_, i) => `a${i}: b`).join('\r\n')),
  'flood of headers': head(Array.from({ length: 20_000 }, (_, i) => `a${i}: b`).join('\r\n')),
  'one header a thousand times': head('X: y\r\n'.repeat(1_000).trimEnd()),
  'no end of headers': HEALTH.slice(0, -2),
  'two lengths': sent('Content-Length: 2\r\nContent-Length: 3', '{}'),
  'two equal lengths': sent('Content-Length: 2\r\nContent-Length: 2', '{}'),
  'length and chunks': sent('Content-Length: 2\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  'negative length': sent('Content-Length: -1', '{}'),
  'length +2': sent('Content-Length: +2', '{}'),
  'length 0x2': sent('Content-Length: 0x2', '{}'),
  'length 2, 2': sent('Content-Length: 2, 2', '{}'),
  'length of words': sent('Content-Length: two', '{}'),
  'length beyond 2^64': sent('Content-Length: 99999999999999999999999', '{}'),
  'length of a terabyte': sent('Content-Length: 1000000000000', '{}'),
  'length too long': sent('Content-Length: 50', '{}'),
  'length too short': sent('Content-Length: 2', `{}${'x'.repeat(50)}`),
  'no length': sent('X: y', '{}'),
  'body with GET': `${head('Content-Length: 5', 'GET')}hello`,
  'body with GET, chunked': `${head('Transfer-Encoding: chunked', 'GET')}5\r\nhello\r\n0\r\n\r\n`,
  'body with GET, garbage': `${head('Transfer-Encoding: chunked', 'GET')}zzz\r\n`,
  'good chunks': chunked('1\r\n{\r\n1\r\n}\r\n0\r\n\r\n'),
  'chunk with extension': chunked('2;a=b\r\n{}\r\n0\r\n\r\n'),
  'chunk with endless extension': chunked(`2;${'a'.repeat(100_000)}\r\n{}\r\n0\r\n\r\n`),
  'chunk size of words': chunked('xyz\r\n{}\r\n0\r\n\r\n'),
  'chunk size beyond 2^64': chunked('fffffffffffffffff\r\n{}\r\n0\r\n\r\n'),
  'negative chunk size': chunked('-1\r\n{}\r\n0\r\n\r\n'),
  'chunk longer than said': chunked('1\r\n{}\r\n0\r\n\r\n'),
  'chunk without end': chunked('2\r\n{}'),
  'chunks without end': chunked('1\r\n{\r\n1\r\n}\r\n'),
  trailers: chunked('2\r\n{}\r\n0\r\nX: y\r\nHost: evil.example\r\n\r\n'),
  'garbage for trailers': chunked('2\r\n{}\r\n0\r\ngarbage\r\n\r\n'),
  'chunks that are too much': chunked(`1d4c0\r\n${'x'.repeat(120_000)}\r\n0\r\n\r\n`),
  identity: sent('Transfer-Encoding: identity', '{}'),
  'gzip, chunked': sent('Transfer-Encoding: gzip, chunked', '2\r\n{}\r\n0\r\n\r\n'),
  'chunked, gzip': sent('Transfer-Encoding: chunked, gzip', '2\r\n{}\r\n0\r\n\r\n'),
  'chunked twice': sent('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '2\r\n{}\r\n0\r\n\r\n'),
  'obscured chunked': sent('Transfer-Encoding: xchunked', '2\r\n{}\r\n0\r\n\r\n'),
  continue: sent('Expect: 100-continue\r\nContent-Length: 2', '{}'),
  'another expectation': sent('Expect: miracles\r\nContent-Length: 2', '{}'),
  'expectation with GET': head('Expect: 100-continue'),
  'upgrade to h2c': head('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__'),
  'upgrade to a web socket': head(
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13',
  ),
  'two at once': HEALTH.repeat(2),
  'a hundred at once': HEALTH.repeat(100),
  'a good one, then garbage': `${HEALTH}garbage\r\n\r\n`,
  'three good ones, then garbage': `${HEALTH.repeat(3)}\x00\x01\x02`,
  'garbage, then a good one': `garbage\r\n\r\n${HEALTH}`,
  'a good one, then a half one': HEALTH + HEALTH.slice(0, 20),
  'a good one, then one without Host': `${HEALTH}GET /health HTTP/1.1\r\n\r\n`,
  'close, then another': head('Connection: close') + HEALTH,
  'a smuggled one': sent(
    'Content-Length: 6\r\nTransfer-Encoding: chunked',
    `0\r\n\r\nGET /mine HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  ),
  'one in the body of another': sent('Content-Length: 46', 'GET /mine HTTP/1.1\r\nHost: localhost\r\n\r\n{"a":1}'),
  'empty lines first': `\r\n\r\n${HEALTH}`,
  'many spaces': HEALTH.replace(' /health ', `${' '.repeat(1_000)}/health${' '.repeat(1_000)}`),
}

const BASES = [
  HEALTH,
  HEALTH.repeat(3),
  head('X: y'),
  sent('Content-Length: 2', '{}'),
  chunked('2\r\n{}\r\n0\r\n\r\n'),
  head('Connection: close'),
]
const BYTES = [
  ...Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)),
  '\r\n',
  '\r\n\r\n',
  'HTTP/1.1',
  'Host:',
  'chunked',
  '0',
  ' ',
]

/** One of these messages, or a part of it, with some bytes changed. */
export function randomRaw(dice: Dice): string {
  if (dice.chance(10)) return dice.bytes(dice.int(400)).toString('latin1')
  const text = dice.mutated(dice.pick(BASES), BYTES)
  return dice.chance(15) ? text.slice(0, dice.int(text.length)) : text
}
