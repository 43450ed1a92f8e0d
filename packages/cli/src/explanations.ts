/**
 * Why each rule is there, and what to do when it refuses: what `bc explain` shows beside the rule's own sentence
 * (core's RULES). A code without an entry doesn't compile.
 */
import { CURVE_ORDER, RULES, type RuleCode } from '@bc/core'
import type { CliCode } from './failure.ts'

export type Code = RuleCode | CliCode

export interface Explanation {
  /** What would go wrong without the rule. */
  readonly why: string
  /** How to put it right. */
  readonly fix: string
}

/** The failures of `bc` itself: what is so where all is well, as in core's table. */
const OURS: Readonly<Record<CliCode, string>> = {
  'cli.usage': 'The words of a command line and its input are what the command takes.',
  'cli.no_node': 'A node listens at the address, and answers in time.',
  'cli.answer': "An answer is what a node of this protocol gives, in the protocol's JSON.",
  'cli.output': 'What is printed can be written.',
  'cli.node': 'A node starts and goes on.',
  'cli.lab': 'In a lab all nodes agree in the end, on a chain that is valid.',
  'cli.watch': 'What is waited for comes about in time, on the chain that was there at the start.',
  'cli.keystore': 'The folder of keys and its files are readable for their owner alone, and each file is a key file.',
}

export function meaningOf(code: Code): string {
  return code in RULES ? RULES[code as RuleCode] : OURS[code as CliCode]
}

/** What the first word of a code is about, in the order of a transaction's way from the command line to the chain. */
export const GROUPS: Readonly<Record<GroupName, string>> = {
  cli: 'the command line',
  request: 'requests to a node',
  message: 'the text of a message',
  tx: 'transactions',
  pool: 'transactions that wait; a policy of the node, not of the chain',
  block: 'blocks',
  node: "a node's own trouble",
}

type GroupName = Code extends `${infer Group}.${string}` ? Group : never

export const EXPLANATIONS: Readonly<Record<Code, Explanation>> = {
  'cli.usage': {
    why: 'bc refuses what it does not understand before it asks anyone, rather than guess.',
    fix: 'Read what the message names. Every command has --help with examples.',
  },
  'cli.no_node': {
    why: 'Without an answer nobody knows anything. A transaction that was on its way may have arrived all the same.',
    fix: 'Start a node with bc-node, or name the right one with --node URL or BC_NODE; bc config shows which one is asked and why. For a slow one give --timeout more seconds.',
  },
  'cli.answer': {
    why: 'What answers may be any program on that port. An answer that is only half understood would be shown as truth.',
    fix: 'Look at what listens there: curl -i URL/status. On macOS AirPlay takes port 5000: use another port, bc-node -p 5001. If it is a node, it may be of another version.',
  },
  'cli.output': {
    why: 'A result that is lost without a word would be taken for an empty one.',
    fix: 'Make room on the disk, or write the output elsewhere, and run the command again.',
  },
  'cli.node': {
    why: 'A node that cannot keep its data or its port would answer with things that are not so.',
    fix: 'The message says what was in the way: a port in use (-p takes another), a data folder in use by another node or open to others (chmod 700), or a fault that its log tells of.',
  },
  'cli.lab': {
    why: 'The lab exists to find out whether nodes agree. Where they do not, or one is lost, that is its result.',
    fix: 'Run it again with the same --seed, with --logs DIR to keep what the nodes said and --save FILE for the chain. A machine under heavy load may need a longer --timeout.',
  },
  'cli.watch': {
    why: 'Who waits has to learn that the waiting is over, also where nothing comes of it: a script would otherwise go on as if all were well.',
    fix: 'Where the time was up, give --timeout more seconds, or see whether anyone mines: bc status. A transaction that has left the pool has to be made again. Where the node is on another chain now, begin anew.',
  },
  'cli.keystore': {
    why: 'Whoever can read a key file can try passphrases on it for as long as they like, and whoever can change the folder can put another key in its place.',
    fix: 'The message names the file. chmod 700 on the folder and chmod 600 on its files close them. A file that is no key file has to be moved away, or brought back from a copy or from its 24 words: bc key import NAME.',
  },
  'message.malformed': {
    why: 'A text that two programs read differently can be valid for one and not for the other, and the network splits. So what is doubtful is refused, not put right.',
    fix: 'Send UTF-8 JSON in which numbers are plain digits: 5, not 5.0, 5e0 or -5, and no key stands twice. The message names the place. Tools that rewrite numbers, as jq above 2^53, are a usual cause.',
  },
  'tx.shape': {
    why: 'The id and the signature cover exactly these fields. Another field would be unsigned freight that anyone could change.',
    fix: 'Send amount, fee, nonce, recipient, sender, signature and, if there is one, memo. bc sign --json prints a complete one.',
  },
  'tx.number': {
    why: 'Above 2^53-1 programs round, each in its own way, and fractions or negative amounts would make coins out of nothing.',
    fix: 'Use whole numbers in plain digits: an amount from 1, a fee and a nonce from 0.',
  },
  'tx.memo': {
    why: 'Every node keeps every memo for ever, so it is short. An empty one would give the same transaction two spellings.',
    fix: 'Shorten it to 256 bytes of UTF-8 (an emoji takes 4), or leave it out. For a document put its SHA-256 in the memo.',
  },
  'tx.address': {
    why: 'Coins that go to a mistyped address are gone for good: nobody has a key for it. The checksum notices any such mistake.',
    fix: 'Copy the address again, all 74 digits in lower case. bc key address KEY prints the one that a key is for.',
  },
  'tx.signature': {
    why: 'It is the only thing that says that the owner of the coins wants this. It covers every field and the chain, so that nobody can change or repeat it.',
    fix: `Sign again what is sent: same amount, fee, memo, nonce and chain, with the sender's own secret. A transaction sent without a nonce is read as the sender's next one, so one that was signed before another went out no longer fits: bc sign … --json | bc send-tx sends the nonce as well. What openssl signs has a high s half of the time: send n - s in its place, 64 digits again, where n is ${CURVE_ORDER}.`,
  },
  'tx.nonce': {
    why: 'Each nonce counts once, so a signed transaction that anyone has seen cannot be played again.',
    fix: 'bc account ADDRESS shows the next nonce. If this one was confirmed already, all is done; otherwise sign again with that nonce.',
  },
  'tx.balance': {
    why: 'Nobody spends coins that are not there. What waits in the pool counts as spent.',
    fix: 'bc account ADDRESS shows the balance. Pay less, or wait until incoming coins are confirmed. Amount and fee together have to be covered.',
  },
  'pool.known': {
    why: 'The same transaction twice is one payment. Whoever sent it before is told so, and nothing is passed on again.',
    fix: 'Nothing is to be done: it waits already. bc tx ID shows when it is confirmed. For another payment of the same amount use the next nonce.',
  },
  'pool.gap': {
    why: 'Transactions that wait for others before them take room without paying for it. So only a few may run ahead.',
    fix: 'Send the transactions with the missing nonces first: bc account ADDRESS shows the next one.',
  },
  'pool.replacement': {
    why: 'Replacing for nothing would let one sender keep the whole network busy for free.',
    fix: 'Sign again with the same nonce and a fee at least 10 % and 1 coin higher, or wait for the first one.',
  },
  'pool.account': {
    why: 'One sender must not fill the pool that all share.',
    fix: 'Wait for the next block, then send the rest.',
  },
  'pool.full': {
    why: 'Memory is limited. Where there is no room, what can be confirmed goes before what waits for a missing nonce, and then those who pay more.',
    fix: 'Send what is missing before it, sign again with a higher fee, or wait for some blocks.',
  },
  'block.genesis': {
    why: 'The genesis block holds the rules and the first balances, and its hash is the id of the chain. Another one is another chain.',
    fix: 'Start the nodes with the same config.json. bc status shows the chain id of each.',
  },
  'block.shape': {
    why: 'Every field is part of the hash. A block with more or fewer fields has no one meaning.',
    fix: 'A block has index, merkle_root, previous_hash, proof, target, timestamp and transactions. Blocks of a tutorial node lack some of them and are not taken.',
  },
  'block.index': {
    why: 'The index says how many blocks stand below it; rewards and confirmations are counted by it.',
    fix: 'Hand blocks in from the oldest on, without one left out.',
  },
  'block.timestamp': {
    why: 'The difficulty is worked out from times. A clock that could run backwards or far ahead would let a miner choose it.',
    fix: "Set the machine's clock, with NTP at best. A block from the future is taken once its time has come.",
  },
  'block.previous_hash': {
    why: 'It is the chain: who changes an old block changes its hash, and every block above it no longer fits.',
    fix: 'The block was changed, or it belongs to another branch. Get the chain anew from a node that you trust.',
  },
  'block.target': {
    why: 'A miner who could pick the target would pick an easy one.',
    fix: 'Compare difficulty, blockTime and halfLife in both configurations. bc status shows the target of the next block.',
  },
  'block.merkle_root': {
    why: 'The header commits to the transactions by this root alone. It is what lets a receipt be checked without the block.',
    fix: 'A transaction was changed, added, removed or moved after the block was mined. Get the block from another node.',
  },
  'block.commitment': {
    why: "In the tutorial a proof says nothing of its own block, so anyone may rewrite the newest one for free. Here it commits to the block's header.",
    fix: 'The header was changed after it was mined. It has to be mined again, or fetched from another node.',
  },
  'block.seal': {
    why: 'The work is what makes rewriting dear. A seal above the target is work that was not done.',
    fix: 'Mine on: the nonce has to be searched until the seal is not above the target. A block that was valid once has been changed.',
  },
  'block.size': {
    why: 'Every node has to store and pass on every block, in time.',
    fix: 'Leave transactions for the next block. Nodes of one chain have the same maxBlockBytes.',
  },
  'block.reward': {
    why: 'It is the one place where coins come from. More than the rules give would take from everybody.',
    fix: 'Exactly one reward stands first: the mining reward plus the fees of this block, with the index as its nonce, to a valid address.',
  },
  'request.invalid': {
    why: 'A request that is only half understood would be answered with something that nobody asked for.',
    fix: 'GET /openapi.json describes every request. The message names the field that is wrong.',
  },
  'request.not_found': {
    why: 'Nothing of that name is known to this node. It may be behind the others, or on another branch.',
    fix: 'Check the index, the hash or the id. bc status shows the height; a transaction that was never sent, or was dropped, has to be sent again.',
  },
  'request.method': {
    why: 'What reads and what changes something are told apart by the method.',
    fix: 'GET /openapi.json lists the methods of each path.',
  },
  'request.media_type': {
    why: 'A web page may send other types to any address without asking first, and JSON not. So nothing else is taken.',
    fix: "The message names the type. Send it as the header, with curl -H 'Content-Type: application/json', or application/x-ndjson where there is a value on each line.",
  },
  'request.too_large': {
    why: 'A stranger must not be able to fill the memory of a node.',
    fix: 'Send less at once. bc send-tx and bc import do that with many transactions and with long chains.',
  },
  'request.timeout': {
    why: 'Requests that never end would use up the connections of a node.',
    fix: 'Send it again. Over a slow line send less at once.',
  },
  'request.rate': {
    why: 'One client must not take the node from the others.',
    fix: 'Wait as long as the message says, or else some seconds, then go on more slowly.',
  },
  'request.host': {
    why: "A web page can make a browser reach a node under the page's own name (DNS rebinding). Under a name that is not its own a node does not answer.",
    fix: "Use localhost or an IP address, or add the name to allowedHosts in the node's configuration.",
  },
  'request.origin': {
    why: 'Any page that you look at could otherwise mine on your node or send through it.',
    fix: 'Open the page from the node itself, or use a program that is no browser.',
  },
  'request.operator': {
    why: 'Mining, the secret, the neighbours, imports and all of dev mode are for whoever runs the node.',
    fix: "Run the command on the node's own machine, or give the token of its data folder: --token @operator-token, or BC_TOKEN.",
  },
  'request.dev_only': {
    why: 'Snapshots, a clock that can be moved and free coins would make a real chain worthless.',
    fix: 'Start a node for it: bc-node --dev. bc config shows which node is asked.',
  },
  'node.busy': {
    why: 'A queue that grows without an end helps nobody.',
    fix: 'Wait a moment and ask again.',
  },
  'node.stopping': {
    why: 'What is begun now could not be ended in order.',
    fix: 'Wait until the node is back, or ask another one.',
  },
  'node.damaged': {
    why: 'A node that has lost a part of its data stops, rather than answer with what is left.',
    fix: 'Free the disk if it is full and start the node again. If that does not help, bc-node --repair rebuilds what is damaged from the blocks that are whole.',
  },
  'node.internal': {
    why: 'This is a mistake in the software, and not yours.',
    fix: "The node's log has the details: please report them.",
  },
}

export function isCode(text: string): text is Code {
  return Object.hasOwn(EXPLANATIONS, text)
}
