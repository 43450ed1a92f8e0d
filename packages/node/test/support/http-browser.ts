/** A real browser, where there is one. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
)

/**
 * Opens a page and waits until it says that it is done (see {@link serve}).
 * @param names host names that lead to this machine
 */
export async function browse(url: string, names: readonly string[], done: Promise<unknown>): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), 'bc-chromium-'))
  const rules = names.map((name) => `MAP ${name} 127.0.0.1`).join(',')
  const browser = spawn(
    CHROMIUM as string,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      `--user-data-dir=${profile}`,
      `--host-resolver-rules=${rules}`,
      '--remote-debugging-port=0',
      url,
    ],
    { stdio: 'ignore', detached: true },
  )
  try {
    await Promise.race([done, ended(browser)])
  } finally {
    if (browser.exitCode === null) process.kill(-(browser.pid as number), 'SIGKILL')
    await once(browser, 'close').catch(() => undefined)
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

async function ended(browser: ChildProcess): Promise<never> {
  await once(browser, 'exit')
  throw new Error(`the browser has ended by itself: ${browser.exitCode}`)
}

export interface Page {
  readonly server: Server
  readonly port: number
  /** What the page sends to `/done`. */
  readonly done: Promise<string>
}

/** A web server with one page, which any host name is good for. */
export async function serve(html: string): Promise<Page> {
  let tell: (text: string) => void = () => undefined
  const done = new Promise<string>((resolve) => {
    tell = resolve
  })
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    if (request.url === '/done') tell(Buffer.concat(parts).toString())
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(request.url === '/' ? html : '')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port, done }
}
