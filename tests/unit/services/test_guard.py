"""What ds01d grants the guard, and when it takes it back."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from ds01.domain.container import Container, ContainerId, Door
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.guard import Refusal, StartGrant, check_options, check_volumes, judge_kind
from ds01.domain.settings import DockerSettings, RootRule
from ds01.domain.terminal import Terminal, terminal
from ds01.ports.engine import Guarding
from ds01.services.guard import allow, forget, root_allowed, tell_refusals
from ds01.services.steps import Steps
from ds01.services.stop import stop
from ds01.sim.policy import SimPolicy
from tests.server import ALICE, SimServer, settings
from tests.values import container

FOLDER = "/var/lib/ds01/guard"


@pytest.fixture
def guarded(server: SimServer) -> SimServer:
    server.engine.guarding = Guarding(folder=FOLDER, data_root="/var/lib/docker")
    return server


def through_docker(name: str, *, forced_user: bool = False) -> Container:
    return replace(container(name), door=Door.DOCKER, forced_user=forced_user)


def grants(server: SimServer) -> dict[ContainerId, StartGrant]:
    return {grant.container: grant for grant in server.host.grants(FOLDER)}


async def test_a_launch_is_granted_with_its_lease_and_folder(guarded: SimServer) -> None:
    made = await guarded.launch()
    grant = grants(guarded)[made.id]
    lease = (await guarded.leases())[0]
    assert (grant.uid, grant.gid, grant.as_owner) == (ALICE.uid, ALICE.gid, True)
    assert grant.gpus == lease.slots
    assert made.mounts[0].source in grant.binds
    assert {f"{guarded.world.paths.lib}/session", f"{guarded.world.paths.lib}/job"} <= set(grant.binds)


@pytest.mark.parametrize("door", list(Door))
async def test_what_ds01_makes_itself_is_granted_as_its_owners(guarded: SimServer, door: Door) -> None:
    """A job in a folder whose file system honours no setuid files has no other reason to be: the guard would refuse
    the folder in a container that may have root.
    """
    made = replace(container("x"), door=door, forced_user=False, lease=None, gpus=0)
    await allow(guarded.world, ALICE, made, taken=ExitStack())
    assert grants(guarded)[made.id].as_owner is not door.docker


async def test_without_a_guard_nothing_is_written(server: SimServer) -> None:
    await server.launch()
    assert not server.host.guards


async def test_a_start_that_fails_leaves_no_grant(guarded: SimServer) -> None:
    guarded.engine.faults.refuse_start = "no"
    with pytest.raises(Ds01Error):
        await guarded.launch()
    assert not grants(guarded)


async def test_grants_of_containers_that_are_gone_go(guarded: SimServer) -> None:
    made = await guarded.launch()
    await guarded.reconciler.round()
    assert made.id in grants(guarded)
    assert guarded.host.data_roots[FOLDER] == "/var/lib/docker"
    guarded.engine.vanish(made.id)
    await guarded.reconciler.round()
    assert not grants(guarded)


@pytest.mark.parametrize(
    ("rule", "guard", "allowed"),
    [
        (RootRule.GUARDED, True, True), (RootRule.GUARDED, False, False), (RootRule.ALLOWED, False, True),
        (RootRule.DENIED, True, False),
    ],
)  # fmt: skip
async def test_root_is_allowed_where_the_guard_is(
    server: SimServer, rule: RootRule, guard: bool, allowed: bool
) -> None:
    found = settings()
    server.policy = SimPolicy(type(found)(policy=found.policy, docker=DockerSettings(root_rule=rule)))
    server.engine.guarding = Guarding(folder=FOLDER, data_root="/d") if guard else None
    assert await root_allowed(server.another_world()) == allowed


async def test_a_container_with_root_does_not_start_when_the_guard_is_gone(server: SimServer) -> None:
    made = through_docker("c")
    with pytest.raises(Ds01Error, match="does not allow any more"):
        await allow(server.world, ALICE, made, taken=ExitStack())


async def test_what_the_guard_refused_is_told_once(guarded: SimServer) -> None:
    made = await guarded.launch()
    refusal = Refusal(at=guarded.clock.now() + timedelta(seconds=1), container=made.id, message="DS01: no")
    guarded.host.refusals[FOLDER] = [refusal]
    await tell_refusals(guarded.world)
    await tell_refusals(guarded.world)
    assert (await guarded.events()).count("guard.refused") == 1


async def test_what_could_not_be_written_down_is_told_later(
    guarded: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await guarded.launch()
    refusal = Refusal(at=guarded.clock.now() + timedelta(seconds=1), container=made.id, message="DS01: no")
    guarded.host.refusals[FOLDER] = [refusal]

    async def full(write: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(guarded.world.ledger, "write", full)
        with pytest.raises(OSError, match="no space"):
            await tell_refusals(guarded.world)
    await tell_refusals(guarded.world)
    assert (await guarded.events()).count("guard.refused") == 1


async def test_a_grant_of_what_was_made_since_the_last_look_stays(guarded: SimServer) -> None:
    """A round looks at the engine first and at the grants later; a start in between must not be refused."""
    made = await guarded.launch()
    await forget(guarded.world, ())
    assert [grant.container for grant in guarded.host.grants(FOLDER)] == [made.id]
    guarded.engine.vanish(made.id)
    await forget(guarded.world, ())
    assert guarded.host.grants(FOLDER) == ()


def judged(
    *joined: bool, folder: str = "", unsafe: str = "", reached: str = "", itself: bool = False, root: bool = True
) -> str:
    others = [through_docker(f"c{number}", forced_user=bound) for number, bound in enumerate(joined)]
    return judge_kind(others, folder=folder, unsafe=unsafe, reached=reached, itself=itself, root=root, guarded=True)


def test_which_containers_may_have_root() -> None:
    assert judged() == judged(False) == judged(False, itself=True) == ""
    assert "handed" in judged(folder="/home/alice/x")
    assert "setuid" in judged(unsafe="/mnt")
    assert "become root" in judged(root=False)
    assert judged(itself=True)
    assert "volume v was" in judged(reached="v")
    assert "joins 'c0'" in judged(True)
    assert "handed" in judged(True, folder="/home/alice/x")


@pytest.mark.parametrize(
    ("joined", "folder", "root"), [((False, True), "", True), ((False,), "/home/a", True), ((False,), "", False)]
)
def test_o19_kinds_are_not_mixed(joined: tuple[bool, ...], folder: str, root: bool) -> None:
    with pytest.raises(Ds01Error, match="cannot join"):
        judged(*joined, folder=folder, root=root)


def granted(name: str, *, uid: int = 1001, as_owner: bool = True) -> StartGrant:
    return StartGrant(container=ContainerId(name), uid=uid, gid=uid, as_owner=as_owner, volumes=("v",))


def test_a_volume_is_not_in_containers_of_two_kinds_at_once() -> None:
    check_volumes(granted("a"), (granted("a", as_owner=False), granted("b")))
    with pytest.raises(Ds01Error, match="another kind"):
        check_volumes(granted("a"), (granted("b", as_owner=False),))
    with pytest.raises(Ds01Error, match="somebody else"):
        check_volumes(granted("a"), (granted("b", uid=1002),))


def test_e9_e10_a_volume_that_mounts_something_of_the_server() -> None:
    check_options("v", {})
    check_options("v", {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"})
    for options in ({"type": "none", "o": "bind", "device": "/"}, {"device": "/dev/sda"}, None):
        with pytest.raises(Ds01Error, match="not a plain one"):
            check_options("v", options)


TERMINAL = Terminal(path="/dev/pts/7", environment={"TERM": "xterm"})


def watched(server: SimServer) -> list[dict[tuple[str, ContainerId], Terminal]]:
    """What is offered at each start of a container from now on."""
    seen: list[dict[tuple[str, ContainerId], Terminal]] = []
    start = server.engine.start

    async def looking(container: ContainerId) -> None:
        seen.append(dict(server.host.terminals))
        await start(container)

    server.engine.start = looking  # type: ignore[method-assign]
    return seen


def on_terminal(server: SimServer) -> Steps:
    return Steps(server.clock, terminal=TERMINAL)


async def test_a_terminal_is_offered_for_the_start_it_was_asked_for_and_no_other(guarded: SimServer) -> None:
    seen = watched(guarded)
    made = await guarded.launch(steps=on_terminal(guarded))
    assert seen == [{(FOLDER, made.id): TERMINAL}]
    assert not guarded.host.terminals
    await stop(guarded.world, await guarded.caller(), "thesis")
    await guarded.launch()
    assert seen[1:] == [{}]
    await stop(guarded.world, await guarded.caller(), "thesis")
    await guarded.launch(steps=on_terminal(guarded))
    assert seen[2:] == [{(FOLDER, made.id): TERMINAL}]


async def test_a_terminal_beside_simulated_gpus_has_variables_of_its_own(guarded: SimServer) -> None:
    seen = watched(guarded)
    marked = replace(TERMINAL, environment={"PS1": "plain"}, simulated={"PS1": "marked"})
    await guarded.launch(steps=Steps(guarded.clock, terminal=marked))
    await guarded.launch(name="cpu", gpus="0", steps=Steps(guarded.clock, terminal=marked))
    assert [offer.environment for each in seen for offer in each.values()] == [{"PS1": "marked"}, {"PS1": "plain"}]


async def test_an_offer_ends_with_a_start_that_fails(guarded: SimServer) -> None:
    seen = watched(guarded)
    guarded.engine.faults.refuse_start = "no"
    with pytest.raises(Ds01Error):
        await guarded.launch(steps=on_terminal(guarded))
    assert len(seen) == 1
    assert seen[0]
    assert not guarded.host.terminals


async def test_without_a_guard_no_terminal_is_offered(server: SimServer) -> None:
    seen = watched(server)
    await server.launch(steps=on_terminal(server))
    assert seen == [{}]


@pytest.mark.parametrize(
    ("path", "environment"),
    [
        ("/dev/pts/7\n", {}), ("/dev/pts/../null", {}), ("/dev/tty", {}), ("", {}), ("/dev/pts/\u0667", {}),
        ("/dev/pts/7", {"LD_PRELOAD": "x"}), ("/dev/pts/7", {"TERM": "a\nb"}), ("/dev/pts/7", {"PS1": "x" * 1025}),
    ],
)  # fmt: skip
def test_what_can_be_no_terminal_is_a_bad_request(path: str, environment: dict[str, str]) -> None:
    with pytest.raises(Ds01Error) as refused:
        terminal(path, environment, {})
    assert refused.value.kind is BAD_REQUEST
    if environment:
        with pytest.raises(Ds01Error):
            terminal(path, {}, environment)
