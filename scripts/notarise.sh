#!/usr/bin/env bash
#
# notarise.sh: proves that a document was there before a certain block, without showing it to anybody.
#
# Its SHA-256 goes into the memo of a payment. Whoever gets the document later, and the payment's id, checks that the
# document is the one, and that the memo is as old as its block; to be younger it would need all the work since.

# shellcheck source=scripts/lib/story.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/story.sh"

heading 'Alice has a document, and keeps it to herself'
alice=$(person alice)
genesis_with "$alice"
start_node one
printf 'I, Alice, have thought of this first:\nhash trees need not double their odd nodes.\n' >"$work/document"
sed 's/^/    | /' "$work/document"
hash=$(sha256 <"$work/document")
say "sha256: $hash"

heading 'She pays a coin to herself, and notes the hash'
bc sign "$alice" "$alice" 1 "@$work/alice.json" --fee 1 --memo "sha256 $hash" --json >"$work/signed.json"
run bc send-tx <"$work/signed.json"
id=$(jq -r .id <<<"$out")
say "the payment's id: $id"

heading 'Blocks are mined: the first one has it, each further one makes it harder to have been otherwise'
run mine
run mine
run mine

heading 'Years later: a stranger gets the document and the id, and asks any node'
get "/transactions/$id" >"$work/found"
index=$(jq .block.index "$work/found")
say "block $index: $(jq -r .transaction.memo "$work/found")"
check 'the document is the one' "sha256 $(sha256 <"$work/document")" "$(jq -r .transaction.memo "$work/found")"
check 'its block and two more stand for it' 3 $(($(bc status | jq .height) - index + 1))
say "It was there at $(get "/blocks/$index" | jq -r '.timestamp | todate'), when block $index was mined."
run "$root/scripts/audit.sh" "$BC_NODE"
say "$(tail -n 1 <<<"$out"): the audit has checked every signature and all of the work"

heading 'Another document'
sed 's/Alice/Mallory/' "$work/document" >"$work/other"
sed 's/^/    | /' "$work/other"
check 'its hash is in no memo' different \
  "$([[ "sha256 $(sha256 <"$work/other")" == "$(jq -r .transaction.memo "$work/found")" ]] && echo the same || echo different)"
the_end
