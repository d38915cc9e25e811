"""How heavy an image may be: the engine keeps everybody's configurations, and lists everybody's labels to each.

One image with very much in it, or many with much, would make every list of images a long one, for all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ds01.domain.dockerpolicy.verdict import malformed
from ds01.domain.quantity import show_size

LABELS = 64 * 1024
"""Bytes of all labels of one image, or of one container, as the engine writes them."""

LABELS_TOGETHER = 4 * 1024 * 1024
"""The same of all images of one person."""

COMMAND = 256 * 1024
"""Bytes of a container's command with its entrypoint: room for ten thousand names of files. The engine lists all of it.
"""

VARIABLE = 32 * 1024
"""Characters of one variable of an image."""

CONFIG = 256 * 1024
"""Bytes of what an image says of its containers: variables, labels, command, volumes and the rest."""

_ESCAPED = "<>&"
"""What Go writes as six characters, and Python as one."""


def size(value: Any) -> int:
    """How long something is as the engine writes it."""
    text = json.dumps(value, ensure_ascii=False)
    return len(text.encode("utf-8", "surrogatepass")) + 5 * sum(map(text.count, _ESCAPED))


def check_labels(rule: str, labels: Mapping[str, object]) -> None:
    """Raise RefusedError when these labels are too long together."""
    if size(labels) > LABELS:
        raise malformed(rule, f"The labels are longer than {show_size(LABELS)} together", "Write it into a file.")
