"""JSON in one reading: the table of section 1, as far as it is about JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.strictjson import Json, dump, is_zero, parse, parse_object
from ds01.domain.dockerpolicy.verdict import RefusedError


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b'{"HostConfig":{"Privileged":true},"HostConfig":{}}', "json.duplicate"),
        (b'{"a":{"b":1,"b":2}}', "json.duplicate"),
        (b'{"a":1,"\\u0061":2}', "json.duplicate"),
        (b'{"Image":"bb"}{"HostConfig":{}}', "json.syntax"),
        (b'{"Image":"bb"}xyz', "json.syntax"),
        (b'{"Image":"b\xffb"}', "json.encoding"),
        (b"\xef\xbb\xbf{}", "json.encoding"),
        ('{"Image":"bb"}'.encode("utf-16"), "json.encoding"),
        ('{"Image":"bb"}'.encode("utf-16-le"), "json.syntax"),
        (b'{"a":"\\ud800"}', "json.surrogate"),
        (b'["\\ud800\\ud800"]', "json.surrogate"),
        (b'{"\\udc00":1}', "json.surrogate"),
        (b"[" * 100_000 + b"]" * 100_000, "json.nesting"),
        (b'{"a":' * 1000 + b"1" + b"}" * 1000, "json.nesting"),
        (b"9" * 30, "json.number"),
        (b"9223372036854775808", "json.number"),
        (b'{"Memory":1.0}', "json.number"),
        (b'{"Memory":1e3}', "json.number"),
        (b"NaN", "json.number"),
        (b"-Infinity", "json.number"),
        (b'{"a":1,}', "json.syntax"),
        (b"{'a':1}", "json.syntax"),
        (b'{"a":"x\ny"}', "json.syntax"),
        (b"01", "json.syntax"),
    ],
)
def test_c3_c6_c7_c11_c21_p5_p18_two_readings_are_none(data: bytes, rule: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse(data)
    assert (caught.value.rule, caught.value.status) == (rule, 400)


@pytest.mark.parametrize(("data", "rule"), [(b"", "json.empty"), (b" \n", "json.empty"), (b"[]", "json.object")])
def test_p8_a_create_without_a_body_is_none(data: bytes, rule: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse_object(data)
    assert caught.value.rule == rule


def test_brackets_in_texts_are_no_nesting() -> None:
    assert parse(json.dumps({"a": "[" * 500 + '\\"' + "]" * 500}).encode()) == {"a": "[" * 500 + '\\"' + "]" * 500}


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":[' + b"0," * 20_000 + b"0]}",
        b'{"a":[' + b"{}," * 20_000 + b"{}]}",
        b'{"a":["' + b'\\"","' * 100_000 + b'"]}',
        b'{"a":{"a\\\\":0' + b',"":0' * 20_000 + b"}}",
        b'{"a":["\\\\",' + b"0," * 20_000 + b'"\\""]}',
    ],
    ids=["numbers", "objects", "texts", "keys", "among texts"],
)
def test_d16_a_body_with_very_many_values_is_refused_before_they_are_made(data: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        parse_object(data)
    assert caught.value.rule == "json.values"


def test_what_is_in_texts_are_no_values() -> None:
    texts = ["," * 10_000, '"' * 10_000, "\\" * 9_999, '\\"[{,' * 10_000, ""] * 2
    assert parse_object(json.dumps({"a": texts, ",": 1}).encode()) == {"a": texts, ",": 1}
    many = {"Cmd": ["x"] * 16_000, "Labels": {str(number): "" for number in range(3_900)}}
    assert parse_object(json.dumps(many).encode()) == many


def test_d16_a_text_that_does_not_end_is_read_once() -> None:
    """Where each quote in it was tried as a beginning of its own, this took hours."""
    for text in (b'\\"' * 500_000, b"\\\\" * 500_000, b'\\"[' * 300_000):
        with pytest.raises(RefusedError, match="no JSON value"):
            parse_object(b'{"a":[' + b"[]," * 50 + b'"' + text)


def test_pairs_of_surrogates_are_characters() -> None:
    assert parse(b'"\\ud83d\\ude00"') == "\U0001f600"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_we_write_we_read_again(value: Json) -> None:
    assert parse(dump(value)) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize("value", [None, False, 0, "", [], {}, {"a": [0, ""]}, [None], {"Name": "", "Count": 0}])
def test_what_says_nothing_is_zero(value: Json) -> None:
    assert is_zero(value)


@pytest.mark.parametrize("value", [True, 1, -1, "0", [1], {"a": {"b": True}}])
def test_what_says_something_is_not(value: Json) -> None:
    assert not is_zero(value)
