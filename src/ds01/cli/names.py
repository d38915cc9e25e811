"""The names DS01's command line is installed under: ``ds01``, one for every noun, and every ``noun-verb``.

They are entry points of the package, all the same program. A test keeps the list in ``pyproject.toml`` equal to this
one; run ``python -m ds01.cli.names`` for the lines to put there.
"""

from __future__ import annotations

import sys

from ds01.cli import tree

TARGET = "ds01.cli.main:main"
NOUNS = ("container", "image", "project", "user")
"""The nouns users of such servers type as programs of their own."""


def programs() -> tuple[str, ...]:
    """Every program name, sorted behind ``ds01``."""
    forms = [f"{noun}-{verb}" for noun in NOUNS if tree.is_group(noun) for verb in tree.members(noun)]
    short = [name for name in tree.SAME if "-" in name]
    return ("ds01", *sorted({*(noun for noun in NOUNS if tree.is_group(noun)), *forms, *short}))


def lines() -> str:
    """The entry points as ``pyproject.toml`` has them."""
    return "".join(f'{name} = "{TARGET}"\n' for name in programs())


if __name__ == "__main__":
    sys.stdout.write(lines())
