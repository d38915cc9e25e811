"""docs/reference/commands.md: every command, from the registry that the help itself is made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ds01.cli import tree
from ds01.cli.registry import described

NAME = "commands.md"


def page() -> str:
    """The page."""
    commands = [described(path, command) for path, command in tree.commands() if not command.hidden]
    lines = [
        "# Commands",
        "",
        "Written by `make docs` from the commands' own declarations; `ds01 help commands --json` prints the same.",
        "Every command also has `--help`, `--info`, `--concepts` and `--guided`.",
        "",
        "| command | does |",
        "|---|---|",
        *(f"| [`ds01 {c['command']}`](#ds01-{c['command'].replace(' ', '-')}) | {c['summary']} |" for c in commands),
    ]
    return "\n".join([*lines, *(line for command in commands for line in _command(command))]) + "\n"


def _command(command: dict[str, Any]) -> Iterator[str]:
    yield from ("", f"## ds01 {command['command']}", "", f"{command['summary']}.")
    if command["aliases"]:
        yield from ("", "Also: " + ", ".join(f"`{name}`" for name in command["aliases"]) + ".")
    takes = [(argument["name"].upper(), argument) for argument in command["arguments"]]
    takes += [(_option(option), option) for option in command["options"]]
    yield from ("", "| takes | |", "|---|---|")
    for shown, entry in takes:
        default = f" (default: {entry['default']})" if entry.get("default") else ""
        yield f"| `{shown}` | {_cell(entry['help'] + default)} |"
    yield from ("", "```console")
    for example in command["examples"]:
        yield f"$ {example['command']:<44} # {example['meaning']}"
    yield "```"


def _option(option: dict[str, Any]) -> str:
    value = "/".join(option["choices"]) or option["value"]
    short = f"{option['short']}, " if option["short"] else ""
    return f"{short}{option['name']}" + (f" {value}" if value else "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
