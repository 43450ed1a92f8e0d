# What stands where is in _bc_at, which is made from the program itself; this is how zsh is told.

_bc_keys() {
  local -a names
  names=(${folder:-${BC_KEYS:-$_bc_keys_folder}}/*.json(N:t:r))
  (( $#names )) && _describe -t keys key names
}

# Values of this kind.
_bc_value() {
  case $1 in
    words:*) compadd -- ${(s:,:)1#words:} ;;
    file) _files ;;
    folder) _files -/ ;;
    name) _bc_keys ;;
    nameorfile) _bc_keys; _files ;;
    atfile) compset -P @ && _files || compadd -S '' -- @ ;;
    key)
      if compset -P @; then _files; else _bc_keys; compadd -S '' -- @; fi
      ;;
  esac
}

_bc() {
  local path_now kind plain word argument folder
  local -i number=0 i
  local -a subcommands options arguments
  local -A values
  _bc_launcher ${service:t}
  _bc_at $path_now
  for (( i = 2; i < CURRENT; i++ )); do
    word=${words[i]}
    if [[ $kind == optional && $word == -?* ]]; then kind=; fi
    if [[ -n $kind ]]; then
      if [[ ${words[i - 1]} == --keys ]]; then folder=${~${(Q)word}}; fi
      kind=
    elif [[ -z $plain && $word == -- ]]; then
      plain=1
    elif [[ -z $plain && $word == -*=* ]]; then
      if [[ $word == --keys=* ]]; then folder=${(Q)word#*=}; fi
    elif [[ -z $plain && $word == -?* ]]; then
      kind=${values[$word]}
    elif (( ${subcommands[(I)$word:*]} )); then
      path_now="$path_now $word" number=0
      _bc_at $path_now
    else
      number+=1
    fi
  done
  if [[ $kind == optional && $PREFIX == -* ]]; then kind=; fi
  if [[ -n $kind ]]; then
    _bc_value $kind
  elif [[ -z $plain && $PREFIX == --*=* ]]; then
    kind=${values[${PREFIX%%=*}]}
    compset -P '*='
    _bc_value $kind
  elif [[ -z $plain && $PREFIX == -* ]]; then
    _describe -o -t options option options
  elif (( $#subcommands )); then
    _describe -t commands command subcommands
  else
    argument=${arguments[number + 1]}
    if [[ ${arguments[-1]} == ... ]] && (( number + 1 >= $#arguments )); then argument=${arguments[-2]}; fi
    _bc_value $argument
  fi
}
