"""Name filters match what Go's expressions match, and never take long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.namepattern import NamePatterns
from tests.effort import not_for_hours

ATOMS = st.sampled_from(["a", "b", "web", ".", "\\.", "\\d", "[a-c]", "[^a]", "_", "-", "/", "\\w"])
PARTS = st.tuples(ATOMS, st.sampled_from(["", "", "?", "*", "+"])).map("".join)
PATHS = st.tuples(st.sampled_from(["", "^"]), st.lists(PARTS, max_size=5).map("".join), st.sampled_from(["", "$"]))
PATTERNS = st.lists(PATHS.map("".join), min_size=1, max_size=3).map("|".join)


@given(PATTERNS, st.text("abcwe._-/0123", max_size=12))
def test_it_matches_what_an_expression_matches(pattern: str, name: str) -> None:
    expected = any(re.search(pattern, text) for text in (name, f"/{name}"))
    assert NamePatterns([pattern]).find(name) is expected


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [("^/?web$", "web", True), ("^/web$", "web", True), ("^/?web$", "web2", False), ("web_\\d+", "my_web_12", True),
     ("^(a)$", "a", None), ("a{2}", "aa", None), ("(", "a", None), ("[", "a", None), ("", "anything", True)],
)  # fmt: skip
def test_what_people_write(pattern: str, name: str, fits: bool | None) -> None:
    if fits is None:
        with pytest.raises(ValueError, match="not served"):
            NamePatterns([pattern])
    else:
        assert NamePatterns([pattern]).find(name) is fits


def test_p18_no_pattern_takes_long() -> None:
    """Python's own matcher would be busy with the first one for ages, and with many a walk through each would be."""
    many = NamePatterns([".*" * 10 + "x"] * 90)
    with not_for_hours():
        assert not NamePatterns(["a*" * 100 + "b$"]).find("a" * 128)
        assert [many.find("y" * 103) for _ in range(200)] == [False] * 200


@given(st.lists(PATTERNS, min_size=1, max_size=4), st.text("abcwe._-/0123", max_size=12))
def test_of_many_filters_one_that_finds_is_enough(patterns: list[str], name: str) -> None:
    assert NamePatterns(patterns).find(name) is any(NamePatterns([each]).find(name) for each in patterns)
