"""Name filters match what Go's expressions match, and never take long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.namepattern import NamePattern

ATOMS = st.sampled_from(["a", "b", "web", ".", "\\.", "\\d", "[a-c]", "[^a]", "_", "-", "/", "\\w"])
PARTS = st.tuples(ATOMS, st.sampled_from(["", "", "?", "*", "+"])).map("".join)
PATHS = st.tuples(st.sampled_from(["", "^"]), st.lists(PARTS, max_size=5).map("".join), st.sampled_from(["", "$"]))
PATTERNS = st.lists(PATHS.map("".join), min_size=1, max_size=3).map("|".join)


@given(PATTERNS, st.text("abcwe._-/0123", max_size=12))
def test_it_matches_what_an_expression_matches(pattern: str, name: str) -> None:
    expected = any(re.search(pattern, text) for text in (name, f"/{name}"))
    assert NamePattern(pattern).fits(name) is expected


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [("^/?web$", "web", True), ("^/web$", "web", True), ("^/?web$", "web2", False), ("web_\\d+", "my_web_12", True),
     ("^(a)$", "a", None), ("a{2}", "aa", None), ("(", "a", None), ("[", "a", None), ("", "anything", True)],
)  # fmt: skip
def test_what_people_write(pattern: str, name: str, fits: bool | None) -> None:
    if fits is None:
        with pytest.raises(ValueError, match="not served"):
            NamePattern(pattern)
    else:
        assert NamePattern(pattern).fits(name) is fits


def test_p18_no_pattern_takes_long() -> None:
    """Python's own matcher would be busy with this one for ages."""
    assert not NamePattern("a*" * 100 + "b$").fits("a" * 128)
