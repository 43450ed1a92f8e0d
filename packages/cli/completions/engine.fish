# What stands where is in __bc_at, which is made from the program itself; this is how fish is told.

function __bc_keys
    set -l folder $__bc_keys_folder
    if test -n "$__bc_keys_given"
        set folder $__bc_keys_given
    else if test -n "$BC_KEYS"
        set folder $BC_KEYS
    end
    for file in $folder/*.json
        string replace -r '.*/(.*)\.json$' '$1' -- $file
    end
end

function __bc_at_files
    for file in (__fish_complete_path (string replace -r '^@' '' -- $argv[1]))
        echo "@$file"
    end
end

# Values of this kind that begin like this.
function __bc_value
    switch $argv[1]
        case 'words:*'
            string split , -- (string replace words: '' -- $argv[1])
        case file
            __fish_complete_path $argv[2]
        case folder
            __fish_complete_directories $argv[2] ''
        case name
            __bc_keys
        case nameorfile
            __bc_keys
            __fish_complete_path $argv[2]
        case atfile
            __bc_at_files $argv[2]
        case key
            __bc_keys
            __bc_at_files $argv[2]
    end
end

# The kind of this option's value, where it takes one.
function __bc_option
    for value in $__bc_values
        set -l pair (string split -m 1 = -- $value)
        if test "$pair[1]" = "$argv[1]"
            echo $pair[2]
        end
    end
end

function __bc_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l path (__bc_launcher (string replace -r '.*/' '' -- $words[1]))
    set -l kind ''
    set -l plain 0
    set -l number 1
    set -l option ''
    set -g __bc_keys_given ''
    __bc_at $path
    for word in $words[2..-1]
        if test "$kind" = optional; and string match -qr '^-.' -- $word
            set kind ''
        end
        if test -n "$kind"
            if test $option = --keys
                set __bc_keys_given (string replace -r '^~/' "$HOME/" -- $word)
            end
            set kind ''
        else if test $plain = 0 -a "$word" = --
            set plain 1
        else if test $plain = 0; and string match -qr '^-.*=' -- $word
            if string match -q -- '--keys=*' $word
                set __bc_keys_given (string replace -- --keys= '' $word)
            end
        else if test $plain = 0; and string match -qr '^-.' -- $word
            set option $word
            set kind (__bc_option $word)
        else if string match -q -- "$word"\t'*' $__bc_subcommands
            set path "$path $word"
            set number 1
            __bc_at $path
        else
            set number (math $number + 1)
        end
    end
    if test "$kind" = optional; and string match -q -- '-*' $current
        set kind ''
    end
    if test -n "$kind"
        __bc_value $kind $current
    else if test $plain = 0; and string match -qr '^--.*=' -- $current
        set -l parts (string split -m 1 = -- $current)
        for value in (__bc_value (__bc_option $parts[1]) $parts[2])
            echo "$parts[1]=$value"
        end
    else if test $plain = 0; and string match -qr '^-' -- $current
        printf '%s\n' $__bc_options
    else if test (count $__bc_subcommands) -gt 0
        printf '%s\n' $__bc_subcommands
    else
        if test "$__bc_arguments[-1]" = ...; and test $number -ge (count $__bc_arguments)
            set number (math (count $__bc_arguments) - 1)
        end
        if test $number -le (count $__bc_arguments)
            __bc_value $__bc_arguments[$number] $current
        end
    end
end
