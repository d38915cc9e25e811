"""Concept pages, readable without a network: one Markdown file each, in ``pages/``.

Only the little Markdown they use is understood: headings, paragraphs, lists, links, stress and indented examples.
"""

from __future__ import annotations

import os
import re

from ds01.cli.style import Style, wrap

_SHORT, _MANY = 2, 3
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")
_STRESSED = re.compile(r"\*(\w[\w ]*:?)\*")
_FOLDER = os.path.join(os.path.dirname(__file__), "pages")


def names() -> tuple[str, ...]:
    """Every topic, sorted."""
    return tuple(sorted(name.removesuffix(".md") for name in os.listdir(_FOLDER) if name.endswith(".md")))


def source(topic: str) -> str:
    """A page as written. Raises FileNotFoundError."""
    with open(os.path.join(_FOLDER, f"{topic}.md"), encoding="utf-8") as file:
        return file.read()


def about(word: str) -> tuple[str, ...]:
    """The topics whose page has this word, those that have it most often first; a few are enough."""
    counts = {topic: source(topic).lower().count(word.lower()) for topic in names()} if len(word) > _SHORT else {}
    return tuple(sorted((topic for topic, count in counts.items() if count), key=lambda topic: -counts[topic])[:_MANY])


def summary(topic: str) -> str:
    """The page's first sentence below its heading."""
    paragraphs = [part for part in source(topic).split("\n\n") if not part.startswith("#")]
    return _bare(" ".join(paragraphs[0].split()).split(". ")[0].removesuffix(".") + ".")


def page(topic: str, style: Style) -> list[str]:
    """A page for the terminal."""
    lines: list[str] = []
    for block in source(topic).strip().split("\n\n"):
        lines += [""] if lines else []
        lines += _block(block, style)
    return lines


def _block(block: str, style: Style) -> list[str]:
    if block.startswith("#"):
        return [style("cyan", block.lstrip("# "))]
    if block.startswith("    "):
        return [style("bold", line) for line in block.splitlines()]
    if block.startswith("- "):
        items = block[2:].split("\n- ")
        return [line for item in items for line in wrap(_bare(item), style.width, indent="  - ", hanging="    ")]
    return wrap(_bare(block), style.width)


def _bare(text: str) -> str:
    return _STRESSED.sub(r"\1", _LINK.sub(r"\1", text.replace("**", ""))).replace("`", "")
