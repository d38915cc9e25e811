"""What the shells and programs in a container know of the terminal they are on."""

from __future__ import annotations

import os


def terminal_variables() -> dict[str, str]:
    """What a program on a terminal wants to know of it."""
    return {name: os.environ[name] for name in ("TERM", "COLORTERM", "NO_COLOR") if name in os.environ}


def shell_variables(name: str, *, simulated: bool) -> dict[str, str]:
    """Those, and a prompt that says where one is and that a GPU is simulated; bash puts the mark before its own."""
    mark = "(simulated GPU) " if simulated else ""
    prompt = {"PS1": f"{mark}{name}:$PWD$ "}
    if simulated:
        prompt["PROMPT_COMMAND"] = 'PS1="(simulated GPU) ${PS1#(simulated GPU) }"; unset PROMPT_COMMAND'
    return terminal_variables() | prompt
