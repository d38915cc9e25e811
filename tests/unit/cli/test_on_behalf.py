"""An admin acts on somebody else's container: what is sent, what is said, and what is left to its owner."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds01.domain.errors import ADMIN_ONLY, Ds01Error
from ds01.wire.containers import PackageView, RetirePreview, RetireResult, StartResult, WhyView
from ds01.wire.lifecycle import ExtendView, KeepView
from tests.unit.cli import values
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Daemon

HERS = {"user": "anna", "reason": "GPU 2 is mended"}
WORDS = ("--user", "anna", "--reason", "GPU 2 is mended")


@pytest.fixture
def hers(daemon: Daemon) -> Daemon:
    """A container of Anna's, and its answers."""
    there = values.container("thesis", "stopped")
    daemon.have(there)
    for verb in ("stop", "pause", "unpause"):
        daemon.answers["POST", f"/v1/containers/thesis/{verb}"] = there
    for verb in ("start", "undo"):
        daemon.answers["POST", f"/v1/containers/thesis/{verb}"] = StartResult(container=there)
    until = "2099-03-02T18:00:00+00:00"
    daemon.answers["POST", "/v1/containers/thesis/keep"] = KeepView(container=there, until=until)
    daemon.answers["POST", "/v1/containers/thesis/extend"] = ExtendView(
        container=there, added_seconds=3600, total_seconds=3600, more_seconds=0
    )
    daemon.answers["DELETE", "/v1/containers/thesis"] = there
    daemon.answers["GET", "/v1/containers/thesis/retire"] = RetirePreview(
        container=there, packages=(PackageView(name="einops", version="0.8.0"),), workspace=there.workspace
    )
    daemon.answers["POST", "/v1/containers/thesis/retire"] = RetireResult(
        name="thesis", workspace=there.workspace, seconds=0.4
    )
    daemon.answers["GET", "/v1/containers/thesis/why"] = WhyView(
        name="thesis", state="running", reason="", summary="thesis has been running.", entries=()
    )
    return daemon


MORE = {"remove": ["--yes"], "retire": ["--yes"], "extend": ["1h"], "keep": ["--for", "2h"]}


@pytest.mark.parametrize("verb", ["start", "stop", "pause", "unpause", "remove", "retire", "extend", "keep", "undo"])
def test_every_verb_says_whose_and_why(ds01: Run, hers: Daemon, verb: str) -> None:
    ran = ds01(verb, "thesis", *MORE.get(verb, []), *WORDS)
    assert ran.code == 0, ran.err
    assert hers.asked[-1].query == HERS
    assert all(asked.query.get("user") == "anna" for asked in hers.asked)
    assert "ds01 launch" not in ran.err
    assert "attach" not in ran.err or verb == "unpause"


@pytest.mark.parametrize("command", [("why",), ("stats",)])
def test_looking_says_whose(ds01: Run, hers: Daemon, command: tuple[str, ...]) -> None:
    ds01(*command, "thesis", "--user", "anna")
    assert hers.asked[-1].query == {"user": "anna"}


def test_what_one_types_next_means_her_again(ds01: Run, hers: Daemon) -> None:
    assert "ds01 stop thesis --user anna" in ds01("why", "thesis", "--user", "anna").err
    assert "ds01 start thesis --user anna" in ds01("stop", "thesis", "--user", "anna").err


def test_an_admins_own_folder_says_nothing_about_hers(ds01: Run, hers: Daemon, tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    mine = tmp_path / "workspace/other"
    mine.mkdir(parents=True)
    monkeypatch.chdir(mine)
    assert ds01("stop", "--user", "anna").code == 0
    assert hers.asked[-1].path == "/v1/containers/thesis/stop"
    hers.have(values.container("a"), values.container("b"))
    ran = ds01("stop", "--user", "anna")
    assert ran.code == 2
    assert "anna has a, b." in ran.err
    assert "ds01 stop a --user anna" in ran.err


def test_a_name_that_is_nearly_right_is_looked_for_among_hers(ds01: Run, hers: Daemon) -> None:
    assert "Did you mean 'thesis'?" in ds01("stop", "thesi", "--user", "anna").err
    assert hers.asked[-1].query == {"user": "anna"}


def test_who_is_no_admin_gets_one_sentence(ds01: Run, daemon: Daemon) -> None:
    said = "Only admins may look at or change what belongs to 'anna'."
    daemon.answers["POST", "/v1/containers/thesis/stop"] = Ds01Error(ADMIN_ONLY, said)
    ran = ds01("stop", "thesis", "--user", "anna")
    assert ran.code == 5
    assert said in ran.err


def test_a_reason_without_a_user_is_a_mistake(ds01: Run, hers: Daemon) -> None:
    ran = ds01("stop", "thesis", "--reason", "why not")
    assert (ran.code, hers.asked) == (2, [])
    assert "--reason goes with --user." in ran.err


def test_nothing_is_written_into_her_workspace_or_project(ds01: Run, hers: Daemon) -> None:
    ran = ds01("retire", "thesis", "--user", "anna", "--keep-packages", "--yes")
    assert (ran.code, hers.asked) == (2, [])
    assert "your own project file only" in ran.err
    ran = ds01("retire", "thesis", "--user", "anna", "--yes")
    assert ran.code == 0
    assert "noted in anna's 'ds01 why'; her workspace was not touched" in ran.err
    assert "anna's files in /home/anna/workspace/thesis" in ran.err
