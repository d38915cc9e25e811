"""What ``--json`` prints: every field of every view, described once for ``--info`` and the reference page.

A test compares them with the dataclasses of ``ds01.wire``; they are repeated here because the help must not import
those, and because a field's name alone explains nothing.
"""

from __future__ import annotations

VIEWS: dict[str, dict[str, str]] = {
    "Command": {
        "command": "the command's words",
        "aliases": "other words for it",
        "summary": "what it does",
        "arguments": "what it takes: name, help, required, many",
        "options": "its options: name, short, value, choices, help, default, many",
        "examples": "five examples: command, meaning",
        "exit_codes": "how it may end: code, meaning",
        "prints": "the view that --json prints",
        "related": "commands to look at next",
    },
    "Topic": {"name": "what to type after 'ds01 help'", "summary": "what it is about"},
}


def fields(prints: str) -> tuple[tuple[str, str], ...]:
    """The fields of what a command prints (``list of ContainerView``) with their meanings."""
    return tuple(VIEWS[prints.split()[-1]].items())
