"""Commands that look: list, status, gpus, why, limits, events, doctor, stats."""

from __future__ import annotations

import dataclasses
import importlib
import json
import pkgutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ds01 import wire
from ds01.cli.style import columns
from ds01.cli.views import VIEWS
from ds01.domain.errors import ADMIN_ONLY, Ds01Error
from ds01.wire import containers
from ds01.wire.containers import ContainerView
from ds01.wire.status import CheckView, DoctorView, EventView, LimitsView, LimitView
from ds01.wire.usage import ConsumptionLine, ConsumptionView
from tests.unit.cli import values
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Asked, Daemon

WIRE = {
    kind.__name__: kind
    for found in pkgutil.iter_modules(wire.__path__)
    for module in [importlib.import_module(f"{wire.__name__}.{found.name}")]
    for kind in vars(module).values()
    if dataclasses.is_dataclass(kind) and isinstance(kind, type)
}


@pytest.mark.parametrize("view", [name for name in VIEWS if name in WIRE])
def test_every_field_of_a_view_is_described(view: str) -> None:
    assert list(VIEWS[view]) == [field.name for field in dataclasses.fields(WIRE[view])]


def test_a_list_shows_what_there_is_and_leaves_out_what_there_is_not(ds01: Run, daemon: Daemon) -> None:
    daemon.have(values.busy("thesis"), values.container("exp-2", "stopped", reason="idle for 30m"))
    ran = ds01("list")
    heads, first, second = ran.out.splitlines()
    assert heads.split() == ["NAME", "STATE", "GPU", "BUSY", "MEMORY", "IDLE", "LEFT", "TIME", "LEFT"]
    assert first.split() == ["thesis", "running", "2:1g.5gb", "87%", "12G", "29m", "22h13m"]
    assert second.split() == ["exp-2", "stopped:", "idle", "for", "30m"]
    assert "Next: ds01 launch thesis" in ran.err


def test_a_list_for_programs_is_the_views_as_they_are(ds01: Run, daemon: Daemon) -> None:
    daemon.have(values.busy())
    ran = ds01("list", "--json")
    assert ran.err == ""
    assert json.loads(ran.out) == [json.loads(json.dumps(dataclasses.asdict(values.busy())))]


def test_an_empty_list_is_empty_and_says_what_to_do(ds01: Run, daemon: Daemon) -> None:
    ran = ds01("list")
    assert (ran.code, ran.out) == (0, "")
    assert "You have no containers." in ran.err
    assert json.loads(ds01("list", "--json").out) == []


@pytest.mark.parametrize("width", [40, 60, 80])
def test_lists_fit_the_screen_with_long_and_foreign_names(
    ds01: Run, daemon: Daemon, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    daemon.have(
        values.busy("a" * 40), values.busy("日本語のコンテナー名前", stale="its image was rebuilt since"),
        values.busy("é́"),
        values.container("x", "stopped", reason="out of memory: it used 31.9G of 32G and asked for more of it"),
    )  # fmt: skip
    lines = ds01("list").out.splitlines()
    assert max(map(columns, lines)) <= width


def test_what_a_program_reads_is_never_cut(ds01: Run, daemon: Daemon) -> None:
    reason = "out of memory: it used 31.9G of 32G and asked for more of it than there was at that time"
    daemon.have(values.container("n" * 40, "stopped", reason=reason))
    assert reason in ds01("list").out


def test_two_hundred_containers_are_two_hundred_lines(ds01: Run, daemon: Daemon) -> None:
    daemon.have(*(values.busy(f"exp-{number}") for number in range(200)))
    assert len(ds01("list").out.splitlines()) == 201


def long_history(count: int) -> list[ContainerView]:
    ended = [f"2026-03-02T{number // 60:02}:{number % 60:02}:00+00:00" for number in range(count)]
    gone = [
        values.container(
            f"gone-{number:02}", "removed", removed_at=at, stopped_at=at, reason="out of memory " + "x" * 90
        )
        for number, at in enumerate(ended)
    ]
    return [*reversed(gone), values.container("thesis", started_at="2026-03-03T09:00:00+00:00")]


def test_a_long_history_is_a_table_of_the_latest_with_the_newest_last(
    ds01: Run, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    daemon.have(*long_history(27))
    ran = ds01("list", "--all")
    heads, *rows = ran.out.splitlines()
    assert heads.split() == ["NAME", "STATE", "WHEN", "WHY"]
    assert [row.split()[0] for row in rows] == [*(f"gone-{number:02}" for number in range(8, 27)), "thesis"]
    assert max(map(columns, ran.out.splitlines())) <= 80
    assert "… 8 older: ds01 list --all --limit 28" in ran.err
    assert len(ds01("list", "--all", "--limit", "28").out.splitlines()) == 29
    assert "older" not in ds01("list", "--all", "--limit", "28").err
    assert len(json.loads(ds01("list", "--all", "--json").out)) == 28
    assert [each["name"] for each in json.loads(ds01("list", "--all", "-n", "2", "--json").out)] == [
        "gone-26",
        "thesis",
    ]


def test_a_history_that_a_program_reads_is_whole(ds01: Run, daemon: Daemon) -> None:
    daemon.have(*long_history(27))
    lines = ds01("list", "--all").out.splitlines()
    assert len(lines) == 29
    assert "x" * 90 in lines[1]


def test_a_limit_is_for_what_is_gone(ds01: Run, daemon: Daemon) -> None:
    ran = ds01("list", "--limit", "5")
    assert ran.code == 2
    assert "Try: ds01 list --all --limit 5" in ran.err


def test_all_is_everything_one_may_see(ds01: Run, daemon: Daemon) -> None:
    def answer(asked: Asked) -> object:
        if asked.query.get("all"):
            return Ds01Error(ADMIN_ONLY, "Only admins see everybody's containers.")
        return [values.container("gone", "removed", reason="retired")] if asked.query.get("removed") else []

    daemon.answers["GET", "/v1/containers"] = answer
    ran = ds01("list", "--all")
    assert ran.code == 0
    assert "gone" in ran.out


def test_everybodys_are_those_that_are_there_unless_all_is_asked_for(ds01: Run, daemon: Daemon) -> None:
    daemon.have(values.container("a"), values.container("b", owner="h.baker@lab.lan"))
    ran = ds01("list", "--everybody")
    assert daemon.asked[-1].query == {"all": "1"}
    assert "h.baker@lab.lan" in ran.out
    assert "Next: ds01 why a --user anna" in ran.err
    ds01("list", "--everybody", "--all")
    assert daemon.asked[-1].query == {"all": "1", "removed": "1"}
    ds01("list", "--user", "bob", "--all")
    assert daemon.asked[-1].query == {"user": "bob", "removed": "1"}


def test_who_may_not_see_everybodys_gets_one_sentence(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/containers"] = Ds01Error(ADMIN_ONLY, "Only admins may look at everybody's things.")
    ran = ds01("list", "--everybody")
    assert (ran.code, ran.out) == (5, "")
    assert "Only admins may look at everybody's things." in ran.err
    assert ds01("list", "--everybody", "--user", "bob").code == 2


def test_the_owner_is_shown_where_there_are_several(ds01: Run, daemon: Daemon) -> None:
    daemon.have(values.container("a"), values.container("b", owner="h.baker@lab.lan"))
    assert "h.baker@lab.lan" in ds01("list", "--all").out


def test_plain_output_is_one_fact_a_line_without_colours(ds01: Run, daemon: Daemon) -> None:
    daemon.have(values.busy())
    out = ds01("list", "--plain", "--color", "always").out
    assert "  gpu: 2:1g.5gb" in out.splitlines()
    assert "\x1b" not in out


def test_colours_are_for_terminals_or_on_demand(ds01: Run, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon.have(values.busy())
    assert "\x1b" not in ds01("list").out
    assert "\x1b[32mrunning" in ds01("list", "--color=always").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in ds01("list", "--color=auto").out


def test_status_is_one_screen(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/status"] = values.status(values.busy(), notices=("The server restarts at 18:00.",))
    ran = ds01("status")
    for said in ("anna on lab1", "GPUs        1 of 2", "1 of 2 free", "thesis", "The server restarts at 18:00."):
        assert said in ran.out
    assert "simulated" not in ran.out
    assert max(map(columns, ran.out.splitlines())) <= 80


@pytest.mark.parametrize(("door", "state", "command"), [
    ("ds01", "running", "launch"), ("ds01", "stopped", "launch"),
    ("docker", "running", "attach"), ("compose", "stopped", "start"), ("devcontainer", "running", "attach"),
])  # fmt: skip
def test_status_names_the_way_back_in(ds01: Run, daemon: Daemon, door: str, state: str, command: str) -> None:
    there = values.container("web", state, door=door)
    daemon.answers["GET", "/v1/status"] = values.status(there)
    assert f"Next: ds01 {command} web" in ds01("status").err


@pytest.mark.parametrize("command", ["status", "gpus"])
def test_simulated_gpus_are_never_silent(ds01: Run, daemon: Daemon, command: str) -> None:
    daemon.answers["GET", "/v1/status"] = values.status(simulated=True)
    daemon.answers["GET", "/v1/gpus"] = values.gpus(values.slot("0"), simulated=True)
    assert "simulated" in ds01(command).out


def test_a_server_without_gpus_says_so(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/gpus"] = values.gpus()
    assert "no GPUs" in ds01("gpus").out


def test_gpus_show_who_holds_what_and_why_one_is_out_of_service(ds01: Run, daemon: Daemon) -> None:
    slots = (
        values.slot("0", "active", holder="anna", container="thesis", utilisation=12.0),
        values.slot("1", "quarantined", reason="Xid 79"),
    )
    daemon.answers["GET", "/v1/gpus"] = values.gpus(*slots)
    out = ds01("gpus").out
    for said in ("anna", "thesis", "12%", "quarantined", "Xid 79", "0 of 2 free."):
        assert said in out


def test_why_tells_the_story(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/containers/exp/why"] = containers.WhyView(
        name="exp", state="removed", reason="idle", summary="exp was stopped: idle for 30m, and then removed.",
        entries=(containers.WhyEntry(at="2026-03-02T09:00:00+00:00", what="anna created exp", detail="through ds01"),),
    )  # fmt: skip
    ran = ds01("why", "exp")
    assert "exp was stopped: idle for 30m" in ran.out
    assert "anna created exp" in ran.out
    assert "through ds01" not in ran.out
    assert "Next: ds01 launch exp" in ran.err


@pytest.mark.parametrize(("state", "again"), [("removed", "ds01 list --all"), ("stopped", "ds01 start k1")])
def test_why_offers_no_launch_of_what_came_through_docker(ds01: Run, daemon: Daemon, state: str, again: str) -> None:
    told = containers.WhyView(name="k1", state=state, reason="", summary=f"k1 is {state}.", door="docker")
    daemon.answers["GET", "/v1/containers/k1/why"] = told
    ran = ds01("why", "k1")
    assert f"Next: {again}" in ran.err
    assert "ds01 launch" not in ran.err


def test_limits_say_where_they_come_from(ds01: Run, daemon: Daemon) -> None:
    limit = LimitView(key="gpus.max", value="2", source="limits.yaml:12", meaning="GPUs at once")
    daemon.answers["GET", "/v1/limits"] = LimitsView(login="anna", group="student", admin=False, limits=(limit,))
    daemon.answers["GET", "/v1/limits/gpus.max"] = limit
    assert ds01("limits").out.splitlines()[-1].split() == ["gpus.max", "2", "limits.yaml:12"]
    explained = ds01("limits", "explain", "gpus.max").out
    assert "gpus.max is 2" in explained
    assert "limits.yaml:12" in explained
    assert ds01("check-limits").out == ds01("limits").out


def test_the_doctor_fails_when_a_check_does(ds01: Run, daemon: Daemon) -> None:
    checks = (
        CheckView(name="engine", state="ok", text="answers"),
        CheckView(name="disk", state="failed", text="97% full", fix="make room in /var/lib/docker"),
    )
    daemon.answers["GET", "/v1/doctor"] = DoctorView(checks=checks, healthy=False)
    ran = ds01("doctor")
    assert ran.code == 1
    assert "To do: make room in /var/lib/docker" in ran.out
    assert "engine" not in ds01("doctor", "--quiet").out


def test_what_only_an_admin_can_mend_is_shown_as_hers(ds01: Run, daemon: Daemon) -> None:
    checks = (
        CheckView(name="disk", state="warning", text="91% full", fix="make room"),
        CheckView(name="engine", state="ok", text="answers"),
    )
    daemon.answers["GET", "/v1/doctor"] = DoctorView(checks=checks, healthy=True)
    seen = LimitsView(login="anna", group="student", admin=False, limits=())
    daemon.answers["GET", "/v1/limits"] = seen
    out = ds01("doctor").out
    assert out.count("For your admin:") == 1
    assert out.index("engine") < out.index("For your admin:") < out.index("disk")
    daemon.answers["GET", "/v1/limits"] = dataclasses.replace(seen, admin=True)
    assert "For your admin" not in ds01("doctor").out


def event(seq: int) -> EventView:
    return EventView(
        seq=seq, at="2026-03-02T09:00:00+00:00", type="container.started", actor="anna", user="anna", subject="abc",
        outcome="done", details={}, text=f"anna started exp-{seq}.",
    )  # fmt: skip


def test_events_follow_after_the_last_one_shown(ds01: Run, daemon: Daemon) -> None:
    def answer(asked: Asked) -> object:
        if asked.query.get("follow"):
            assert asked.query["after"] == "2"
            return iter([event(3)])
        return [event(1), event(2)]

    daemon.answers["GET", "/v1/events"] = answer
    assert [json.loads(line)["seq"] for line in ds01("events", "--follow", "--json").out.splitlines()] == [1, 2, 3]


def test_a_refusal_is_told_with_the_way_that_works(ds01: Run, daemon: Daemon) -> None:
    details = {
        "method": "POST", "path": "/containers/create", "rule": "create.privileged",
        "reason": "a privileged container is not allowed here", "advice": "Run it without --privileged.",
    }  # fmt: skip
    refused = dataclasses.replace(event(7), type="door.denied", details=details)

    def answer(asked: Asked) -> object:
        assert (asked.query["type"], asked.query["limit"]) == ("door.denied", "1")
        return [refused]

    daemon.answers["GET", "/v1/events"] = answer
    shown = ds01("why-refused").out
    for text in ("create.privileged", "not allowed here.", "Run it without --privileged."):
        assert text in shown
    daemon.answers["GET", "/v1/events"] = lambda asked: []
    assert "Nothing was refused to you." in ds01("why-refused").err


def denied(seq: int, rule: str, method: str = "POST") -> EventView:
    details = {"method": method, "path": f"/{seq}", "rule": rule, "reason": f"reason {seq}"}
    return dataclasses.replace(event(seq), type="door.denied", details=details)


def latest(*found: EventView) -> Callable[[Asked], list[EventView]]:
    return lambda asked: list(found[-int(asked.query["limit"]) :])


ABSENT = "own.absent"


def test_what_is_not_there_hides_no_refusal_by_a_rule(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/events"] = latest(
        denied(1, ABSENT), denied(2, "create.privileged"), denied(3, ABSENT), denied(4, "gpu.full"), denied(5, ABSENT),
        denied(6, ABSENT),
    )  # fmt: skip
    ran = ds01("why-refused")
    assert "reason 4." in ran.out
    assert "reason 6" not in ran.out
    assert "2 later requests asked for what is not there (own.absent)" in " ".join(ran.err.split())
    both = ds01("why-refused", "-n", "2")
    assert both.out.index("reason 2.") < both.out.index("reason 4.")
    assert "3 later requests" in both.err
    assert [each["seq"] for each in json.loads(ds01("why-refused", "--json").out)] == [4]


def test_what_is_not_there_is_told_where_nothing_else_was_refused(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/events"] = latest(denied(1, ABSENT), denied(2, ABSENT))
    ran = ds01("why-refused")
    assert "reason 2." in ran.out
    assert "later" not in ran.err


def test_looking_for_what_is_not_there_is_no_refusal(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/events"] = latest(denied(1, ABSENT), denied(2, ABSENT, "GET"))
    assert "reason 1." in ds01("why-refused").out
    daemon.answers["GET", "/v1/events"] = latest(denied(1, "gpu.full"), denied(2, ABSENT), denied(3, ABSENT, "GET"))
    assert "1 later request asked" in ds01("why-refused").err
    daemon.answers["GET", "/v1/events"] = latest(denied(1, ABSENT, "GET"), denied(2, ABSENT, "GET"))
    ran = ds01("why-refused")
    assert ran.out == ""
    assert "Nothing was refused to you." in ran.err


def test_a_refusal_says_how_long_ago_it_was_and_which_are_meant(ds01: Run, daemon: Daemon) -> None:
    at = (datetime.now(UTC) - timedelta(minutes=12)).isoformat()
    daemon.answers["GET", "/v1/events"] = latest(dataclasses.replace(denied(1, "gpu.full"), at=at))
    ran = ds01("why-refused")
    assert ran.out.startswith("The last refusal through docker (12m ago):\n")
    assert "A command of ds01 that is refused says why itself." in ran.err
    daemon.answers["GET", "/v1/events"] = latest(denied(1, "create.privileged"), denied(2, "gpu.full"))
    assert ds01("why-refused", "-n", "5").out.startswith("The last 2 refusals through docker:\n")


def test_an_event_type_that_is_nearly_right_gets_the_right_one(ds01: Run, daemon: Daemon) -> None:
    ran = ds01("events", "--type", "container.stoped")
    assert ran.code == 2
    assert "container.stopped" in ran.err


def test_stats_are_of_all_that_run(ds01: Run, daemon: Daemon) -> None:
    daemon.have(values.busy("a"), values.container("b", "stopped"))
    daemon.answers["GET", "/v1/containers/a/stats"] = containers.StatsView(
        name="a", cpu_percent=152.3, memory_bytes=values.GIB, memory_limit_bytes=32 * values.GIB, network_bytes=2048,
        pids=12, gpus=("0",), gpu_utilisation=50.0,
    )  # fmt: skip
    assert ds01("stats").out.splitlines()[1].split() == ["a", "152%", "1G", "32G", "2K", "12", "0", "50%"]


@pytest.mark.parametrize("command", [["list", "--watch"], ["stats", "--watch"]])
def test_watching_needs_a_terminal(ds01: Run, daemon: Daemon, command: list[str]) -> None:
    ran = ds01(*command)
    assert ran.code == 2
    assert "--watch needs a terminal" in ran.err


def test_list_goes_on_with_a_container_that_is_there(ds01: Run, daemon: Daemon) -> None:
    daemon.have(values.container("gone", "removed"))
    assert "Next: ds01 launch NAME · ds01 why gone" in ds01("list", "--all").err
    daemon.have(values.container("gone", "removed"), values.container("plain", project="", door="docker"))
    assert "Next: ds01 attach plain · ds01 why plain" in ds01("list", "--all").err


def test_usage_says_how_many_lines_are_left_out(ds01: Run, daemon: Daemon) -> None:
    line = ConsumptionLine(project="thesis", container="thesis", running_hours=2.0)
    found = ConsumptionView(since="2026-03-01", by="container", lines=(line,), total=line, more=8)
    daemon.answers["GET", "/v1/usage"] = found
    assert "… and 8 more lines" in ds01("usage").err
    daemon.answers["GET", "/v1/usage"] = dataclasses.replace(found, more=0)
    assert "more line" not in ds01("usage").err
