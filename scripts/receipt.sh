#!/usr/bin/env bash
#
# receipt.sh: Alice shows that she paid, to somebody who has no node and trusts none.
#
# A receipt is one file: the transaction, its way up the block's Merkle tree, and the headers since. It can be checked
# offline, by bc or by a script that it prints, which needs jq, openssl and sha256sum alone.

# shellcheck source=scripts/lib/story.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/story.sh"

heading 'Alice pays for a house, and waits for three blocks'
alice=$(person alice) bob=$(person bob)
genesis_with "$alice"
start_node one
chain=$(bc status | jq -r .chain)
bc sign "$alice" "$bob" 90 "@$work/alice.json" --memo 'house 7' --json >"$work/signed.json"
run bc send-tx <"$work/signed.json"
id=$(jq -r .id <<<"$out")
# Other transactions of the same block, of which the receipt holds no more than two hashes.
for amount in 1 2 3; do bc sign "$alice" "$bob" $amount "@$work/alice.json" --json | bc send-tx >/dev/null; done
run mine
run mine
run mine

heading 'She asks a node for the receipt'
run bc prove "$id"
printf '%s\n' "$out" >"$work/receipt.json"
say "$(wc -c <"$work/receipt.json" | tr -d ' ') bytes, with the headers of 3 blocks"

heading 'The node is gone. The notary has the file, and the id of the chain that he means'
stop_node one
run bc verify-proof "$work/receipt.json" --chain "$chain"
jq . <<<"$out" | sed 's/^/    /'

heading 'He does not believe bc either'
bc verify-proof "$work/receipt.json" --shell >"$work/check.sh"
say "\$ bc verify-proof receipt.json --shell > check.sh     ($(wc -l <"$work/check.sh" | tr -d ' ') lines that he can read)"
run bash "$work/check.sh" "$work/receipt.json"
printf '%s\n' "$out" | fold -s -w 100 | sed 's/^/    /'

heading 'A receipt over 900 coins, and one of another chain'
sed 's/"amount": 90,/"amount": 900,/' "$work/receipt.json" >"$work/better.json"
refused 4 tx.signature bc verify-proof "$work/better.json"
check 'the script says so, too' 1 "$(bash "$work/check.sh" "$work/better.json" >"$work/said" 2>&1 || echo $?)"
say "$(tail -n 1 "$work/said")"
refused 5 block.genesis bc verify-proof "$work/receipt.json" --chain "$(sha256 <<<'another chain')"
the_end
