#!/usr/bin/env bash
#
# demo.sh: the tutorial's session from start to end, against a node that this script starts and stops itself.
#
# Mine, see the secret, sign, send, look at the pool, mine, look at the chain; then what must not work: a forged
# signature, a replay, an overdraft; then a restart and an audit. Every answer is checked, and the first that is other
# than expected ends the script with status 1.
#
# It needs bash, curl, jq and what the audit needs, runs the commands of this checkout's bin/ and keeps all it makes in
# a temporary directory of its own.

# shellcheck source=scripts/lib/story.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/story.sh"

main() {
  heading 'A node of our own, on a free port'
  start
  tell_about_node
  heading 'Mine a block: the reward is the first money there is'
  mine_first_block
  heading "The node's secret: on its own terminal, never in an answer"
  read_secret
  heading 'Sign a transaction'
  sign_payment
  heading 'Send it'
  send_payment
  heading 'The pool: it waits for a block'
  look_at_pool
  heading 'Mine it into a block'
  mine_payment
  heading 'The chain'
  look_at_chain
  heading 'A forged signature: the same signature under another amount'
  try_forgery
  heading 'A replay: the transaction from before, once more'
  try_replay
  heading 'An overdraft: properly signed, but more than there is'
  try_overdraft
  heading 'A restart: everything is still there'
  restart_node
  heading 'An audit: the whole chain, checked without any code of ours'
  audit_chain
  the_end
}

# ---------------------------------------------------------------------------------------------------------- The session

tell_about_node() {
  run bc status
  say "$(jq -r '"height \(.height), its own address \(.address)"' <<<"$out")"
  alice=$(jq -r .address <<<"$out")
  check 'a new chain has its genesis block alone' 1 "$(jq .height <<<"$out")"
}

mine_first_block() {
  run mine
  say "$(jq -r '"\(.message): block \(.index), \(.transactions[0].amount) coins to the node"' <<<"$out")"
  check 'it says so as the tutorial does' 'New Block Created' "$(jq -r .message <<<"$out")"
  check 'the first block after genesis' 2 "$(jq .index <<<"$out")"
  check 'the reward is 50' 50 "$(jq '.transactions[0].amount' <<<"$out")"
}

read_secret() {
  local before
  before=$(wc -l <"$work/one.terminal")
  run bc secret
  say "$(jq -r .message <<<"$out")"
  # Asked for over HTTP, printed by the node: the two don't wait for each other.
  wait_until grep -q '^ *secret  *[0-9a-f]\{64\}$' "$work/one.terminal"
  sed -n 's/^ *secret  *\([0-9a-f]\{64\}\)$/\1/p' "$work/one.terminal" >"$work/alice.secret"
  say "and the node's terminal shows (here with most of the digits left out):"
  sed -e "1,${before// /}d" -e '/^ *$/d' -e 's/\([0-9a-f]\{8\}\)[0-9a-f]\{56,66\}$/\1…/' "$work/one.terminal" | sed 's/^/    |/'
  check 'the answer itself holds no secret' '' "$(grep -Eo '[0-9a-f]{64}' <<<"$out" || true)"
  check "it is the secret of the node's address" "$alice" "$(bc key address "@$work/alice.secret")"
}

sign_payment() {
  bc key new --json >"$work/bob.json"
  bob=$(jq -r .address "$work/bob.json")
  say "a key for Bob: $bob"
  run bc sign "$alice" "$bob" 5 "@$work/alice.secret"
  signature=$out
  say "$signature"
  check 'a signature is 128 hex digits' 128 "${#signature}"
}

send_payment() {
  run send-tx "$alice" "$bob" 5 "$signature"
  say "$(jq -r .message <<<"$out")"
  check 'it will be in the next block' 'Transaction will be added to Block 3' "$(jq -r .message <<<"$out")"
}

look_at_pool() {
  run bc transactions
  say "$(jq -c '.transactions[] | {amount, fee, nonce}' <<<"$out")"
  check 'one transaction waits' 1 "$(jq .length <<<"$out")"
  check "it is Alice's 5 to Bob" "$alice $bob 5" "$(jq -r '.transactions[0] | "\(.sender) \(.recipient) \(.amount)"' <<<"$out")"
}

mine_payment() {
  run mine
  say "$(jq -r '"\(.message): block \(.index) with \(.transactions | length) transactions"' <<<"$out")"
  check 'reward and payment are in it' "0 $alice" "$(jq -r '[.transactions[].sender] | join(" ")' <<<"$out")"
  check 'the pool is empty again' 0 "$(bc transactions | jq .length)"
  check 'Bob has 5' 5 "$(balance "$bob")"
  check 'Alice has two rewards less 5' 95 "$(balance "$alice")"
}

look_at_chain() {
  run chain
  jq -r '.chain[] | "block \(.index): \(.transactions | length) transactions, after \(.previous_hash[:16])"' <<<"$out" |
    sed 's/^/    /'
  check 'three blocks' 3 "$(jq .length <<<"$out")"
  check 'numbered one by one' '1 2 3' "$(jq -r '[.chain[].index | tostring] | join(" ")' <<<"$out")"
}

try_forgery() {
  post /transactions/new "$(payment 50 "$signature")"
  check 'HTTP 401' 401 "$status"
  check 'by the rule of signatures' tx.signature "$(jq -r .code <<<"$out")"
  refused 4 tx.signature send-tx "$alice" "$bob" 50 "$signature"
}

try_replay() {
  post /transactions/new "$(payment 5 "$signature")"
  check 'HTTP 401: a signature is good for one place in the order' 401 "$status"
  refused 4 tx.signature send-tx "$alice" "$bob" 5 "$signature"
  refused 5 tx.nonce send-tx "$alice" "$bob" 5 "$signature" --nonce 0
  check 'Bob still has 5' 5 "$(balance "$bob")"
}

try_overdraft() {
  local dear
  dear=$(bc sign "$alice" "$bob" 96 "@$work/alice.secret")
  post /transactions/new "$(payment 96 "$dear")"
  check 'HTTP 422' 422 "$status"
  check 'by the rule of balances' tx.balance "$(jq -r .code <<<"$out")"
  refused 5 tx.balance send-tx "$alice" "$bob" 96 "$dear"
  check 'none of this got into the pool' 0 "$(bc transactions | jq .length)"
}

restart_node() {
  local before=$work/chain.before after=$work/chain.after
  chain >"$before"
  stop_node one
  check 'and takes its ready file with it' gone "$(test -e "$work/one.ready" && echo there || echo gone)"
  start
  chain >"$after"
  check 'every block' '' "$(cmp "$before" "$after" 2>&1)"
  check "Bob's 5" 5 "$(balance "$bob")"
  check "the node's key" "$alice" "$(bc status | jq -r .address)"
}

audit_chain() {
  run "$root/scripts/audit.sh" "$BC_NODE"
  printf '%s\n' "$out" | sed 's/^/    /'
}

# ------------------------------------------------------------------------------------------------------------- The node

start() {
  say 'bc-node -p 0 --no-discovery --data-dir data --ready-file ready.json'
  start_node one --data-dir "$work/data"
  check 'the ready file names the process that we started' "$(cat "$work/one.pid")" "$(jq .pid "$work/one.ready")"
  say "it listens at $BC_NODE, on chain $(jq -r .chain "$work/one.ready")"
}

payment() { # amount, signature: as the tutorial's own client writes it, the amount as a string
  jq -n --arg sender "$alice" --arg recipient "$bob" --arg amount "$1" --arg signature "$2" '$ARGS.named'
}

main
