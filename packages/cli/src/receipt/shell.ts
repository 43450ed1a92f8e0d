/** The same check by hand: a script that whoever doubts `bc` can read, and run where there is none. */
import type { Hash } from '@bc/core'

/**
 * @param file the receipt that the script reads unless it is given another
 * @param chain the chain that it must be of; the receipt's own word counts where it is missing
 */
export function shellCheck(file: string, chain: Hash | undefined): string {
  const name = file === '-' ? '/dev/stdin' : file
  return SCRIPT.replace('@FILE@', () => quoted(name)).replace('@CHAIN@', chain ?? '')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

const SCRIPT = String.raw`#!/usr/bin/env bash
# Checks a receipt with bash, jq, sha256sum (or shasum), xxd and openssl alone:
#
#   bash check.sh [RECEIPT]
#
# Exit status: 0 it holds, 1 it doesn't (and which rule says so), 2 it could not be checked.
set -euo pipefail
export LC_ALL=C # strings compare byte by byte

receipt=${'$'}{1-@FILE@}
chain_wanted='@CHAIN@' # empty: whatever chain the receipt names

refuse() { # code, sentence
  printf '%s: %s\n' "$1" "$2" >&2
  exit 1
}

stop() {
  printf 'check: %s\n' "$1" >&2
  exit 2
}

for tool in jq xxd openssl; do
  command -v "$tool" >/dev/null || stop "$tool is missing"
done
if command -v sha256sum >/dev/null; then hasher='sha256sum'; else hasher='shasum -a 256'; fi

sha256() { # text: sets REPLY
  REPLY=$(printf '%s' "$1" | $hasher)
  REPLY=${'$'}{REPLY:0:64}
}

# jq takes the receipt apart, in this order: one line for each thing, its words separated by tabs. "canonical" is what
# Python prints for json.dumps(value, sort_keys=True), byte for byte.
lines=$(jq -r '
  def escape: # a code point
    def digit: "0123456789abcdef"[.:. + 1];
    def unit: . as $u | "\\u" + ([4096, 256, 16, 1] | map($u / . | floor % 16 | digit) | join(""));
    if . < 65536 then unit else . - 65536 | (55296 + (. / 1024 | floor) | unit) + (56320 + . % 1024 | unit) end;
  def ascii_text: explode | map(if . >= 32 and . <= 126 then [.] | implode else escape end) | join("");
  def canonical:
    if type == "object" then
      . as $object | "{" + (keys | map((tojson | ascii_text) + ": " + ($object[.] | canonical)) | join(", ")) + "}"
    elif type == "array" then "[" + (map(canonical) | join(", ")) + "]"
    else tojson | ascii_text end;
  def hex($digits): if type == "string" and length == $digits and test("\\A[0-9a-f]*\\z") then . else error("hex") end;
  def whole: if type == "number" and . >= 0 and . == floor and . < 9007199254740992 then . else error("number") end;
  def line(words): [words] | map(tostring) | join("\t");

  if .receipt != 1 then error("form") else . end
  | (.chain | hex(64)) as $chain
  | (.index | whole) as $index
  | line("receipt", $chain, $index, (.id | hex(64)),
      if has("previous_proof") then .previous_proof | hex(80) else "none" end),
    (if has("previous_proof") then empty else
      .headers[0] | line("genesis", (. + {transactions: []} | canonical)),
        line("rules", (.rules.blockTime | whole), (.target | hex(64))) end),
    (.headers[] | line("header", (.index | whole), (.timestamp | whole),
      (.previous_hash | if . == "1" and $index > 0 then . else hex(64) end), (.proof | hex(80)), (.target | hex(64)),
      (.merkle_root | hex(64)), (del(.proof) | canonical))),
    (.transaction
      | (if .sender == "0" then line("reward", (.nonce | whole))
         else line("signed", (.sender | hex(74)), (.recipient | hex(74)), (.signature | hex(128))) end),
        line("payload", (del(.signature) + {chain: $chain} | canonical)),
        line("leaf", canonical)),
    (.branch[] | line("step", (.side | if . == "left" or . == "right" then . else error("side") end), (.hash | hex(64)))),
    "end"
' "$receipt" 2>/dev/null) || refuse message.malformed 'this is no receipt'

# ---- Curve

# y² = x³ + 7 on secp256k1, in DER: openssl reads no point that isn't on it.
der_key() { # key, 66 hex digits
  xxd -r -p <<<"3036301006072a8648ce3d020106052b8104000a032200$1"
}

check_address() { # address, whose
  local sum
  [[ $1 =~ ^0[23] ]] || refuse tx.address "the $2 is no address"
  sum=$(xxd -r -p <<<"${'$'}{1:0:66}" | $hasher)
  [[ ${'$'}{sum:0:8} == "${'$'}{1:66}" ]] || refuse tx.address "the checksum of the $2's address is wrong"
  der_key "${'$'}{1:0:66}" | openssl pkey -pubin -inform DER -noout 2>/dev/null ||
    refuse tx.address "the $2's address is no point on the curve"
}

readonly ORDER=fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141
readonly HALF=7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0
readonly ZERO=0000000000000000000000000000000000000000000000000000000000000000

der_integer() { # 64 hex digits: sets REPLY
  local digits=$1
  while [[ $digits == 00* ]]; do digits=${'$'}{digits#00}; done
  if [[ $digits == [89a-f]* ]]; then digits=00$digits; fi
  printf -v REPLY '02%02x%s' $(( ${'$'}{#digits} / 2 )) "$digits"
}

check_signature() { # sender, signature, payload
  local r=${'$'}{2:0:64} s=${'$'}{2:64} der
  # Of s and order - s, which verify alike, only the lower one is valid.
  [[ $r != "$ZERO" && $r < $ORDER && $s != "$ZERO" && ! $s > $HALF ]] || refuse tx.signature 'it is out of range'
  der_integer "$r"
  der=$REPLY
  der_integer "$s"
  der+=$REPLY
  printf -v der '30%02x%s' $(( ${'$'}{#der} / 2 )) "$der"
  printf '%s' "$3" | openssl dgst -sha256 -verify <(der_key "${'$'}{1:0:66}" | openssl pkey -pubin -inform DER) \
    -signature <(xxd -r -p <<<"$der") >/dev/null 2>&1 ||
    refuse tx.signature "it is not the sender's over exactly this transaction on this chain"
}

# ---- The receipt, line by line

check_headers() { # that they hold the block of the transaction, and where they begin
  [[ $root && ( $block_time || $first_index == "$index" ) ]] ||
    refuse message.malformed "the headers don't hold block $index"
}

count=0 confirmations=0 signer='' steps=0 leaf='' root='' first_index='' block_time=''
while IFS=$'\t' read -r kind words; do
  case $kind in
    receipt)
      IFS=$'\t' read -r chain index id previous_proof <<<"$words"
      ;;
    genesis) # with all headers: the chain's id is the hash of its first block, and binds its rules
      sha256 "$words"
      [[ $REPLY == "$chain" ]] || refuse block.genesis "the headers start with the chain $REPLY"
      ;;
    rules) IFS=$'\t' read -r block_time constant_target <<<"$words" ;;
    header)
      IFS=$'\t' read -r number timestamp previous_hash proof target merkle_root committed <<<"$words"
      if (( count > 0 )); then
        (( number == last_number + 1 )) || refuse block.index "$number follows $last_number"
        (( timestamp >= last_timestamp )) || refuse block.timestamp "block $number is older than the one before"
      else
        first_index=$number
      fi
      if [[ $block_time ]] && (( count == 1 )); then
        [[ $previous_hash == "$chain" ]] || refuse block.previous_hash 'block 2 does not follow from genesis'
      fi
      if [[ $block_time == 0 ]]; then
        [[ $target == "$constant_target" ]] || refuse block.target "block $number has another target"
      fi
      # The proof begins with the hash of its own header ...
      sha256 "$committed"
      [[ ${'$'}{proof:0:64} == "$REPLY" ]] || refuse block.commitment "the proof of block $number is of another header"
      # ... and the seal over both proofs is the work. Genesis needs none.
      if [[ $previous_proof != none ]]; then
        sha256 "$previous_proof$proof$previous_hash"
        [[ ! $REPLY > $target ]] || refuse block.seal "the seal of block $number is above its target"
      fi
      if (( number == index )); then root=$merkle_root; fi
      if (( number >= index )); then confirmations=$(( confirmations + 1 )); fi
      previous_proof=$proof last_number=$number last_timestamp=$timestamp count=$(( count + 1 ))
      ;;
    signed)
      IFS=$'\t' read -r sender recipient signature <<<"$words"
      signer=$sender
      check_headers
      check_address "$recipient" recipient
      check_address "$sender" sender
      ;;
    reward)
      check_headers
      (( words == index )) || refuse block.reward "it is no reward of block $index"
      ;;
    payload) # its hash is the transaction's id, and what was signed
      if [[ $signer ]]; then check_signature "$signer" "$signature" "$words"; fi
      sha256 "$words"
      [[ $REPLY == "$id" ]] || refuse message.malformed "the id of the transaction is $REPLY"
      ;;
    leaf) sha256 "$words"; leaf=$REPLY ;;
    step)
      IFS=$'\t' read -r side neighbour <<<"$words"
      if [[ $side == left ]]; then sha256 "$neighbour$leaf"; else sha256 "$leaf$neighbour"; fi
      leaf=$REPLY steps=$(( steps + 1 ))
      ;;
    end) finished=yes ;;
  esac
done <<<"$lines"

[[ ${'$'}{finished-} == yes ]] || stop 'jq gave up'
[[ -z $chain_wanted || $chain == "$chain_wanted" ]] || refuse block.genesis "the receipt is of the chain $chain"
[[ $leaf == "$root" ]] || refuse block.merkle_root "the branch leads to $leaf, and the block's root is $root"

if [[ $signer ]]; then
  printf 'transaction  %s, signed by its sender for the chain %s\n' "$id" "$chain"
else
  printf 'transaction  %s, a reward on the chain %s\n' "$id" "$chain"
fi
printf 'block        %s: the branch leads to its Merkle root (steps: %s)\n' "$index" "$steps"
printf 'work         headers from it on: %s, each sealed over the one before, none above its target\n' "$confirmations"
if [[ $block_time == 0 ]]; then
  printf 'chain        from genesis on, every target the one of its rules\n'
elif [[ $block_time ]]; then
  printf 'chain        from genesis on; its targets move, and were not computed here (bc verify-proof does)\n'
else
  printf 'not shown    whether it stands on that genesis block, and its targets\n'
fi
printf 'not shown    whether another chain has more work\nvalid\n'`
