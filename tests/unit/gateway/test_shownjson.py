"""JSON of the engine: the quick library and Python's own agree, also about what only one of them can say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.gateway import shownjson

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(VALUES)
def test_what_is_written_reads_the_same_for_everybody(value: Any) -> None:
    written = shownjson.write(value)
    assert json.loads(written) == shownjson.load(written) == value


@pytest.mark.parametrize("text", ['"\\ud800"', "[18446744073709551616]", '{"a": "\\udfff"}'])
def test_what_the_library_cannot_say_is_said_by_python(text: str) -> None:
    value = json.loads(text)
    assert json.loads(shownjson.write(value)) == value


@pytest.mark.parametrize("data", [b"NaN", b'"\\ud800"'])
def test_what_the_library_does_not_read_python_reads(data: bytes) -> None:
    assert repr(shownjson.load(data)) == repr(json.loads(data))


@pytest.mark.parametrize("data", [b"", b"{", b"{}{}", b"\xff"])
def test_no_json_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        shownjson.load(data)
