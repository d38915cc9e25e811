"""Bookings and classes at the command line: what is asked for, said, and sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ds01.domain.errors import BOOKING_CLASH, NO_BOOKING, Ds01Error
from ds01.wire.bookings import Booked, BookingsView, BookingView
from ds01.wire.classes import ClassClosed, ClassOpened, ClassSeat, ClassView, SeatView
from ds01.wire.launches import LaunchEvent
from tests.unit.cli import values
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Asked, Daemon


def date(day: int = 1, **more: Any) -> BookingView:
    fields: dict[str, Any] = {
        "id": f"booking-{day}", "name": "tue-10-00", "owner": "anna", "kind": "own", "people": "anna",
        "asked": "2 GPUs", "begins_at": f"2026-12-{day:02}T10:00:00+01:00",
        "ends_at": f"2026-12-{day:02}T12:00:00+01:00", "state": "booked", "series": "series-1", "kept": 2,
    }  # fmt: skip
    return BookingView(**(fields | more))


def body(daemon: Daemon, path: str) -> Any:
    """What was posted there first."""
    return sent(daemon, "POST", path)[0].body


def sent(daemon: Daemon, method: str, path: str) -> list[Asked]:
    return [one for one in daemon.asked if (one.method, one.path) == (method, path)]


# booking -------------------------------------------------------------------------------------------------


def test_a_booking_is_sent_in_the_words_that_were_typed(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["POST", "/v1/bookings"] = Booked(dates=(date(),), zone="Europe/Berlin")
    ran = ds01("book", "2", "--from", "Tue 10:00", "--for", "2h", "--mem", "20G")
    assert (ran.code, ran.out) == (0, "")
    assert "Booked as tue-10-00: 2 GPUs, Tue 01 Dec 10:00-12:00." in ran.err
    posted = body(daemon, "/v1/bookings")
    assert (posted["begins"], posted["length_seconds"], posted["gpus"]) == ("Tue 10:00", 7200, "2")
    assert posted["memory_bytes"] == 20 * 1024**3


def test_all_weeks_of_a_weekly_booking_are_told_a_few_by_name(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["POST", "/v1/bookings"] = Booked(dates=tuple(date(day) for day in range(1, 30, 7)), zone="UTC")
    ran = ds01("book", "2", "--from", "Tue 10:00", "--to", "12:00", "--every", "week", "--until", "2026-12-29")
    assert "And 4 weeks more: Tue 08 Dec, Tue 15 Dec, Tue 22 Dec, Tue 29 Dec." in ran.err


def test_a_dry_run_says_that_nothing_was_booked(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["POST", "/v1/bookings"] = Booked(dates=(date(),), zone="UTC")
    ran = ds01("book", "2", "--from", "Tue 10:00", "--for", "2h", "--dry-run")
    assert "This can be booked: 2 GPUs, Tue 01 Dec 10:00-12:00. Nothing was booked." in ran.err
    assert body(daemon, "/v1/bookings")["check_only"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("2",), "When?"), (("2", "--from", "x", "--every", "week"), "has an end"),
        (("2", "--from", "x", "--until", "2026-12-18"), "weekly booking"),
        (("none", "--from", "x"), "cannot be used for 'GPUS'"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(ds01: Run, daemon: Daemon, words: tuple[str, ...], said: str) -> None:
    ran = ds01("book", *words)
    assert ran.code == 2
    assert said in ran.err
    assert daemon.asked == []


def test_a_clash_is_told_with_what_is_possible(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["POST", "/v1/bookings"] = Ds01Error(
        BOOKING_CLASH, "3 GPUs cannot be booked.", hint="The nearest possible: --from '2026-12-01 12:00'."
    )
    ran = ds01("book", "3", "--from", "Tue 10:00", "--for", "2h")
    assert ran.code == 3
    assert "The nearest possible: --from '2026-12-01 12:00'." in ran.err


def test_the_list_has_one_line_for_each_booking(ds01: Run, daemon: Daemon) -> None:
    course = date(2, id="c", name="ml101", kind="class", people="30 people", series="s2", state="on", kept=30, used=12)
    daemon.answers["GET", "/v1/bookings"] = BookingsView(
        bookings=(date(1), course, date(8), date(15)), zone="UTC", week_used="4h", week_limit="8h"
    )
    ran = ds01("bookings")
    assert [line.split()[0] for line in ran.out.splitlines()[:3]] == ["NAME", "tue-10-00", "ml101"]
    assert "to 15 Dec" in ran.out
    assert "on, 12 of 30" in ran.out
    assert "GPU time you booked this week: 4h of 8h." in ran.out
    shown = json.loads(ds01("bookings", "--json").out)
    assert len(shown["bookings"]) == 4


def test_the_calendar_is_printed_as_it_is(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/bookings/calendar"] = "BEGIN:VCALENDAR"
    assert "BEGIN:VCALENDAR" in ds01("bookings", "--ical").out


def test_cancelling_a_series_asks_and_one_date_does_not(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["DELETE", "/v1/bookings/weekly"] = Booked(dates=(date(1), date(8)), zone="UTC")
    ran = ds01("bookings", "cancel", "weekly")
    assert ran.code == 2
    assert "--yes, or --date for one" in ran.err
    assert ds01("bookings", "cancel", "weekly", "--yes").code == 0
    daemon.answers["DELETE", "/v1/bookings/weekly"] = Booked(dates=(date(8),), zone="UTC")
    ran = ds01("bookings", "cancel", "weekly", "--date", "2026-12-08")
    assert "weekly is cancelled: Tue 08 Dec 10:00-12:00. Others can have the GPUs now." in ran.err
    assert daemon.asked[-1].query["date"] == "2026-12-08"


# classes -------------------------------------------------------------------------------------------------


def opened(**more: Any) -> ClassOpened:
    course = date(1, name="ml101", kind="class", asked="2 x 1g.10gb", people="2 people")
    fields: dict[str, Any] = {
        "dates": (course,), "seats": 2, "people": 2, "image": "ds01-1001/ml101:latest", "zone": "UTC"
    }  # fmt: skip
    return ClassOpened(**(fields | more))


def test_a_roster_is_read_here_and_sent_with_its_lines(ds01: Run, daemon: Daemon, tmp_path: Path) -> None:
    daemon.answers["POST", "/v1/classes"] = opened(notes=("3 people for 2 seats: who comes first sits.",))
    roster = tmp_path / "roster.csv"
    roster.write_text("login;name\nalice;A\n\nh.baker@lab.lan;B\n")
    ran = ds01(
        "class", "open", "ml101", "--roster", str(roster), "--gpus", "1g.10gb", "--from", "Tue 10:00", "--for", "2h"
    )
    assert ran.code == 0
    assert "ml101 is open: 2 x 1g.10gb, Tue 01 Dec 10:00-12:00, for 2 people." in ran.err
    assert "Tell them to type this when it begins: ds01 launch ml101" in ran.err
    assert "who comes first sits" in ran.err
    posted = body(daemon, "/v1/classes")
    assert posted["roster"] == [{"line": 2, "login": "alice"}, {"line": 4, "login": "h.baker@lab.lan"}]
    assert posted["roster_file"] == "roster.csv"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"alice\nalice\n", "Line 2: 'alice' is on line 1 already."), (b"", "It has nobody in it."),
        (b"\xff\xfe\x00", "no UTF-8 text"), (b"#" * 1_100_000, "larger than 1M"), (None, "No such file"),
    ],
)  # fmt: skip
def test_a_bad_roster_never_leaves_the_user(
    ds01: Run, daemon: Daemon, tmp_path: Path, data: bytes | None, said: str
) -> None:
    roster = tmp_path / "roster.csv"
    if data is not None:
        roster.write_bytes(data)
    ran = ds01("class", "open", "ml101", "--roster", str(roster), "--from", "Tue 10:00", "--for", "2h")
    assert ran.code == 2
    assert said in " ".join(ran.err.split())
    assert daemon.asked == []


def room(**more: Any) -> ClassView:
    seats = (
        SeatView(login="alice", state="in", gpus=("0",), since="2026-12-01T09:00:00+00:00"),
        SeatView(login="bob", state="absent", hint="More GPU than there is."),
    )
    fields: dict[str, Any] = {
        "name": "ml101", "owner": "anna", "asked": "2 GPUs", "seats": 2, "people": 2, "image": "ds01-1001/ml101:latest",
        "next": date(1, kind="class", state="on"), "dates": 3, "zone": "UTC", "kept": 2, "used": 1, "roster": seats,
    }  # fmt: skip
    return ClassView(**(fields | more))


def test_the_instructor_s_view(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/classes/ml101"] = room(checks=("Only 1 of 2 GPUs can be had.",))
    out = ds01("class", "show", "ml101").out
    assert "On now, Tue 01 Dec 10:00-12:00: 1 of 2 seats used" in out
    assert "Only 1 of 2 GPUs can be had." in out
    assert "1 in, 1 absent. Whoever is not in types: ds01 launch ml101" in " ".join(out.split())
    plain = ds01("class", "show", "ml101", "--plain").out
    assert "\x1b" not in plain
    assert "More GPU than there is." in plain


def test_the_list_of_classes(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/classes"] = [room()]
    assert "on, 1 in" in ds01("class").out
    daemon.answers["GET", "/v1/classes"] = []
    assert "You have opened no class and are in none." in ds01("class", "list").out


def test_closing_says_what_goes_and_asks(ds01: Run, daemon: Daemon) -> None:
    closed = ClassClosed(name="ml101", retired=("alice/ml101", "bob/ml101"), dates=(date(1, kind="class"),))
    daemon.answers["DELETE", "/v1/classes/ml101"] = closed
    ran = ds01("class", "close", "ml101")
    assert ran.code == 2
    assert "2 containers: alice/ml101, bob/ml101" in ran.err
    assert "everybody's workspace" in ran.err
    assert all(one.query.get("check_only") for one in sent(daemon, "DELETE", "/v1/classes/ml101"))
    ran = ds01("class", "close", "ml101", "--yes")
    assert "ml101 is closed: 2 containers retired." in ran.err


def test_who_is_in_a_class_needs_no_project(ds01: Run, daemon: Daemon, tmp_path: Path) -> None:
    daemon.answers["GET", "/v1/classes/ml101/seat"] = ClassSeat(
        name="ml101", image="ds01-1001/ml101:latest", gpus="1g.10gb", memory_bytes=0, on=True,
        begins_at="2026-12-01T10:00:00+01:00", ends_at="2026-12-01T12:00:00+01:00",
    )  # fmt: skip
    daemon.answers["POST", "/v1/launches"] = lambda _: iter(
        [LaunchEvent(step="ready", container=values.busy("ml101"))]
    )  # fmt: skip
    assert ds01("launch", "ml101").code == 0
    posted = body(daemon, "/v1/launches")
    assert (posted["image"], posted["gpus"]) == ("ds01-1001/ml101:latest", "1g.10gb")
    assert posted["workspace"] == str(tmp_path / "workspace" / "ml101")
    assert (tmp_path / "workspace" / "ml101").is_dir()


def test_who_is_in_none_is_told_that_there_is_no_project(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/classes/other/seat"] = Ds01Error(NO_BOOKING, "You are in no class named 'other'.")
    ran = ds01("launch", "other")
    assert ran.code == 4
    assert "no project" in ran.err
