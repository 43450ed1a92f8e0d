/** Questions to a person at a terminal. They stand on stderr: stdout is for results. */
import { openSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { ReadStream, WriteStream } from 'node:tty'
import { usage } from '../failure.ts'

/** What is wrong with an answer, or undefined: then it is taken. */
export type Doubt = (answer: string) => string | undefined | Promise<string | undefined>

export interface Questions {
  /** Asks until the answer is in order. */
  ask(question: string, doubt: Doubt): Promise<string>
  close(): void
}

export function openQuestions(): Questions {
  const lines = linesFrom(createInterface({ input: process.stdin, output: process.stderr }))
  const ask = async (question: string, doubt: Doubt): Promise<string> => {
    const answer = (await lines.next(question)).trim()
    const fault = await doubt(answer)
    if (fault === undefined) return answer
    process.stderr.write(`  ${fault}\n`)
    return ask(question, doubt)
  }
  return { ask, close: lines.close }
}

/** One answer, which is in sight. */
export async function askOnce(question: string): Promise<string> {
  const questions = openQuestions()
  try {
    return await questions.ask(question, () => undefined)
  } finally {
    questions.close()
  }
}

/** Where a person is: the questions go out, the answers come in. */
export interface Terminal {
  readonly input: ReadStream
  readonly output: Writable
  close(): void
}

/**
 * The terminal that started us, also where standard input is a file or a pipe: `bc sign - --key alice < tx.json` has a
 * passphrase to ask for.
 * @returns undefined where there is none, as in CI
 */
export function openTerminal(): Terminal | undefined {
  if (process.stdin.isTTY) return standardInput()
  const files = openedControllingTerminal()
  if (files === undefined) return undefined
  const [input, output] = [new ReadStream(files[0]), new WriteStream(files[1])]
  return { input, output, close: () => void [input.destroy(), output.destroy()] }
}

function standardInput(): Terminal {
  return { input: process.stdin, output: process.stderr, close: () => {} }
}

/** Two descriptors, since each of the two streams closes its own. */
function openedControllingTerminal(): readonly [number, number] | undefined {
  try {
    return [openSync('/dev/tty', 'r'), openSync('/dev/tty', 'w')]
  } catch (error) {
    // ENXIO: we have no terminal. ENOENT: this system has no such path.
    if ((error as NodeJS.ErrnoException).code !== undefined) return undefined
    throw error
  }
}

/** Questions whose answers the terminal doesn't show. */
export interface SecretQuestions {
  ask(question: string): Promise<string>
  close(): void
}

/** @param terminal standard input's where none is given, which is known to be one then */
export function openSecretQuestions({ input, output, close }: Terminal = standardInput()): SecretQuestions {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input, output: nowhere, terminal: true })
  let asked = ''
  const lines = linesFrom(terminal, () => {
    // Nobody could see that the beginning of an answer is still there.
    terminal.write(null, { ctrl: true, name: 'u' })
    output.write(asked)
  })
  return {
    async ask(question) {
      // Only now does the terminal show nothing: a question before would be an invitation to type in sight.
      asked = question
      output.write(question)
      try {
        return await lines.next('')
      } finally {
        asked = ''
        output.write('\n')
      }
    },
    close() {
      lines.close()
      close()
    },
  }
}

/** One answer that the terminal doesn't show, from standard input. */
export async function askSecretly(question: string): Promise<string> {
  const questions = openSecretQuestions()
  try {
    return await questions.ask(question)
  } finally {
    questions.close()
  }
}

interface Lines {
  next(prompt: string): Promise<string>
  close(): void
}

/**
 * `question()` of node:readline loses the lines that arrive before it is called, so a pasted block of answers; here
 * they wait in line. It also waits for ever once the input has ended (Ctrl-D).
 * @param onReturn called when we are back after Ctrl-Z, and the terminal is as readline has it
 */
function linesFrom(terminal: Interface, onReturn = () => {}): Lines {
  const waiting: string[] = []
  let ended = false
  let wake = () => {}
  terminal.on('line', (line) => {
    waiting.push(line)
    wake()
  })
  const hangUp = () => interrupt(terminal, 'SIGHUP')
  process.once('SIGHUP', hangUp)
  // The terminal is gone, which may be seen before the signal comes: there is nothing to be put right.
  terminal.on('error', () => {
    process.off('SIGHUP', hangUp)
    process.kill(process.pid, 'SIGHUP')
  })
  terminal.on('close', () => {
    process.off('SIGHUP', hangUp)
    ended = true
    wake()
  })
  terminal.on('SIGINT', () => interrupt(terminal, 'SIGINT'))
  // It pauses its input when it is back (`fg`) and leaves it to us to go on; only after this event it has the terminal
  // in raw mode again.
  terminal.on('SIGCONT', () =>
    process.nextTick(() => {
      terminal.prompt(true)
      onReturn()
    }),
  )
  const next = async (prompt: string): Promise<string> => {
    terminal.setPrompt(prompt)
    if (!ended) terminal.prompt()
    if (waiting.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve))
    const line = waiting.shift()
    if (line !== undefined) return line
    process.stderr.write('\n')
    throw usage('the answers ended too early: nothing was done.')
  }
  return { next, close: () => terminal.close() }
}

/**
 * Readline has the terminal in raw mode, where Ctrl-C is a key: let it end us as it ends any program. Where others send
 * a signal Node puts the terminal right by itself, but for SIGHUP.
 */
function interrupt(terminal: Interface, signal: NodeJS.Signals): void {
  terminal.close()
  process.kill(process.pid, signal)
}
