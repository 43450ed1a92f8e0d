# shellcheck shell=bash
#
# story.sh: what the stories of scripts/ have in common: nodes of their own, people with keys, telling and checking.
#
# To be sourced. A story keeps all it makes in $work, which is gone afterwards as its nodes are; it runs the commands of
# this checkout's bin/. Every answer is checked: the first that is other than expected ends it with status 1.
# It runs in bash 3.2 and with the tools that macOS has.

set -euo pipefail
# Whatever a caller exports: files are written over here, names have patterns, and bash 3.2 knows no <(…) in POSIX mode.
set +o noclobber +o noglob +o posix
# Secrets pass through files here.
umask 077

# With CDPATH, cd prints where it went.
root=$(CDPATH='' cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
name=${0##*/}
PATH=$root/bin:$PATH
export PATH
# Nothing of your own settings.
unset "${!BC_@}"

work=''
step=0

# ------------------------------------------------------------------------------------------------------ People and nodes

person() { # name: makes a key, $work/NAME.json, and prints its address
  bc key new --json >"$work/$1.json"
  jq -r .address "$work/$1.json"
}

# A chain of its own, easier than the usual one.
genesis_with() { # address: of who has 100 coins from the beginning; and more fields of config.json, where there are any
  local more=${2-}
  jq -n --arg address "$1" --argjson more "${more:-null}" '{difficulty: 3, allocations: {($address): 100}} + $more' \
    >"$work/config.json"
}

start_node() { # name, more arguments of bc-node: BC_NODE is that node then
  local node=$1
  shift
  set -- -p 0 --no-discovery --ready-file "$work/$node.ready" "$@"
  [[ ! -e $work/config.json ]] || set -- "$@" --config "$work/config.json"
  [[ " $* " == *' --data-dir '* ]] || set -- "$@" --ephemeral
  bc-node "$@" >"$work/$node.terminal" 2>"$work/$node.log" &
  printf '%s\n' $! >"$work/$node.pid"
  wait_until test -e "$work/$node.ready"
  on "$node"
}

stop_node() { # name
  local pid ended=0
  pid=$(cat "$work/$1.pid")
  rm "$work/$1.pid"
  kill "$pid"
  wait "$pid" || ended=$?
  check 'the node ends in order' 0 "$ended"
}

on() { # name: that node is asked from here on
  BC_NODE=$(url_of "$1")
  export BC_NODE
}

url_of() { # name of a node
  jq -r .url "$work/$1.ready"
}

get() { # path: what the node answers
  curl -q --noproxy '*' -fsS --max-time 30 "$BC_NODE$1"
}

post() { # path, JSON: leaves the answer in $out and its status in $status
  say "\$ curl -X POST $1"
  out=$(curl -q --noproxy '*' -sS --max-time 30 -H 'content-type: application/json' -d "$2" -w '\n%{http_code}' "$BC_NODE$1")
  status=${out##*$'\n'}
  out=${out%$'\n'*}
  say "$status $(jq -r .message <<<"$out")"
}

status_is() { # field, value: of the node that is asked
  [[ $(bc status | jq -r ".$1") == "$2" ]]
}

balance() { # address
  get "/accounts/$1" | jq .balance
}

if command -v sha256sum >/dev/null; then
  sha256() { sha256sum | cut -c 1-64; }
else
  sha256() { shasum -a 256 | cut -c 1-64; }
fi

# ----------------------------------------------------------------------------------------------------- Telling, checking

heading() {
  step=$((step + 1))
  printf '\n%2d. %s\n\n' "$step" "$1"
}

say() {
  printf '    %s\n' "$1"
}

run() { # command, arguments: shows it, leaves what it prints in $out
  show "$@"
  out=$("$@") || failed "$1 was expected to succeed and ended with status $?"
}

show() { # command, arguments: with the long words cut and our own paths left out
  local word line=''
  for word in "$@"; do
    # Not ${word/"$work/"/}: in bash 3.2 the slash within the quotes ends the pattern.
    case $word in *"$work/"*) word=${word%%"$work/"*}${word#*"$work/"} ;; esac
    case $word in *"$root/"*) word=${word%%"$root/"*}${word#*"$root/"} ;; esac
    (( ${#word} <= 64 )) || word=${word:0:8}…
    line="$line $word"
  done
  printf '    $%s\n' "$line"
}

refused() { # exit code, rule code, command, arguments: it must fail so, and print nothing
  local expected=$1 rule=$2 ended=0
  shift 2
  show "$@"
  out=$("$@" 2>"$work/refusal") || ended=$?
  say "$(cat "$work/refusal")"
  [[ $ended == "$expected" ]] || failed "expected exit code $expected, found $ended"
  [[ -z $out ]] || failed "expected nothing on stdout, found '$out'"
  check "refused, exit code $expected" "bc: $rule:" "$(grep -o "^bc: $rule:" "$work/refusal" || true)"
}

check() { # what is expected, in words; its value; what is there
  [[ $3 == "$2" ]] || failed "$1: expected '$2', found '$3'"
  printf '    ok: %s\n' "$1"
}

failed() {
  local log
  printf '\n%s: step %d: %s\n' "$name" "$step" "$1" >&2
  for log in "$work"/*.log; do
    [[ ! -s $log ]] || { printf 'The end of %s:\n' "${log##*/}" && tail -n 5 "$log"; } >&2
  done
  exit 1
}

wait_until() { # command, arguments: until it succeeds, a minute at most, and while all nodes live
  local tries=0 file
  until "$@"; do
    for file in "$work"/*.pid; do
      kill -0 "$(cat "$file")" 2>/dev/null || failed "the node ${file##*/} has ended"
    done
    tries=$((tries + 1))
    (( tries < 600 )) || failed "waited too long for: $*"
    sleep 0.1
  done
}

the_end() {
  printf '\nAll as it should be.\n'
}

# ------------------------------------------------------------------------------------------------ The beginning, the end

usage() { # the first argument: there should be none
  sed -n '3,/^$/s/^# \{0,1\}//p' "$0"
  case $1 in -h | --help) exit 0 ;; *) exit 2 ;; esac
}

# Ends the processes that were started here, by their own numbers, and leaves nothing behind.
clean_up() {
  local ended=$? file pid
  for file in "$work"/*.pid; do
    [[ -e $file ]] || continue
    pid=$(cat "$file")
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
  exit "$ended"
}

(( $# == 0 )) || usage "$1"
for tool in node curl jq; do
  command -v "$tool" >/dev/null || { printf '%s: %s is missing: install it first\n' "$name" "$tool" >&2; exit 2; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/bc-story.XXXXXX")
export BC_CONFIG=$work/settings.json
printf '{}' >"$BC_CONFIG"
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
