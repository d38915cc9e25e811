"""The engine's lists, a row at a time, however they come and whatever is in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ds01.gateway.rows import REST_BYTES, ROW_BYTES, Lists, Rows
from ds01.gateway.upstream import UpstreamError

VALUES = st.recursive(
    st.none() | st.integers() | st.text(st.sampled_from('{}[],:"\\\nxé'), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def cut(data: bytes, size: int = 65536) -> list[Any]:
    reader = Rows()
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    return [json.loads(row) for piece in pieces for row in reader.feed(piece)]


@given(st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), max_size=5), st.integers(1, 40))
def test_every_row_is_found_whole(rows: list[dict[str, Any]], size: int) -> None:
    for data in (json.dumps(rows), json.dumps(rows, ensure_ascii=False, indent=1)):
        assert cut(data.encode() + b"\n", size) == rows


@pytest.mark.parametrize("long", ["x" * (2 * ROW_BYTES), '"}]{[\\' * ROW_BYTES])
def test_e33_a_row_without_end_keeps_nobody_from_the_others(long: str) -> None:
    rows = [{"Id": 1}, {"Id": 2, "Labels": {"a": long}, "more": [{}]}, {"Id": 3}]
    assert [row["Id"] for row in cut(json.dumps(rows).encode())] == [1, 3]


def test_e33_what_was_read_is_not_kept() -> None:
    reader = Rows()
    row = json.dumps({"Id": "x" * 1000}).encode()
    assert sum(len([*reader.feed(mark + row)]) for mark in [b"[", *[b","] * 4999]) == 5000
    assert len(reader._held) < 10


def lists(data: bytes, size: int = 65536) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Every list's rows, and what else the object says."""
    reader, found = Lists(), dict[str, list[Any]]()
    for at in range(0, len(data), size):
        for row in reader.feed(data[at : at + size]):
            found.setdefault(reader.name, []).append(json.loads(row))
    if not reader.whole:
        raise UpstreamError("cut short")
    return found, reader.rest()


ROWS = st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), max_size=4)
PLAIN = st.none() | st.integers() | st.text(st.sampled_from('{}[],:"\\\nxé'), max_size=8)


@example({"A": [], "B": [{}], "C": None, "D": [], "E": [{}, {}]}, 7)
@example({"A": '"B":[', "B": [{"x": '"C":['}]}, 40)
@given(st.dictionaries(st.sampled_from("ABCDE"), ROWS | PLAIN, max_size=5), st.integers(1, 40))
def test_every_row_of_an_object_of_lists_is_found_in_its_list(answer: dict[str, Any], size: int) -> None:
    wanted = {name: rows for name, rows in answer.items() if isinstance(rows, list) and rows}
    for data in (json.dumps(answer), json.dumps(answer, ensure_ascii=False, indent=1)):
        found, rest = lists(data.encode() + b"\n", size)
        assert found == wanted
        assert rest == {name: [] if name in wanted else value for name, value in answer.items()}


@pytest.mark.parametrize(
    "answer",
    ['{"A":[{}],"B":[{}]', '{"A":[{}]', '{"A":[{"x":"', "", "[[{}]]", "[{}]", "{}{}", '{"A":[{}],"B":5', '{"A":[1,{}]}',
     '{"A":[{},1]}', '{"A":[1]}', '{"A":["x"]}', '{"A":{"x":1}}', '{"A":{"x":{}}}', '{"A":[,{}]}', '{"A":[{},]}',
     '{"A":[{} {}]}', '{"A":[{}],[{}]}', '{"A":[{}}', '{[{}]}', '{"A" [{}]}'],
)  # fmt: skip
def test_what_is_no_object_of_lists_is_told(answer: str) -> None:
    for size in (1, 65536):
        with pytest.raises(UpstreamError):
            lists(answer.encode(), size)


def test_e33_what_stands_beside_rows_is_bounded() -> None:
    for long in ("x" * REST_BYTES, '"}]{[\\' * REST_BYTES):
        with pytest.raises(UpstreamError, match="too large"):
            lists(json.dumps({"A": long, "B": [{}]}).encode())
