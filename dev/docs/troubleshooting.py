"""docs/howto/troubleshooting.md: the page ``ds01 help troubleshooting`` shows, with its examples as one types them."""

from __future__ import annotations

import re

from ds01.cli import topics

TOPIC = "troubleshooting"
NAME = f"../howto/{TOPIC}.md"
_EXAMPLE = re.compile(r"(?:^ {4}.+\n)+", re.MULTILINE)


def page() -> str:
    """The page."""
    head, rest = topics.source(TOPIC).split("\n\n", 1)
    of = f"`ds01 help {TOPIC}` shows this page on the server. Written by `make docs` from `src/ds01/cli/pages`."
    return f"{head}\n\n{of}\n\n{_EXAMPLE.sub(_typed, rest)}"


def _typed(example: re.Match[str]) -> str:
    lines = [f"$ {line.strip()}" for line in example[0].splitlines()]
    return "\n".join(["```console", *lines, "```", ""])
