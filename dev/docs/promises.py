"""docs/reference/promises.md: what ``make demo`` tries, each promise with the function that tries it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from dev.docs import table
from dev.promises import PROMISES, Promise

NAME = "promises.md"
_ROOT = Path(__file__).resolve().parents[2]


def page() -> str:
    """The page."""
    lines = [
        "# Promises",
        "",
        "Written by `make docs` from `dev/promises`. Each promise is a function there that uses DS01 as people do, on",
        "a real engine, with two ordinary users, and looks as root whether it is true. `sudo make demo` runs all of",
        'them, `sudo make demo ARGS="W1 F3"` these two; the same functions are the tests in',
        "[test_promises.py](../../tests/e2e/test_promises.py).",
    ]
    for file, promises in groupby(PROMISES, _file):
        lines += ["", *_chapter(file, list(promises))]
    return "\n".join(lines) + "\n"


def _chapter(file: Path, promises: list[Promise]) -> Iterator[str]:
    title, _, _ = (inspect.getdoc(inspect.getmodule(promises[0].check)) or "").partition(":")
    yield f"## {title}"
    yield ""
    yield f"In [{file}](../../{file})."
    yield ""
    yield from table(
        ("id", "promise", "function"), ((each.id, each.says, f"`{each.check.__name__}`") for each in promises)
    )


def _file(promise: Promise) -> Path:
    return Path(inspect.getfile(promise.check)).relative_to(_ROOT)
