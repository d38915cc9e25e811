"""Rosters: everybody on them, or every mistake with its line."""

from __future__ import annotations

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.bookings.roster import read, refused
from ds01.domain.errors import BAD_ROSTER, Ds01Error


@pytest.mark.parametrize(
    "text",
    [
        "alice\nbob@lab.lan\n", "login\nalice\nbob@lab.lan", "name,login\nAlice A,alice\nBob B,bob@lab.lan\n",
        "\ufeffLogin;Name\r\nalice;Alice\r\nbob@lab.lan;Bob\r\n", "# ML 101\n\nalice\n  \nbob@lab.lan\n",
        'user\tnote\nalice\t"a, b"\nbob@lab.lan\t\n', ' alice , x \n"bob@lab.lan",y',
    ],
)  # fmt: skip
def test_rosters_as_people_have_them(text: str) -> None:
    assert [one.login for one in read(text)] == ["alice", "bob@lab.lan"]


def test_every_mistake_is_told_with_its_line() -> None:
    with pytest.raises(Ds01Error) as caught:
        read("login,name\nalice,A\n,B\nalice,C\na lice,D\nbob,E\n", "ml101.csv")
    assert caught.value.kind is BAD_ROSTER
    problem = caught.value.problem
    assert problem.message == "ml101.csv cannot be used: 3 mistakes."
    assert problem.reason == (
        "Line 3: no login in column 1. Line 4: 'alice' is on line 2 already. Line 5: 'a lice' is no login."
    )


@pytest.mark.parametrize("text", ["", "\n\n", "# nobody\n", "login\n"])
def test_a_roster_with_nobody_on_it_is_refused(text: str) -> None:
    with pytest.raises(Ds01Error, match="1 mistake"):
        read(text)


def test_a_hundred_mistakes_are_a_few_and_a_number() -> None:
    problem = refused("r.csv", [f"line {number}: no login" for number in range(100)]).problem
    assert problem.reason.endswith("Line 19: no login. And 80 more.")


@given(
    st.lists(st.from_regex(r"[a-z][a-z0-9.-]{0,9}(@lab\.lan)?", fullmatch=True), min_size=1, max_size=9, unique=True)
)
def test_what_a_spreadsheet_writes_is_read(logins: list[str]) -> None:
    for separator in ",;\t":
        out = io.StringIO()
        rows = csv.writer(out, delimiter=separator)
        rows.writerow(["Name", "Login"])
        rows.writerows([f"No. {number}", login] for number, login in enumerate(logins))
        assert [one.login for one in read(out.getvalue())] == logins


@given(st.text())
def test_any_text_is_a_roster_or_a_sentence(text: str) -> None:
    with suppress(Ds01Error):
        assert read(text)
