"""The life of containers made through plain Docker, and of the two programs beside them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, PATIENCE_SECONDS, Ground, User, wait

pytestmark = [pytest.mark.engine, pytest.mark.root]
GPU = {"DeviceRequests": [{"Count": 1, "Capabilities": [["gpu"]]}]}


def rows(field: Ground, query: str) -> list[tuple[Any, ...]]:
    """What the ledger says, read beside ds01d."""
    with sqlite3.connect(f"file:{field.state}/ledger.db?mode=ro", uri=True) as ledger:
        return ledger.execute(query).fetchall()


def open_leases(field: Ground) -> list[tuple[Any, ...]]:
    return rows(field, "select id, state from leases where state in ('reserved', 'active', 'held')")


@pytest.mark.parametrize("client", ["docker", OLD_CLIENT])
def test_run_exec_logs_and_exit_codes(mallory: User, client: str) -> None:
    done = mallory.docker(
        "run", "--rm", "-i", IMAGE, "sh", "-c", "cat; echo err >&2; exit 7", given="in\n", client=client
    )
    assert (done.code, done.out, done.err) == (7, "in\n", "err\n")
    assert (
        mallory.docker("run", "-d", "--name", "web", IMAGE, "sh", "-c", "echo hello; sleep 99", client=client).code == 0
    )
    assert mallory.docker("exec", "web", "sh", "-c", "exit 9", client=client).code == 9
    assert mallory.docker("exec", "-i", "web", "cat", given="x", client=client).out == "x"
    wait(lambda: mallory.docker("logs", "web", client=client).out == "hello\n")
    assert "web" in mallory.docker("ps", client=client).out
    assert mallory.docker("stop", "-t", "0", "web", client=client).code == 0
    assert mallory.docker("start", "web", client=client).code == 0
    assert mallory.docker("restart", "-t", "0", "web", client=client).code == 0
    assert mallory.docker("pause", "web", client=client).code == 0
    assert mallory.docker("unpause", "web", client=client).code == 0
    assert mallory.docker("kill", "web", client=client).code == 0
    assert mallory.docker("wait", "web", client=client).out == "137\n"
    assert mallory.docker("rm", "web", client=client).code == 0
    assert mallory.docker("run", "--rm", "--name", "web", IMAGE, "true", client=client).code == 0
    assert mallory.docker("run", "--rm", "--name", "web", IMAGE, "true", client=client).code == 0


@pytest.mark.parametrize(
    ("signal", "reason"),
    [("USR1", ("exit", "3")), ("10", ("exit", "3")), ("USR2", ("user", "")), ("INT", ("user", ""))],
)
def test_promise_e6_only_a_signal_that_is_meant_to_end_it_is_a_reason(
    mallory: User, field: Ground, signal: str, reason: tuple[str, str]
) -> None:
    script = "trap 'exit 3' USR1 USR2 INT; echo ready; while :; do sleep 0.1; done"
    made = mallory.docker("run", "-d", "--name", "told", "--stop-signal", "SIGUSR2", IMAGE, "sh", "-c", script)
    wait(lambda: mallory.docker("logs", "told").out == "ready\n")
    assert mallory.docker("kill", "-s", signal, "told").code == 0
    asked = f"select reason, reason_detail from containers where id = '{made.out.strip()}' and state = 'stopped'"
    wait(lambda: rows(field, asked))
    assert rows(field, asked) == [reason]


def test_containers_of_one_user_find_each_other_by_name(mallory: User) -> None:
    mallory.docker("run", "-d", "--name", "db", IMAGE, "sh", "-c", "echo found | nc -l -p 99")
    done = mallory.docker("run", "--rm", IMAGE, "sh", "-c", "until nc -w 3 db 99 < /dev/null; do sleep 0.1; done")
    assert done.out == "found\n", done


def test_s_limits_hold_through_docker(mallory: User, field: Ground) -> None:
    for host in ({}, {"Memory": 1 << 40, "NanoCpus": 10**12, "PidsLimit": -1, "ShmSize": 1 << 40}, {"Memory": -1}):
        made = mallory.create(HostConfig=host)
        found = field.seen(made.json["Id"])["HostConfig"]
        assert (found["Memory"], found["MemorySwap"], found["PidsLimit"], found["ShmSize"]) == (
            1 << 30, 1 << 30, 256, 64 << 20,
        )  # fmt: skip
        assert 0 < found["NanoCpus"] <= 2 * 10**9
    small = mallory.create(HostConfig={"Memory": 64 << 20, "PidsLimit": 5})
    found = field.seen(small.json["Id"])["HostConfig"]
    assert (found["Memory"], found["PidsLimit"]) == (64 << 20, 5)


def test_f2_g1_g18_gpus_come_from_leases(mallory: User, alice: User, field: Ground) -> None:
    one = mallory.runs("one", HostConfig=GPU)
    inside = mallory.docker("exec", one, "sh", "-c", "ls /dev/nvidia*; echo $NVIDIA_VISIBLE_DEVICES").out.split()
    assert inside[0] == "/dev/nvidia0"
    assert inside[1].startswith("GPU-")
    two = mallory.create(HostConfig=GPU)
    assert two.status == 201
    assert mallory.create(HostConfig=GPU).status == 409
    full = alice.create(HostConfig=GPU)
    assert full.status == 409
    assert len(open_leases(field)) == 2
    assert mallory.call("DELETE", f"/v1.41/containers/{one}?force=1").status == 204
    assert alice.create(HostConfig=GPU).status == 201
    assert mallory.call("DELETE", f"/v1.41/containers/{two.json['Id']}").status == 204
    assert len(open_leases(field)) == 1


def test_one_that_dies_at_once_holds_one_gpu_and_leaves_none_behind(mallory: User, field: Ground) -> None:
    """Whoever starts it again and again has one lease at a time; removed, none."""
    done = mallory.docker("run", "--gpus", "1", "--name", "brief", IMAGE, "false")
    assert done.code == 1
    wait(lambda: [state for _, state in open_leases(field)] == ["held"])
    for _ in range(3):
        assert mallory.docker("start", "--attach", "brief").code == 1
    wait(lambda: [state for _, state in open_leases(field)] == ["held"])
    reasons = rows(field, f"select reason, reason_detail from containers where uid = {mallory.uid} and name = 'brief'")
    assert reasons == [("exit", "1")]
    assert mallory.docker("rm", "brief").code == 0
    assert open_leases(field) == []


def test_g3_no_lease_no_gpu(mallory: User) -> None:
    done = mallory.docker(
        "run", "--rm", "-e", "NVIDIA_VISIBLE_DEVICES=all", IMAGE, "sh", "-c", "echo $NVIDIA_VISIBLE_DEVICES"
    )
    assert done.out == "void\n"


def test_an_events_story_is_kept(mallory: User, field: Ground) -> None:
    before = rows(field, "select coalesce(max(seq), 0) from events")
    container = mallory.runs("story")
    mallory.create(HostConfig={"Privileged": True})
    kept = f"select type, details from events where uid = {mallory.uid} and seq > {before[0][0]}"
    kinds = {"door.allowed", "door.denied", "container.created", "container.started"}
    wait(lambda: kinds <= {kind for kind, _ in rows(field, kept)})
    told = rows(field, kept)
    refused = next(json.loads(details) for _, details in told if "create.privileged" in str(details))
    assert refused["advice"], "the way that works is kept too: ds01 why-refused"
    assert container


def pins(field: Ground, user: User) -> set[str]:
    """Where folders of this user are pinned now."""
    points = {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()}
    return {point for point in points if point.startswith(f"{field.run}/binds/{user.uid}/")}


def test_a_bind_lives_through_stop_and_start(mallory: User, field: Ground) -> None:
    place = mallory.folder("life")
    (place / "x").write_text("kept")
    before = pins(field, mallory)
    container = mallory.runs("life", HostConfig={"Binds": [f"{place}:/m"]})
    for _ in range(2):
        assert mallory.call("POST", f"/v1.41/containers/{container}/restart?t=0").status == 204
        assert mallory.docker("exec", container, "cat", "/m/x").out == "kept"
    mallory.call("DELETE", f"/v1.41/containers/{container}?force=1")
    assert pins(field, mallory) <= before


def test_the_gateway_killed_and_started_again_knows_everything(mallory: User, field: Ground, victim: Victim) -> None:
    container = mallory.runs("mine")
    field.stop("ds01-gateway", signal.SIGKILL)
    field.start_gateway()
    assert [row["Id"] for row in mallory.call("GET", "/v1.41/containers/json").json] == [container]
    assert mallory.call("GET", f"/v1.41/containers/{victim.id}/json").status == 404
    assert field.seen(container)["State"]["Running"]


def test_without_ds01d_nothing_is_granted_and_own_things_are_shown(
    mallory: User, field: Ground, victim: Victim
) -> None:
    container = mallory.runs("mine")
    assert mallory.call("GET", "/v1.41/containers/json").status == 200
    before = field.ids()
    shell = mallory.stream(container)
    os.kill(field.programs["ds01d"].pid, signal.SIGKILL)
    field.programs.pop("ds01d").wait(PATIENCE_SECONDS)
    try:
        assert [row["Id"] for row in mallory.call("GET", "/v1.41/containers/json").json] == [container]
        assert mallory.create().status == 503
        assert mallory.call("POST", f"/v1.41/containers/{container}/restart").status == 503
        assert mallory.call("GET", f"/v1.41/containers/{victim.id}/json").status == 404
        shell.sendall(b"still\n")
        assert shell.recv(4096), "what runs goes on"
        asked = {"Cmd": ["true"]}
        wait(lambda: mallory.call("POST", f"/v1.41/containers/{container}/exec", asked).status == 503)
        assert mallory.call("POST", f"/v1.41/containers/{victim.id}/kill").status == 404
        assert mallory.call("POST", f"/v1.41/containers/{container}/kill").status == 204, (
            "that frees, and grants nothing"
        )
        assert field.ids() == before
    finally:
        shell.close()
        field.start_ds01d()
    wait(lambda: mallory.create().status == 201)
    assert mallory.create().status == 201


def test_plain_images_and_info(mallory: User) -> None:
    info = mallory.call("GET", "/v1.41/info").json
    assert info["OSType"] == "linux"
    assert "RegistryConfig" not in info
    assert "nvidia-container-runtime" in mallory.docker("info", "--format", "{{.Runtimes.nvidia}}").out
    version = json.loads(mallory.docker("version", "--format", "{{json .Server}}").out)
    assert version["MinAPIVersion"] == "1.24"
