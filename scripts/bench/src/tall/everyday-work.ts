/** What people ask of a node: some blocks are mined, and all over the chain blocks and accounts are looked at. */
import { Agent } from 'node:http'
import { makeHolders } from '../chain/holders.ts'
import { get } from '../http/get.ts'
import { ACCOUNTS } from './chain.ts'

/** Blocks that are mined. */
const MINED = 50
/** Requests at a time. */
const AT_ONCE = 8

/** @param questions how many about blocks, and as many about accounts */
export async function everydayWork(url: string, height: number, questions: number): Promise<void> {
  const people = makeHolders(ACCOUNTS)
  const paths: string[] = []
  for (let i = 0; i < questions; i++) {
    // Evenly over the whole chain, and never in the order in which it is stored.
    const block = 1 + Math.floor(((i * 0.618_034) % 1) * (height - 1))
    const address = (people[(i * 7) % ACCOUNTS] as (typeof people)[number]).address
    paths.push(`/blocks/${block}`, i % 2 === 0 ? `/accounts/${address}` : `/accounts/${address}/transactions`)
  }
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  try {
    for (let i = 0; i < MINED; i++) await get(agent, `${url}/mine`)
    await Promise.all(Array.from({ length: AT_ONCE }, () => askAll(agent, url, paths)))
  } finally {
    agent.destroy()
  }
}

/** Each takes the next one. */
async function askAll(agent: Agent, url: string, paths: string[]): Promise<void> {
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) await get(agent, url + path)
}
