"""What ``--array`` may say."""

from __future__ import annotations

import pytest

from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.jobs.array import indexes, shown


@pytest.mark.parametrize(
    ("text", "expected", "most"),
    [
        ("0-3", (0, 1, 2, 3), None),
        ("7", (7,), None),
        ("1,3,7", (1, 3, 7), None),
        ("0-20:5", (0, 5, 10, 15, 20), None),
        ("0-9%2", tuple(range(10)), 2),
        ("5, 1-2%1", (1, 2, 5), 1),
    ],
)
def test_indexes_are_read(text: str, expected: tuple[int, ...], most: int | None) -> None:
    assert indexes(text) == (expected, most)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "'' is no index and no range"),
        ("a-b", "'a-b' is no index and no range"),
        ("-1", "'-1' is no index and no range"),
        ("3-1", "'3-1' has nothing in it"),
        ("0-9:0", "'0-9:0' has nothing in it"),
        ("1,1", "an index is in it twice"),
        ("0-1000", "an array has at most 1000 tasks"),
        ("0-999999999", "indexes go up to 99999"),
        ("0-999,2000", "an array has at most 1000 tasks"),
        (",".join(["0-999"] * 20_000), "an array has at most 1000 tasks"),
        ("0-9%" + "9" * 5000, "after % comes how many at once, not '9999"),
        ("0-9%", "after % comes how many at once, not ''"),
        ("0-9%x", "after % comes how many at once, not 'x'"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, why: str) -> None:
    with pytest.raises(Ds01Error) as caught:
        indexes(text)
    assert caught.value.kind is BAD_REQUEST
    assert why in caught.value.problem.message


def test_indexes_are_shown_as_people_write_them() -> None:
    assert shown((0, 1, 2, 3)) == "0-3"
    assert shown((1, 3, 7)) == "1, 3, 7"
    assert shown((4,)) == "4"
    assert shown(tuple(range(0, 100, 5))) == "0, 5, 10, 15, 20, 25, 30, 35, … 95"
