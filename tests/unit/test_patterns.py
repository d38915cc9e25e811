"""Patterns mean the same on every Python that DS01 runs on."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import ds01

_ESCAPED = re.compile(r"\\.", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")
_POSSESSIVE = re.compile(r"[*+?}]\+|\(\?>")


def is_possessive(pattern: str) -> bool:
    """Whether a part of it keeps what it has matched."""
    return _POSSESSIVE.search(_CLASS.sub("c", _ESCAPED.sub("e", pattern))) is not None


def patterns() -> Iterator[tuple[str, str]]:
    """Each module's own, as text."""
    for found in pkgutil.walk_packages(ds01.__path__, "ds01."):
        if found.name.endswith("__main__") or ".migrations." in found.name:
            continue
        for name, value in vars(importlib.import_module(found.name)).items():
            if isinstance(value, re.Pattern):
                text = value.pattern
                yield f"{found.name}.{name}", text.decode("latin-1") if isinstance(text, bytes) else text


@pytest.mark.parametrize("pattern", ["a*+", "(?:a|b)++", "a?+b", "a{2}+", "(?>a)"])
def test_possessive_ones_are_found(pattern: str) -> None:
    assert is_possessive(pattern)


def test_none_is_possessive() -> None:
    """Python before 3.11.5, and so Debian 12's, matches them wrongly: what is refused elsewhere may pass there."""
    found = dict(patterns())
    assert len(found) > 100
    assert [name for name, text in found.items() if is_possessive(text)] == []
