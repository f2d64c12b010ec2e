# Account names, where a command takes one; no file is an account.
(( $+functions[_vmfa_names] )) ||
_vmfa_names() {
    local -a names
    names=("${(@f)$(_call_program names vmfa @NAMES@ 2>/dev/null </dev/null)}")
    names=("${(@)names:#}")
    (( $#names )) && compadd -M 'm:{a-zA-Z}={A-Za-z}' -a -- names
}
