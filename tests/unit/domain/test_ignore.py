"""What .dockerignore leaves out, as Docker means it."""

from __future__ import annotations

import pytest

from ds01.domain.ignore import ignore


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
