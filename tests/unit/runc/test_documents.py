"""The guard's own reading and writing of JSON is that of ``json``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.runc.documents import parse, read_json, write_json, written
from ds01.runc.refusal import RefusedError

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)


@given(JSON)
def test_what_is_written_is_read_again_by_either(data: object) -> None:
    assert json.loads(written(data)) == data
    assert parse(json.dumps(data)) == data
    assert parse(f" \n{json.dumps(data, indent=2, ensure_ascii=False)}\t ") == data


@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsn \n\\u', max_size=30))
def test_what_json_refuses_is_refused(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=lambda name: json.loads(name[:0]))
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            parse(text)
    else:
        assert parse(text) == expected


@pytest.mark.parametrize("text", ["", "{", "{} {}", "nan", "NaN", "Infinity", '{"a": 1,}', "\ufeff{}", '"\n"'])
def test_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


def test_only_what_json_has_is_written() -> None:
    for data in ({"a": {1}}, [float("nan")], {("a",): 1}):
        with pytest.raises((TypeError, ValueError)):
            written(data)


def test_a_file_holds_one_object(tmp_path: Path) -> None:
    path = str(tmp_path / "config.json")
    write_json(path, {"ä": ["\x00", 1]})
    assert read_json(path) == {"ä": ["\x00", 1]}
    Path(path).write_text("[]")
    with pytest.raises(RefusedError, match="no object"):
        read_json(path)
