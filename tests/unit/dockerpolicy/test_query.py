"""Queries: read once, judged by name, written anew."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.query import (
    FILTERS,
    FILTERS_LENGTH,
    TIME,
    Reader,
    Rules,
    anything,
    flag,
    grace,
    judge,
    matching,
    number,
    one_of,
    render,
)
from ds01.domain.dockerpolicy.verdict import RefusedError

RULES = Rules(
    one={"all": flag, "limit": number, "since": TIME, "name": anything, "signal": matching("[A-Z]+", "a signal")},
    many={"t": anything},
    filters=frozenset({"label", "id"}),
)


def test_values_are_read_and_written_in_one_form() -> None:
    found = judge("all=true&limit=5&t=a&t=b%2Fc&name=x+y&since=1.5", RULES)
    assert found.values == {"all": ["1"], "limit": ["5"], "t": ["a", "b/c"], "name": ["x y"], "since": ["1.5"]}
    assert render(found.values) == "?all=1&limit=5&t=a&t=b%2Fc&name=x%20y&since=1.5"
    assert found.on("all")
    assert not judge("all=None", RULES).on("all")


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        ("all=1&all=0", "query.duplicate"),
        ("filters={}&filters=%7B%22id%22%3A%5B%22x%22%5D%7D&filters=%7B%22id%22%3A%5B%22x%22%5D%7D", "query.duplicate"),
        ("all=1;limit=5", "query.separator"),
        ("remote=http://x", "query.unknown"),
        ("limit=1e3", "query.value"),
        ("limit=٣", "query.value"),
        ("signal=KILL; rm", "query.separator"),
        ("signal=kill", "query.value"),
        ("name=%ff", "query.encoding"),
        ("name=%zz", "query.escape"),
        ("name=a%0d%0ab", "query.value"),
        ("name=%00", "query.value"),
        ("all=" + "x" * 99, "query.value"),
        ("filters=[]", "json.object"),
        ("filters=%7B%22id%22%3A%5B%22a%22%5D%2C%22id%22%3A%5B%22b%22%5D%7D", "json.duplicate"),
        ("filters=%7B%22volume%22%3A%5B%22a%22%5D%7D", "query.filter"),
        ("filters=%7B%22id%22%3A%22a%22%7D", "query.filter"),
        ("filters=%7B%22id%22%3A%5B1%5D%7D", "query.filter"),
        ("filters=%7B%22id%22%3A%7B%22a%22%3A1%7D%7D", "query.filter"),
    ],
)
def test_c10_c11_c12_o16_other_readings_are_refused(raw: str, rule: str) -> None:
    with pytest.raises(RefusedError) as caught:
        judge(raw, RULES)
    assert caught.value.rule == rule
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("reader", "value", "advice"),
    [
        (one_of("next-exit", "removed"), "soon", "It takes next-exit or removed."),
        (matching("[A-Z]+", "a signal like TERM"), "x", "It takes a signal like TERM."),
        (TIME, "yesterday", "It takes a time like 1772366400.5 or 2026-03-01T12:00:00Z."),
        (anything, "a\n", "Leave it out."),
    ],
)
def test_a_value_that_is_not_served_is_refused_with_those_that_are(reader: Reader, value: str, advice: str) -> None:
    with pytest.raises(RefusedError) as caught:
        reader("name", value)
    assert (caught.value.rule, caught.value.advice) == ("query.value", advice)


@pytest.mark.parametrize("raw", ["", "&", "force=0", "x=", "x=false", "filters=", "filters={}"])
def test_what_says_nothing_is_left_out(raw: str) -> None:
    found = judge(raw, RULES)
    assert (found.values, found.filters) == ({}, {})


def test_o16_both_forms_of_filters_are_one() -> None:
    lists = judge("filters=" + quote(json.dumps({"label": ["a=b"]})), RULES)
    maps = judge("filters=" + quote(json.dumps({"label": {"a=b": False}})), RULES)
    assert lists.filters == maps.filters == {"label": ["a=b"]}
    assert json.loads(dict(parse_qsl(render({}, lists.filters)[1:]))["filters"]) == {"label": {"a=b": True}}


def test_e33_filters_are_no_more_than_anybody_types() -> None:
    """Each is looked up, or compared with everything there is."""

    def asked(*values: str) -> list[str]:
        return list(judge("filters=" + quote(json.dumps({"label": list(values)})), RULES).filters["label"])

    assert len(asked(*map(str, range(FILTERS)))) == FILTERS
    assert asked("x" * FILTERS_LENGTH) == ["x" * FILTERS_LENGTH]
    for values in (map(str, range(FILTERS + 1)), ["x" * FILTERS_LENGTH, "x"]):
        with pytest.raises(RefusedError) as caught:
            asked(*values)
        assert caught.value.rule == "query.filters"


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_value_escapes_its_parameter(name: str, value: str) -> None:
    clean = "".join(c for c in value if c >= " " and c != "\x7f" and not "\ud800" <= c <= "\udfff")
    rendered = render({"name": [clean]})
    assert judge(rendered[1:], RULES).get("name") == clean
    assert judge(f"name={quote(clean)}", RULES).get("name") == clean


@pytest.mark.parametrize(("asked", "kept"), [("0", "0"), ("10", "10"), ("300", "300"), ("301", "300"), ("-1", "300"),
                                             ("9" * 18, "300")])  # fmt: skip
def test_what_runs_has_five_minutes_to_end_at_most(asked: str, kept: str) -> None:
    """An engine that waits for ever would start it again at any later time."""
    assert judge(f"t={asked}", Rules(one={"t": grace})).values == {"t": [kept]}
