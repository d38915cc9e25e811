"""What the shells and programs in a container know of the terminal they are on."""

from __future__ import annotations

import os

_MARK = "(simulated GPU) "
_NOT_FOUND = (
    "declare -F command_not_found_handle >/dev/null || command_not_found_handle() {{ case $1 in"
    ' ds01|docker) echo "You are inside the container {name};";'
    " echo \"ds01 and docker are commands of the server. Type 'exit' first.\";;"
    ' *) echo "bash: $1: command not found";; esac >&2; return 127; }}'
)
"""Asked by bash for a command that is nowhere: a docker in the image, and what the image says itself, come first."""


def terminal_variables() -> dict[str, str]:
    """What a program on a terminal wants to know of it."""
    return {name: os.environ[name] for name in ("TERM", "COLORTERM", "NO_COLOR") if name in os.environ}


def shell_variables(name: str, *, simulated: bool) -> dict[str, str]:
    """Those, and a prompt that says where one is and that a GPU is simulated; bash puts the mark before its own, and
    tells whoever types a command of the server where that is.
    """
    mark = _MARK if simulated else ""
    before = _NOT_FOUND.format(name=name)
    if simulated:
        before += f'; PS1="{_MARK}${{PS1#{_MARK}}}"; unset PROMPT_COMMAND'
    return terminal_variables() | {"PS1": f"{mark}{name}:$PWD$ ", "PROMPT_COMMAND": before}
