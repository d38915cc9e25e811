"""docs/explanation/concepts.md: the pages of ``ds01 help``, in the order in which one meets the ideas."""

from __future__ import annotations

from dev.docs import troubleshooting
from ds01.cli import topics

NAME = "../explanation/concepts.md"
FIRST = ("start", "images", "containers", "workspaces", "python", "projects", "gpus", "queue", "lifecycle", "time")


def page() -> str:
    """The page."""
    names = [*FIRST, *(name for name in topics.names() if name not in (*FIRST, troubleshooting.TOPIC))]
    head = [
        "# Ideas",
        "",
        "The pages of `ds01 help`, which has them on the server without a network. Written by `make docs` from",
        "`src/ds01/cli/pages`; [when something is wrong](../howto/troubleshooting.md) is one of them.",
        "",
        *(f"- [{_title(name)}](#{_anchor(_title(name))}): {topics.summary(name)}" for name in names),
    ]
    return "\n".join(head) + "\n" + "".join(f"\n{_deeper(topics.source(name)).strip()}\n" for name in names)


def _title(name: str) -> str:
    return topics.source(name).splitlines()[0].lstrip("# ")


def _anchor(title: str) -> str:
    return "".join(letter for letter in title.lower().replace(" ", "-") if letter.isalnum() or letter == "-")


def _deeper(text: str) -> str:
    """A page as a chapter: its headings one level further down."""
    return "\n".join(f"#{line}" if line.startswith("#") else line for line in text.splitlines())
