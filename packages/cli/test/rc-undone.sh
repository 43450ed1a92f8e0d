# shellcheck shell=bash
# What a shell is before `. bin/rc` and after `rc off`, by its own words. Bash and zsh; $1 is the file rc, $2 a folder
# for what they say. Ends with status 1 at the first difference.
#
# shellcheck disable=SC2016 # The words are for later, or should never be expanded.
rc=$1 folder=$2
set --

state() { # name
  # Without what changes by itself, as the number of the line does.
  { set && export -p && alias; } | grep -avE '^(declare -x |export )?(_|BASH_[A-Z]+|EPOCH[A-Z]+|FUNCNAME|LINENO|PIPESTATUS|RANDOM|SECONDS|SRANDOM|TTYIDLE|address|argv|before|pipestatus|status|.?[!#$*?@0-9-].?|(ZSH|zsh)_[A-Za-z_]+)=' >"$folder/$1"
}

undone() { # what was there before: a line of shell
  eval "$1"
  state before
  # shellcheck disable=SC1090
  . "$rc" localhost:5001/ || fail 'it did not begin' "$1"
  [ "$(sh -c 'printf %s "$BC_NODE"')" = http://localhost:5001 ] || fail 'BC_NODE is not the node' "$1"
  [ "$(command -v resolve)" = "${rc%rc}resolve" ] || fail 'its commands are not found' "$1"
  rc localhost:5002
  [ "$(rc)" = http://localhost:5002 ] || fail 'rc ADDRESS is not the node' "$1"
  # Once more, while it is on.
  # shellcheck disable=SC1090
  . "$rc" https://node.example/a || fail 'it did not begin again' "$1"
  [ "$BC_NODE" = https://node.example/a ] || fail 'BC_NODE is not the second node' "$1"
  rc off
  same "$1"
  for address in 'localhost:$(id)' 'file:///etc' 'http://' 'a b' '`id`' 'http://user@host' '%F{red}'; do
    # shellcheck disable=SC1090
    { . "$rc" "$address" 2>/dev/null && fail "$address was taken" "$1"; } || [ $? = 2 ] || fail 'not status 2' "$1"
    same "$1, $address"
  done
}

same() {
  state after
  cmp -s "$folder/before" "$folder/after" || { diff "$folder/before" "$folder/after" >&2; fail 'not as before' "$1"; }
}

fail() {
  printf '%s, with %s before\n' "$1" "$2" >&2
  exit 1
}

undone ':'
undone 'BC_NODE=x'
undone 'export BC_NODE=y'
undone 'rc() { echo "mine $1"; }'
undone 'unset -f rc; alias rc="echo hi"'
undone 'unset BC_NODE; PATH="/a b:$PATH:/c"'
undone "PS1='\$(date) '"
# Others change the PATH, too.
PATH=/first:$PATH
before=$PATH
# shellcheck disable=SC1090
. "$rc" localhost:5001
PATH=/new:$PATH:/newer
rc off
[ "$PATH" = "/new:$before:/newer" ] || fail "$PATH" 'another PATH'
