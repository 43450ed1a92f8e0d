#!/usr/bin/env bash
#
# verify-by-hand.sh: one transaction and one block, checked with openssl, xxd, jq and sha256sum.
#
# The node only answers questions here. What it says is true if the numbers below come out, whoever wrote the node.

# shellcheck source=scripts/lib/story.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/story.sh"
# shellcheck source=scripts/lib/by-hand.sh
. "$root/scripts/lib/by-hand.sh"

bytes() { xxd -r -p; }

heading 'A block with a payment'
alice=$(person alice) bob=$(person bob)
genesis_with "$alice"
start_node one
bc sign "$alice" "$bob" 5 "@$work/alice.json" --fee 1 --json | send-tx >/dev/null
mine >/dev/null
mine >/dev/null
for n in 1 2 3; do get "/blocks/$n" >"$work/block$n"; done
jq '.transactions[1]' "$work/block2" | tee "$work/tx" | sed 's/^/    /'

heading "The sender's address: a public key, and the first 8 digits of its SHA-256"
key=${alice:0:66}
say "\$ xxd -r -p <<<${key:0:8}… | sha256sum | cut -c 1-8"
check 'checksum' "${alice:66}" "$(bytes <<<"$key" | sha256 | cut -c 1-8)"
# "A public key on secp256k1" in DER, and the key.
bytes <<<"3036301006072a8648ce3d020106052b8104000a032200$key" | openssl pkey -pubin -inform DER -out "$work/key.pem"

heading 'What she signed: the transaction without the signature, and with the chain'
chain=$(sha256 <"$work/block1")
jq --arg chain "$chain" 'del(.signature) + {$chain}' "$work/tx" | canonical | tee "$work/payload" | fold -w 76 | sed 's/^/    /'
printf '\n    $ sha256sum payload\n'
id=$(sha256 <"$work/payload")
check 'its SHA-256 is the id by which the node knows it' 2 "$(get "/transactions/$id" | jq .block.index)"

heading 'The signature: r and s, 64 digits each'
signature=$(jq -r .signature "$work/tx")
body=$(der_integer "${signature:0:64}")$(der_integer "${signature:64}")
printf '30%02x%s' $(( ${#body} / 2 )) "$body" | bytes >"$work/signature"
say '$ openssl dgst -sha256 -verify key.pem -signature signature payload'
check 'openssl says so' 'Verified OK' \
  "$(openssl dgst -sha256 -verify "$work/key.pem" -signature "$work/signature" "$work/payload")"

heading 'The block: its transactions, its header, its work'
leaf() { jq ".transactions[$1]" "$work/block2" | canonical | sha256; }
check 'Merkle root' "$(jq -r .merkle_root "$work/block2")" "$(printf '%s%s' "$(leaf 0)" "$(leaf 1)" | sha256)"
proof=$(jq -r .proof "$work/block2")
check 'the proof begins with the commitment' "${proof:0:64}" "$(jq 'del(.proof, .transactions)' "$work/block2" | canonical | sha256)"
seal=$(printf '%s%s%s' "$(jq -r .proof "$work/block1")" "$proof" "$chain" | sha256)
target=$(jq -r .target "$work/block2")
say "seal   $seal"
say "target $target"
check 'the seal is not above the target' yes "$([[ $seal > $target ]] || echo yes)"
check 'block 3 names the hash of block 2' "$(jq -r .previous_hash "$work/block3")" "$(sha256 <"$work/block2")"
the_end
