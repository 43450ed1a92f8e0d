/** `message.malformed`: faults of the text, so nothing needs to be mined again. */
import type { Fault } from './fault.ts'

function text(name: string, change: (right: string) => string): Fault {
  return { name, code: 'message.malformed', make: () => ({ text: change }) }
}

/** @param pattern must match, or the fault would be none */
function replaced(name: string, pattern: RegExp, by: string): Fault {
  return text(name, (right) => {
    if (!pattern.test(right)) throw new Error(`no ${pattern} in ${right}`)
    return right.replace(pattern, by)
  })
}

const amount = (name: string, spelling: string) =>
  replaced(`an amount ${name}`, /"amount": 10,/, `"amount": ${spelling},`)

export const MESSAGE_FAULTS: readonly Fault[] = [
  text('an empty message', () => ''),
  text('a message of spaces', () => ' \n'),
  text('a byte order mark', (right) => `\ufeff${right}`),
  text('a digit after the block', (right) => `${right}0`),
  text('two blocks in one message', (right) => `${right}\n${right}`),
  text('a message that ends one character early', (right) => right.slice(0, -1)),
  text('a comment', (right) => `${right} // mined by hand`),
  replaced('a trailing comma in the block', /\}$/, ',}'),
  replaced('a trailing comma in the list', /\]\}$/, ', ]}'),
  replaced('single quotes', /"index"/, "'index'"),
  replaced('an index given twice', /^\{/, '{"index": 2, '),
  replaced('an index given twice, once with an escape', /^\{/, '{"\\u0069ndex": 2, '),
  replaced('the same index given twice', /"index": (\d+)/, '"index": $1, "index": $1'),
  replaced('__proto__ given twice', /^\{/, '{"__proto__": 1, "__proto__": 1, '),
  replaced('a field of a transaction given twice', /"fee": 1,/, '"fee": 1, "fee": 2,'),
  amount('1.0', '10.0'),
  amount('1e1', '1e1'),
  amount('1E+1', '1E+1'),
  amount('-1', '-1'),
  amount('-0', '-0'),
  amount('with a leading zero', '010'),
  amount('with a plus sign', '+10'),
  amount('in hexadecimal', '0xa'),
  amount('2^53', '9007199254740992'),
  amount('2^53+1, which would be rounded', '9007199254740993'),
  amount('of 400 digits', '9'.repeat(400)),
  amount('NaN', 'NaN'),
  amount('Infinity', 'Infinity'),
  replaced('a timestamp in fractions of a second', /"timestamp": (\d+)/, '"timestamp": $1.5'),
  replaced('a negative timestamp', /"timestamp": (\d+)/, '"timestamp": -$1'),
  replaced('a lone high surrogate in a memo', /"memo": "/, '"memo": "\\ud83e'),
  replaced('a lone low surrogate in a memo', /"memo": "/, '"memo": "\\udd80'),
  replaced('surrogates the wrong way round in a memo', /"memo": "/, '"memo": "\\uddfe\\ud83e'),
  replaced('a line break in a memo', /"memo": "/, '"memo": "\n'),
  replaced('a NUL in a memo', /"memo": "/, '"memo": "\u0000'),
  replaced('an escape that JSON has not', /"memo": "/, '"memo": "\\x41'),
  replaced('a transaction nested too deep', /\]\}$/, `, ${'['.repeat(20)}${']'.repeat(20)}]}`),
]
