/** Whether the nodes agree in the end, and on something valid. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson } from '@bc/core'
import type { StatusAnswer } from '@bc/node'
import { CliError, writing } from '../failure.ts'
import { ALLOCATION } from './accounts.ts'
import type { Verdict } from './events.ts'
import { type Balances, type Lab, REWARD } from './lab.ts'
import { CHECKOUT } from './node-process.ts'
import { since } from './tips.ts'

/**
 * @param save a file for the chain that they agree on, as `GET /chain` answers it
 * @throws CliError with the first thing that isn't so
 */
export async function judge(lab: Lab, save: string | undefined): Promise<Verdict> {
  await lab.oneTip()
  const supply = await sameBalances(lab)
  const { height, tip } = lab.first.status as StatusAnswer
  const due = Object.keys(lab.accounts).length * ALLOCATION + (height - 1) * REWARD
  lab.expect(supply === due, `the nodes agree on a supply of ${supply}, and ${due} is right at block ${height}`)
  const file = await saveChain(lab, tip, save)
  await audit(file, lab.signal)
  return {
    event: 'agreed',
    nodes: lab.nodes.length,
    height,
    tip,
    supply,
    abandoned: lab.tips.abandoned,
    deepest: lab.tips.deepest,
    audit: 'valid',
    ms: since(lab.startedAt),
  }
}

/** @returns the sum of all balances, which everybody agrees on */
async function sameBalances(lab: Lab): Promise<number> {
  let agreed: Balances | undefined
  for (const node of lab.nodes) {
    const balances = await lab.balancesAt(node)
    agreed ??= balances
    for (const [address, balance] of balances)
      lab.expect(
        agreed.get(address) === balance,
        `node ${node.number} has ${balance} at ${address}, and node 1 has ${agreed.get(address)}`,
      )
  }
  return [...(agreed?.values() ?? [])].reduce((sum, balance) => sum + balance, 0)
}

/** The tips are one, so the chains are: one of them stands for all. */
async function saveChain(lab: Lab, tip: string, save = join(lab.folder, 'chain.json')): Promise<string> {
  const answer = await lab.random.pick(lab.nodes).client.chain()
  lab.expect((await lab.first.client.status()).tip === tip, 'the chain goes on while it is looked at')
  writing('cli.lab', save, () => writeFileSync(save, `${canonicalJson(answer)}\n`))
  return save
}

async function audit(file: string, signal: AbortSignal): Promise<void> {
  const child = spawn(join(CHECKOUT, 'scripts/audit.sh'), [file], { stdio: ['ignore', 'ignore', 'pipe'], signal })
  const said: Buffer[] = []
  child.stderr.on('data', (chunk) => said.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code === 0) return
  const reason = Buffer.concat(said).toString().trim()
  const how = code === 1 ? 'does not accept the chain' : 'could not be run'
  throw new CliError('cli.lab', `scripts/audit.sh ${how}: ${reason || `exit code ${code}`}`)
}
