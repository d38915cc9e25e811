"""``ds01 completion``: the scripts that make Tab ask ``ds01 __complete``."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.names import programs

BASH = """\
_ds01() {
    local IFS=$'\\n' word
    COMPREPLY=()
    while IFS=$'\\t' read -r word _; do
        COMPREPLY+=("$word")
    done < <(ds01 __complete "${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/:] ]]; then
        compopt -o nospace
    fi
}
complete -F _ds01 PROGRAMS
"""

ZSH = """\
#compdef PROGRAMS
_ds01() {
    local -a offers
    local word meaning
    while IFS=$'\\t' read -r word meaning; do
        offers+=("${word//:/\\\\:}:$meaning")
    done < <(ds01 __complete "${(@)words[1,CURRENT]}" 2>/dev/null)
    _describe 'ds01' offers
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _ds01 "$@"
else
    compdef _ds01 PROGRAMS
fi
"""

FISH = """\
function __ds01_offers
    ds01 __complete (commandline -opc) (commandline -ct) 2>/dev/null
end
for program in PROGRAMS
    complete -c $program -f -a '(__ds01_offers)'
end
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def run(call: Call, *, shell: str) -> int:
    """Print the script."""
    call.talk.data(SCRIPTS[shell].replace("PROGRAMS", " ".join(programs())).rstrip())
    return 0
