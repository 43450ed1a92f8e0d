#!/usr/bin/env bash
# audit.sh [URL|FILE]: checks a whole chain with bash, curl, jq, sha256sum, xxd and openssl alone.
#
#   scripts/audit.sh                              the node at $BC_NODE, or at http://localhost:5000
#   scripts/audit.sh http://10.0.0.7:5000         another node: what it answers to GET /chain
#   scripts/audit.sh chain.json                   such an answer in a file, or a bare list of blocks
#   jq .chain answer.json | scripts/audit.sh -    the same from standard input
#
# (And cat, and mktemp and rm for one temporary directory. Where there is no sha256sum, openssl computes that as well.)
#
# Nothing of ours runs here: whoever doubts a node can read this file and believe openssl instead. Every rule of the
# protocol is checked from the genesis block on, in the protocol's order, and the first that fails is named:
#
#   block 4: tx.signature: transaction 2: it is not the sender's over exactly this transaction on this chain
#
# Exit status: 0 valid, 1 a fault, 2 the audit could not be run (usage, a missing tool), 3 the node does not answer.
# Blocks are counted from 1, as their index is; transaction 1 is the first after the block's reward.

set -euo pipefail
# Whatever a caller exports: files are written over here, and bash 3.2 knows no <(…) in POSIX mode.
set +o noclobber +o posix
# In the C locale strings compare byte by byte, and [0-9a-f] is sixteen characters.
export LC_ALL=C

readonly MAX_AMOUNT=9007199254740991 # 2^53-1: the largest number of the protocol, and all the coins there can be
readonly ZEROS=0000000000000000000000000000000000000000000000000000000000000000
# secp256k1: the number of its points, half of it, and a point on it (the generator).
readonly ORDER=fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141
readonly HALF_ORDER=7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0
readonly GENERATOR=0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798

work='' # our one temporary directory
concluded=false

main() {
  case ${1-} in
    -h | --help) usage ;;
    -?*) stop 2 "unknown option: $1 (try --help)" ;;
  esac
  (( $# <= 1 )) || stop 2 'one URL or FILE at most (try --help)'

  need_tools
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  trap 'exit 141' PIPE
  work=$(mktemp -d "${TMPDIR:-/tmp}/audit.XXXXXX")
  on_curve "$GENERATOR" || stop 2 'this openssl does not know the curve secp256k1'
  open_document "${1-$(node_url "${BC_NODE:-localhost:5000}")}"
  read_document
  audit
  report
  concluded=true
}

# ---------------------------------------------------------------------------------------------------- How it may end

usage() {
  local line
  while IFS= read -r line && [[ $line == '#'* ]]; do
    [[ $line == '#!'* ]] || { line=${line#'#'} && printf '%s\n' "${line# }"; }
  done <"${BASH_SOURCE[0]}"
  exit 0
}

stop() { # status, sentence: this audit says nothing about the chain
  concluded=true
  printf 'audit.sh: %s\n' "$2" >&2
  exit "$1"
}

fault() { # code, sentence: the first rule that block number $height breaks
  fault_at "block $height" "$1" "$2"
}

fault_at() { # place, code, sentence
  concluded=true
  printf '%s: %s: %s\n' "$1" "$2" "$3" >&2
  exit 1
}

# A full disk or a bug of this script must not look like a verdict, and `set -e` would leave with status 1.
broken() {
  stop 2 "stopped by a failure of this machine or this script: nothing is said about the chain"
}

finish() {
  local status=$?
  [[ -z $work ]] || rm -rf "$work"
  $concluded || case $status in
    129 | 130 | 141 | 143) ;; # who ended us, or reads no further, knows it
    *) broken ;;
  esac
}

need_tools() {
  local tool
  if command -v sha256sum >/dev/null; then has_sha256sum=true; else has_sha256sum=false; fi
  for tool in jq openssl xxd cat mktemp rm; do
    command -v "$tool" >/dev/null || stop 2 "$tool is missing: install it first"
  done
  jq -ne '"YQ==" | @base64d | test("a")' >/dev/null 2>&1 || stop 2 'this jq is too old: 1.6 or newer is needed'
}

# -------------------------------------------------------------------------------------------------------- The document

node_url() { # a node, as `bc` lets it be named: with and without http://
  case $1 in
    *://*) printf '%s' "$1" ;;
    *) printf 'http://%s' "$1" ;;
  esac
}

# The document becomes our standard input, where it isn't that already. Opening /dev/stdin would be another thing: it
# fails on a socket, which is what some programs hand us, and reads a half-read file from its start.
open_document() { # URL or FILE: sets $source, a name to speak of
  local document
  source=$1
  case $source in
    http://* | https://*)
      source=${source%/}
      source=${source%/chain}/chain
      document=$work/document
      command -v curl >/dev/null || stop 2 'curl is missing: install it first'
      # No redirects, no proxy and no ~/.curlrc: what is audited is what this node itself says.
      REPLY=$(curl -q --noproxy '*' -sS --globoff --proto '=http,https' --connect-timeout 5 --max-time 120 \
        -o "$document" -w '%{http_code}' --url "$source") || stop 3 "no answer from $source"
      [[ $REPLY == 200 ]] || stop 3 "$source answers with status $REPLY"
      ;;
    -)
      source='standard input'
      return
      ;;
    *)
      document=$source
      [[ -f $document || -p $document ]] || stop 2 "no such file: $document (a URL starts with http://)"
      [[ -r $document ]] || stop 2 "the file can't be read: $document"
      ;;
  esac
  exec <"$document" || stop 2 "can't read $source"
}

# One jq program turns the document into lines of tab-separated words, in the order in which they are to be judged:
#
#   genesis     timestamp  target  proof  difficulty  blockTime  halfLife  maxBlockBytes  miningReward
#   allocation  address  amount
#   block       index  timestamp  previous_hash  target  merkle_root  proof
#   leaf        canonical JSON of a transaction, for the Merkle tree
#   header      canonical JSON of the block without "proof" and "transactions", for the commitment
#   whole       canonical JSON of the block, for its hash
#   reward      amount  nonce  recipient
#   tx          amount  fee  nonce  recipient  sender  signature  what follows "chain" in the payload
#   end
#   fault       place  code  sentence
#
# jq judges what has to do with form, bash all the rest. What bash gets is safe to compute with and to build names
# from: digits, hex digits ("?" where the document has anything else) and canonical JSON, which is printable ASCII.
read_document() {
  local program
  IFS= read -r -d '' program <<'JQ' || true
    # ---- Text form. Each of these gives the sentence of the first fault, or null.

    def unless(good; $sentence): if good then empty else $sentence end;
    def fault($place; $code; $sentence): ["fault", $place, $code, $sentence] | join("\t");
    def not_json($reason): "it is not JSON: \($reason)";

    # jq mends broken UTF-8 without a word. But what it mended does not encode to the same base64 again.
    def utf8: @base64d as $text | if ($text | @base64) == . then $text else null end;

    # The text cut at its quotes: strings and what stands between them take turns. Where a piece of a string ends in
    # an odd number of backslashes the quote was escaped, and the string goes on.
    def pieces:
      foreach split("\"")[] as $piece ({inside: true, complete: true};
        if .complete then .inside |= not | .text = $piece else .text += "\"" + $piece end
        | .complete = (.inside and ($piece | endswith("\\") and test("(\\A|[^\\\\])(\\\\\\\\)*\\\\\\z")) | not);
        select(.complete));

    # Strings as objects, all other tokens as strings. Only commas are left out.
    def tokens:
      pieces | if .inside then {text} else .text | split(",")[] | scan("[\\[\\]{}:]|[^\\[\\]{}: \\t\\n\\r]+") end;

    def string_fault:
      if test("[\\x00-\\x1f]") then not_json("a string holds a control character")
      elif test("\\\\") | not then null
      # An escaped backslash before a "u" begins no \uXXXX.
      else split("\\\\") | join(" ") | first(
        if test("\\\\(?![\"/bfnrt]|u[0-9a-fA-F]{4})") then not_json("a string holds an unknown escape") else empty end,
        # A surrogate without its other half.
        if test("\\\\u[dD][89abAB]..(?!\\\\u[dD][c-fC-F])|(?<!\\\\u[dD][89abAB]..)\\\\u[dD][c-fC-F]")
        then "a string holds a lone surrogate" else empty end,
        null) end;

    def word_fault:
      if . == "true" or . == "false" or . == "null" then null
      elif test("\\A(0|[1-9][0-9]{0,15})\\z") and (length < 16 or . <= "9007199254740991") then null
      # jq would round 9007199254740993, and take 1e3, 1.0 and -0.
      elif test("\\A-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?\\z") then
        "\(.[:40]) is no whole number from 0 to 2^53-1 in plain digits"
      # It would take 01 and nan, too, which are no JSON.
      else not_json("a word of it is none of JSON") end;

    # Where the text is no JSON at all, nobody can say what its blocks are: the fault is the document's.
    def place_of($fault; $block): if $block == null or ($fault | startswith("it is not JSON")) then "document"
      else "block \($block)" end;

    # What jq reads and the protocol does not. `open` holds the brackets around a token and `keys` what stands in each.
    def strict:
      def in_block: .open | startswith("{[{") or startswith("[{");
      first(foreach tokens as $token ({open: "", keys: [], block: 0};
        if $token | type == "object" then .last = $token.text | .fault = (.last | string_fault)
        elif $token == ":" then
          ("\"\(.last)\"" | fromjson) as $key
          | if .keys[-1][$key] then .fault = "a key stands twice in one object" else .keys[-1][$key] = true end
        elif $token == "{" or $token == "[" then
          (in_block | not) as $outside
          | .open += $token | .keys += [{}]
          | if $outside and in_block then .block += 1 else . end
          | if .open | length > 16 then .fault = "it nests deeper than 16" else . end
        elif $token == "}" or $token == "]" then .open |= .[:-1] | .keys |= .[:-1]
        else .fault = ($token | word_fault) end;
        select(.fault)
        | fault(place_of(.fault; if in_block then .block else null end); "message.malformed"; .fault)), null);

    # ---- Canonical JSON: byte for byte what Python prints for json.dumps(value, sort_keys=True).

    def escape: # a code point
      def digit: "0123456789abcdef"[.:. + 1];
      def unit: . as $unit | "\\u" + ([4096, 256, 16, 1] | map($unit / . | floor % 16 | digit) | join(""));
      if . < 65536 then unit else . - 65536 | (55296 + (. / 1024 | floor) | unit) + (56320 + . % 1024 | unit) end;
    def ascii_text:
      if test("\\A[ -~]*\\z") then .
      else explode | map(if . >= 32 and . <= 126 then [.] | implode else escape end) | join("") end;
    def canonical:
      if type == "object" then
        . as $object | "{" + (keys | map((tojson | ascii_text) + ": " + ($object[.] | canonical)) | join(", ")) + "}"
      elif type == "array" then "[" + (map(canonical) | join(", ")) + "]"
      else tojson | ascii_text end;

    # ---- Shapes

    def hex($digits): type == "string" and length == $digits and test("\\A[0-9a-f]*\\z");
    def plain: if test("\\A[0-9a-f]+\\z") then . else "?" end;
    def whole: type == "number"; # strict() left no other numbers
    def zeros($count): [range($count) | "0"] | join("");
    def easiest: . as $difficulty | [range(64) | if . < $difficulty then "0" else "f" end] | join("");

    def genesis_fault: first(
      unless(type == "object" and keys == ["index", "merkle_root", "previous_hash", "proof", "rules", "target",
        "timestamp", "transactions"]; "it does not have exactly the fields of a genesis block"),
      unless(.rules | type == "object" and keys == ["allocations", "blockTime", "difficulty", "halfLife",
        "maxBlockBytes", "miningReward"]; "its rules are not exactly the six"),
      unless(.rules | del(.allocations) | all(.[]; whole); "a rule is not a whole number"),
      unless(.rules.allocations | type == "object" and all(.[]; whole); "an allocation is not a whole number"),
      unless(.rules.difficulty <= 63; "its difficulty is above 63"),
      unless(.rules.maxBlockBytes <= 1000000; "its maxBlockBytes is above 1000000"),
      unless(.rules | (.blockTime == 0) == (.halfLife == 0);
        "blockTime and halfLife are both 0, for a constant target, or neither is"),
      unless(.index == 1; "its index is not 1"),
      unless(.previous_hash == "1"; "its previous_hash is not \"1\""),
      unless(.timestamp | whole; "its timestamp is not a whole number of seconds"),
      unless(.transactions == []; "it has transactions"),
      unless(.merkle_root == zeros(64); "its merkle_root is not 64 zeros"),
      unless(.target == (.rules.difficulty | easiest); "its target is not the easiest of its difficulty"),
      unless((.proof | hex(80)) and .proof[64:] == zeros(16); "its proof is not a commitment and 16 zeros"),
      null);

    def block_fault: first(
      unless(type == "object" and keys == ["index", "merkle_root", "previous_hash", "proof", "target", "timestamp",
        "transactions"]; "it does not have exactly the seven fields"),
      unless((.index | whole) and .index > 0; "its index is not a whole number from 1"),
      unless(.timestamp | whole; "its timestamp is not a whole number of seconds"),
      unless([.merkle_root, .previous_hash, .target] | all(.[]; hex(64));
        "merkle_root, previous_hash and target are not 64 hex digits each"),
      unless(.proof | hex(80); "its proof is not 80 hex digits"),
      unless(.transactions | type == "array"; "its transactions are not a list"),
      null);

    def claims_reward: type == "object" and .sender == "0";
    def reward_fault: first(
      unless(.[0] | claims_reward and keys == ["amount", "nonce", "recipient", "sender"] and (.amount | whole) and
        (.nonce | whole) and (.recipient | type == "string"); "its first transaction is not a reward"),
      unless(any(.[1:][]; claims_reward) | not; "a later transaction claims to be a reward as well"),
      null);

    # tx.shape, tx.number, tx.memo. In strict text a fee and a nonce can't be below 0.
    def transaction_fault: first(
      unless(type == "object" and (del(.memo) | keys == ["amount", "fee", "nonce", "recipient", "sender",
        "signature"]); ["tx.shape", "it does not have exactly the fields of a transaction"]),
      unless([.amount, .fee, .nonce] | all(.[]; whole); ["tx.shape", "amount, fee and nonce are not whole numbers"]),
      unless([.recipient, .sender, .signature] | all(.[]; type == "string");
        ["tx.shape", "recipient, sender and signature are not strings"]),
      unless((has("memo") | not) or (.memo | type == "string"); ["tx.shape", "its memo is not a string"]),
      unless(.amount >= 1; ["tx.number", "its amount is 0"]),
      unless(.memo != ""; ["tx.memo", "its memo is empty instead of left out"]),
      unless(.memo // "" | utf8bytelength <= 256; ["tx.memo", "its memo has more than 256 bytes of UTF-8"]),
      null);

    # ---- Lines

    def line(words): [words] | map(tostring) | join("\t");

    def texts:
      (.transactions[] | line("leaf", canonical)),
      line("header", (del(.proof, .transactions) | canonical)),
      line("whole", canonical);

    def genesis_lines: genesis_fault as $fault
      | if $fault then fault("block 1"; "block.genesis"; $fault)
        else
          line("genesis", .timestamp, .target, .proof,
            (.rules | .difficulty, .blockTime, .halfLife, .maxBlockBytes, .miningReward)),
          (.rules.allocations | to_entries[] | line("allocation", (.key | plain), .value)),
          texts
        end;

    def transaction_line($place; $position): transaction_fault as $fault
      | if $fault then fault($place; $fault[0]; "transaction \($position): \($fault[1])")
        else line("tx", .amount, .fee, .nonce, (.recipient, .sender, .signature | plain),
          (del(.amount, .signature) | canonical | ltrimstr("{"))) end;

    def block_lines($place): block_fault as $fault
      | if $fault then fault($place; "block.shape"; $fault)
        else
          line("block", .index, .timestamp, .previous_hash, .target, .merkle_root, .proof),
          texts,
          (.transactions | reward_fault as $fault
            | if $fault then fault($place; "block.reward"; $fault)
              else
                (.[0] | line("reward", .amount, .nonce, (.recipient | plain))),
                (range(1; length) as $position | .[$position] | transaction_line($place; $position)),
                "end"
              end)
        end;

    def chain_lines:
      if length == 0 then fault("block 1"; "block.genesis"; "the chain is empty")
      else
        (.[0] | genesis_lines),
        (range(1; length) as $i | .[$i] | block_lines("block \($i + 1)"))
      end;

    def malformed: fault("document"; "message.malformed"; .);
    def document_lines:
      if type == "array" then chain_lines
      elif type != "object" or keys != ["chain", "length"] or (.chain | type != "array") then
        "it is not {\"chain\": [...], \"length\": N}" | malformed
      elif .length != (.chain | length) then "its length is not the number of its blocks" | malformed
      else .chain | chain_lines end;

    # The reason without the excerpt that jq adds: a document should not get to write to our terminal.
    def unreadable: not_json(split(" (while")[0] | ascii_text) | malformed;

    rtrimstr("\n") | utf8 as $text
    | if $text == null then "it is not UTF-8" | malformed
      else
        $text
        | (try strict catch unreadable) // (try {value: fromjson} catch unreadable)
        | if type == "string" then . else .value | document_lines end
      end
JQ
  # base64 because jq cuts long input into chunks, and jq 1.6 breaks the character that lies across such a cut.
  # And cat because it says when a disk fails, where openssl would take what it has for all there is.
  cat | openssl base64 -A | jq -rRs "$program" >"$work/lines" || stop 2 "can't read $source"
}

# ------------------------------------------------------------------------------------------------- Hashes, curve

sha256() { # text: sets $REPLY to 64 hex digits
  printf '%s' "$1" >"$work/text" || broken
  sha256_file "$work/text"
}

sha256_file() {
  if $has_sha256sum; then
    REPLY=$(sha256sum <"$1") || broken
  else
    REPLY=$(openssl dgst -sha256 -r <"$1") || broken # macOS has shasum, too, and it takes ten times as long
  fi
  REPLY=${REPLY:0:64}
}

# Whether 33 bytes are a compressed public key: openssl computes y from x, and for half of all x there is none. What
# stands before the bytes says "a public key on secp256k1" in DER. A good key is left in $work/KEY.pem.
on_curve() { # key, 66 hex digits
  xxd -r -p <<<"3036301006072a8648ce3d020106052b8104000a032200$1" >"$work/key" || broken
  openssl pkey -pubin -inform DER -in "$work/key" -noout 2>/dev/null || return 1
  openssl pkey -pubin -inform DER -in "$work/key" -out "$work/$1.pem" || broken
}

# tx.address: a compressed public key and the first 8 digits of the SHA-256 of its bytes. Once the pattern has matched,
# the text is 74 hex digits and nothing else, so it is safe in the names of variables and files.
valid_address() {
  local address=$1 known=address_$1
  [[ $address =~ ^0[23][0-9a-f]{72}$ ]] || return 1
  [[ -z ${!known-} ]] || return 0 # seen before, and good
  xxd -r -p <<<"${address:0:66}" >"$work/key" || broken
  sha256_file "$work/key"
  [[ ${REPLY:0:8} == "${address:66}" ]] || return 1
  on_curve "${address:0:66}" || return 1
  printf -v "$known" good
  addresses=$(( addresses + 1 ))
}

# tx.signature: r‖s, both from 1 to the curve's order - 1, and s in the lower half: of s and order - s, which verify
# alike, only one may be valid, or anyone could change a transaction that is not his.
check_signature() { # sender, signature, payload
  local r=${2:0:64} s=${2:64} r_der s_der
  [[ $2 =~ ^[0-9a-f]{128}$ ]] || transaction_fault tx.signature 'it is not 128 lower-case hex digits'
  [[ $r != "$ZEROS" && $r < $ORDER && $s != "$ZEROS" && $s < $ORDER ]] || transaction_fault tx.signature \
    "r or s is out of range: both are from 1 to n - 1, where n is the curve's order"
  [[ ! $s > $HALF_ORDER ]] || transaction_fault tx.signature \
    "its s is above n / 2, where n is the curve's order: of s and n - s, which verify alike, only the lower is valid"
  der_integer "$r"
  r_der=$REPLY
  der_integer "$s"
  s_der=$REPLY
  printf -v REPLY '30%02x%s%s' $(( (${#r_der} + ${#s_der}) / 2 )) "$r_der" "$s_der"
  xxd -r -p <<<"$REPLY" >"$work/signature" || broken
  printf '%s' "$3" >"$work/payload" || broken
  openssl dgst -sha256 -verify "$work/${1:0:66}.pem" -signature "$work/signature" "$work/payload" >/dev/null 2>&1 ||
    transaction_fault tx.signature "it is not the sender's over exactly this transaction on this chain"
}

# DER writes a number in as few bytes as will do, with a zero byte before a first bit that would mean "negative".
der_integer() {
  local digits=$1
  while [[ $digits == 00* ]]; do digits=${digits#00}; done
  if [[ $digits == [89a-f]* ]]; then digits=00$digits; fi
  printf -v REPLY '02%02x%s' $(( ${#digits} / 2 )) "$digits"
}

# ---------------------------------------------------------------------------------------------------------- The audit

height=0 # of the block being judged
blocks=0 transactions=0 leaves_total=0 addresses=0
supply=0 allocations=0

audit() {
  local kind words
  while IFS=$'\t' read -r kind words <&3; do
    case $kind in
      genesis) begin_genesis "$words" ;;
      allocation) allocate "$words" ;;
      block) begin_block "$words" ;;
      leaf) sha256 "$words"; leaves[${#leaves[@]}]=$REPLY ;;
      header) sha256 "$words"; commitment=$REPLY ;;
      whole) sha256 "$words"; hash=$REPLY size=${#words}; judge_block ;;
      reward) credit_reward "$words" ;;
      tx) judge_transaction "$words" ;;
      end) judge_reward ;;
      fault) repeat_fault "$words" ;;
      *) broken ;;
    esac
  done 3<"$work/lines"
  (( blocks > 0 )) || broken
}

repeat_fault() { # what jq found
  local place code sentence
  IFS=$'\t' read -r place code sentence <<<"$1"
  fault_at "$place" "$code" "$sentence"
}

begin_genesis() {
  IFS=$'\t' read -r timestamp target proof difficulty block_time half_life max_block_bytes mining_reward <<<"$1"
  height=1 index=1 easiest=$target leaves=()
  # Far from anything that is mined: 35,000 years. Beyond it the products below would leave bash's 64 bits.
  (( block_time < 1 << 40 && half_life < 1 << 40 )) || stop 2 "blockTime or halfLife is beyond what bash can compute"
}

begin_block() {
  height=$(( height + 1 )) leaves=()
  IFS=$'\t' read -r index timestamp previous_hash target merkle_root proof <<<"$1"
}

# All that is asked of a block before its transactions, in the protocol's order; block.shape was jq's.
judge_block() {
  if (( height == 1 )); then
    check_genesis
    solve_time='' chain=$hash
  else
    check_links
    check_target
    check_merkle_root
    check_commitment
    check_seal
    check_size
    solve_time=$(( timestamp - parent_timestamp ))
  fi
  parent_hash=$hash parent_proof=$proof parent_timestamp=$timestamp parent_target=$target
  blocks=$(( blocks + 1 ))
}

# block.genesis: the form was jq's. The seal is not checked: nobody mines a genesis block.
check_genesis() {
  [[ ${proof:0:64} == "$commitment" ]] || fault block.genesis "its proof does not start with its commitment $commitment"
}

allocate() { # block.genesis, too: the first balances
  local address amount
  IFS=$'\t' read -r address amount <<<"$1"
  valid_address "$address" || fault block.genesis 'an allocation is not to an address'
  supply=$(( supply + amount )) allocations=$(( allocations + 1 ))
  (( supply <= MAX_AMOUNT )) || fault block.genesis 'the allocations add up to more than 2^53-1'
  credit "$address" "$amount"
}

check_links() { # block.index, block.timestamp, block.previous_hash
  (( index == height )) || fault block.index "its index is $index"
  (( timestamp >= parent_timestamp )) ||
    fault block.timestamp "its timestamp $timestamp is below its parent's, $parent_timestamp"
  [[ $previous_hash == "$parent_hash" ]] ||
    fault block.previous_hash "its parent has the hash $parent_hash"
}

check_target() { # block.target: constant, or set by the time that the parent took
  REPLY=$parent_target
  if (( block_time > 0 )) && [[ -n $solve_time ]]; then asert; fi
  [[ $target == "$REPLY" ]] || fault block.target "the rules give the target $REPLY here"
}

# Leaves and parents are hashes of text. The last of an odd number moves up unchanged; were it paired with itself, a
# block and the same block with that transaction twice would share one root (CVE-2012-2459).
check_merkle_root() { # block.merkle_root
  local count=${#leaves[@]} i
  leaves_total=$(( leaves_total + count ))
  while (( count > 1 )); do
    for (( i = 0; i < count; i += 2 )); do
      if (( i + 1 < count )); then sha256 "${leaves[i]}${leaves[i + 1]}"; else REPLY=${leaves[i]}; fi
      leaves[i / 2]=$REPLY
    done
    count=$(( (count + 1) / 2 ))
  done
  REPLY=${leaves[0]-$ZEROS}
  [[ $merkle_root == "$REPLY" ]] || fault block.merkle_root "its transactions have the Merkle root $REPLY"
}

check_commitment() { # block.commitment: the proof is bound to this block
  [[ ${proof:0:64} == "$commitment" ]] ||
    fault block.commitment "its proof does not start with the commitment $commitment"
}

check_seal() { # block.seal: the work. Strings of one length are ordered as the numbers that they spell
  sha256 "$parent_proof$proof$previous_hash"
  [[ ! $REPLY > $target ]] || fault block.seal "its seal $REPLY is above its target $target"
}

check_size() { # block.size
  (( size <= max_block_bytes )) || fault block.size "it has $size bytes of canonical JSON, above $max_block_bytes"
}

# ----------------------------------------------------------------------------------------------- A target that moves

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

# --------------------------------------------------------------------------------------------------------- The ledger

# bash 3.2 has no maps: an account is the variables balance_ADDRESS and nonce_ADDRESS.
accounts=() # the addresses that ever held something

credit() { # address, amount
  local balance=balance_$1
  (( $2 > 0 )) || return 0
  if [[ -z ${!balance-} ]]; then accounts[${#accounts[@]}]=$1; fi
  printf -v "$balance" '%s' $(( ${!balance:-0} + $2 ))
}

# The reward is the block's first transaction, so its coins can be spent in the same block. Whether it was due shows
# once all fees are known.
credit_reward() {
  IFS=$'\t' read -r reward_amount reward_nonce reward_recipient <<<"$1"
  fees=0 position=0
  if valid_address "$reward_recipient"; then credit "$reward_recipient" "$reward_amount"; fi
}

judge_transaction() { # tx.address, tx.signature, tx.nonce, tx.balance; what comes before them was jq's
  local amount fee nonce recipient sender signature rest
  IFS=$'\t' read -r amount fee nonce recipient sender signature rest <<<"$1"
  position=$(( position + 1 ))
  valid_address "$recipient" || transaction_fault tx.address 'the recipient is not an address'
  valid_address "$sender" || transaction_fault tx.address 'the sender is not an address'
  # "chain" is signed and not stored, so a signature is worth nothing on another chain. It sorts second.
  check_signature "$sender" "$signature" "{\"amount\": $amount, \"chain\": \"$chain\", $rest"
  spend "$sender" "$nonce" "$amount" "$fee"
  credit "$recipient" "$amount"
  fees=$(( fees + fee )) transactions=$(( transactions + 1 ))
}

spend() { # address, nonce, amount, fee
  local balance=balance_$1 next=nonce_$1
  (( $2 == ${!next:-0} )) || transaction_fault tx.nonce "its nonce is $2, and the sender's next one is ${!next:-0}"
  (( $3 + $4 <= ${!balance:-0} )) ||
    transaction_fault tx.balance "the balance ${!balance:-0} does not cover $3 and a fee of $4"
  printf -v "$next" '%s' $(( ${!next:-0} + 1 ))
  printf -v "$balance" '%s' $(( ${!balance} - $3 - $4 ))
}

transaction_fault() { # code, sentence
  fault "$1" "transaction $position: $2"
}

judge_reward() { # block.reward, after all transactions
  local due=$(( mining_reward + fees ))
  valid_address "$reward_recipient" || fault block.reward "the reward's recipient is not an address"
  (( reward_nonce == index )) || fault block.reward "the reward's nonce is $reward_nonce and not the block's index"
  (( reward_amount == due )) || fault block.reward "the reward is $reward_amount, and $due is due"
  supply=$(( supply + mining_reward )) # fees change hands, they are not new
  (( supply <= MAX_AMOUNT )) || fault block.reward 'the reward takes the supply past 2^53-1'
}

# ---------------------------------------------------------------------------------------------------------- The report

report() {
  local rule openssl
  openssl=$(openssl version)
  check_sum_of_balances
  if (( block_time > 0 )); then
    rule="by ASERT, $block_time s from block to block, half-life $half_life s"
  else
    rule="constant, $difficulty leading zeros"
  fi
  echo "$source: $blocks blocks, $transactions transactions, ${#accounts[@]} accounts"
  echo
  say message 'UTF-8, whole numbers in plain digits, no key twice, no lone surrogate'
  say genesis "block 1: its rules, commitment and easiest target; allocations: $allocations"
  say links "$(( blocks - 1 )) blocks: index, timestamp and hash follow the parent's"
  say targets "$(( blocks - 1 )) blocks: $rule"
  say 'Merkle roots' "$(( blocks - 1 )) blocks, $leaves_total leaves"
  say commitments "$blocks blocks: each proof is of its own block"
  say seals "$(( blocks - 1 )) blocks: none above its target"
  say sizes "$(( blocks - 1 )) blocks: at most $max_block_bytes bytes"
  say rewards "$(( blocks - 1 )) blocks: one each, of $mining_reward and the fees"
  say addresses "$addresses: checksum right, on the curve"
  say signatures "$transactions: low-S, of this chain, verified by ${openssl%% (*}"
  say nonces "$transactions: each its sender's next"
  say balances "$transactions: each covers amount and fee"
  say supply "$supply: allocations and rewards, and the sum of all balances"
  say 'not checked' "what a clock says of the timestamps; whether another valid chain has more work"
  echo
  say chain "$chain"
  say tip "$parent_hash (block $blocks)"
  echo valid
}

say() { # what, sentence
  printf '%-14s%s\n' "$1" "$2"
}

# No rule, but a check of this script: coins only change hands.
check_sum_of_balances() {
  local i balance sum=0
  for (( i = 0; i < ${#accounts[@]}; i++ )); do
    balance=balance_${accounts[i]}
    sum=$(( sum + ${!balance} ))
  done
  (( sum == supply )) || stop 2 "the balances add up to $sum instead of $supply: a bug of this audit"
}

main "$@"
