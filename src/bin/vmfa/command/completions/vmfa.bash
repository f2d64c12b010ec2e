
# Account names, where a command takes one. Bash parts words at ':' and '@', so the line is read here once more.
_vmfa_named() {
    local line=${COMP_LINE:0:COMP_POINT} char word="" quote="" begun="" at=0 behind=""
    local -a words=()
    # $word is what the shell will make of the last word, $behind what readline is about to replace of it.
    while ((at < ${#line})); do
        char=${line:at:1}
        at=$((at + 1))
        if [[ $quote == "'" ]]; then
            if [[ $char == "'" ]]; then quote=""; else word+=$char behind+=$char; fi
        elif [[ $quote == '"' ]]; then
            if [[ $char == '"' ]]; then
                quote=""
            else
                if [[ $char == "\\" && ${line:at:1} == [\"\\\$\`] ]]; then
                    char=${line:at:1}
                    at=$((at + 1))
                fi
                word+=$char behind+=$char
            fi
        elif [[ $char == "\\" ]]; then
            word+=${line:at:1} behind+=${line:at:1} begun=1
            at=$((at + 1))
        elif [[ $char == [\'\"] ]]; then
            quote=$char begun=1 behind=""
        elif [[ $char == [[:space:]] ]]; then
            if [[ $begun ]]; then words+=("$word"); fi
            word="" begun="" behind=""
        else
            word+=$char behind+=$char begun=1
            if [[ $COMP_WORDBREAKS == *"$char"* ]]; then
                behind=""
                # Of what parts words, readline takes this one along.
                if [[ $char == @ ]]; then behind=$char; fi
            fi
        fi
    done

    local is_name="" i
    case ${words[1]-} in
        @PATTERN@) is_name=1 ;;
    esac
    if [[ $word == -* && ! $quote ]]; then is_name=""; fi
    for ((i = 2; i < ${#words[@]}; i++)); do
        # One name; what follows it are words or options.
        if [[ ${words[i]} != -* ]]; then is_name=""; fi
    done
    case ${words[${#words[@]} - 1]-} in
        @VALUED@) is_name="" ;;
    esac
    if [[ ! $is_name ]]; then
        _vmfa "$@"
        return
    fi

    # Names or nothing: no file is an account.
    compopt +o default +o bashdefault -o nospace 2>/dev/null
    COMPREPLY=()
    local name head=${word:0:${#word} - ${#behind}} rest
    while IFS= read -r name; do
        if [[ ${name,,} != "${word,,}"* ]]; then continue; fi
        rest=${name:${#head}}
        case $quote in
            "'") rest=${rest//\'/\'\\\'\'} ;;
            '"')
                rest=${rest//\\/\\\\}
                rest=${rest//\"/\\\"}
                rest=${rest//\$/\\\$}
                rest=${rest//\`/\\\`}
                ;;
            *) printf -v rest %q "$rest" ;;
        esac
        COMPREPLY+=("$rest")
    done < <("${words[0]/#\~/$HOME}" @NAMES@ 2>/dev/null </dev/null)
    if ((${#COMPREPLY[@]} == 1)) && [[ ! $quote ]]; then COMPREPLY[0]+=" "; fi
}

complete -F _vmfa_named -o nosort -o bashdefault -o default vmfa 2>/dev/null || complete -F _vmfa_named -o bashdefault -o default vmfa
