#!/usr/bin/env bash
#
# two-nodes.sh: two nodes that have never met agree on one chain.
#
# The one pays, the other mines. They start on the same chain because they have the same config.json, and they tell each
# other of every transaction and block.

# shellcheck source=scripts/lib/story.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/story.sh"

tips() { # the newest block of both
  on one && bc status | jq -r .tip
  on two && bc status | jq -r .tip
}
agree() {
  [[ $(tips | sort -u | wc -l) -eq 1 ]]
}
waiting() { # how many transactions wait on the node that is asked
  [[ $(bc transactions | jq .length) == "$1" ]]
}

heading 'Two nodes of one configuration'
alice=$(person alice) bob=$(person bob)
genesis_with "$alice"
start_node one
chain=$(bc status | jq -r .chain)
start_node two
say "$(url_of one)"
say "$(url_of two)"
check 'the same chain, before they have met' "$chain" "$(bc status | jq -r .chain)"

heading 'The second one is told where the first one is'
run bc register "$(url_of one)"
run bc nodes
check 'it has a neighbour' 1 "$(jq .length <<<"$out")"
wait_until status_is peers 1
on one
wait_until status_is peers 1
say 'Each has one peer.'

heading 'Alice pays by way of the first node'
bc sign "$alice" "$bob" 5 "@$work/alice.json" --json >"$work/payment.json"
run bc send-tx <"$work/payment.json"
on two
wait_until waiting 1
check 'the second one has it in its pool' 1 "$(bc transactions | jq .length)"

heading 'The second node mines'
run mine
check 'a block with her payment' 2 "$(jq '.transactions | length' <<<"$out")"
wait_until agree
on one
check 'the first node has the block, and Bob his 5' 5 "$(balance "$bob")"
check 'its pool is empty' 0 "$(bc transactions | jq .length)"
the_end
