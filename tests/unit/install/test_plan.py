"""The plan: from the machine to changes, without touching anything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ds01.cli.commands.user.setup import FOR_EVERYBODY
from ds01.config.current import CurrentLimits
from ds01.domain.errors import Ds01Error
from ds01.install import manifest, plan
from ds01.install.machine import Found, Machine, Running, Wishes
from ds01.install.manifest import Manifest
from ds01.install.paths import DAEMON_JSON, ENGINE, LIMITS, UNITS
from ds01.install.texts import COMPLETIONS
from tests.unit.install.values import (
    PACKAGE,
    PLAIN,
    SERVER,
    WISHES,
    afterwards,
    carried_out,
    fresh,
    made,
    server,
)


def text(of: plan.Plan, path: str) -> str:
    return next(change.item.text for change in of.changes if change.item.path == path)


def test_a_fresh_server_gets_everything_and_the_engine_is_restarted_once() -> None:
    found = made()
    assert [account.name for account in found.accounts] == ["ds01-gateway", "ds01-admin"]
    assert (found.restart_engine, found.restart_containerd, found.starts) == (True, True, UNITS)
    assert {change.item.path for change in found.changes} >= {
        "/etc/systemd/system/ds01d.service", "/etc/systemd/system/docker.socket.d/ds01.conf", DAEMON_JSON, LIMITS,
        "/usr/local/bin/ds01", "/etc/profile.d/ds01.sh", "/etc/bash_completion.d/ds01", "/var/lib/ds01/guard/runc",
    }  # fmt: skip


def test_every_folder_comes_before_what_is_in_it() -> None:
    seen = set(fresh())
    for change in made().changes:
        assert str(Path(change.item.path).parent) in seen, change.item.path
        seen.add(change.item.path)


def test_a_second_run_has_nothing_to_do() -> None:
    first = made()
    again = plan.make(afterwards(SERVER), WISHES, carried_out(first, fresh()), first.manifest.finished())
    assert again.nothing
    assert again.manifest == first.manifest.finished()


def test_what_was_begun_and_broken_off_is_finished() -> None:
    """All files are there, but the engine still listens where it did and nothing of DS01 runs."""
    first = made()
    again = plan.make(SERVER, WISHES, carried_out(first, fresh()), first.manifest)
    assert (again.changes, again.restart_engine, again.starts) == ((), True, UNITS)


def test_a_new_version_starts_its_own_programs_anew_and_never_the_engine() -> None:
    first = made()
    newer = replace(afterwards(SERVER), package=replace(PACKAGE, version="0.2.0"))
    again = plan.make(newer, WISHES, carried_out(first, fresh()), first.manifest.finished())
    assert (again.starts, again.restart_engine, again.restart_containerd) == (
        ("ds01d.service", "ds01-gateway.service"), False, False,
    )  # fmt: skip


def test_a_start_that_failed_is_made_up_for_by_the_next_run() -> None:
    """The files are as they should be by then, and what runs is still of the version before."""
    first = made()
    newer = replace(afterwards(SERVER), package=replace(PACKAGE, version="0.2.0"))
    failed = plan.make(newer, WISHES, carried_out(first, fresh()), first.manifest.finished())
    known = manifest.read(failed.manifest.text())
    again = plan.make(newer, WISHES, carried_out(failed, carried_out(first, fresh())), known)
    assert (again.changes, again.starts) == ((), failed.starts)
    assert (again.restart_engine, again.restart_containerd) == (False, False)
    assert plan.make(newer, WISHES, carried_out(failed, carried_out(first, fresh())), known.finished()).nothing


def test_an_engine_that_did_not_start_anew_does_so_in_the_next_run() -> None:
    first = made()
    disk = carried_out(first, fresh())
    failed = plan.make(afterwards(SERVER), WISHES, disk | {DAEMON_JSON: Found(text="{}")}, first.manifest.finished())
    again = plan.make(afterwards(SERVER), WISHES, carried_out(failed, disk), failed.manifest)
    assert (again.changes, again.restart_engine) == ((), True)
    begun = failed.manifest.without("containerd.service", "docker.service")
    assert not plan.make(afterwards(SERVER), WISHES, carried_out(failed, disk), begun).restart_engine


def test_only_what_came_to_its_end_counts_as_installed() -> None:
    begun = manifest.read(made().manifest.text())
    assert (begun.complete, begun.finished().complete) == (False, True)
    assert manifest.read(begun.finished().text()) == begun.finished()


def test_a_unit_that_does_not_run_is_started() -> None:
    first = made()
    stopped = replace(afterwards(SERVER), active=frozenset(UNITS) - {"ds01d.service"})
    assert plan.make(stopped, WISHES, carried_out(first, fresh()), first.manifest.finished()).starts == (
        "ds01d.service",
    )


def test_the_limits_file_is_the_admins_as_soon_as_it_is_there() -> None:
    found = made(there=fresh({LIMITS: "defaults: {cpus: 1}\n"}))
    assert LIMITS not in {change.item.path for change in found.changes}


def test_a_changed_unit_is_put_right_and_the_change_kept() -> None:
    first = made()
    unit = "/etc/systemd/system/ds01d.service"
    there = carried_out(first, fresh()) | {unit: Found(text="[Service]\nExecStart=/bin/false\n")}
    again = plan.make(afterwards(SERVER), WISHES, there, first.manifest.finished())
    assert [(change.item.path, change.edited) for change in again.changes] == [(unit, True)]


def test_what_was_there_first_is_remembered_over_every_later_run() -> None:
    dropin = "/etc/systemd/system/docker.socket.d/ds01.conf"
    there = fresh({dropin: "[Socket]\nSocketMode=0600\n"}) | {"/etc/systemd/system/docker.socket.d": Found(folder=True)}
    first = made(there=there)
    newer = replace(SERVER, package=replace(PACKAGE, version="0.2.0"))
    again = plan.make(newer, WISHES, carried_out(first, there), manifest.read(first.manifest.finished().text()))
    before = again.manifest.entries[dropin].before
    assert before is not None
    assert before.text == "[Socket]\nSocketMode=0600\n"


def test_another_program_of_a_name_keeps_it() -> None:
    found = made(there=fresh({"/usr/local/bin/image": "#!/bin/sh\n"}))
    assert found.left == ("/usr/local/bin/image",)
    assert "/usr/local/bin/image-list" in {change.item.path for change in found.changes}


def test_containers_that_the_restart_ends_are_named() -> None:
    running = (Running(name="grafana"), Running(name="portainer", asks_engine=True))
    found = made(server(engine=replace(PLAIN, containers=running)))
    assert found.stopped == ("grafana", "portainer")
    assert any("portainer" in note and ENGINE in note for note in found.notes)
    assert made(server(engine=replace(PLAIN, containers=running, live_restore=True))).stopped == ()


def test_an_engine_that_can_is_asked_beforehand_whether_it_would_start() -> None:
    assert made(server(engine=replace(PLAIN, version="26.1.5"))).asks_engine
    assert not made().asks_engine


# Watching first, and what runs beside DS01 -----------------------------------------------------------------
def guard_knows(of: plan.Plan) -> dict[str, str]:
    known: dict[str, str] = json.loads(text(of, "/var/lib/ds01/guard/server.json"))
    return known


def test_where_people_use_docker_already_the_gateway_only_watches_until_monday() -> None:
    found = made(server(docker_users=("maria",)))
    assert "observe_until: 2026-11-30T16:30Z" in text(found, LIMITS)
    assert guard_knows(found)["outside"] == "passed"


def test_where_nobody_does_ds01_is_in_force_at_once() -> None:
    found = made()
    assert "observe_until" not in text(found, LIMITS)
    assert guard_knows(found)["outside"] == "refused"


def test_in_force_at_once_keeps_the_admins_own_containers() -> None:
    busy = server(engine=replace(PLAIN, containers=(Running(name="grafana"),)))
    found = made(busy, replace(WISHES, observe_days=0))
    assert "observe_until" not in text(found, LIMITS)
    assert guard_knows(found)["outside"] == "passed"


WATCHED = "docker:\n  outside: told\n  observe_until: 2026-11-30T16:30Z\n"


@pytest.mark.parametrize(("days", "limits", "said"), [
    (0, WATCHED, ("yours", "line 3", "until 2026-11-30T16:30Z", "take that line out")),
    (5, WATCHED, ("yours", "line 3", "observe_until: 2026-12-02T16:30Z")),
    (None, WATCHED, ("until 2026-11-30T16:30Z", "line 3")),
    (5, "docker:\n  # observe_until: 2026-11-30T16:30Z\n", ("yours", "observe_until: 2026-12-02T16:30Z")),
])  # fmt: skip
def test_a_limits_file_that_is_there_is_not_written_and_that_is_said(
    days: int | None, limits: str, said: tuple[str, ...]
) -> None:
    first = made()
    there = carried_out(first, fresh()) | {LIMITS: Found(text=limits)}
    again = plan.make(afterwards(SERVER), replace(WISHES, observe_days=days), there, first.manifest.finished())
    assert again.nothing
    assert len(again.watching) == 1
    assert [word for word in said if word not in again.watching[0]] == []


@pytest.mark.parametrize(("days", "limits"), [
    (0, "docker: {}\n"), (None, "docker: {}\n"), (0, "docker: {observe_until: 2026-11-01T00:00Z}\n"),
    (None, "docker: {observe_until: 2026-11-01T00:00Z}\n"),
])  # fmt: skip
def test_what_is_in_force_already_needs_no_word(days: int | None, limits: str) -> None:
    first = made()
    there = carried_out(first, fresh()) | {LIMITS: Found(text=limits)}
    again = plan.make(afterwards(SERVER), replace(WISHES, observe_days=days), there, first.manifest.finished())
    assert again.watching == ()


@pytest.mark.parametrize("days", [-1, 15, 3650])
def test_nobody_watches_for_longer_than_two_weeks(days: int) -> None:
    with pytest.raises(Ds01Error, match="0 to 14 days"):
        made(wishes=replace(WISHES, observe_days=days))


def test_later_the_admin_closes_the_way_beside_ds01() -> None:
    first = made(server(docker_users=("maria",)))
    there = carried_out(first, fresh())
    known = there["/var/lib/ds01/guard/server.json"].text
    later = replace(afterwards(SERVER), first_facts=known)
    assert plan.make(later, WISHES, there, first.manifest.finished()).nothing
    closed = plan.make(later, replace(WISHES, outside="refused"), there, first.manifest.finished())
    assert guard_knows(closed) == json.loads(known) | {"outside": "refused"}
    assert not closed.restart_engine


@pytest.mark.parametrize("machine", [
    SERVER, server(gpus=(), cards=0), server(cpus=1, memory_bytes=1024**3), server(docker_users=("maria",)),
])  # fmt: skip
def test_the_first_limits_are_limits(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "limits.yaml").write_text(text(made(machine), LIMITS))
    read = CurrentLimits(tmp_path / "limits.yaml")
    assert read.settings.docker.observing(machine.now) == bool(machine.docker_users)
    assert {group.name for group in read.settings.policy.groups} == {"student", "admin"}


# What stands in the way ------------------------------------------------------------------------------------
@pytest.mark.parametrize(("given", "said"), [
    ({"root": False}, "Only root"),
    ({"systemd": False}, "systemd"),
    ({"package": replace(PACKAGE, closed="/srv/closed")}, "cannot enter /srv/closed"),
    ({"package": replace(PACKAGE, bin="/home/maria/venv/bin")}, "no homes"),
    ({"package": replace(PACKAGE, loose="/opt/ds01")}, "may write to /opt/ds01"),
    ({"units": frozenset()}, "no Docker engine"),
    ({"dockerd": False}, "no Docker engine"),
    ({"engine": None}, "does not answer"),
    ({"runc": ""}, "runc"),
    ({"runc_loose": "/usr/local/bin"}, "may change /usr/local/bin"),
    ({"engine": replace(PLAIN, version="19.03.8")}, "older than 20.10"),
    ({"engine": replace(PLAIN, options=("-H", "fd://", "-H", "tcp://0.0.0.0:2375"))}, "tcp://0.0.0.0:2375"),
    ({"engine": replace(PLAIN, options=("--host=unix:///x.sock",))}, "unix:///x.sock"),
    ({"engine": replace(PLAIN, options=())}, "-H fd://"),
    ({"engine": replace(PLAIN, options=("-H", "fd://", "-Htcp://0.0.0.0:2375"))}, "tcp://0.0.0.0:2375"),
    ({"engine": replace(PLAIN, options=("-H", "fd://", "-H=tcp://0.0.0.0:2375"))}, "tcp://0.0.0.0:2375"),
    ({"engine": replace(PLAIN, options=("-H", "fd://", "-DH", "tcp://0.0.0.0:2375"))}, "tcp://0.0.0.0:2375"),
    ({"engine": replace(PLAIN, options=("-H", "fd://", "-DHtcp://0.0.0.0:2375"))}, "tcp://0.0.0.0:2375"),
    ({"engine": replace(PLAIN, options=("-H", "fd://", "--host=tcp://0.0.0.0:2375"))}, "tcp://0.0.0.0:2375"),
    ({"engine": replace(PLAIN, options=("-H", "fd://", "--host", "tcp://0.0.0.0:2375"))}, "tcp://0.0.0.0:2375"),
    ({"engine": replace(PLAIN, options=("-H", "fd://", "--default-runtime=nvidia"))}, "--default-runtime"),
    ({"engine": replace(PLAIN, options=("-H", "fd://", "--config-file", "/srv/engine.json"))}, "/srv/engine.json"),
    ({"engine": replace(PLAIN, options=("--config-file=/srv/engine.json", "-H", "fd://"))}, "/srv/engine.json"),
])  # fmt: skip
def test_what_stands_in_the_way_is_one_sentence_with_a_next_step(given: dict[str, object], said: str) -> None:
    with pytest.raises(Ds01Error) as refused:
        made(server(**given))
    assert said in refused.value.problem.message
    assert refused.value.problem.message.count(". ") == 0
    assert refused.value.problem.hint


@pytest.mark.parametrize("found", [Found(link="/srv/daemon.json", mode=0o777), Found(folder=True, mode=0o755)])
def test_a_daemon_json_that_is_no_file_is_refused_and_not_replaced(found: Found) -> None:
    with pytest.raises(Ds01Error, match=r"daemon\.json"):
        made(there=fresh() | {DAEMON_JSON: found})


def test_daemon_json_keeps_its_mode_but_for_what_others_could_do() -> None:
    changes = made(there=fresh() | {DAEMON_JSON: Found(text="{}", mode=0o666)}).changes
    assert [change.item.mode for change in changes if change.item.path == DAEMON_JSON] == [0o644]
    changes = made(there=fresh() | {DAEMON_JSON: Found(text="{}", mode=0o600)}).changes
    assert [change.item.mode for change in changes if change.item.path == DAEMON_JSON] == [0o600]


@pytest.mark.parametrize("options", [
    ("-Hfd://",), ("-DH", "fd://"), ("-H=fd://",), ("-lH", "-H", "fd://"), ("-D", "-gHome", "--host=fd://"),
])  # fmt: skip
def test_an_engine_that_takes_its_socket_from_systemd_may_say_so_in_every_way(options: tuple[str, ...]) -> None:
    assert made(server(engine=replace(PLAIN, options=options))).changes


def test_an_engine_in_place_may_be_looked_at_again() -> None:
    """After the first run its socket is elsewhere, and that is no reason to refuse."""
    first = made()
    assert plan.make(afterwards(SERVER), Wishes(), carried_out(first, fresh()), Manifest()).restart_engine is False


def test_setup_looks_for_completion_where_it_is_installed() -> None:
    assert FOR_EVERYBODY == COMPLETIONS
