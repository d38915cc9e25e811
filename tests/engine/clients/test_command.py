"""The docker command, Debian 12's and Debian 13's, as somebody types it in a day's work."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from dataclasses import dataclass, replace

import pexpect
import pytest
from dev import people

from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, PATIENCE_SECONDS, Ground, User, wait

pytestmark = [pytest.mark.engine, pytest.mark.root]


@dataclass(frozen=True, kw_only=True)
class Docker:
    """A docker command, typed by somebody."""

    user: User
    client: str
    other: str

    def __call__(self, *words: str, given: str = "", **extra: str) -> people.Done:
        return self.user.docker(*words, client=self.client, given=given, **extra)


@pytest.fixture
def docker(request: pytest.FixtureRequest, place: Ground, user: User, new_client: str) -> Docker:
    """Each engine with the command of its age; ``client`` says which, ``other`` is the other one."""
    del place
    mine, other = OLD_CLIENT, new_client
    if "engine26" in request.node.name:
        mine, other = other, mine
    return Docker(user=user, client=mine, other=other)


def ok(done: people.Done) -> str:
    assert done.code == 0, done.err or done.out
    return done.out.strip()


def test_the_two_commands_are_of_different_ages(docker: Docker, new_client: str) -> None:
    said = {client: ok(replace(docker, client=client)("version", "--format", "{{.Client.Version}}"))
            for client in (docker.client, docker.other)}  # fmt: skip
    assert said[OLD_CLIENT].startswith("20.10."), said
    assert said[new_client].startswith("26.1."), said


@pytest.mark.parametrize("which", ["own", "other"])
def test_a_run_with_every_option_people_use(docker: Docker, user: User, which: str) -> None:
    docker = docker if which == "own" else replace(docker, client=docker.other)
    home = user.folder("opts")
    (home / "env").write_text("FROM_FILE=yes\n")
    (home / "cid").unlink(missing_ok=True)
    ok(docker("network", "create", "opts"))
    ok(docker("volume", "create", "--label", "keep=no", "opts"))
    script = (
        "pwd; id -u; id -G; echo $A $FROM_FILE; hostname; cat /etc/resolv.conf; cat /etc/hosts; ulimit -n; "
        "cat /proc/sys/net/ipv4/ip_unprivileged_port_start; df /scratch /fast | tail -2; touch /x 2>&1; "
        "cat /proc/1/comm; ls -d /vol /vol2; grep NoNewPrivs /proc/self/status; grep CapEff /proc/self/status"
    )
    out = ok(docker(
        "run", "--name", "opts", "-i", "-w", "/tmp", "-e", "A=1", "--env-file", str(home / "env"), "-u", "65534:65534",
        "--group-add", "1234", "--entrypoint", "sh", "--label", "a=b", "--restart", "no", "--init", "--hostname",
        "host",
        "--health-cmd", "true", "--health-interval", "30s", "--health-retries", "2", "--log-opt", "max-size=1m",
        "--tmpfs", "/scratch:size=1m", "--mount", "type=tmpfs,dst=/fast,tmpfs-size=1048576",
        "--mount", "type=volume,src=opts,dst=/vol", "-v", "opts2:/vol2:ro", "--network", "opts",
        "--network-alias", "other", "--add-host", "here:10.1.2.3", "--dns", "10.9.8.7", "--dns-search", "lab.lan",
        "--memory", "64m", "--cpus", "0.5", "--ulimit", "nofile=99:99", "--sysctl",
        "net.ipv4.ip_unprivileged_port_start=80", "--stop-signal", "INT", "--stop-timeout", "3", "--cidfile",
        str(home / "cid"), "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit",
        "50", "--shm-size", "8m", "-p", "127.0.0.1:18099:80", "--expose", "81", "--ipc", "private", "--oom-score-adj",
        "600", "--cgroup-parent", "/", "--platform", "linux/amd64", IMAGE, "-c", script,
    ))  # fmt: skip
    for wanted in ("/tmp\n", "65534\n", "1234", "1 yes", "\nhost\n", "10.1.2.3\there", "lab.lan", "\n99\n", "\n80\n",
                   "/scratch", "/fast", "Read-only file system", "/vol\n/vol2", "NoNewPrivs:\t1",
                   "CapEff:\t0000000000000000"):  # fmt: skip
        assert wanted in out, (wanted, out)
    found = json.loads(ok(docker("inspect", "opts")))[0]
    host, config = found["HostConfig"], found["Config"]
    assert (home / "cid").read_text().strip() == found["Id"]
    assert (host["Memory"], host["NanoCpus"], host["ShmSize"], host["PidsLimit"]) == (
        64 << 20,
        500_000_000,
        8 << 20,
        50,
    )
    assert (config["StopSignal"], config["StopTimeout"], config["Hostname"], config["User"]) == (
        "INT", 3, "host", "65534:65534",
    )  # fmt: skip
    assert (host["Binds"], host["Tmpfs"], host["NetworkMode"]) == (["opts2:/vol2:ro"], {"/scratch": "size=1m"}, "opts")
    assert (config["Labels"], host["GroupAdd"], host["Runtime"]) == ({"a": "b"}, ["1234"], "runc")
    assert config["Image"] == IMAGE
    assert host["PortBindings"] == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18099"}]}
    assert set(found["NetworkSettings"]["Networks"]) == {"opts"}
    for words in (("rm", "opts"), ("network", "rm", "opts"), ("volume", "rm", "opts", "opts2")):
        ok(docker(*words))


def test_looking_and_listing(docker: Docker) -> None:
    ok(
        docker(
            "run", "-d", "--name", "seen", "--label", "of=me", "-p", "80", "-t", IMAGE, "sh", "-c", "echo hi; sleep 999"
        )
    )
    assert ok(docker("ps", "--format", "{{.Names}} {{.Image}} {{.Labels}}", "--filter", "label=of=me")) == (
        f"seen {IMAGE} of=me"
    )
    assert ok(docker("ps", "-aq", "--no-trunc", "--filter", "name=^/?seen$"))
    assert ok(docker("ps", "-q", "--filter", "status=exited")) == ""
    assert "sleep 999" in ok(docker("top", "seen"))
    assert "sleep 999" in ok(docker("top", "seen", "-o", "pid,args"))
    assert ok(docker("port", "seen", "80")).startswith("127.0.0.1:")
    assert "seen" in ok(docker("stats", "--no-stream", "--format", "{{.Name}}"))
    wait(lambda: ok(docker("logs", "--tail", "1", "-t", "seen")).endswith("hi"))
    assert ok(docker("diff", "seen")) == ""
    assert ok(docker("inspect", "-f", "{{.State.Running}} {{.Name}}", "seen")) == "true /seen"
    assert ok(docker("inspect", "--size", "--type", "container", "-f", "{{.SizeRw}}", "seen")) == "0"
    assert "Containers: 1" in ok(docker("info"))
    assert "Images" in ok(docker("system", "df"))
    assert "seen" in ok(docker("events", "--since", "1h", "--until", "0s", "--filter", "container=seen"))
    assert "swarm" in docker("node", "ls").err
    assert docker("swarm", "init").code == 1


def test_a_life(docker: Docker) -> None:
    ok(docker("create", "--name", "life", IMAGE, "sh", "-c", "trap 'exit 5' TERM; while true; do sleep 0.1; done"))
    ok(docker("start", "life"))
    for words in (("pause",), ("unpause",), ("update", "--cpus", "0.5", "--memory", "32m", "--memory-swap", "32m"),
                  ("rename",)):  # fmt: skip
        ok(docker(*words, "life", *(["reborn"] if words == ("rename",) else [])))
    ok(docker("stop", "-t", "60", "reborn"))
    assert ok(docker("wait", "reborn")) == "5"
    ok(docker("start", "reborn"))
    ok(docker("kill", "-s", "KILL", "reborn"))
    assert ok(docker("wait", "reborn")) == "137"
    assert ok(docker("commit", "-m", "note", "-c", "CMD echo kept", "reborn", "life:1")).startswith("sha256:")
    assert ok(docker("run", "--rm", "life:1")) == "kept"
    assert "note" in ok(docker("history", "life:1"))
    ok(docker("restart", "-t", "0", "reborn"))
    assert docker("rm", "reborn").code == 1
    ok(docker("rm", "-f", "-v", "reborn"))
    ok(docker("rmi", "life:1"))
    assert "No such container: reborn" in docker("logs", "reborn").err


def test_files_in_and_out(docker: Docker, user: User) -> None:
    home = user.folder("files")
    (home / "in").write_text("carried\n")
    ok(docker("create", "--name", "files", IMAGE, "cat", "/tmp/in"))
    ok(docker("cp", str(home / "in"), "files:/tmp/in"))
    assert ok(docker("start", "-a", "files")) == "carried"
    ok(docker("cp", "files:/tmp/in", str(home / "out")))
    assert (home / "out").read_text() == "carried\n"
    exported = home / "files.tar"
    ok(docker("export", "-o", str(exported), "files"))
    ok(docker("import", "-c", "CMD cat /tmp/in", str(exported), "files:again"))
    assert ok(docker("run", "--rm", "files:again", "cat", "/tmp/in")) == "carried"
    ok(docker("save", "-o", str(home / "saved.tar"), "files:again", IMAGE))
    ok(docker("rmi", "files:again"))
    loaded = ok(docker("load", "-i", str(home / "saved.tar")))
    assert "Loaded image: files:again" in loaded
    assert f"Loaded image: {IMAGE}" in loaded, "the server's own image is what it was"
    ok(docker("rmi", "files:again"))
    ok(docker("rm", "files"))


def test_networks_and_names(docker: Docker) -> None:
    ok(docker("network", "create", "--label", "a=b", "one"))
    ok(docker("run", "-d", "--name", "server", "--network", "one", "--network-alias", "web", IMAGE, "sh", "-c",
              "while true; do echo found | nc -l -p 99; done"))  # fmt: skip
    ok(docker("run", "-d", "--name", "client", IMAGE, "sleep", "99"))
    ask = (
        "exec",
        "client",
        "sh",
        "-c",
        "for i in $(seq 100); do nc -w 2 $0 99 </dev/null && exit; sleep 0.2; done; exit 1",
    )
    assert docker("exec", "client", "nslookup", "web").code != 0
    ok(docker("network", "connect", "--alias", "c2", "one", "client"))
    for name in ("web", "server"):
        assert ok(docker(*ask, name)) == "found"
    members = json.loads(ok(docker("network", "inspect", "one")))[0]
    assert {each["Name"] for each in members["Containers"].values()} == {"server", "client"}
    assert members["IPAM"]["Config"][0]["Gateway"]
    ok(docker("network", "disconnect", "one", "client"))
    assert docker("network", "rm", "one").code == 1
    ok(docker("run", "-d", "--name", "linked", "--link", "client:friend", IMAGE, "sleep", "99"))
    ok(docker("exec", "linked", "nslookup", "friend"))
    assert ok(docker("exec", "linked", "sh", "-c", "echo $FRIEND_NAME")) == "/linked/friend"
    assert ok(docker("inspect", "-f", "{{.HostConfig.Links}}", "linked")) == "[/client:/linked/friend]"
    ok(docker("rm", "-f", "server", "client", "linked"))
    ok(docker("network", "rm", "one"))


def test_input_ends_and_output_goes_on(docker: Docker) -> None:
    done = docker("run", "-i", "--rm", IMAGE, "sh", "-c", "cat; sleep 0.5; echo after; exit 3", given="given\n")
    assert (done.code, done.out) == (3, "given\nafter\n")
    ok(docker("run", "-d", "--name", "still", IMAGE, "sleep", "99"))
    done = docker("exec", "-i", "still", "sh", "-c", "wc -c; echo after >&2", given="x" * 3_000_000)
    assert (done.out.strip(), done.err) == ("3000000", "after\n")
    done = docker("exec", "-e", "B=2", "-w", "/tmp", "-u", "nobody", "still", "sh", "-c", "pwd; id -u; echo $B")
    assert done.out == "/tmp\n65534\n2\n"
    assert docker("exec", "still", "nonsense").code == 127 or docker("exec", "still", "nonsense").code == 126


def terminal(user: User, client: str, *words: str) -> pexpect.spawn[str]:
    person = people.person(user.person.login, DOCKER_HOST=f"unix://{user.gateway}", TERM="xterm")

    def become() -> None:
        os.setgid(person.gid)
        os.setuid(person.uid)

    return pexpect.spawn(client, list(words), env=dict(person.environment()), preexec_fn=become, encoding="utf-8",
                         dimensions=(24, 80), timeout=PATIENCE_SECONDS, cwd=str(person.home))  # fmt: skip


def test_a_terminal_has_its_size_and_lets_go(docker: Docker, user: User) -> None:
    client = docker.client
    shell = terminal(user, client, "run", "-it", "--name", "tty", "--detach-keys", "ctrl-x,d", IMAGE, "sh")
    shell.expect("# ")
    shell.sendline("stty size")
    shell.expect("24 80")
    shell.setwinsize(30, 100)
    for _ in range(600):
        shell.sendline("stty size")
        if shell.expect(["30 100", "24 80"]) == 0:
            break
        time.sleep(0.1)
    else:
        pytest.fail("the new size never came")
    shell.send("\x18")
    shell.send("d")
    shell.expect(pexpect.EOF)
    assert ok(docker("inspect", "-f", "{{.State.Running}}", "tty")) == "true"
    again = terminal(user, client, "attach", "tty")
    again.sendline("echo $((6*7)); exit 4")
    again.expect("42")
    again.expect(pexpect.EOF)
    again.close()
    assert again.exitstatus == 4


def test_logs_are_followed_to_the_end(docker: Docker) -> None:
    ok(docker("run", "-d", "--name", "talks", IMAGE, "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.3; done"))
    assert ok(docker("logs", "-f", "talks")) == "1\n2\n3"


def test_a_create_waits_for_gpus_as_long_as_its_client_says(docker: Docker, place: Ground, user: User) -> None:
    ok(docker("run", "-d", "--gpus", "2", "--name", "busy", IMAGE, "sleep", "99"))
    refused = docker("run", "--rm", "--gpus", "1", IMAGE, "true")
    assert refused.code == 125
    found: list[people.Done] = []
    other = place.alice

    def asks() -> None:
        words = ("run", "--rm", "--gpus", "1", "-e", "DS01_WAIT=2m", "--name", "waits", IMAGE, "echo", "turn")
        found.append(other.docker(*words))

    thread = threading.Thread(target=asks)
    thread.start()
    wait(lambda: waiting(place))
    assert not found
    second = other.docker("run", "--rm", "--gpus", "1", IMAGE, "true", client=docker.client)
    assert second.code == 125
    assert "2 of 2 that fit are in use. You would be 2nd in the queue" in second.err
    assert "Who waits: ds01 queue" in second.err
    ok(docker("rm", "-f", "busy"))
    thread.join(PATIENCE_SECONDS)
    assert found[0].out == "turn\n", found[0].err


def waiting(place: Ground) -> bool:
    with sqlite3.connect(f"file:{place.state}/ledger.db?mode=ro", uri=True) as ledger:
        return bool(ledger.execute("select 1 from requests where state = 'waiting'").fetchall())


def test_who_waits_in_vain_or_hangs_up_has_no_place_any_more(docker: Docker, place: Ground, user: User) -> None:
    ok(docker("run", "-d", "--gpus", "2", "--name", "busy", IMAGE, "sleep", "99"))
    done = place.alice.docker("run", "--rm", "--gpus", "1", "-e", "DS01_WAIT=1s", IMAGE, "true")
    assert done.code == 125
    assert "You would be next" in done.err
    assert "ds01 queue" in done.err
    hanging = place.alice.person.start("timeout", "2", docker.client, "-H", f"unix://{place.gateway}", "run", "--gpus",
                                       "1", "--label", "ds01.wait=1h", IMAGE, "true")  # fmt: skip
    hanging.wait(PATIENCE_SECONDS)
    wait(lambda: not waiting(place))
