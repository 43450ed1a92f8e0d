#!/usr/bin/env bash
# Checks a receipt with bash, jq, sha256sum (or shasum), xxd and openssl alone:
#
#   bash check.sh [RECEIPT]
#
# Exit status: 0 it holds, 1 it doesn't (and which rule says so), 2 it could not be checked; 128 and more: a signal.
set -euo pipefail
set +o posix # in which bash 3.2 knows no <(…)
export LC_ALL=C # strings compare byte by byte

receipt=@FILE@
(( $# == 0 )) || receipt=$1
chain_wanted='@CHAIN@' # empty: whatever chain the receipt names

# ---- How it may end

concluded=no

refuse() { # code, sentence
  concluded=yes
  printf '%s: %s\n' "$1" "$2" >&2
  exit 1
}

stop() { # sentence: nothing is said about the receipt
  concluded=yes
  printf 'check: %s\n' "$1" >&2
  exit 2
}

# A full disk or a bug of this script must not look like a verdict, and "set -e" would leave with status 1.
broken() {
  stop 'stopped by a failure of this machine or this script'
}

finish() {
  local status=$?
  [[ $concluded == yes ]] || case $status in
    129 | 130 | 141 | 143) ;; # who ended us, or reads no further, knows it
    *) broken ;;
  esac
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
trap 'exit 141' PIPE

for tool in jq xxd openssl; do
  command -v "$tool" >/dev/null || stop "$tool is missing"
done
jq -ne '"YQ==" | @base64d | test("a")' >/dev/null 2>&1 || stop 'this jq is too old: 1.6 or newer is needed'
if command -v sha256sum >/dev/null; then hasher='sha256sum'; else hasher='shasum -a 256'; fi

sha256() { # text: sets REPLY
  REPLY=$(printf '%s' "$1" | $hasher) || broken
  REPLY=${REPLY:0:64}
}

# ---- The receipt's form

# jq takes the receipt apart, in this order: one line for each thing, its words separated by tabs. The line of a fault
# stands where that thing would. What bash gets is digits, hex digits ("?" where the receipt has anything else) and
# JSON in printable ASCII.
IFS= read -r -d '' program <<'JQ' || true
  def unless(good; $sentence): if good then empty else $sentence end;
  def line(words): [words] | map(tostring) | join("\t");
  def malformed: line("fault", "message.malformed", "this is no receipt: " + .);

  # ---- Text

  def escape: # a code point
    def digit: "0123456789abcdef"[.:. + 1];
    def unit: . as $u | "\\u" + ([4096, 256, 16, 1] | map($u / . | floor % 16 | digit) | join(""));
    if . < 65536 then unit else . - 65536 | (55296 + (. / 1024 | floor) | unit) + (56320 + . % 1024 | unit) end;
  def ascii_text:
    if test("[^ -~]") then explode | map(if . >= 32 and . <= 126 then . else escape | explode[] end) | implode else . end;

  # What Python prints for json.dumps(value, sort_keys=True), byte for byte.
  def canonical:
    if type == "object" then
      . as $object | "{" + (keys | map((tojson | ascii_text) + ": " + ($object[.] | canonical)) | join(", ")) + "}"
    elif type == "array" then "[" + (map(canonical) | join(", ")) + "]"
    else tojson | ascii_text end;

  # jq mends broken UTF-8 without a word. But what it mended does not encode to the same base64 again.
  def utf8: @base64d as $text | if ($text | @base64) == . then $text else null end;
  # Spaces and line breaks are anybody's choice. Those in a memo go as well, and are compared by its signature.
  def bare: explode - [9, 10, 13, 32] | implode | ascii_text;
  # With . + 0 a newer jq forgets how a number was spelled, and any jq the sign of -0.
  def respelled: walk(if type == "number" then . + 0 else . end) | tojson;
  def whole: type == "number" and . >= 0 and . == floor and . <= 9007199254740991;

  # Of a key that stands twice jq takes the last, and it takes 5.0 for 5. You may read the first, or a file that other
  # programs read otherwise: so what jq has read must be spelled as the file is.
  def text_fault($text): first(
    unless(type == "object"; "it is no object"),
    # Escaped they may stand in a string. Of line breaks and tabs the spelling tells.
    unless($text | test("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]") | not; "a string holds a control character"),
    unless(all(.. | numbers; whole); "a number is not a whole one from 0 to 2^53-1"),
    unless((respelled | bare) == ($text | bare);
      "a key stands twice, or a number or a string is not spelled as bc prove spells it"),
    null);

  # ---- Shapes. Each of these gives the sentence of the first fault, or null.

  def hex($digits): type == "string" and length == $digits and test("\\A[0-9a-f]*\\z");
  def plain: if test("\\A[0-9a-f]+\\z") then . else "?" end;
  def zeros($count): [range($count) | "0"] | join("");
  def easiest: . as $difficulty | [range(64) | if . < $difficulty then "0" else "f" end] | join("");
  def step: type == "object" and keys == ["hash", "side"] and (.side == "left" or .side == "right") and (.hash | hex(64));

  def receipt_fault: first(
    unless(del(.previous_proof) | keys == ["branch", "chain", "headers", "id", "index", "receipt", "transaction"];
      "it does not have exactly the fields of one"),
    unless(.receipt == 1; "it is of another form than 1"),
    unless([.chain, .id] | all(.[]; hex(64)); "chain and id are not 64 hex digits each"),
    unless(.index | whole and . > 0; "its index is not a whole number from 1"),
    unless(.transaction | type == "object"; "its transaction is not an object"),
    unless(.branch | type == "array" and length <= 32 and all(.[]; step); "its branch is not a list of sides and hashes"),
    unless((has("previous_proof") | not) or (.previous_proof | hex(80)); "its previous_proof is not 80 hex digits"),
    unless(.headers | type == "array"; "its headers are not a list"),
    unless(has("previous_proof") or .headers != []; "it has no headers"),
    null);

  # All of a genesis block follows from its rules and its timestamp.
  def genesis_fault: first(
    unless(type == "object"; "it is no object"),
    unless(.rules | type == "object" and keys == ["allocations", "blockTime", "difficulty", "halfLife",
      "maxBlockBytes", "miningReward"]; "its rules are not exactly the six"),
    unless(.rules | del(.allocations) | all(.[]; whole); "a rule is not a whole number"),
    unless(.rules.allocations | type == "object" and all(.[]; whole); "an allocation is not a whole number"),
    unless(.rules.allocations | add // 0 | whole; "the allocations add up to more than 2^53-1"),
    unless(.rules.difficulty <= 63; "its difficulty is above 63"),
    unless(.rules.maxBlockBytes <= 1000000; "its maxBlockBytes is above 1000000"),
    unless(.rules | (.blockTime == 0) == (.halfLife == 0);
      "blockTime and halfLife are both 0, for a constant target, or neither is"),
    unless(.timestamp | whole; "its timestamp is not a whole number of seconds"),
    unless((.proof | hex(80)) and .proof[64:] == zeros(16); "its proof is not a commitment and 16 zeros"),
    unless(del(.proof) == {index: 1, merkle_root: zeros(64), previous_hash: "1", rules, timestamp, transactions: [],
      target: (.rules.difficulty | easiest)}; "its fields are not those that follow from its rules"),
    null);

  def header_fault: first(
    unless(type == "object" and keys == ["index", "merkle_root", "previous_hash", "proof", "target", "timestamp"];
      "it does not have exactly the six fields"),
    unless(.index | whole and . > 0; "its index is not a whole number from 1"),
    unless(.timestamp | whole; "its timestamp is not a whole number of seconds"),
    unless([.merkle_root, .previous_hash, .target] | all(.[]; hex(64));
      "merkle_root, previous_hash and target are not 64 hex digits each"),
    unless(.proof | hex(80); "its proof is not 80 hex digits"),
    null);

  def is_reward: keys == ["amount", "nonce", "recipient", "sender"] and (.amount | whole) and (.nonce | whole) and
    (.recipient | type == "string");

  # A code and a sentence.
  def transaction_fault: first(
    unless(del(.memo) | keys == ["amount", "fee", "nonce", "recipient", "sender", "signature"];
      ["tx.shape", "it does not have exactly the fields of a transaction"]),
    unless([.amount, .fee, .nonce] | all(.[]; whole); ["tx.shape", "amount, fee and nonce are not whole numbers"]),
    unless([.recipient, .sender, .signature] | all(.[]; type == "string");
      ["tx.shape", "recipient, sender and signature are not strings"]),
    unless((has("memo") | not) or (.memo | type == "string"); ["tx.shape", "its memo is not a string"]),
    unless(.amount >= 1; ["tx.number", "its amount is 0"]),
    unless(.memo != ""; ["tx.memo", "its memo is empty instead of left out"]),
    unless(.memo // "" | utf8bytelength <= 256; ["tx.memo", "its memo has more than 256 bytes of UTF-8"]),
    null);

  # ---- Lines

  def genesis_lines:
    (if has("transactions") then "its header has transactions" else null end) as $more
    | . + {transactions: []} | ($more // genesis_fault) as $fault
    | if $fault then line("fault", "block.genesis", $fault)
      else
        line("genesis", canonical),
        line("rules", (.rules | .blockTime, .halfLife), .target, .timestamp, .proof,
          (del(.proof, .transactions) | canonical)),
        (.rules.allocations | keys[] | line("allocation", plain))
      end;

  def header_line($position): header_fault as $fault
    | if $fault then line("fault", "block.shape", "header \($position): \($fault)")
      else line("header", .index, .timestamp, .previous_hash, .proof, .target, .merkle_root, (del(.proof) | canonical)) end;

  def texts($chain):
    line("payload", (del(.signature) + {chain: $chain} | canonical)),
    line("leaf", canonical);

  def reward_lines($chain):
    if is_reward then line("reward", .amount, .nonce, (.recipient | plain)), texts($chain)
    else line("fault", "block.reward", "it does not have exactly the fields of a reward") end;

  def transfer_lines($chain): transaction_fault as $fault
    | if $fault then line("fault", $fault[])
      else
        line("signed", .amount, .fee, (.recipient, .sender, .signature | plain)),
        (if has("memo") then line("memo", (.memo | tojson | ascii_text)) else empty end),
        texts($chain)
      end;

  def receipt_lines: receipt_fault as $fault
    | if $fault then $fault | malformed
      else
        .chain as $chain
        | (if has("previous_proof") then 0 else 1 end) as $first
        | line("receipt", .chain, .index, .id, .previous_proof // "none"),
          (if $first == 1 then .headers[0] | if type == "object" then . else {} end | genesis_lines else empty end),
          (.headers | range($first; length) as $i | .[$i] | header_line($i + 1)),
          "located",
          (.transaction | if .sender == "0" then reward_lines($chain) else transfer_lines($chain) end),
          (.branch[] | line("step", .side, .hash)),
          "end"
      end;

  rtrimstr("\n") | utf8 as $text
  | if $text == null then "it is not UTF-8" | malformed
    else
      $text | (try [fromjson] catch []) as $read
      | if $read == [] then "it is no JSON" | malformed
        else $read[0] | text_fault($text) as $fault | if $fault then $fault | malformed else receipt_lines end end
    end
JQ
[[ -r $receipt ]] || stop "can't read $receipt"
# base64 because jq cuts long input into chunks, and jq 1.6 breaks the character that lies across such a cut. And xxd
# reads the file because it says when it can't, where openssl would take what it has for all there is.
lines=$(xxd -p <"$receipt" | xxd -r -p | openssl base64 -A | jq -rRs "$program" 2>/dev/null) ||
  stop "can't read $receipt"

# ---- Curve

# y² = x³ + 7 on secp256k1, in DER: openssl reads no point that isn't on it.
der_key() { # key, 66 hex digits
  xxd -r -p <<<"3036301006072a8648ce3d020106052b8104000a032200$1"
}

on_curve() { # key
  der_key "$1" | openssl pkey -pubin -inform DER -noout 2>/dev/null
}

readonly GENERATOR=0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798
on_curve "$GENERATOR" || stop 'this openssl does not know the curve secp256k1'

valid_address() {
  local sum
  [[ $1 =~ ^0[23][0-9a-f]{72}$ ]] || return 1
  sum=$(xxd -r -p <<<"${1:0:66}" | $hasher) || broken
  [[ ${sum:0:8} == "${1:66}" ]] || return 1
  on_curve "${1:0:66}"
}

readonly ORDER=fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141
readonly HALF=7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0
readonly ZEROS=0000000000000000000000000000000000000000000000000000000000000000

der_integer() { # 64 hex digits: sets REPLY
  local digits=$1
  while [[ $digits == 00* ]]; do digits=${digits#00}; done
  if [[ $digits == [89a-f]* ]]; then digits=00$digits; fi
  printf -v REPLY '02%02x%s' $(( ${#digits} / 2 )) "$digits"
}

check_signature() { # sender, signature, payload
  local r=${2:0:64} s=${2:64} der
  [[ $2 =~ ^[0-9a-f]{128}$ ]] || refuse tx.signature 'it is not 128 lower-case hex digits'
  [[ $r != "$ZEROS" && $r < $ORDER && $s != "$ZEROS" && $s < $ORDER ]] || refuse tx.signature \
    "r or s is out of range: both are from 1 to n - 1, where n is the curve's order"
  [[ ! $s > $HALF ]] || refuse tx.signature \
    "its s is above n / 2, where n is the curve's order: of s and n - s, which verify alike, only the lower is valid"
  der_integer "$r"
  der=$REPLY
  der_integer "$s"
  der+=$REPLY
  printf -v der '30%02x%s' $(( ${#der} / 2 )) "$der"
  printf '%s' "$3" | openssl dgst -sha256 -verify <(der_key "${1:0:66}" | openssl pkey -pubin -inform DER) \
    -signature <(xxd -r -p <<<"$der") >/dev/null 2>&1 ||
    refuse tx.signature "it is not the sender's over exactly this transaction on this chain"
}

# ---- A target that moves

# ASERT (aserti3-2d): the parent's target times 2^((t - T) / halfLife), where t is the time that the parent took,
# clamped to 1 ... 10 T. Never easier than the easiest target, never 0. Division truncates, shifts round down.
asert() { # sets $REPLY
  local t=$solve_time exponent shift factor i carry=0 product=''
  if (( t < 1 )); then t=1; elif (( t > 10 * block_time )); then t=$(( 10 * block_time )); fi
  exponent=$(( (t - block_time) * 65536 / half_life )) # in 65536ths
  shift=$(( exponent >> 16 ))
  power_of_two $(( exponent & 65535 ))
  factor=$REPLY

  # target * factor * 2^(shift - 16), where every step of 16 bits is four hex digits: the rest of the shift goes into
  # the factor, so the product is a multiplication as on paper, and shifting it means adding or dropping digits.
  factor=$(( factor << (shift & 15) ))
  for (( i = 60; i >= 0; i -= 4 )); do
    carry=$(( carry + 16#${parent_target:i:4} * factor ))
    printf -v product '%04x%s' $(( carry & 65535 )) "$product"
    carry=$(( carry >> 16 ))
  done
  printf -v product '%s%012x%s' "$ZEROS" "$carry" "$product"
  shift=$(( (shift >> 4) - 1 ))
  while (( shift < 0 && ${#product} > 64 )); do
    product=${product%????} shift=$(( shift + 1 ))
  done
  for (( i = 0; i < shift && i < 16; i++ )); do product+=0000; done

  REPLY=${product:${#product}-64}
  if [[ ${product%"$REPLY"} == *[!0]* || $REPLY > $easiest ]]; then REPLY=$easiest; fi
  if [[ $REPLY == "$ZEROS" ]]; then REPLY=${ZEROS%0}1; fi
}

# 65536 * 2^(x / 65536) for 0 <= x < 65536, to 0.013 %. The sum needs the 64th bit, which is bash's sign: the mask
# takes away the copies of it that >> brings in from the left.
power_of_two() {
  local x=$1
  REPLY=$(( 65536 + ((195766423245049 * x + 971821376 * x * x + 5127 * x * x * x + (1 << 47)) >> 48 & 65535) ))
}

# ---- The receipt, line by line

check_order() { # of a header after the last one
  (( number == last_number + 1 )) || refuse block.index "$number follows $last_number"
  (( timestamp >= last_timestamp )) || refuse block.timestamp "block $number is older than the one before"
}

check_rules() { # what the genesis block says of a header
  if (( number == 2 )); then
    [[ $previous_hash == "$chain" ]] || refuse block.previous_hash 'block 2 does not follow from genesis'
  fi
  # The parent's, or set by the time that the parent took. Genesis took none.
  REPLY=$parent_target
  if (( block_time > 0 )) && [[ $solve_time ]]; then asert; fi
  [[ $target == "$REPLY" ]] || refuse block.target "the target of block $number is $REPLY by its chain's rules"
  parent_target=$target solve_time=$(( timestamp - last_timestamp ))
}

check_proof() {
  # The proof begins with the hash of its own header ...
  sha256 "$committed"
  [[ ${proof:0:64} == "$REPLY" ]] || refuse block.commitment "the proof of block $number is of another header"
  # ... and the seal over both proofs is the work.
  sha256 "$previous_proof$proof$previous_hash"
  [[ ! $REPLY > $target ]] || refuse block.seal "the seal of block $number is above its target"
}

confirmations=0 signer='' memo='' steps=0 leaf='' root='' first_index='' last_number='' block_time='' finished=''
easiest='' parent_target='' solve_time=''
while IFS=$'\t' read -r kind words; do
  case $kind in
    fault) # what jq found
      IFS=$'\t' read -r code sentence <<<"$words"
      refuse "$code" "$sentence"
      ;;
    receipt) IFS=$'\t' read -r chain index id previous_proof <<<"$words" ;;
    genesis) # with all headers: the chain's id is the hash of its first block, and binds its rules
      sha256 "$words"
      [[ $REPLY == "$chain" ]] || refuse block.genesis "the headers start with the chain $REPLY"
      ;;
    rules) # nobody has searched for this proof
      IFS=$'\t' read -r block_time half_life easiest last_timestamp previous_proof committed <<<"$words"
      # Far from anything that is mined: 35,000 years. Beyond it the products would leave bash's 64 bits.
      (( block_time < 1 << 40 && half_life < 1 << 40 )) || stop 'blockTime or halfLife is beyond what bash can compute'
      sha256 "$committed"
      [[ ${previous_proof:0:64} == "$REPLY" ]] || refuse block.genesis 'its proof is of another header'
      last_number=1 parent_target=$easiest
      ;;
    allocation) valid_address "$words" || refuse block.genesis 'an allocation is not to an address' ;;
    header)
      IFS=$'\t' read -r number timestamp previous_hash proof target merkle_root committed <<<"$words"
      if [[ $last_number ]]; then check_order; else first_index=$number; fi
      if [[ $block_time ]]; then check_rules; elif [[ $target > $easiest ]]; then easiest=$target; fi
      check_proof
      if (( number == index )); then root=$merkle_root; fi
      if (( number >= index )); then confirmations=$(( confirmations + 1 )); fi
      previous_proof=$proof last_number=$number last_timestamp=$timestamp
      ;;
    located) # whether the headers hold the block of the transaction, and where they begin
      [[ $root && ( $block_time || $first_index == "$index" ) ]] ||
        refuse message.malformed "the headers don't hold block $index"
      ;;
    signed)
      IFS=$'\t' read -r amount fee recipient signer signature <<<"$words"
      valid_address "$recipient" || refuse tx.address 'the recipient is no address'
      valid_address "$signer" || refuse tx.address 'the sender is no address'
      ;;
    memo) memo=$words ;;
    reward)
      IFS=$'\t' read -r amount nonce recipient <<<"$words"
      (( nonce == index )) || refuse block.reward "it is no reward of block $index"
      valid_address "$recipient" || refuse block.reward 'its recipient is no address'
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
    *) broken ;;
  esac
done <<<"$lines"

[[ $finished ]] || broken
[[ $leaf == "$root" ]] || refuse block.merkle_root "the branch leads to $leaf, and the block's root is $root"
[[ -z $chain_wanted || $chain == "$chain_wanted" ]] || refuse block.genesis "the receipt is of the chain $chain"

# ---- What it shows

say() { # what, sentence
  printf '%-13s%s\n' "$1" "$2"
}

# What was checked, for whoever would otherwise read it in the file.
if [[ $signer ]]; then
  say transaction "$id, signed by its sender for the chain $chain"
  say sender "$signer"
else
  say transaction "$id, a reward on the chain $chain"
fi
say recipient "$recipient"
say amount "$amount"
if [[ $signer ]]; then say fee "$fee"; fi
if [[ $memo ]]; then say memo "$memo"; fi
say block "$index: the branch leads to its Merkle root (steps: $steps)"
say work "headers from it on: $confirmations, each sealed over the one before, none above its target"
if [[ $block_time ]]; then
  say chain 'from genesis on, every target the one that its rules give'
else
  say 'not shown' "whether it stands on that genesis block"
  say 'not shown' "whether its targets are the rules': the easiest of them is $easiest"
fi
say 'not shown' 'whether another chain has more work'
due='this nonce was the next one and the balance covered it'
if [[ -z $signer ]]; then due='this amount was due'; fi
say 'not shown' "whether $due, and the rest of the block keeps the rules"
echo valid
concluded=yes
