"""src/ds01/cli/index.py: every command with its summary, read from the declarations below ``commands/``."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from ds01.cli import commands

NAME = "../../src/ds01/cli/index.py"

_HEAD = '''"""Every command and every group of commands by its path, with its summary.

Made by ``make docs`` from the declarations, so that the front page and Tab need not load them all.
"""

from __future__ import annotations
'''


def page() -> str:
    """The module."""
    groups, found = dict(_groups()), dict(_commands())
    return "\n".join([_HEAD, *_table("GROUPS", groups), "", *_table("COMMANDS", found), ""])


def _groups() -> Iterator[tuple[str, str]]:
    for file in sorted(_root().rglob("__init__.py")):
        path = file.parent.relative_to(_root()).parts
        yield " ".join(path), importlib.import_module(".".join([commands.__name__, *path])).GROUP.summary


def _commands() -> Iterator[tuple[str, str]]:
    for file in sorted(_root().rglob("*_help.py")):
        path = (*file.parent.relative_to(_root()).parts, file.stem.removesuffix("_help"))
        module = importlib.import_module(".".join([commands.__name__, *path[:-1], file.stem]))
        yield " ".join(path), module.COMMAND.summary


def _root() -> Path:
    return Path(str(commands.__file__)).parent


def _table(name: str, found: dict[str, str]) -> list[str]:
    lines = [f"    {_quoted(path)}: {_quoted(summary)}," for path, summary in sorted(found.items())]
    return [f"{name} = {{", *lines, "}"]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
