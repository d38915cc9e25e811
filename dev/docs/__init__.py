"""The reference pages that are made from the code, so that they cannot disagree with it.

Every module here is one page: ``NAME`` is its file in docs/reference, ``page()`` its text. ``make docs`` writes them
all; a test fails when a committed page is not what the code says.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent.parent / "docs/reference"


def pages() -> Iterator[tuple[Path, str]]:
    """Every page with the text it should have."""
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__)):
        if module != "__main__":
            page = importlib.import_module(f"{__name__}.{module}")
            yield FOLDER / page.NAME, page.page()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table. Bars in cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
