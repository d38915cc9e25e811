"""Events as a file: every page of them, whole or not at all, over nothing that is there."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from ds01.cli.call import Call
from ds01.cli.exporting import pages
from ds01.cli.talk import talk
from ds01.domain.errors import LEDGER_ERROR, Ds01Error
from ds01.wire.admin import AuditView
from ds01.wire.pages import ROWS
from ds01.wire.status import EventView
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Asked, Daemon


def event(seq: int) -> EventView:
    return EventView(
        seq=seq, at="2026-03-02T09:00:00+00:00", type="container.started", actor="anna", user="anna", subject="é",
        outcome="done", details={}, text=f"anna started exp-{seq}.", schema=1, actor_uid=1001, uid=1001, hash="ab" * 32,
    )  # fmt: skip


def record(daemon: Daemon, count: int) -> None:
    """A ds01d with so many events, every other number (somebody else has those between)."""

    def answer(asked: Asked) -> object:
        after, limit = int(asked.query["after"]), int(asked.query["limit"])
        return [event(seq) for seq in range(2, 2 * count + 1, 2) if seq > after][:limit]

    daemon.answers["GET", "/v1/events"] = answer


@pytest.mark.parametrize(("count", "asked"), [(0, 1), (1, 1), (2, 2), (5, 3), (6, 4)])
def test_every_page_is_asked_for_and_none_twice(daemon: Daemon, count: int, asked: int) -> None:
    record(daemon, count)
    call = Call(path="events", talk=talk())
    found = [each.seq for each in pages(call, since="2h", kind="container", user="", everybody=True, size=2)]
    assert found == list(range(2, 2 * count + 1, 2))
    assert len(daemon.asked) == asked
    assert [each.query.get("since") for each in daemon.asked] == ["2h"] + [None] * (asked - 1)
    assert all(each.query["type"] == "container" and each.query["all"] == "1" for each in daemon.asked)


def test_more_than_one_answer_holds_are_in_the_file(ds01: Run, daemon: Daemon, tmp_path: Path) -> None:
    record(daemon, ROWS + 1)
    into = tmp_path / "events.jsonl"
    ran = ds01("events", "--all", "--to", str(into))
    assert (ran.code, ran.out) == (0, "")
    assert f"{ROWS + 1} events" in ran.err
    lines = into.read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(2, 2 * ROWS + 3, 2))
    assert json.loads(lines[0]) | {"hash": "", "uid": 0} == vars(event(2)) | {"hash": "", "uid": 0}
    assert stat.S_IMODE(into.stat().st_mode) == 0o600


@pytest.mark.parametrize("what", ["file", "link"])
def test_nothing_is_written_over(ds01: Run, daemon: Daemon, tmp_path: Path, what: str) -> None:
    into, hers = tmp_path / "events.jsonl", tmp_path / "hers"
    hers.write_text("hers")
    into.symlink_to(hers) if what == "link" else into.write_text("hers")
    ran = ds01("events", "--to", str(into))
    assert ran.code == 2
    assert "already" in ran.err
    assert (into.read_text(), hers.read_text()) == ("hers", "hers")
    assert daemon.asked == []


def test_what_came_there_meanwhile_is_not_written_over(ds01: Run, daemon: Daemon, tmp_path: Path) -> None:
    into = tmp_path / "events.jsonl"

    def answer(asked: Asked) -> object:
        into.write_text("hers")
        return [event(1)]

    daemon.answers["GET", "/v1/events"] = answer
    assert ds01("events", "--to", str(into)).code == 2
    assert into.read_text() == "hers"


def test_an_export_that_breaks_off_leaves_nothing(ds01: Run, daemon: Daemon, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    seen: list[list[str]] = []

    def answer(asked: Asked) -> object:
        seen.append(os.listdir(folder))
        if asked.query["after"] != "0":
            return Ds01Error(LEDGER_ERROR, "The ledger cannot be read.")
        return [event(seq) for seq in range(1, ROWS + 1)]

    daemon.answers["GET", "/v1/events"] = answer
    assert ds01("events", "--to", str(folder / "events.jsonl")).code != 0
    assert len(seen) == 2
    assert "events.jsonl" not in seen[1]
    assert os.listdir(folder) == []


def test_a_folder_that_is_not_there_is_a_sentence(ds01: Run, daemon: Daemon, tmp_path: Path) -> None:
    ran = ds01("events", "--to", str(tmp_path / "no/such"))
    assert "cannot be written" in ran.err
    assert daemon.asked == []


@pytest.mark.parametrize("more", [("--follow",), ("--limit", "3")])
def test_a_file_has_an_end_and_no_middle(ds01: Run, daemon: Daemon, tmp_path: Path, more: tuple[str, ...]) -> None:
    ran = ds01("events", "--to", str(tmp_path / "one"), *more)
    assert ran.code == 2
    assert f"without {more[0]}" in ran.err
    assert not (tmp_path / "one").exists()


def test_the_record_is_verified_and_the_first_broken_event_named(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/admin/events/verify"] = AuditView(events=3210, sound=True)
    ran = ds01("admin", "events", "verify")
    assert (ran.code, "3210 events, all as DS01 wrote them." in ran.err) == (0, True)
    wrong = "event 12 (container.stopped, 2026-03-02T09:00:00+00:00) is not as DS01 wrote it"
    daemon.answers["GET", "/v1/admin/events/verify"] = AuditView(events=11, sound=False, broken=12, wrong=wrong)
    ran = ds01("admin", "events", "verify")
    assert ran.code == 1
    assert "event 12 (container.stopped" in ran.err
    assert json.loads(ds01("admin", "events", "--json").out)["broken"] == 12
