/** The command `bc lab`. */
import { Argument, type Command } from 'commander'
import { labNodesOption, SCENARIO_NAMES, type ScenarioName, wholeOption } from '../command-line/arguments.ts'
import { examples } from '../command-line/run.ts'
import type { LabFlags } from '../commands/lab.ts'
import { seconds, timeoutOf, wantsColor, wantsJson, withoutNodeOptions } from '../settings/options.ts'

export function addLab(bc: Command): void {
  // Its nodes are its own: of the options for a node it has two, and they mean a little more.
  withoutNodeOptions(bc.command('lab'))
    .description('Starts a network of nodes on this machine, has something happen to it, and checks that all agree.')
    .addArgument(new Argument('<SCENARIO>', 'what happens').choices(SCENARIO_NAMES))
    .option('--nodes <n>', 'how many nodes, each a process of its own', labNodesOption, 5)
    .option('--seed <n>', 'of all that is left to chance', wholeOption, 1 as ReturnType<typeof wholeOption>)
    .option('--timeout <seconds>', 'give up where something takes longer than this (default: 60)', seconds)
    .option('--save <file>', 'write the chain that they agree on, as GET /chain answers it')
    .option('--logs <dir>', 'keep what the nodes log there')
    .option('--json', 'print events as JSON, one a line, on a terminal too')
    .addHelpText(
      'after',
      `${LAB_SCENARIOS}\n${examples('bc lab partition', 'bc lab 51 --nodes 3 --seed 7', 'bc lab churn | jq .event')}`,
    )
    .action(async function (this: Command, scenario: ScenarioName) {
      const { lab } = await import('../commands/lab.ts')
      await lab(scenario, this.opts<LabFlags>(), {
        json: wantsJson(this),
        color: wantsColor(this, process.stdout),
        timeout: timeoutOf(this),
      })
    })
}

const LAB_SCENARIOS = `
Scenarios:
  mine          every node mines in turn, and all follow
  partition     a split in two, blocks on both sides, and the split heals
  double-spend  the same coins are spent on both sides of a split
  51            a private chain of one node overtakes the public one
  churn         nodes are killed and restarted while others mine

In the end all nodes must have one newest block, the same balances and the right
supply, and scripts/audit.sh must accept the chain: exit code 0, otherwise 1.`
