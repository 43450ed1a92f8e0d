#!/usr/bin/env bash
#
# forged-signature.sh: Mallory tries to spend Alice's coins.
#
# She sees every signature that Alice makes, and may change it, copy it and sign herself. Each try is refused, by the
# same rule, before the node looks at any balance.

# shellcheck source=scripts/lib/story.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/story.sh"

heading 'Alice has 100 coins, and a node has her chain'
alice=$(person alice) bob=$(person bob) mallory=$(person mallory)
genesis_with "$alice"
start_node one
check "Alice's balance" 100 "$(balance "$alice")"

heading 'Alice signs 5 coins for Bob; Mallory sees the signature before the node does'
run bc sign "$alice" "$bob" 5 "@$work/alice.json"
signature=$out
say "$signature"
say 'It is over the SHA-256 of amount, chain, fee, nonce, recipient and sender.'

heading 'Another amount under the same signature'
refused 4 tx.signature send-tx "$alice" "$bob" 50 "$signature"

heading 'Another recipient'
refused 4 tx.signature send-tx "$alice" "$mallory" 5 "$signature"

heading "Mallory's own signature in Alice's name"
run bc sign "$mallory" "$mallory" 5 "@$work/mallory.json" --nonce 0
refused 4 tx.signature send-tx "$alice" "$mallory" 5 "$out"

heading 'One digit of the signature changed, or all of them written in capitals'
case $signature in *0) changed=${signature%?}1 ;; *) changed=${signature%?}0 ;; esac
refused 4 tx.signature send-tx "$alice" "$bob" 5 "$changed"
refused 4 tx.signature send-tx "$alice" "$bob" 5 "$(tr '[:lower:]' '[:upper:]' <<<"$signature")"

heading 'A signature that Alice made for another chain'
run bc sign "$alice" "$bob" 5 "@$work/alice.json" --nonce 0 --chain "$(sha256 <<<'another chain')"
refused 4 tx.signature send-tx "$alice" "$bob" 5 "$out"

heading 'The real one'
check 'nothing of the above waits for a block' 0 "$(bc transactions | jq .length)"
run send-tx "$alice" "$bob" 5 "$signature"
say "$(jq -r .message <<<"$out")"
run mine
check 'Bob has 5' 5 "$(balance "$bob")"
check 'Mallory has nothing' 0 "$(balance "$mallory")"
the_end
