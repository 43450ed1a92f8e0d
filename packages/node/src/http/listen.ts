/** Where a node listens. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { StartError } from '../errors.ts'
import type { App } from './app.ts'

/**
 * @param p2pPort undefined for a node without a network, 0 for any that is free
 * @returns the URL for people, and the IP address that the host's name has turned out to mean
 * @throws StartError where a port can't be had
 */
export async function listen(
  app: App,
  host: string,
  port: number,
  p2pPort: number | undefined,
): Promise<{ url: string; address: string }> {
  // For the name Fastify would open a second server on ::1, which has none of the first one's limits.
  const name = host === 'localhost' ? '127.0.0.1' : host
  // Libp2p takes its port once the node is answering: that it will get it must be known before.
  const held = p2pPort ? await holdPort(name, p2pPort).catch(cantListen(host, p2pPort, '--p2p-port')) : undefined
  try {
    const listenTextResolver = (url: string) => `Listening at ${url}.`
    await app.listen({ host: name, port, listenTextResolver }).catch(cantListen(host, port, '-p'))
  } finally {
    if (held) await letGo(held)
  }
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has an address and a port')
  return { url: urlOf(host, address.port), address: address.address }
}

/** What people type: a name for the address that means this machine, brackets around IPv6. */
function urlOf(host: string, port: number): string {
  const here = host === '127.0.0.1' || host === '0.0.0.0' || host === '::'
  const name = here ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

/** @param flag what chooses the port */
function cantListen(host: string, port: number, flag: string) {
  return ({ code, message }: NodeJS.ErrnoException): never => {
    if (code === 'EADDRINUSE') throw new StartError(`Port ${port} is in use on ${host}: choose another with ${flag}.`)
    throw new StartError(`The node can't listen on ${host}, port ${port}: ${message}.`)
  }
}

/** A port that was free a moment ago. */
export async function freePort(host: string): Promise<number> {
  const held = await holdPort(host, 0)
  const address = held.address()
  await letGo(held)
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Who connects meanwhile is hung up on, or his connection would outlast ours. */
async function holdPort(host: string, port: number): Promise<Server> {
  const held = createServer((connection) => connection.destroy()).listen(port, host)
  await once(held, 'listening')
  return held
}

async function letGo(held: Server): Promise<void> {
  held.close()
  await once(held, 'close')
}
