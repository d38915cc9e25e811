"""Where things stand in a TOML text."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from ds01.projects.places import Path, places
from tests.effort import tries

TEXT = '''# a comment = "not a key"
title = "x # no comment"
[image]
base = 'minimal'
python = [
    "six",  # a comment with "quotes"
    """pandas
>=2""",
]
env = { A = "1", "b c" = [1, 2] }
[run.ports]
jupyter = 8888
[[many]]
x = 1
[[many]]
x = 2
'''


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("title",), (2, 1), (2, 9)),
        (("image",), (3, 2), (3, 2)),
        (("image", "base"), (4, 1), (4, 8)),
        (("image", "python", 0), (5, 1), (6, 5)),
        (("image", "python", 1), (5, 1), (7, 5)),
        (("image", "env", "A"), (10, 9), (10, 13)),
        (("image", "env", "b c", 1), (10, 18), (10, 30)),
        (("run", "ports", "jupyter"), (12, 1), (12, 11)),
        (("many", 1, "x"), (16, 1), (16, 5)),
        (("image", "unwritten"), (3, 2), (3, 2)),
        (("nowhere",), (1, 1), (1, 1)),
    ],
)
def test_keys_and_values_have_line_and_column(path: Path, key: tuple[int, int], value: tuple[int, int]) -> None:
    found = places(TEXT)
    assert found.key(path) == key
    assert found.value(path) == value


SCALARS = st.one_of(st.text(max_size=12), st.integers(-1000, 1000), st.booleans())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _paths(value: Any, at: Path = ()) -> list[Path]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, item in items for path in [(*at, key), *_paths(item, (*at, key))]]


@settings(max_examples=tries(150), deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=5), VALUES, max_size=4))
def test_every_value_of_any_document_is_found(data: dict[str, Any]) -> None:
    text = tomlkit.dumps(data)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # the writer's own limits (bare carriage returns) are not this module's affair
    found = places(text)
    assert found.values.keys() | found.keys.keys() != set() or not data
