"""Taking DS01 off: everything as it was, and what the admin changed is hers."""

from __future__ import annotations

import json

import pytest

from ds01.cli.commands.uninstall import view
from ds01.domain.errors import Ds01Error
from ds01.install import removal
from ds01.install.machine import Engine, Found, Running
from ds01.install.manifest import Manifest, read
from ds01.install.paths import DAEMON_JSON, LIMITS
from ds01.install.removal import Act, Removal, Step
from tests.unit.install.values import carried_out, fresh, made

OWN = json.dumps({"data-root": "/srv/docker"})
BEFORE = fresh({DAEMON_JSON: OWN})
INSTALLED = made(there=BEFORE)
DISK = carried_out(INSTALLED, BEFORE)


def gone(there: dict[str, Found], members: dict[str, tuple[str, ...]] | None = None) -> Removal:
    return removal.make(read(INSTALLED.manifest.text()), there, members or {})


def disk_after(steps: tuple[Step, ...], there: dict[str, Found]) -> dict[str, Found]:
    """What is on the disk then. A folder with something in it stays."""
    left = dict(there)
    for step in steps:
        if step.aside:
            left[f"{step.path}.edited"] = left[step.path]
        if step.act is Act.RESTORE and step.found is not None:
            left[step.path] = step.found
        elif step.act is Act.REMOVE and not any(path.startswith(f"{step.path}/") for path in left):
            left.pop(step.path, None)
    return left


def test_everything_is_as_it_was_but_for_what_ds01_knows() -> None:
    left = disk_after(gone(DISK).steps, DISK)
    assert {path: found for path, found in left.items() if not path.startswith("/var/lib/ds01")} == BEFORE


def test_daemon_json_is_the_same_to_the_letter() -> None:
    step = next(step for step in gone(DISK).steps if step.path == DAEMON_JSON)
    assert step.found is not None
    assert (step.act, step.found.text) == (Act.RESTORE, OWN)


def test_daemon_json_that_was_changed_since_loses_only_what_is_ds01s() -> None:
    since = json.loads(DISK[DAEMON_JSON].text) | {"debug": True}
    step = next(step for step in gone(DISK | {DAEMON_JSON: Found(text=json.dumps(since))}).steps
                if step.path == DAEMON_JSON)  # fmt: skip
    assert step.found is not None
    assert json.loads(step.found.text) == {"data-root": "/srv/docker", "debug": True}
    assert "you changed it" in step.why


def test_daemon_json_that_became_a_link_is_neither_followed_nor_replaced() -> None:
    with pytest.raises(Ds01Error, match=r"daemon\.json is a link"):
        gone(DISK | {DAEMON_JSON: Found(link="/srv/daemon.json", mode=0o777)})


def test_limits_that_the_admin_changed_stay_where_they_are() -> None:
    there = DISK | {LIMITS: Found(text="defaults: {cpus: 1}\n")}
    left = disk_after(gone(there).steps, there)
    assert left[LIMITS].text == "defaults: {cpus: 1}\n"
    assert "/etc/ds01" in left


def test_a_unit_that_the_admin_changed_is_kept_beside() -> None:
    unit = "/etc/systemd/system/ds01d.service"
    there = DISK | {unit: Found(text="hers")}
    left = disk_after(gone(there).steps, there)
    assert (unit in left, left[f"{unit}.edited"].text) == (False, "hers")


def test_a_file_that_is_gone_already_is_no_trouble() -> None:
    there = {path: found for path, found in DISK.items() if path != "/etc/profile.d/ds01.sh"}
    assert "/etc/profile.d/ds01.sh" not in {step.path for step in gone(there).steps}


def test_a_group_with_people_in_it_stays() -> None:
    found = gone(DISK, {"ds01-admin": ("maria",)})
    assert (found.accounts, found.kept) == (("ds01-gateway",), ("ds01-admin",))


def test_where_ds01_never_was_there_is_nothing_to_take_off() -> None:
    assert removal.make(Manifest(), {}, {}).nothing


ANNAS = Running(name="thesis._.1001", ours=True, owner="anna")
ADMINS = Running(name="grafana")


def engine(*, live_restore: bool) -> Engine:
    return Engine(
        socket="/run/ds01/engine/docker.sock", version="20.10", data_root="/var/lib/docker",
        live_restore=live_restore, containers=(ADMINS, ANNAS),
    )  # fmt: skip


def test_the_plan_names_what_runs_now_and_what_becomes_of_it() -> None:
    plan = removal.make(read(INSTALLED.manifest.text()), DISK, {}, engine(live_restore=False))
    assert plan.stops == ("thesis._.1001", "grafana")
    assert [(each.name, becomes) for each, becomes in plan.running] == [
        ("thesis._.1001", "ends, and does not start again on plain Docker; docker cp gets its files"),
        ("grafana", "ends, and comes back if its restart policy says so"),
    ]
    shown = view(plan, done=False)
    assert (shown.stops, shown.containers[0].owner, shown.containers[1].owner) == (plan.stops, "anna", "")


def test_with_live_restore_nothing_ends_and_nobody_looks_after_it() -> None:
    plan = removal.make(read(INSTALLED.manifest.text()), DISK, {}, engine(live_restore=True))
    assert plan.stops == ()
    assert [becomes.partition(",")[0] for _, becomes in plan.running] == [
        "goes on with its GPU until it ends", "goes on"
    ]  # fmt: skip


def test_an_engine_that_does_not_answer_keeps_nobody_from_leaving() -> None:
    assert (gone(DISK).running, gone(DISK).stops) == ((), ())
