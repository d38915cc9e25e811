"""Containers as they really are: confined, with their GPU and their workspace, and what becomes of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ds01.domain.errors import GPU_FULL, START_FAILED, WRONG_STATE, Ds01Error
from ds01.wire.containers import RetireRequest, RetireResult, StartResult
from tests.engine.daemon.conftest import Docker, User, eventually

pytestmark = [pytest.mark.engine, pytest.mark.root]


def test_a_container_is_confined_when_it_is_created(alice: User, docker: Docker) -> None:
    made = alice.launch()
    told = docker.inspect(made.id)
    config, host = told["Config"], told["HostConfig"]
    assert config["User"] == f"{alice.uid}:{alice.person.gid}"
    assert (host["CapDrop"], host["CapAdd"], host["Privileged"]) == (["ALL"], None, False)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert (host["Init"], host["PidsLimit"], host["Memory"], host["MemorySwap"]) == (True, 256, 256 << 20, 256 << 20)
    assert (host["NanoCpus"], host["ShmSize"]) == (1_000_000_000, 16 << 20)
    assert host["CgroupParent"] == f"/ds01-u{alice.uid}.slice"
    assert host["NetworkMode"] == f"ds01-u{alice.uid}"
    assert host["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}
    assert docker("exec", made.id, "id", "-u") == str(alice.uid)
    status = docker("exec", made.id, "cat", "/proc/self/status")
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status


def test_e7_gpus_are_numbered_from_zero_inside(alice: User, bob: User, docker: Docker) -> None:
    his = bob.launch("first")
    made = alice.launch(gpus="2")
    assert not set(made.gpus) & set(his.gpus)
    assert docker("exec", made.id, "sh", "-c", "ls /dev/nvidia*").split() == ["/dev/nvidia0", "/dev/nvidia1"]
    assert "GPU 1:" in docker("exec", made.id, "nvidia-smi", "-L")


def test_w3_w4_the_workspace_is_the_users_with_its_caches(alice: User, docker: Docker) -> None:
    made = alice.launch()
    docker("exec", made.id, "sh", "-c", "echo hi >/workspace/made && mkdir -p $HF_HOME && touch $HF_HOME/model")
    facts = (alice.workspace() / "made").stat()
    assert (facts.st_uid, facts.st_gid) == (alice.uid, alice.person.gid)
    assert (alice.workspace() / ".cache/huggingface/model").exists()


def test_data_is_read_only(alice: User, docker: Docker) -> None:
    data = alice.person.home / "data"
    alice.person.run("mkdir", str(data))
    alice.person.run("touch", str(data / "set.csv"))
    made = alice.launch(data=(str(data),))
    assert docker("exec", made.id, "ls", "/data") == "set.csv"
    docker("exec", made.id, "touch", "/data/mine", fails=True)


def test_e4_e6_stop_holds_and_start_finds_it_again(alice: User) -> None:
    made = alice.launch()
    alice.ask("stop", "thesis")
    stopped = alice.container()
    assert (stopped.state, stopped.reason, stopped.lease, stopped.gpus) == (
        "stopped",
        "stopped by you",
        "held",
        made.gpus,
    )
    alice.ask("start", "thesis")
    again = alice.container()
    assert (again.id, again.state, again.lease, again.gpus) == (made.id, "running", "active", made.gpus)


def test_e4_in_real_time_a_hold_ends_the_gpu_goes_back_and_the_container_stays(alice: User, bob: User) -> None:
    before = (alice.daemon.folder / "limits.yaml").read_text()
    with alice.daemon.limited(before.replace("gpu_hold: 15m", "gpu_hold: 12s")):
        bob.launch("others", gpus="3")
        made = alice.launch()
        alice.ask("stop", "thesis")
        held = alice.container()
        assert (held.lease, held.gpus) == ("held", made.gpus)
        with pytest.raises(Ds01Error) as kept:
            bob.launch("eager")
        assert kept.value.kind is GPU_FULL
        eventually(lambda: alice.container().lease != "held")
        assert (alice.container().state, alice.container().gpus) == ("stopped", ())
        assert bob.launch("eager").gpus == made.gpus
        with pytest.raises(Ds01Error) as full:
            alice.ask("start", "thesis")
        assert full.value.kind is GPU_FULL
        assert full.value.problem.hint
        bob.ask("retire", "eager")
        alice.ask("start", "thesis")
        again = alice.container()
        assert (again.id, again.state, again.lease, again.gpus) == (made.id, "running", "active", made.gpus)


def test_an_idle_container_stops_at_once(alice: User) -> None:
    alice.launch(gpus="0")
    result = alice.ask("retire", "thesis")
    assert isinstance(result, RetireResult)
    assert result.seconds < 3


def test_a_start_on_other_gpus_keeps_everything_in_the_container(alice: User, bob: User, docker: Docker) -> None:
    made = alice.launch()
    docker("exec", made.id, "sh", "-c", "echo precious >/tmp/kept")
    before = (alice.daemon.folder / "limits.yaml").read_text()
    with alice.daemon.limited(before.replace("gpu_hold: 15m", "gpu_hold: 0s")):
        alice.ask("stop", "thesis")
    bob.launch("greedy", gpus="4")
    with pytest.raises(Ds01Error) as full:
        alice.ask("start", "thesis")
    assert full.value.kind is GPU_FULL
    bob.launch("greedy", gpus="3", recreate=True)
    taken = set(bob.container("greedy").gpus)
    started = alice.ask("start", "thesis")
    assert isinstance(started, StartResult)
    assert not set(started.container.gpus) & taken
    assert docker("exec", started.container.id, "cat", "/tmp/kept") == "precious"
    assert docker("exec", started.container.id, "id", "-u") == str(alice.uid)
    assert docker("exec", started.container.id, "ls", "/dev/nvidia0") == "/dev/nvidia0"
    if started.recreated:
        assert started.container.id != made.id
        assert docker("ps", "-a", "--format", "{{.Names}}", "--filter", "name=thesis") == f"thesis._.{alice.uid}"
    alice.ask("retire", "thesis")
    assert "ds01-internal" not in docker("images")


def test_pause_and_unpause(alice: User, docker: Docker) -> None:
    made = alice.launch()
    alice.ask("pause", "thesis")
    assert docker.inspect(made.id)["State"]["Paused"] is True
    with pytest.raises(Ds01Error) as paused:
        alice.ask("start", "thesis")
    assert paused.value.kind is WRONG_STATE
    assert alice.launch().state == "running"


def test_w2_retire_rescues_what_is_not_in_the_workspace(alice: User, docker: Docker) -> None:
    made = alice.launch()
    docker("exec", made.id, "sh", "-c", "mkdir -p /tmp/notes/deep && echo x >/tmp/notes/deep/a && echo y >/tmp/b")
    preview = alice.ask("retire_preview", "thesis")
    assert preview.files == ("/tmp/b", "/tmp/notes/deep/a")  # type: ignore[attr-defined]
    result = alice.ask("retire", "thesis", RetireRequest(rescue=True))
    assert isinstance(result, RetireResult)
    saved = alice.workspace() / result.rescued.removeprefix("/workspace/")
    assert (saved / "tmp/notes/deep/a").read_text() == "x\n"
    assert {path.stat().st_uid for path in saved.rglob("*")} == {alice.uid}
    assert (saved / "tmp/b").read_text() == "y\n"
    assert docker("ps", "-aq", "--filter", "label=ds01.owner.uid") == ""


def test_a_rescue_follows_no_link_of_the_user_out_of_her_rights(alice: User, docker: Docker, tmp_path: Path) -> None:
    made = alice.launch()
    docker("exec", made.id, "sh", "-c", "echo x >/tmp/b")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    alice.person.run("rm", "-rf", str(alice.workspace() / ".ds01"))
    alice.person.run("ln", "-s", str(closed), str(alice.workspace() / ".ds01"))
    with pytest.raises(Ds01Error):
        alice.ask("retire", "thesis", RetireRequest(rescue=True))
    assert list(closed.iterdir()) == []
    assert alice.container().state == "stopped"
    alice.person.run("rm", str(alice.workspace() / ".ds01"))


def test_an_image_without_a_shell_is_said_and_leaves_nothing(alice: User, docker: Docker) -> None:
    docker("rmi", "-f", "ds01/empty:latest") if "ds01/empty" in docker("images") else ""
    archive = alice.daemon.folder / "empty.tar"
    (alice.daemon.folder / "file").write_text("x")
    os.system(f"tar -C {alice.daemon.folder} -cf {archive} file")
    docker("import", str(archive), "ds01/empty:latest")
    with pytest.raises(Ds01Error, match="no shell") as refused:
        alice.launch(image="ds01/empty:latest")
    assert refused.value.kind is START_FAILED
    assert refused.value.problem.reason
    assert docker("ps", "-aq", "--filter", "label=ds01.owner.uid") == ""
    assert alice.ask("gpus").free == 4  # type: ignore[attr-defined]


def test_w5_one_user_sees_nothing_of_another(alice: User, bob: User, docker: Docker) -> None:
    hers, his = alice.launch(), bob.launch()
    assert [c.id for c in alice.containers()] == [hers.id]
    assert [c.id for c in bob.containers()] == [his.id]
    with pytest.raises(Ds01Error):
        bob.launch("spy", workspace=str(alice.workspace()))
    address = docker("exec", hers.id, "hostname", "-i")
    docker("exec", his.id, "ping", "-c", "1", "-W", "1", address, fails=True)


def test_in_an_image_built_for_nobody_she_has_her_name_and_a_home(alice: User, docker: Docker) -> None:
    made = alice.launch()
    name = alice.person.login
    assert docker("exec", made.id, "whoami") == name
    assert docker("exec", made.id, "sh", "-c", "touch ~/it && stat -c %U ~/it") == name
    preview = alice.ask("retire_preview", "thesis")
    assert preview.files == (f"/home/{name}/it",)  # type: ignore[attr-defined]


def test_her_containers_find_each_other_by_their_plain_names(alice: User, docker: Docker) -> None:
    server = alice.launch("server")
    client = alice.launch("client", gpus="0")
    docker("exec", "-d", server.id, "sh", "-c", "echo found | nc -l -p 99")
    eventually(lambda: docker("exec", client.id, "sh", "-c", "nc -w 1 server 99 || true") == "found")
