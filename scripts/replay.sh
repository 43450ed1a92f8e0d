#!/usr/bin/env bash
#
# replay.sh: Bob was paid once and would like to be paid again.
#
# He has what Alice sent, signature and all. In the classic tutorial he only has to send it once more. Here a signature
# is good for one place in its sender's order, on one chain.

# shellcheck source=scripts/lib/story.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/story.sh"

heading 'Alice pays Bob 5, and a block has it'
alice=$(person alice) bob=$(person bob)
genesis_with "$alice"
start_node one
chain=$(bc status | jq -r .chain)
run bc sign "$alice" "$bob" 5 "@$work/alice.json" --json
signed=$out
say "$(jq -c '{amount, fee, nonce}' <<<"$signed")"
# As the tutorial's own client writes it: no nonce, no fee, and the amount as a string.
payment=$(jq '{sender, recipient, amount: (.amount | tostring), signature}' <<<"$signed")
post /transactions/new "$payment"
check 'taken' 201 "$status"
run mine
check 'Bob has 5' 5 "$(balance "$bob")"

heading 'The same request again'
post /transactions/new "$payment"
check 'it would be her transaction 1 now, and 0 was signed' '401 tx.signature' "$status $(jq -r .code <<<"$out")"

heading 'The same transaction, which says that it is number 0'
post /transactions/new "$signed"
check 'number 0 has been' '409 tx.nonce' "$status $(jq -r .code <<<"$out")"

heading 'The same transaction as number 1'
post /transactions/new "$(jq '.nonce = 1' <<<"$signed")"
check 'the number is signed as well' '401 tx.signature' "$status $(jq -r .code <<<"$out")"

heading 'The same transaction on another chain, where Alice has 100 coins too'
genesis_with "$alice" '{"miningReward": 51}'
start_node other
check 'another chain' different "$([[ $(bc status | jq -r .chain) == "$chain" ]] && echo the same || echo different)"
post /transactions/new "$signed"
check 'the chain is signed as well, though it stands nowhere' '401 tx.signature' "$status $(jq -r .code <<<"$out")"

heading 'What has come of it'
check 'on the other chain Alice still has 100' 100 "$(balance "$alice")"
on one
check 'nothing waits for a block' 0 "$(bc transactions | jq .length)"
check 'Bob has 5' 5 "$(balance "$bob")"
the_end
