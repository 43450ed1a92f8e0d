# shellcheck shell=bash
#
# by-hand.sh: what the protocol computes, with jq, sha256sum and a shell. To be sourced after story.sh.
#
# Canonical JSON is made of jq's by two replacements, which is right where no text holds a quote, a comma or a letter
# beyond ASCII; the audit does without that condition.

: "${work:?story.sh makes it}"
export LC_ALL=C # strings compare byte by byte

canonical() { # JSON on standard input: as Python's json.dumps(value, sort_keys=True) prints it
  jq -cS . | sed -e 's/":/": /g' -e 's/,/, /g' | tr -d '\n'
}

commitment() { # a block on standard input
  jq 'del(.proof, .transactions)' | canonical | sha256
}

merkle_root() { # a block on standard input, of one or two transactions
  local transaction leaves=()
  while IFS= read -r transaction; do
    leaves[${#leaves[@]}]=$(canonical <<<"$transaction" | sha256)
  done < <(jq -c '.transactions[]')
  case ${#leaves[@]} in
    1) printf '%s' "${leaves[0]}" ;;
    2) printf '%s%s' "${leaves[@]}" | sha256 ;;
    *) failed 'a tree of one or two leaves was expected' ;;
  esac
}

seal() { # the previous block's proof, the proof, the hash of the previous block
  printf '%s%s%s' "$1" "$2" "$3" | sha256
}

der_integer() { # 64 hex digits: in as few bytes as will do, with a zero byte before a first bit that would mean "negative"
  local digits=$1
  while [[ $digits == 00* ]]; do digits=${digits#00}; done
  [[ $digits != [89a-f]* ]] || digits=00$digits
  printf '02%02x%s' $(( ${#digits} / 2 )) "$digits"
}

# ---------------------------------------------------------------------------- A chain in a file, $work/chain, to tamper with

block() { # number
  jq ".chain[$1 - 1]" "$work/chain"
}

edit() { # number of a block, a jq program that changes it
  jq ".chain[$1 - 1] |= ($2)" "$work/chain" >"$work/edited"
  mv "$work/edited" "$work/chain"
}

repair_root() { # number of a block
  edit "$1" ".merkle_root = \"$(block "$1" | merkle_root)\""
}

repair_commitment() { # number of a block
  edit "$1" ".proof = \"$(block "$1" | commitment)\" + .proof[64:]"
}

attempts=0 # so many seals were tried

repair_seal() { # number of a block: proof of work, as slow as can be
  local before target head previous nonce=0
  before=$(block $(($1 - 1)) | jq -r .proof)
  target=$(block "$1" | jq -r .target)
  head=$(block "$1" | commitment)
  previous=$(block "$1" | jq -r .previous_hash)
  while attempts=$((attempts + 1)) && [[ $(seal "$before" "$head$(printf %016x $nonce)" "$previous") > $target ]]; do
    nonce=$((nonce + 1))
  done
  edit "$1" ".proof = \"$head$(printf %016x $nonce)\""
}
