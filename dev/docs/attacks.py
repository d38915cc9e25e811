"""docs/reference/attacks.md: every attack that is tried, from the table that the tests are held against."""

from __future__ import annotations

from dev.attacks import ATTACKS, SECTIONS
from dev.docs import table

NAME = "attacks.md"


def page() -> str:
    """The page."""
    lines = [
        "# Attacks",
        "",
        "Written by `make docs` from `dev/attacks.py`. Every row is tried as an ordinary user of the server on a real",
        "engine, in several variants, and judged by what became of it; the tests carry its id in their names.",
        "`python -m dev.attacks` lists them, and a row without a test fails the tests.",
    ]
    for section, title in SECTIONS.items():
        rows = [(a.id, a.what, a.becomes) for a in ATTACKS if a.id.startswith(section)]
        lines += ["", f"## {title}", "", *table(("id", "attack", "what becomes of it"), rows)]
    return "\n".join(lines) + "\n"
