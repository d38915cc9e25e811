"""``make up`` and ``make down``: the three programs, started when they are missing, and nobody else's stopped."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from ipaddress import IPv4Network, ip_interface, ip_network
from pathlib import Path
from typing import Any

import pytest
from dev import engine, programs, remains, stack
from dev.installation import CHECKOUT

from ds01.adapters.host.fence import IptablesFence, take_down
from ds01.domain.fence import Bridge, FencePlan
from ds01.services.fence import name_of

pytestmark = [pytest.mark.root, pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def state() -> Iterator[str]:
    """A state directory deeper than a socket's path may be long."""
    with tempfile.TemporaryDirectory(prefix="ds01-a-long-name-", dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        deep = Path(folder, "as-deep-as-tests-like-to-make-their-folders/state")
        yield str(deep)
        stack.down(str(deep))


def make(target: str, state: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", target, "ARGS=--no-base" if target == "up" else "ARGS="], cwd=CHECKOUT, capture_output=True, text=True,
        check=False, env=os.environ | {"STATE": state},
    )  # fmt: skip


def up(state: str) -> Any:
    done = make("up", state)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ours(state: str) -> set[str]:
    """What a stack puts on the host besides files: links on its engine's addresses, mounts below its folder, and the
    fence around its users' networks.
    """
    real = Path(state).resolve()
    ranges = [ip_network(subnet) for subnet in engine.subnets(real / "engine")]
    shown = subprocess.run(["ip", "-o", "-4", "addr"], capture_output=True, text=True, check=True).stdout
    words = [line.split() for line in shown.splitlines()]
    links = {word[1] for word in words if any(ip_interface(word[3]).ip in network for network in ranges)}
    points = [Path(line.split()[4]) for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    fences = {chain for chain in chains() if chain.startswith(name_of(stack.place(state) / "run"))}
    return links | fences | {str(point) for point in points if point.is_relative_to(real)}


def chains() -> set[str]:
    """The chains of the firewall, for IPv4 and IPv6."""
    shown = [subprocess.check_output([program, "-S"], text=True) for program in ("iptables", "ip6tables")]
    return {line.split()[1] for line in "".join(shown).splitlines() if line.startswith("-N ")}


def test_of_a_fence_nothing_is_left_when_its_engine_ended() -> None:
    """Rules that name an address of the engine's go; the others of its fence would stop everybody."""
    pool = IPv4Network("10.199.128.0/17")
    plan = FencePlan(name="DS01-remains", pool=pool, networks=(Bridge(range=pool, interface="br-0"),), ports=(53,))
    asyncio.run(IptablesFence().put_up(plan))
    try:
        remains.clear([], [str(pool)])
        assert not [chain for chain in chains() if chain.startswith(plan.name)]
        assert plan.name not in subprocess.check_output(["iptables", "-S"], text=True)
    finally:
        take_down(plan)


def test_up_says_where_everything_is_and_all_of_it_answers(state: str) -> None:
    shown = up(state)
    assert set(shown) == {"engine", "api", "gateway", "state", "python", "pids"}
    assert set(shown["pids"]) == {"ds01d", "gateway", "engine"}
    assert engine.answers(shown["engine"])
    assert engine.answers(shown["api"], "/v1/ping")
    assert engine.answers(shown["gateway"])
    for path in (shown["api"], shown["gateway"]):
        assert Path(path).resolve().is_relative_to(Path(state).resolve())
        assert len(path) <= stack.SOCKET_LENGTH


def test_an_ordinary_account_can_run_the_python_it_names(state: str) -> None:
    command = [up(state)["python"], "-c", "import ds01.cli.main, os; print(os.getuid())"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, user=65534, group=65534, cwd="/", env={}
    )
    assert (done.returncode, done.stdout) == (0, "65534\n"), done.stderr


def test_the_engine_is_closed_to_users_and_the_gateway_runs_without_privilege(state: str) -> None:
    shown = up(state)
    assert Path(shown["engine"]).stat().st_mode & 0o007 == 0
    status = Path(f"/proc/{shown['pids']['gateway']}/status").read_text()
    uids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
    assert "0" not in uids


@pytest.mark.parametrize("name", ["gateway", "ds01d", "engine"])
def test_called_again_it_restarts_only_what_died(state: str, name: str) -> None:
    before = up(state)["pids"]
    killed = programs.identify(before[name])
    os.kill(before[name], signal.SIGKILL)
    assert programs.until(lambda: not programs.alive(killed), 60)
    after = up(state)["pids"]
    assert after[name] != before[name]
    assert {key: pid for key, pid in after.items() if key != name} == {k: p for k, p in before.items() if k != name}


def test_down_stops_exactly_these_and_leaves_the_host_as_it_was(state: str) -> None:
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        shown = up(state)
        assert ours(state)
        running = [programs.identify(pid) for pid in shown["pids"].values()]
        done = make("down", state)
        assert done.returncode == 0, done.stderr
        assert not any(programs.alive(program) for program in running)
        assert bystander.poll() is None
        assert not ours(state)
        assert (Path(state) / "limits.yaml").exists(), "down must keep the files"
        assert "nothing" in make("down", state).stderr
    finally:
        bystander.kill()
        bystander.wait()


def test_down_leaves_a_bridge_that_another_engine_has_by_now(state: str) -> None:
    killed = programs.identify(up(state)["pids"]["engine"])
    os.kill(killed.pid, signal.SIGKILL)
    assert programs.until(lambda: not programs.alive(killed), 60)
    with tempfile.TemporaryDirectory(prefix="ds01e", dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        shutil.copy(Path(state).resolve() / "engine/bridge", folder)
        other = engine.start(Path(folder))
        try:
            assert make("down", state).returncode == 0
            bridge = engine.subnets(Path(folder))[0]
            rules = subprocess.run(["iptables", "-t", "nat", "-S"], capture_output=True, text=True, check=True).stdout
            assert f"-s {bridge}" in rules
        finally:
            engine.stop(other)
