"""What is more than one answer of ds01d has is asked for page by page: all of it, none twice, in its order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ds01.client.daemon import EVENTS, Client
from ds01.client.pages import first_events, latest_events
from ds01.wire.jobs import JobView
from ds01.wire.pages import ROWS
from ds01.wire.status import EventView
from tests.unit.cli import values
from tests.unit.cli.daemon import Asked, Daemon, serving


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """Short path: unix sockets allow 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="ds01t") as folder, serving(Path(folder, "api.sock")) as serves:
        yield serves


def event(seq: int) -> EventView:
    return EventView(
        seq=seq, at="2026-03-02T09:00:00+00:00", type="container.started", actor="anna", user="anna", subject="x",
        outcome="done", details={}, text="anna started x.", schema=1, actor_uid=1001, uid=1001, hash="ab" * 32,
    )  # fmt: skip


def job(number: int) -> JobView:
    """The tasks of an array of five bear one number, and are as old as each other."""
    return JobView(
        name=f"x-{number}", number=number // 5, owner="anna", state="ended", text="done", told="x is done.",
        command=("true",), project="x", workspace="/w", log="/w/log", asked="", image="x", image_id="x",
        submitted_at=f"2026-03-02T09:00:00.{number // 5:06}+00:00", index=number % 5,
    )  # fmt: skip


def kept(count: int) -> Callable[[Asked], object]:
    """A ds01d with so many events, which gives no more than a page at once."""

    def answer(asked: Asked) -> object:
        limit = int(asked.query["limit"])
        assert 1 <= limit <= ROWS
        if "after" in asked.query:
            after = int(asked.query["after"])
            return [event(seq) for seq in range(after + 1, count + 1)][:limit]
        before = int(asked.query.get("before", count + 1))
        return [event(seq) for seq in range(1, before)][-limit:]

    return answer


@pytest.mark.parametrize(
    ("limit", "asked"),
    [(0, [EVENTS]), (5, [5]), (ROWS, [ROWS]), (ROWS + 1, [ROWS, 1]), (3 * ROWS, [ROWS] * 3)],
)  # fmt: skip
def test_the_latest_events_come_in_pages_backwards(daemon: Daemon, limit: int, asked: list[int]) -> None:
    daemon.answers["GET", "/v1/events"] = kept(2 * ROWS + 7)
    found = [each.seq for each in Client(str(daemon.socket)).events(limit=limit, since="2h", kind="container")]
    assert found == list(range(1, 2 * ROWS + 8))[-(limit or EVENTS) :]
    assert len(daemon.asked) == len(asked)
    assert [each.query["since"] for each in daemon.asked] == ["2h"] * len(asked)
    assert [int(each.query["limit"]) for each in daemon.asked] == asked


def test_the_first_events_after_a_number_come_in_pages_onwards(daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/events"] = kept(2 * ROWS + 7)
    found = Client(str(daemon.socket)).events(after=0, limit=5 * ROWS, since="2h", everybody=True)
    assert [each.seq for each in found] == list(range(1, 2 * ROWS + 8))
    assert [each.query["after"] for each in daemon.asked] == ["0", str(ROWS), str(2 * ROWS)]
    assert [each.query.get("since") for each in daemon.asked] == ["2h", None, None]
    assert all(each.query["all"] == "1" for each in daemon.asked)


def test_a_page_that_is_not_full_is_the_last() -> None:
    asked: list[tuple[int | None, int]] = []

    def page(where: int | None, rows: int) -> tuple[EventView, ...]:
        asked.append((where, rows))
        return ()

    assert first_events(page, 5 * ROWS) == latest_events(page, 5 * ROWS) == ()
    assert asked == [(None, ROWS)] * 2


@pytest.mark.parametrize(("limit", "asked"), [(5, [5]), (ROWS, [ROWS]), (ROWS + 2, [ROWS, 2]), (5 * ROWS, [ROWS] * 3)])
def test_the_latest_jobs_come_in_pages_and_in_their_order(daemon: Daemon, limit: int, asked: list[int]) -> None:
    """Of an array that two pages share, ds01d gives the first tasks first, as the latest."""
    every = [job(number) for number in range(2 * ROWS + 8)]
    newest = sorted(every, key=lambda one: (-one.number, one.index))

    def answer(asked: Asked) -> object:
        skip, rows = int(asked.query.get("skip", 0)), int(asked.query["limit"])
        return sorted(newest[skip : skip + rows], key=lambda one: (one.number, one.index))

    daemon.answers["GET", "/v1/jobs"] = answer
    found = Client(str(daemon.socket)).jobs(limit=limit, everybody=True)
    assert found == tuple(sorted(newest[:limit], key=lambda one: (one.number, one.index)))
    assert [int(each.query["limit"]) for each in daemon.asked] == asked
    assert all(each.query["all"] == "1" for each in daemon.asked)


def test_a_job_that_comes_between_two_pages_makes_none_come_twice(daemon: Daemon) -> None:
    every = [job(5 * number) for number in range(ROWS + 3)]

    def answer(asked: Asked) -> object:
        skip, rows = int(asked.query.get("skip", 0)), int(asked.query["limit"])
        there = [*every, job(5 * len(every))] if skip else every
        return there[: len(there) - skip][-rows:]

    daemon.answers["GET", "/v1/jobs"] = answer
    assert [each.number for each in Client(str(daemon.socket)).jobs(limit=2 * ROWS)] == list(range(ROWS + 3))


@pytest.mark.parametrize(("count", "asked"), [(3, [0]), (ROWS, [0, ROWS]), (2 * ROWS + 1, [0, ROWS, 2 * ROWS])])
def test_containers_that_are_gone_come_in_pages_and_by_name(daemon: Daemon, count: int, asked: list[int]) -> None:
    every = [values.container(f"c-{number:05}", state="removed") for number in range(count)]

    def answer(asked: Asked) -> object:
        skip = int(asked.query.get("skip", 0))
        return every[: max(0, count - skip)][-ROWS:]

    daemon.answers["GET", "/v1/containers"] = answer
    assert Client(str(daemon.socket)).containers(removed=True) == tuple(every)
    assert [int(each.query.get("skip", 0)) for each in daemon.asked] == asked
