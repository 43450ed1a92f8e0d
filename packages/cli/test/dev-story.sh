#!/usr/bin/env bash
# What a CI job may do with a node in dev mode, with nothing but bc and jq: BC_NODE is the node, READY its ready file.
# Prints the hash of every block that it ever saw, in order.
set -euo pipefail

bc=$(cd "$(dirname "$0")/../../.." && pwd)/bin/bc
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

show() { "$bc" chain | jq -r '.chain[1:][].previous_hash' && "$bc" status | jq -r .tip; }
# From one account to another by their numbers, and the options of bc sign.
pay() {
  jq ".accounts[$1]" "$READY" >"$work/from"
  "$bc" sign "$(jq -r .address "$work/from")" "$(jq -r ".accounts[$2].address" "$READY")" "$3" "@$work/from" "${@:4}" --json |
    "$bc" send-tx >>"$work/sent"
}

pay 0 1 5 --memo 茶
pay 1 2 1000001 --fee 3
"$bc" mine >>"$work/sent"
"$bc" fund "$(jq -r '.accounts[9].address' "$READY")" 77 | jq -r '.id, .hash'
"$bc" time +3600
pay 0 3 5 --nonce 2
before=$("$bc" snapshot)
pay 0 3 6 --nonce 1
show
"$bc" revert "$before" | jq -r .tip
"$bc" transactions | jq -c '.transactions | map(.signature)'
pay 0 3 7 --nonce 1
"$bc" time 1800000000
"$bc" mine >>"$work/sent"
show
"$bc" revert "$before" | jq -r .tip
pay 0 3 6 --nonce 1
jq -r .id "$work/sent"
show
