
# Account names, where a command takes one; no file is an account.
complete -c vmfa -n "__fish_seen_subcommand_from @COMMANDS@" -f -a "(vmfa @NAMES@ 2>/dev/null </dev/null)"
