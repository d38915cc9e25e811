"""What is said twice is read once, and nothing is passed over that was said once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.dockerpolicy import twice
from ds01.domain.dockerpolicy.query import Rules, anything, grace, judge, lines
from ds01.domain.dockerpolicy.verdict import RefusedError

RULES = Rules(
    one={"t": grace, "signal": anything}, many={"changes": lines}, filters=frozenset({"label"}),
    ignored=frozenset({"hijack"}),
)  # fmt: skip
NAMES = ("t", "signal", "changes", "filters", "hijack")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2), max_leaves=4,
)  # fmt: skip


def refused(body: bytes, rules: Rules = RULES) -> str:
    """The rule by which a body is refused where none is taken."""
    try:
        twice.check_none(body, rules)
    except RefusedError as error:
        return error.rule if error.status == 400 else ""
    return ""


def test_every_parameter_of_a_request_has_a_name() -> None:
    assert set(NAMES) == RULES.names


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_parameters_said_again_are_passed_over_whatever_they_say(body: dict[str, object]) -> None:
    assert refused(json.dumps(body).encode()) == ""


@given(st.dictionaries(st.sampled_from(NAMES), VALUES), st.text(max_size=8).filter(lambda name: name not in NAMES))
def test_one_member_more_is_refused(body: dict[str, object], other: str) -> None:
    assert refused(json.dumps(body | {other: 1}).encode()) in ("body.none", "json.surrogate")


@given(VALUES.filter(lambda value: value is not None and not isinstance(value, dict)))
def test_what_is_no_object_is_refused(value: object) -> None:
    assert refused(json.dumps(value).encode()) in ("json.object", "json.surrogate")


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b'{"t": 5, "t": 6}', "json.duplicate"),
        (b'{"T": 5}', "body.none"),
        (b'{"\\u0074x": 5}', "body.none"),
        (b'{"HostConfig": {"Privileged": true}}', "body.none"),
        (b'{"t": 5} {"t": 5}', "json.syntax"),
        (b'{"t": 5}x', "json.syntax"),
        (b'{"t": NaN}', "json.number"),
        (b'\xef\xbb\xbf{"t": 5}', "json.encoding"),
        (b'{"t": "\xff"}', "json.encoding"),
        (b'{"t": ' + b"[" * 90 + b"]" * 90 + b"}", "json.nesting"),
        (b"t=5", "json.syntax"),
        (b"ustar", "json.syntax"),
        (b"\x1f\x8b\x08", "json.encoding"),
    ],
)  # fmt: skip
def test_what_can_be_read_otherwise_is_refused(body: bytes, rule: str) -> None:
    assert refused(body) == rule


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b" {}\r\n"])
def test_nothing_is_nothing(body: bytes) -> None:
    assert refused(body, Rules()) == ""


def test_a_request_without_parameters_has_none_to_say_again() -> None:
    assert refused(b'{"t": 5}', Rules()) == "body.none"


def test_a_body_is_read_without_the_parameters_that_are_in_it() -> None:
    query = judge("t=5&Image=a&Cmd=a&Cmd=b", RULES, body=True)
    assert twice.own({"Image": "x", "Cmd": [], "t": 5}, query, RULES) == {"Image": "x", "Cmd": []}


@pytest.mark.parametrize("raw", ["Image=a", "image=a", "remote=x", "filters=x&Cmd=b"])
def test_a_parameter_that_only_the_query_has_is_refused(raw: str) -> None:
    with pytest.raises(RefusedError, match="is not served here"):
        twice.own({"Cmd": []}, judge(raw, Rules(one={"t": grace}), body=True), Rules())


def test_unknown_parameters_are_refused_at_once_where_there_is_no_body() -> None:
    with pytest.raises(RefusedError) as refusal:
        judge("Image=a", RULES)
    assert refusal.value.rule == "query.unknown"
