"""What .dockerignore leaves out, as Docker means it."""

from __future__ import annotations

import posixpath
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ds01.domain.ignore import ignore
from tests.effort import not_for_hours, tries


@pytest.mark.parametrize(
    ("text", "path", "out"),
    [
        ("data", "data", True),
        ("data", "data/raw/a.csv", True),
        ("data", "src/data", False),
        ("/data/", "data/a", True),
        ("**/data", "src/data/a", True),
        ("**/data", "data", True),
        ("*.pt", "model.pt", True),
        ("*.pt", "models/model.pt", False),
        ("**/*.pt", "models/deep/model.pt", True),
        ("models/**", "models/a", True),
        ("models/**", "models", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].txt", "b.txt", True),
        ("a\\*b", "a*b", True),
        ("a\\*b", "axb", False),
        ("# comment", "# comment", False),
        ("*\n!README.md", "README.md", False),
        ("*\n!README.md", "src", True),
        ("data\n!data/small", "data/small/x", False),
        ("data\n!data/small\ndata/small/x", "data/small/x", True),
        ("./src/../data", "data/a", True),
        ("a.b", "axb", False),
        ("", "anything", False),
        ("\n  data  \n", "data", True),
        (".git", ".gitignore", False),
    ],
)
def test_the_last_matching_line_wins(text: str, path: str, out: bool) -> None:
    assert ignore(text).ignores(path) is out


def test_an_ignored_folder_is_entered_only_for_what_is_taken_back() -> None:
    assert ignore("data").prunes("data")
    assert not ignore("data\n!data/small").prunes("data")
    assert not ignore("x").prunes("data")


def test_many_wildcards_keep_nobody_waiting() -> None:
    with not_for_hours():
        assert not ignore("*a" * 40 + "b").ignores("a" * 200)
        assert ignore("*a" * 40 + "\n**" + "/**/a" * 20).ignores("a" * 200)
        assert not ignore("\n".join(["[a-a]*[a-a]*[a-a]*[a-a]*x"] * 999)).ignores("a" * 255)
        assert not ignore("\n".join(["**/*" * 8 + "x"] * 900)).ignores("a/" * 120 + "a")


EXPRESSIONS = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
LINES = ("a", "*", "a/*", "**/b", "a/**", "a?", "[ab]", "a/b", "**/*b*")
PATHS = ("a", "b", "a/b", "ab", "a/bb/b", "c", "c/b/a")


@settings(max_examples=tries(300))
@given(
    st.lists(st.sampled_from(["**/", "**", "*", "?", "[ab]", "a", "b", "/", "\\*"]), max_size=6),
    st.text("ab/*", max_size=8),
)
def test_a_line_matches_as_an_expression_does(pieces: list[str], path: str) -> None:
    """With a letter around both, so that neither is changed by being read."""
    text, parts = f"b{''.join(pieces)}b", f"b{path}b".split("/")
    assume(posixpath.normpath(text) == text)
    read = re.findall(r"\*\*/|\*\*|\\.|\[ab\]|.", text)
    expression = re.compile("".join(EXPRESSIONS.get(piece, piece) for piece in read))
    folders = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    assert ignore(text).ignores("/".join(parts)) is any(expression.fullmatch(each) is not None for each in folders)


@settings(max_examples=tries(200))
@given(st.lists(st.tuples(st.booleans(), st.sampled_from(LINES)), min_size=1, max_size=6), st.sampled_from(PATHS))
def test_of_many_lines_the_last_that_matches_wins(lines: list[tuple[bool, str]], path: str) -> None:
    whole = ignore("\n".join("!" * kept + text for kept, text in lines))
    matching = [kept for kept, text in lines if ignore(text).ignores(path)]
    assert whole.ignores(path) is (matching != [] and not matching[-1])
