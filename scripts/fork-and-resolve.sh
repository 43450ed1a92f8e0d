#!/usr/bin/env bash
#
# fork-and-resolve.sh: a chain forks in two, and comes together again.
#
#     genesis ── 2 ── 3          mined on the first node
#            └── 2'── 3'── 4'    mined on the second one
#
# No rule is broken on either side. The chain with the most work wins, everywhere, and what only the other one had waits
# for a block again.

# shellcheck source=scripts/lib/story.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/story.sh"

heading 'Two nodes with one genesis block, and nothing between them'
alice=$(person alice) bob=$(person bob)
genesis_with "$alice"
start_node one
start_node two

heading 'Each goes on by itself'
on one
bc sign "$alice" "$bob" 5 "@$work/alice.json" --json >"$work/payment.json"
run bc send-tx <"$work/payment.json"
run mine
run mine
check 'the first node: height 3, and Bob has 5' '3 5' "$(bc status | jq .height) $(balance "$bob")"
miner=$(bc status | jq -r .address)
check 'its own reward is 100' 100 "$(balance "$miner")"
on two
run mine
run mine
run mine
tip=$(bc status | jq -r .tip)
check 'the second node: height 4, and Bob has nothing' '4 0' "$(bc status | jq .height) $(balance "$bob")"

heading 'They meet, and the first one resolves the conflict'
on one
run bc register "$(url_of two)"
run bc resolve
say "$(jq -r .message <<<"$out")"
wait_until status_is tip "$tip"
check 'the first node has the longer chain now' 4 "$(bc status | jq .height)"
check 'its two rewards are gone with their blocks' 0 "$(balance "$miner")"
check "Alice's payment waits again" 1 "$(bc transactions | jq .length)"

heading 'And it is not lost'
run mine
check 'block 5 has it' 5 "$(jq .index <<<"$out")"
check 'Bob has 5' 5 "$(balance "$bob")"
on two
wait_until status_is height 5
check 'on the second node as well' 5 "$(balance "$bob")"
the_end
