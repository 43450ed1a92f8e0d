# shellcheck shell=bash
# What stands where is in _bc_at, which is made from the program itself; this is how bash is told. It runs in bash 3.2
# (macOS) as well: no associative arrays, no mapfile, and compopt only where it is there.
# shellcheck disable=SC2034,SC2154 # _bc_at and _bc_launcher set and read what _bc has declared

# bash takes words apart at : = and @ as well. Put together again what no space is between.
_bc_split() {
  local rest=$COMP_LINE word i
  words=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((i == 0)); then
      words[0]=$word
    elif [[ $rest == [[:space:]]* ]]; then
      rest=${rest#"${rest%%[![:space:]]*}"}
      words[${#words[@]}]=$word
    else
      words[${#words[@]} - 1]+=$word
    fi
    rest=${rest#"$word"}
  done
}

# Those of these words that begin like this.
_bc_words() {
  local word
  for word in $1; do
    case $word in "$2"*) candidates[${#candidates[@]}]=$word ;; esac
  done
}

# $1: -f for files, -d for folders; $2 stands before each; $3 is what they begin with.
_bc_files() {
  local found
  while IFS= read -r found; do
    candidates[${#candidates[@]}]=$2$found
  done < <(compgen "$1" -- "$3")
  if type compopt >/dev/null 2>&1; then compopt -o filenames; fi
}

_bc_keys() {
  local file
  # No pattern: what one without a match comes to is for the user's shell options to say.
  while IFS= read -r file; do
    file=${file##*/}
    [[ $file != *.json ]] || _bc_words "${file%.json}" "$1"
  done < <(compgen -f -- "${folder:-${BC_KEYS:-$_bc_keys_folder}}/")
}

# Values of this kind that begin like this.
_bc_value() {
  local list
  case $1 in
    words:*)
      list=${1#words:}
      _bc_words "${list//,/ }" "$2"
      ;;
    file) _bc_files -f '' "$2" ;;
    folder) _bc_files -d '' "$2" ;;
    name) _bc_keys "$2" ;;
    nameorfile)
      _bc_keys "$2"
      _bc_files -f '' "$2"
      ;;
    atfile) _bc_files -f @ "${2#@}" ;;
    key)
      case $2 in
        @*) _bc_files -f @ "${2#@}" ;;
        *) _bc_keys "$2" ;;
      esac
      ;;
  esac
}

# The kind of this option's value, where it takes one.
_bc_option() {
  local value
  kind=
  for value in $values; do
    case $value in "$1="*) kind=${value#*=} ;; esac
  done
}

# The kind of the argument of this number, from 0.
_bc_argument() {
  local expected count
  read -r -a expected <<<"$arguments"
  count=${#expected[@]}
  kind=
  if ((count > 0)) && [[ ${expected[count - 1]} == ... ]]; then
    kind=${expected[count - 2]}
    count=$((count - 1))
  fi
  if (($1 < count)); then kind=${expected[$1]}; fi
}

_bc() {
  local IFS=$' \t\n' words path subcommands options values arguments
  local kind='' plain='' number=0 i word cur last index start='' folder=''
  local candidates=()
  COMPREPLY=()
  _bc_split
  _bc_launcher "${words[0]##*/}"
  _bc_at "$path"
  for ((i = 1; i < ${#words[@]} - 1; i++)); do
    word=${words[i]}
    if [[ $kind == optional && $word == -?* ]]; then kind=; fi
    if [[ -n $kind ]]; then
      if [[ ${words[i - 1]} == --keys ]]; then folder=$word; fi
      kind=
    elif [[ -z $plain && $word == -- ]]; then
      plain=1
    elif [[ -z $plain && $word == -*=* ]]; then
      if [[ $word == --keys=* ]]; then folder=${word#*=}; fi
    elif [[ -z $plain && $word == -?* ]]; then
      _bc_option "$word"
    elif [[ " $subcommands " == *" $word "* ]]; then
      path="$path $word" number=0
      _bc_at "$path"
    else
      number=$((number + 1))
    fi
  done
  cur=${words[${#words[@]} - 1]}
  if [[ $kind == optional && $cur == -* ]]; then kind=; fi
  if [[ -n $kind ]]; then
    _bc_value "$kind" "$cur"
  elif [[ -z $plain && $cur == --*=* ]]; then
    start=${cur%%=*}=
    _bc_option "${cur%%=*}"
    _bc_value "$kind" "${cur#*=}"
  elif [[ -z $plain && $cur == -* ]]; then
    _bc_words "$options" "$cur"
  elif [[ -n $subcommands ]]; then
    _bc_words "$subcommands" "$cur"
  else
    _bc_argument "$number"
    _bc_value "$kind" "$cur"
  fi
  # Readline replaces what it takes for the last word: after a : or =, but with an @ before it.
  last=
  if [[ $cur == *"$2" ]]; then last=${cur%"$2"}; fi
  for ((index = 0; index < ${#candidates[@]}; index++)); do
    word=$start${candidates[index]}
    COMPREPLY[index]=${word#"$last"}
  done
}
