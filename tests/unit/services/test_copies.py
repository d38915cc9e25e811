"""What of copies, starts and ends goes on beside what: while files are copied with an older engine nothing starts that
could lead it astray, nor is another copy there, and whom DS01 ends is copied no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from ds01.domain.container import Container, ContainerId, ContainerState, Door, Observed
from ds01.domain.errors import BUSY, Ds01Error
from ds01.domain.guard import StartGrant
from ds01.domain.standing import Judgement, Remedy
from ds01.domain.volume import Volume
from ds01.ports.engine import Guarding
from ds01.ports.ledger import Books
from ds01.services import confine, copies
from ds01.services.copies import Copies
from ds01.services.door import start as through_docker
from ds01.services.door.copying import copying
from ds01.services.door.redeem import expire
from ds01.services.enforce import act as act_of_ds01
from ds01.services.remove import remove
from ds01.services.retire import retire
from ds01.services.start import start
from ds01.services.steps import Steps
from ds01.services.stop import stop
from ds01.wire.containers import RetireRequest
from ds01.wire.door import DoorStart, DoorTicket
from ds01.wire.errors import ErrorView
from ds01.wire.holdings import DoorCopy
from tests.server import ALICE, SimServer

FOLDER = "/var/lib/ds01/guard"
VOLUME = "v._.1001"
PLACE = f"/volumes/{VOLUME}/_data"
SECONDS = 10
"""How long anything here may take that only waits for this test itself."""


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "PATIENCE_SECONDS", 0.05)


@pytest.fixture
async def place(server: SimServer) -> SimServer:
    """Behind a guard; two containers of Alice's, made through Docker, have a volume and stand still."""
    server.engine.guarding = Guarding(folder=FOLDER, data_root="/var/lib/docker")
    for name in ("web", "db"):
        await with_root(server, name)
    return server


async def with_root(place: SimServer, name: str, *volumes: str) -> Container:
    """A container of Alice's that may have root, and ran once."""
    made = await place.launch(project=name, gpus="0")
    await stop(place.world, await place.caller(), name)
    one = replace(
        made, door=Door.DOCKER, forced_user=False, state=ContainerState.STOPPED, mounts=(), pins="", workspace="",
    )  # fmt: skip
    await place.books(lambda books: books.put_container(one))
    has = volumes or (VOLUME,)
    for each in has:
        place.engine.mounting[each] = {}
        known = Volume(id=each, uid=ALICE.uid, epoch=0, name=each[0], created_at=place.clock.now())
        await place.books(partial(_put, known))
    sees(place, made.id, volumes=has, volume_folders={name: f"/volumes/{name}/_data" for name in has})
    granted = StartGrant(container=made.id, uid=ALICE.uid, gid=ALICE.gid, as_owner=False, volumes=has)
    place.host.grant(FOLDER, granted)
    return one


def _put(volume: Volume, books: Books) -> None:
    books.put_volume(volume)


def sees(place: SimServer, container: ContainerId, **changes: Any) -> None:
    """The engine has the container so."""
    found = place.engine._made[container]
    found.seen = replace(found.seen, **changes)


async def named(place: SimServer, name: str) -> Container:
    found = await place.container(name)
    assert found is not None
    return found


def granted(place: SimServer) -> set[ContainerId]:
    return {grant.container for grant in place.host.grants(FOLDER)}


@asynccontextmanager
async def asked(place: SimServer, name: str) -> AsyncIterator[ErrorView | None]:
    """What the gateway is told of a copy, for as long as it listens."""
    async with aclosing(copying(place.world, DoorCopy(id=(await named(place, name)).id))) as words:
        async with asyncio.timeout(SECONDS):
            said = await anext(words)
        yield said.error


async def refused(place: SimServer, name: str) -> tuple[str, str]:
    async with asked(place, name) as error:
        assert error is not None
        return error.details.get("rule", error.code), " ".join(filter(None, (error.message, error.reason, error.hint)))


async def copied(place: SimServer, name: str) -> bool:
    async with asked(place, name) as error:
        return error is None


async def starts(place: SimServer, name: str) -> None:
    await start(place.world, await place.caller(), name, Steps(place.clock))


async def ticket(place: SimServer, name: str) -> DoorTicket:
    ask = DoorStart(uid=ALICE.uid, id=(await named(place, name)).id)
    return DoorTicket(ticket=(await through_docker.start(place.world, ask)).ticket)


# who is copied at all ----------------------------------------------------------------------------


async def test_e29_what_stands_still_is_copied(place: SimServer) -> None:
    assert await copied(place, "web")


@pytest.mark.parametrize("ran", [True, False])
@pytest.mark.parametrize("door", list(Door))
async def test_e36_of_what_runs_as_its_owner_nothing_is_copied(place: SimServer, door: Door, ran: bool) -> None:
    """Through /proc/PID/root her shell opened a folder of it, and keeps that. Whether it ran makes no difference."""
    hers = replace(await named(place, "web"), door=door, forced_user=door.docker)
    await place.books(lambda books: books.put_container(hers))
    if not ran:
        sees(place, hers.id, started_at=None, ever_started=False)
        place.host.withdraw(FOLDER, hers.id)
    assert await refused(place, "web") == (
        "archive.reached",
        "This version of Docker does not copy files of 'web'. Everything in it runs as you: a folder of it that your "
        "shell has open could be exchanged for a link meanwhile. Use ds01 cp while it runs",
    )


async def test_e36_what_ran_as_its_owner_by_its_last_grant_is_not_copied(place: SimServer) -> None:
    """The ledger was lost, or says something else now."""
    (grant,) = [each for each in place.host.grants(FOLDER) if each.container == (await named(place, "web")).id]
    place.host.grant(FOLDER, replace(grant, as_owner=True))
    assert (await refused(place, "web"))[0] == "archive.reached"


async def test_e36_without_a_guard_nothing_is_copied(place: SimServer) -> None:
    place.engine.guarding = None
    rule, said = await refused(place, "web")
    assert (rule, "No guard keeps your shell out of it" in said) == ("archive.reached", True)


async def test_e36_a_volume_that_her_shell_may_have_open_is_in_nothing_that_is_copied(place: SimServer) -> None:
    place.host.mark_reached(PLACE)
    rule, said = await refused(place, "web")
    assert (rule, "A volume of it was in a container that ran as you" in said) == ("archive.reached", True)
    other = await with_root(place, "other", "w")
    assert await copied(place, other.name)


async def test_e36_a_mark_is_looked_for_when_no_start_can_leave_one_any_more(
    place: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start marks its volumes before anything runs on them, and keeps copies off from before that."""
    begun, go_on, begin = asyncio.Event(), asyncio.Event(), place.engine.start
    hers = replace(await named(place, "db"), forced_user=True)
    await place.books(lambda books: books.put_container(hers))

    async def slowly(id_: ContainerId) -> None:
        begun.set()
        await go_on.wait()
        await begin(id_)

    monkeypatch.setattr(place.engine, "start", slowly)
    async with asyncio.timeout(SECONDS):
        starting = asyncio.create_task(starts(place, "db"))
        await begun.wait()
        assert (await refused(place, "web"))[0] == BUSY.code
        go_on.set()
        await starting
    await stop(place.world, await place.caller(), "db")
    assert (await refused(place, "web"))[0] == "archive.reached"


@pytest.mark.parametrize("paused", [False, True])
async def test_e29_nothing_is_copied_while_it_runs(place: SimServer, paused: bool) -> None:
    sees(place, (await named(place, "web")).id, running=True, paused=paused)
    assert await refused(place, "web") == (
        "archive.running",
        "This version of Docker does not copy files of 'web' while it runs. What runs could exchange a folder for a "
        "link meanwhile. Use ds01 cp, or stop it first",
    )


async def test_e29_nothing_is_copied_beside_what_runs_on_a_volume_of_it(place: SimServer) -> None:
    sees(place, (await named(place, "db")).id, running=True)
    assert await refused(place, "web") == (
        "archive.shared",
        "This version of Docker does not copy files of 'web' while 'db' runs. They have a volume in common, in which "
        "it could exchange a folder for a link meanwhile. Use ds01 cp with 'db', or stop it first",
    )
    assert {(await named(place, name)).id for name in ("web", "db")} <= granted(place), "what runs keeps its grant"
    sees(place, (await named(place, "db")).id, running=False)
    assert await copied(place, "web")


async def test_what_is_gone_or_out_of_service_is_not_copied(place: SimServer) -> None:
    one = await named(place, "web")
    await place.books(lambda books: books.put_container(replace(one, state=ContainerState.QUARANTINED)))
    assert (await refused(place, "web"))[0] == "container.state"
    await place.books(lambda books: books.put_container(replace(one, state=ContainerState.REMOVED)))
    async with aclosing(copying(place.world, DoorCopy(id=one.id))) as words:
        error = (await anext(words)).error
    assert error is not None
    assert error.message == f"No such container: {one.id}"
    place.engine.vanish((await named(place, "db")).id)
    assert (await refused(place, "db"))[0] == "container.unknown"


# a start that this ds01d does not know of ---------------------------------------------------------


async def test_e29_a_start_that_another_ds01d_granted_does_not_come_during_a_copy(place: SimServer) -> None:
    """The engine has yet to begin it: without its grant the guard lets nothing through. Each start is granted anew."""
    await ticket(place, "db")
    place.restart()
    both = {(await named(place, name)).id for name in ("web", "db")}
    assert both <= granted(place)
    async with asked(place, "web") as error:
        assert error is None
        assert not both & granted(place)
    await starts(place, "db")
    assert (await named(place, "db")).id in granted(place)


async def test_e29_one_that_the_guard_let_through_before_is_seen(
    place: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine is in the middle of it, and answers what the container does when it runs."""
    await ticket(place, "db")
    place.restart()
    db, withdraw = (await named(place, "db")).id, place.host.withdraw

    def meanwhile(guard: str, container: ContainerId) -> None:
        withdraw(guard, container)
        sees(place, db, running=True)

    before = place.host.grants(FOLDER)
    monkeypatch.setattr(place.host, "withdraw", meanwhile)
    assert (await refused(place, "web"))[0] == "archive.shared"
    assert {grant.container: grant for grant in place.host.grants(FOLDER)} == {each.container: each for each in before}


# a copy and a start ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["web", "db"])
@pytest.mark.parametrize("by", ["ds01", "docker"])
async def test_e29_what_is_copied_is_not_started(place: SimServer, name: str, by: str) -> None:
    begin: Callable[[SimServer, str], Coroutine[Any, Any, object]] = starts if by == "ds01" else ticket
    async with asked(place, "web") as error:
        assert error is None
        with pytest.raises(Ds01Error, match="of a volume in it, are being copied") as found:
            await begin(place, name)
        assert found.value.kind is BUSY
        assert (await named(place, name)).id not in granted(place), "nothing was granted either"
    await begin(place, name)


async def test_what_has_nothing_of_it_is_started(place: SimServer) -> None:
    await with_root(place, "other", "w")
    async with asked(place, "web") as error:
        assert error is None
        await starts(place, "other")


async def test_e29_nothing_is_copied_while_a_ticket_to_start_it_is_open(place: SimServer) -> None:
    first, second = await ticket(place, "db"), await ticket(place, "db")
    kept = [*place.world.tickets._open.values()]
    for name in ("web", "db"):
        assert (await refused(place, name))[0] == BUSY.code
    await through_docker.not_started(place.world, first)
    assert (await refused(place, "web"))[0] == BUSY.code
    await through_docker.not_started(place.world, second)
    assert await copied(place, "web")
    assert len(kept) == 2


async def test_a_ticket_that_nobody_redeems_keeps_copies_off_until_it_is_over(place: SimServer) -> None:
    await ticket(place, "db")
    (kept,) = place.world.tickets._open.values()
    await place.clock.advance(301)
    await expire(place.world)
    assert await copied(place, "web")
    assert not place.world.tickets.starting(kept.container.id, place.clock.monotonic())


async def test_a_start_that_is_refused_keeps_no_copy_off(place: SimServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: ContainerId) -> None:
        raise Ds01Error(BUSY, "no")

    with monkeypatch.context() as patched:
        patched.setattr(place.engine, "start", broken)
        with pytest.raises(Ds01Error, match="no"):
            await starts(place, "web")
    place.engine.faults.refuse_inspect = "web._.1001"
    with pytest.raises(Ds01Error):
        await ticket(place, "web")
    place.engine.faults.refuse_inspect = ""
    assert await copied(place, "web")


@pytest.mark.parametrize("first", ["web", "db"])
async def test_e37_a_copy_is_alone_with_its_volumes(place: SimServer, first: str) -> None:
    """A PUT into one exchanges a folder for a link again and again, while a GET of the other follows it."""
    async with asked(place, first) as error:
        assert error is None
        for name in ("web", "db"):
            assert (await refused(place, name))[0] == BUSY.code
    assert await copied(place, "web")


# engines that copy safely -----------------------------------------------------------------------------


async def test_with_engines_that_copy_safely_their_own_lock_is_enough(place: SimServer) -> None:
    place.engine.release = "29.5.1"
    sees(place, (await named(place, "db")).id, running=True)
    before = granted(place)
    async with asked(place, "web") as one, asked(place, "web") as another, asked(place, "db") as running:
        assert (one, another, running) == (None, None, None)
        assert granted(place) == before
        await ticket(place, "web")
        place.host.mark_reached(PLACE)
        assert await copied(place, "web")


# ends ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["stop", "remove", "retire", "over", "confine"])
async def test_copies_of_what_ds01_ends_are_ended_first(
    place: SimServer, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine keeps a container to itself while it copies: it ends it once the copy is over."""
    place.engine.release = "29.5.1"
    one = await named(place, "web")
    stops = how in ("stop", "confine")
    if stops:
        await starts(place, "web")
    over, act, look = asyncio.Event(), "stop" if stops else "remove", place.engine.inspect
    locked = getattr(place.engine, act)

    async def seen_when_free(container: ContainerId) -> Observed | None:
        await over.wait()
        return await look(container)

    async def when_free(*args: object, **more: object) -> None:
        await over.wait()
        assert (await refused(place, "web"))[0] == BUSY.code, "none begins meanwhile"
        await locked(*args, **more)

    monkeypatch.setattr(place.engine, act, when_free)
    monkeypatch.setattr(place.engine, "inspect", seen_when_free)
    caller = await place.caller()
    ends: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "stop": lambda: stop(place.world, caller, "web"), "remove": lambda: remove(place.world, caller, "web"),
        "retire": lambda: retire(place.world, caller, "web", RetireRequest()),
        "over": lambda: act_of_ds01.remove(place.world, one, "its time is over"),
        "confine": lambda: confine._end(place.world, one, Judgement(remedy=Remedy.STOP, why=("is privileged",))),
    }  # fmt: skip
    async with aclosing(copying(place.world, DoorCopy(id=one.id))) as words, asyncio.timeout(SECONDS):
        assert (await anext(words)).error is None
        async with asked(place, "db") as error:
            ending = asyncio.ensure_future(ends[how]())
            with pytest.raises(StopAsyncIteration):
                await anext(words)
            assert error is None
        over.set()
        await ending


# who waits ------------------------------------------------------------------------------------------------

C, OTHER = "c" * 64, "d" * 64


async def test_a_start_waits_for_the_end_of_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "PATIENCE_SECONDS", SECONDS)
    going, seen = Copies(), list[str]()

    async def begin() -> None:
        with ExitStack() as taken:
            await going.start(taken, C)
            seen.append("started")

    with ExitStack() as copy:
        await going.alone(copy, C)
        waiting = asyncio.create_task(begin())
        with ExitStack() as another:
            await going.start(another, OTHER)
            seen.append("another's")
        await asyncio.sleep(0)
        seen.append("copied")
    await waiting
    assert seen == ["another's", "copied", "started"]


async def test_a_copy_waits_for_the_end_of_a_start_and_of_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "PATIENCE_SECONDS", SECONDS)
    going, seen = Copies(), list[str]()

    async def copy() -> None:
        with ExitStack() as taken:
            await going.alone(taken, OTHER, "v")
            seen.append("copied")

    with ExitStack() as first, ExitStack() as second:
        await going.alone(first, C, "v")
        await going.start(second, "w")
        waiting = asyncio.create_task(copy())
        await asyncio.sleep(0)
        seen.append("before")
    await waiting
    assert seen == ["before", "copied"]


async def test_nothing_is_held_by_who_still_waits() -> None:
    going = Copies()
    with ExitStack() as first, ExitStack() as second, ExitStack() as third:
        await going.alone(first, C, "v")
        waiting = asyncio.create_task(going.alone(second, "u", "v"))
        await asyncio.sleep(0)
        await going.alone(third, OTHER, "u")
        third.close()
        first.close()
        await waiting


async def test_who_waits_for_one_container_is_woken_by_no_other(
    wakes: list[asyncio.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "PATIENCE_SECONDS", SECONDS)
    going = Copies()
    with ExitStack() as first, ExitStack() as second:
        await going.alone(first, C)
        waiting = asyncio.create_task(going.start(second, C))
        for _ in range(5):
            with ExitStack() as other:
                await going.alone(other, OTHER)
                await asyncio.sleep(0)
        assert wakes == []
        first.close()
        await waiting
        assert len(wakes) == 1


async def test_who_waits_too_long_is_told_what_goes_on() -> None:
    going = Copies()
    with ExitStack() as first:
        await going.alone(first, C)
        with ExitStack() as second, pytest.raises(Ds01Error, match="are being copied"):
            await going.start(second, C)
    with ExitStack() as first:
        await going.start(first, C)
        with ExitStack() as second, pytest.raises(Ds01Error, match="that is being started or ended") as found:
            await going.alone(second, C)
    assert found.value.kind is BUSY
    assert (going._copying, going._starting, going._freed) == ({}, {}, {})
