"""What an admin types, and the first day of a user."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ds01.wire.admin import AnnouncementView, BackupView
from ds01.wire.gpus import ForeignView
from ds01.wire.lifecycle import NoticeView
from ds01.wire.mig import DrainView
from ds01.wire.status import PingView
from tests.unit.cli import values
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Daemon
from tests.unit.cli.terminal import at_a_terminal


def test_a_limits_file_is_checked_without_a_ds01d(ds01: Run, tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text("groups:\n  student: {members: ['*'], gpus: {max: 2}}\n")
    ran = ds01("admin", "limits", "check", str(file))
    assert ran.code == 0
    assert "has no mistakes" in ran.err
    assert json.loads(ds01("admin", "limits", "check", str(file), "--json").out)["groups"] == ["student"]


def test_every_mistake_of_a_limits_file_is_a_line_with_its_place(ds01: Run, tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text("defaults:\n  gpu: 2\n  idle: soon\n")
    ran = ds01("admin", "limits", "check", str(file))
    assert ran.code == 2
    assert [line for line in ran.err.splitlines() if f"{file}:2:" in line or f"{file}:3:" in line] != []
    assert ran.err.count(f"{file}:") == 2


def test_a_limits_file_that_is_not_there_is_a_sentence(ds01: Run, tmp_path: Path) -> None:
    ran = ds01("admin", "limits", "check", str(tmp_path / "none.yaml"))
    assert ran.code == 2
    assert "There is no file" in ran.err


def test_an_older_limits_file_is_converted_and_every_key_accounted_for(ds01: Run, tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "limits.yaml"
    old.write_text("defaults:\n  max_cpus: 32\n  idle_timeout_h: 0.5\n  favourite_colour: blue\n")
    ran = ds01("admin", "import", "limits", str(old), "--to", str(new))
    assert ran.code == 0
    for said in ("max_cpus", "mapped", "favourite_colour"):
        assert said in ran.out
    assert ds01("admin", "limits", "check", str(new)).code == 0
    again = ds01("admin", "import", "limits", str(old), "--to", str(new))
    assert again.code == 1
    none = ds01("admin", "import", "limits", str(tmp_path / "none.yaml"))
    assert none.code == 2
    assert "Errno" not in none.err
    assert "no such file" in none.err
    assert ds01("admin", "import", "limits", str(old), "--to", str(new), "--replace", "--json").code == 0


@pytest.fixture
def ready(daemon: Daemon, tmp_path: Path) -> Daemon:
    """A ds01d and a gateway that answer."""
    (tmp_path / "docker.sock").touch()
    daemon.answers["GET", "/v1/ping"] = PingView(
        version="1", simulated_gpus=True, engine="20.10", login="anna", gateway=str(tmp_path / "docker.sock")
    )
    daemon.answers["GET", "/v1/status"] = values.status()
    return daemon


def test_setup_checks_and_can_be_run_again(
    ds01: Run, ready: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", "/bin/bash")
    for _ in range(2):
        ran = ds01("setup", "--project", "thesis", "--completion", "--yes")
        assert ran.code == 0
    assert (tmp_path / ".bashrc").read_text().count("ds01 completion bash") == 1
    assert (tmp_path / "workspace/thesis/ds01.toml").exists()
    assert "knows you as anna" in ran.err
    assert "simulated" in ran.err
    assert "Next: ds01 launch thesis" in ran.err


def test_setup_without_a_terminal_changes_only_what_was_asked_for(ds01: Run, ready: Daemon, tmp_path: Path) -> None:
    assert ds01("setup").code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docker.sock", "workspace"]
    assert ds01("setup", "--project", "../x").code == 2


def test_setup_says_when_the_gateway_is_missing(ds01: Run, ready: Daemon) -> None:
    ready.answers["GET", "/v1/ping"] = PingView(version="1", simulated_gpus=False, engine="", login="anna")
    assert ds01("setup").code == 6


def test_metrics_are_put_in_the_place_of_a_file(ds01: Run, daemon: Daemon, tmp_path: Path) -> None:
    daemon.answers["GET", "/v1/metrics"] = lambda asked: asked.query
    file = tmp_path / "ds01.prom"
    assert ds01("admin", "metrics", "--to", str(file)).code == 0
    assert (json.loads(file.read_text()), file.stat().st_mode & 0o777) == ({}, 0o644)
    assert ds01("admin", "metrics", "--people", "--to", str(file)).code == 0
    assert (json.loads(file.read_text()), file.stat().st_mode & 0o777) == ({"people": "1"}, 0o640)
    assert file.stat().st_gid == tmp_path.stat().st_gid
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".ds01-")] == []


def test_metrics_for_a_folder_that_is_not_there_are_a_sentence(ds01: Run, daemon: Daemon, tmp_path: Path) -> None:
    daemon.answers["GET", "/v1/metrics"] = {}
    for words in ((), ("--people",)):
        ran = ds01("admin", "metrics", *words, "--to", str(tmp_path / "no" / "ds01.prom"))
        assert ran.code == 1
        assert "cannot be written" in ran.err


@pytest.mark.parametrize(("what", "count"), [("rules", 2), ("dashboards", 4)])
def test_rules_and_dashboards_are_written_without_a_ds01d(ds01: Run, tmp_path: Path, what: str, count: int) -> None:
    folder = tmp_path / "to"
    folder.mkdir()
    assert ds01("admin", "metrics", what, "--to", str(folder), "--dry-run").code == 0
    assert list(folder.iterdir()) == []
    assert ds01("admin", "metrics", what, "--to", str(folder)).code == 0
    assert len(list(folder.iterdir())) == count
    printed = ds01("admin", "metrics", what).out
    assert printed == "".join(
        file.read_text() for file in sorted(folder.iterdir(), key=lambda f: printed.find(f.read_text()))
    )


def test_who_works_outside_ds01_is_shown(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/admin/foreign"] = ()
    assert "Nobody works on a GPU outside DS01." in ds01("admin", "foreign").err
    stranger = ForeignView(
        slot="2",
        pid=4711,
        user="eve",
        command="python",
        memory_bytes=values.GIB,
        started_at="2026-03-02T09:00:00+00:00",
    )
    daemon.answers["GET", "/v1/admin/foreign"] = (stranger,)
    ran = ds01("admin", "foreign")
    for fact in ("2", "4711", "eve", "python", "1G"):
        assert fact in ran.out.split()
    assert "ends none of them" in ran.err
    assert json.loads(ds01("admin", "foreign", "--json").out)[0]["pid"] == 4711


def test_every_gpu_is_drained_and_given_out_again_at_once(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["POST", "/v1/admin/drain"] = DrainView(slots=("0", "1"), still_there=("anna's thesis (active)",))
    daemon.answers["POST", "/v1/admin/undrain"] = DrainView(slots=("0", "1"), reasons=("Xid 79",))
    assert "Nobody new would be placed on any GPU" in ds01("admin", "drain", "all", "--dry-run").err
    assert "Every GPU would be given out again" in ds01("admin", "undrain", "all", "--dry-run").err
    assert daemon.asked == []
    ran = ds01("admin", "drain", "all", "--reason", "new driver")
    assert daemon.asked[-1].body == {"slot": "all", "reason": "new driver"}
    assert "Nobody new is placed on GPUs 0, 1." in ran.err
    assert "Still there: anna's thesis (active)." in ran.err
    assert "Drained no more: GPUs 0, 1. Still out of service: Xid 79." in ds01("admin", "undrain", "all").err


def test_everybody_is_told_something_until_a_time(ds01: Run, daemon: Daemon) -> None:
    stands = AnnouncementView(text="new driver on Friday", until="2099-03-02T18:00:00+00:00", by="root", at="")
    for method in ("GET", "POST", "DELETE"):
        daemon.answers[method, "/v1/admin/announcement"] = stands
    ran = ds01("admin", "announce", "new driver on Friday", "--until", "2099-03-02T18:00+00:00")
    assert ran.code == 0
    assert daemon.asked[-1].body == {"text": "new driver on Friday", "until": "2099-03-02T18:00:00+00:00"}
    assert "Everybody reads it until" in ran.err
    assert "Announced: new driver on Friday" in ds01("admin", "announce").err
    assert daemon.asked[-1].method == "GET"
    assert "Taken back: new driver on Friday" in ds01("admin", "announce", "--clear").err
    assert daemon.asked[-1].method == "DELETE"
    before = len(daemon.asked)
    assert "for a week: back at noon" in ds01("admin", "announce", "back at noon", "--dry-run").err
    assert ds01("admin", "announce", "back", "--clear").code == 2
    assert ds01("admin", "announce", "--until", "3d").code == 2
    assert len(daemon.asked) == before
    daemon.answers["GET", "/v1/admin/announcement"] = AnnouncementView()
    assert "Nothing is announced." in ds01("admin", "announce").err


def test_the_ledger_is_copied_where_one_says(ds01: Run, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon.answers["POST", "/v1/admin/backup"] = BackupView(
        path="/var/lib/ds01/backups/one", size_bytes=12 << 20, events=3210, at=""
    )
    ran = ds01("admin", "backup")
    assert ran.code == 0
    assert "The ledger is copied to /var/lib/ds01/backups/one." in ran.err
    assert "12M, 3210 events" in ran.err
    ds01("admin", "backup", "before-friday")
    monkeypatch.chdir("/usr")
    ds01("admin", "backup", "./ledger.bak")
    assert [asked.body for asked in daemon.asked] == [
        {"path": ""}, {"path": "before-friday"}, {"path": "/usr/ledger.bak"}
    ]  # fmt: skip
    assert "a new file beside it" in ds01("admin", "backup", "--dry-run").err
    assert len(daemon.asked) == 3


@pytest.mark.parametrize("words", [("list",), ("notices",), ("greet",), ("admin", "announce")])
def test_what_is_announced_is_met_in_every_command_and_once(
    daemon: Daemon, tmp_path: Path, words: tuple[str, ...]
) -> None:
    said = "From root, an admin: new driver on Friday"
    notice = NoticeView(
        id="announcement-1", at="2026-03-02T09:00:00+00:00", container="", rule="announced", level="warning",
        title=said, text="This stands until Fri 06 Mar 18:00 CET.", open=True,
    )  # fmt: skip
    daemon.answers["POST", "/v1/notices/unseen"] = daemon.answers["GET", "/v1/notices"] = (notice,)
    daemon.answers["GET", "/v1/admin/announcement"] = AnnouncementView(
        text="new driver on Friday", until="2026-03-06T17:00:00+00:00", by="root", at="2026-03-02T09:00:00+00:00"
    )
    code, shown = at_a_terminal(daemon, tmp_path, "true", *words)
    assert code == 0
    assert shown.count("new driver on Friday") == 1
