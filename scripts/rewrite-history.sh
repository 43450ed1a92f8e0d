#!/usr/bin/env bash
#
# rewrite-history.sh: Alice paid Bob 30 coins, and would like to have paid 1.
#
# In a copy of the chain she puts right what the audit complains of, one thing after the other. All can be put right but
# two: Bob's 30 are signed by herself, and the work of all blocks since has to be done again.

# shellcheck source=scripts/lib/story.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/story.sh"
# shellcheck source=scripts/lib/by-hand.sh
. "$root/scripts/lib/by-hand.sh"

finds() { # the place and the rule that the audit of the copy names
  out=$("$root/scripts/audit.sh" "$work/chain" 2>&1) || true
  out=$(tail -n 1 <<<"$out")
  check "the audit: $out" "$1" "$(cut -d : -f 1-2 <<<"$out")"
}

heading 'The chain: a payment in block 2, and two blocks on top of it'
# In dev mode a seed makes all keys and hashes: this story has the same numbers every time.
start_node one --dev --seed 7
jq '.accounts[0]' "$work/one.ready" >"$work/alice.json"
alice=$(jq -r .address "$work/alice.json") bob=$(jq -r '.accounts[1].address' "$work/one.ready")
bc sign "$alice" "$bob" 30 "@$work/alice.json" --json >"$work/payment.json"
run send-tx <"$work/payment.json"
run mine
run mine
chain >"$work/chain"
finds valid

heading 'She writes 1 instead of 30'
edit 2 '.transactions[1].amount = 1'
finds 'block 2: block.merkle_root'
repair_root 2
finds 'block 2: block.commitment'
repair_commitment 2
finds 'block 2: block.seal'
repair_seal 2
finds 'block 2: tx.signature'
say 'There it ends: 30 is what she signed.'

heading 'So she leaves her payment out altogether'
edit 2 'del(.transactions[1])'
for repair in repair_root repair_commitment repair_seal; do $repair 2; done
finds 'block 3: block.previous_hash'
say 'Block 2 is in order now. But block 3 names the old one.'

heading 'And mines all blocks since anew, each after the one before'
for n in 3 4; do
  edit $n ".previous_hash = \"$(block $((n - 1)) | canonical | sha256)\""
  for repair in repair_commitment repair_seal; do $repair $n; done
done
finds valid
say "As valid as the other, for $attempts attempts: 16 for a block. With four leading zeros instead of one it is 65,536."

heading 'Meanwhile all others go on'
run mine
check 'their chain has more work, and the most work wins' '5 against 4' "$(bc status | jq .height) against $(jq .length "$work/chain")"
the_end
