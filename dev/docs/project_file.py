"""docs/reference/project-file.md: every key of a project file."""

from __future__ import annotations

from typing import Any

import tomlkit

from dev.docs import table
from ds01.projects.keys import ABOUT, TABLES

NAME = "project-file.md"


def page() -> str:
    """The page."""
    lines = [
        "# The project file",
        "",
        "`ds01.toml` in the project's folder, or the same tables below `[tool.ds01]` in its `pyproject.toml`. Written",
        "by `make docs` from the list of keys that the file is read with; [ds01.schema.json](ds01.schema.json) is the",
        "same for editors. `ds01 project check` reports every mistake with its line and column. Every key may be",
        "left out.",
    ]
    for name, keys in TABLES.items():
        rows = [(f"`{key}`", _cell(entry.help), f"`{key} = {_toml(entry.example)}`") for key, entry in keys.items()]
        lines += ["", f"## [{name}]", "", ABOUT[name], "", *table(("key", "what it says", "for example"), rows)]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _toml(value: Any) -> str:
    if not isinstance(value, dict):
        return str(tomlkit.item(value).as_string())
    inside = tomlkit.inline_table()
    inside.update(value)
    return str(inside.as_string())
