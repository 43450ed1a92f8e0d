#!/usr/bin/env bash
#
# double-spend.sh: Alice has 100 coins and pays them to Bob, and to Carol.
#
# First on one node, where it can't be done. Then on two nodes that don't hear of each other: both payments get into a
# block, and when the two nodes meet, one of them is undone. That is why a shop waits for more blocks than one.

# shellcheck source=scripts/lib/story.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/story.sh"

heading 'Two payments of the same 100 coins'
alice=$(person alice) bob=$(person bob) carol=$(person carol)
genesis_with "$alice"
start_node one
# Both are her transaction 0: on any chain, only one of them can ever be.
run bc sign "$alice" "$bob" 100 "@$work/alice.json" --nonce 0 --json
to_bob=$out
run bc sign "$alice" "$carol" 100 "@$work/alice.json" --nonce 0 --json
to_carol=$out

heading 'One node: the second one does not get into its pool'
post /transactions/new "$to_bob"
check 'the first one waits for a block' 201 "$status"
post /transactions/new "$to_carol"
check 'the second one is refused' 409 "$status"
run bc sign "$alice" "$carol" 100 "@$work/alice.json" --json
post /transactions/new "$out"
check 'and as her transaction 1 it lacks the coins' '422 tx.balance' "$status $(jq -r .code <<<"$out")"

heading 'Two nodes that have not met: Bob asks one, Carol the other'
run mine
check 'Bob has 100, under one block' 100 "$(balance "$bob")"
start_node two
post /transactions/new "$to_carol"
check 'the other node knows of nothing, and takes it' 201 "$status"
run mine
run mine
check 'Carol has 100, under two blocks' 100 "$(balance "$carol")"

heading 'They meet'
on one
run bc register "$(url_of two)"
run bc resolve
wait_until status_is height 3
say 'The chain with the most work is that of two blocks: all nodes go there.'
check 'Carol has 100' 100 "$(balance "$carol")"
check 'Bob has nothing any more' 0 "$(balance "$bob")"
check 'and never will: the coins are spent' 0 "$(bc transactions | jq .length)"
check 'Alice paid once' '0 1' "$(get "/accounts/$alice" | jq -r '"\(.balance) \(.nonce)"')"
the_end
