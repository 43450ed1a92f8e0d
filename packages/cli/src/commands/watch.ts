/** What happens, as it happens: until somebody ends it. */
import { canonicalJson } from '@bc/core'
import type { Settings } from '../settings/options.ts'
import { note, noteLost, printSlowly, terminalWidth } from '../terminal/output.ts'
import { follow } from '../watch/follow.ts'
import { readableLine } from '../watch/readable-line.ts'
import { type Line, type Topic, Watcher } from '../watch/watcher.ts'

export async function watch(topic: Topic, from: number | undefined, settings: Settings): Promise<void> {
  const watcher = new Watcher(settings, { topic, from, tell: teller(settings.json) })
  await follow(
    settings,
    {
      types: watcher.types,
      signal: new AbortController().signal,
      onLost: noteLost,
      onBack: () => note('the connection is there again'),
    },
    async (event) => {
      await watcher.take(event)
      return undefined
    },
  )
}

function teller(json: boolean): (line: Line) => Promise<void> {
  const { stdout } = process
  if (json || !stdout.isTTY) return (line) => printSlowly(canonicalJson(line))
  return (line) => printSlowly(readableLine(line, terminalWidth(), new Date()))
}
