"""What an admin does to somebody's container: it is on record as hers, and its owner hears of it, with the reason."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from ds01.domain.errors import ADMIN_ONLY, BAD_REQUEST, NO_CONTAINER, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.lifecycle.case import Level, Rule
from ds01.domain.notice import Notice, NoticeId
from ds01.services import notices
from ds01.services.booking.cancel import cancel as cancel_booking
from ds01.services.booking.close import close
from ds01.services.caller import Caller, saying, stand_in
from ds01.services.images import show_image
from ds01.services.jobs.cancel import cancel as cancel_job
from ds01.services.jobs.story import why
from ds01.services.pause import pause, unpause
from ds01.services.prolong import extend, keep
from ds01.services.queue.give_up import give_up
from ds01.services.remove import remove
from ds01.services.retire import retire
from ds01.services.start import start
from ds01.services.steps import Steps
from ds01.services.stop import stop
from ds01.services.world import World
from ds01.wire.containers import RetireRequest
from tests.server import ALICE, BOB, ROOT, SimServer

REASON = "GPU 2 is mended tonight"


async def admin(server: SimServer, reason: str = REASON) -> Caller:
    return saying(await stand_in(server.world, await server.caller(ROOT), "alice"), reason)


async def _start(world: World, caller: Caller, name: str) -> object:
    return await start(world, caller, name, Steps(world.clock))


async def _retire(world: World, caller: Caller, name: str) -> object:
    return await retire(world, caller, name, RetireRequest())


async def events(server: SimServer) -> list[Event]:
    return list(await server.ledger.read(lambda books: books.events(uid=ALICE.uid)))


@pytest.mark.parametrize(
    ("before", "act", "did", "told"),
    [
        ((), stop, "stopped", f"thesis was stopped by admin root: {REASON}."),
        ((), pause, "paused", f"root paused thesis: {REASON}."),
        ((pause,), unpause, "unpaused", f"root unpaused thesis: {REASON}."),
        ((stop,), _start, "started", f"root started thesis with GPU 0: {REASON}."),
        ((stop,), remove, "removed", f"root removed thesis: {REASON}."),
        ((), _retire, "retired", f"thesis was retired by admin root: {REASON}."),
        ((stop,), _retire, "retired", f"root removed thesis: {REASON}."),
    ],
)
async def test_the_owner_reads_who_and_why(
    server: SimServer, before: tuple[Callable[[World, Caller, str], Awaitable[object]], ...],
    act: Callable[[World, Caller, str], Awaitable[object]], did: str, told: str,
) -> None:  # fmt: skip
    await server.launch()
    for first in before:
        await first(server.world, await server.caller(), "thesis")
    assert server.terminals.letters == []
    await act(server.world, await admin(server), "thesis")
    (letter,) = server.terminals.letters
    assert letter.user == ALICE
    assert letter.title == f"root, an admin, {did} your container thesis"
    assert f"root says: {REASON}" in letter.text
    story = await why(server.world, await server.caller(), "thesis")
    assert [entry.what for entry in story.entries].count(told) == 1
    assert sum(REASON in entry.what for entry in story.entries) == 1


async def test_the_reason_is_in_the_first_lines_of_her_story(server: SimServer) -> None:
    await server.launch()
    await stop(server.world, await admin(server), "thesis")
    summary = (await why(server.world, await server.caller(), "thesis")).summary
    assert summary.endswith(f"The reason given: {REASON}.")
    await start(server.world, await server.caller(), "thesis", Steps(server.clock))
    await stop(server.world, await admin(server, ""), "thesis")
    assert "Ask root why" in (await why(server.world, await server.caller(), "thesis")).summary


async def test_she_meets_it_in_her_next_command_once(server: SimServer) -> None:
    await server.launch()
    await stop(server.world, await admin(server), "thesis")
    (met,) = await notices.unseen(server.world, await server.caller())
    assert (met.rule, met.level) == (Rule.ADMIN, "notice")
    assert await notices.unseen(server.world, await server.caller()) == ()


async def test_what_changes_nothing_is_told_nobody(server: SimServer) -> None:
    await server.launch()
    await start(server.world, await admin(server), "thesis", Steps(server.clock))
    await unpause(server.world, await admin(server), "thesis")
    await stop(server.world, await server.caller(), "thesis")
    await stop(server.world, await admin(server), "thesis")
    assert server.terminals.letters == []


async def test_every_act_is_on_record_as_the_admins(server: SimServer) -> None:
    await server.launch()
    await stop(server.world, await admin(server), "thesis")
    (event,) = [each for each in await events(server) if each.type is EventType.CONTAINER_STOPPED]
    assert (event.actor, event.uid, event.details["why"]) == (ROOT.uid, ALICE.uid, REASON)


@pytest.mark.parametrize("fault", [None, IndexError("string index out of range")])
async def test_a_channel_that_is_broken_takes_nothing_back(server: SimServer, fault: Exception | None) -> None:
    await server.launch()
    server.terminals.broken, server.terminals.fault = True, fault
    stopped = await stop(server.world, await admin(server), "thesis")
    assert stopped.reason_detail == "root"


async def test_only_admins_and_only_for_somebody_else(server: SimServer) -> None:
    await server.launch()
    with pytest.raises(Ds01Error) as refused:
        await stand_in(server.world, await server.caller(BOB), "alice")
    assert refused.value.kind is ADMIN_ONLY
    with pytest.raises(Ds01Error) as mine:
        saying(await server.caller(), REASON)
    assert mine.value.kind is BAD_REQUEST
    assert saying(await server.caller(), " ") == await server.caller()


@pytest.mark.parametrize("reason", ["x" * 201, "two\nlines", "\x1b[2J"])
async def test_a_reason_is_one_harmless_line(server: SimServer, reason: str) -> None:
    with pytest.raises(Ds01Error) as refused:
        await admin(server, reason)
    assert refused.value.kind is BAD_REQUEST


async def test_a_name_she_does_not_have_is_told_as_hers(server: SimServer) -> None:
    await server.launch()
    with pytest.raises(Ds01Error) as refused:
        await stop(server.world, replace(await admin(server), reason=""), "thesi")
    assert refused.value.kind is NO_CONTAINER
    assert str(refused.value) == "alice has no container 'thesi'. Did you mean 'thesis'?"


async def _cancel(world: World, caller: Caller, name: str) -> object:
    return await cancel_booking(world, caller, name, "")


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (why, "alice never had a container 'other'."),
        (give_up, "Nothing of alice's does."),
        (cancel_job, "alice has no job 'other'."),
        (show_image, "alice has built no image yet."),
        (_cancel, "alice has no booking named 'other'."),
        (close, "alice has opened no class named 'other'."),
    ],
)
async def test_whatever_she_does_not_have_is_told_as_hers(
    server: SimServer, ask: Callable[[World, Caller, str], Awaitable[object]], said: str
) -> None:
    asking = replace(await admin(server), reason="")
    with pytest.raises(Ds01Error) as refused:
        await ask(server.world, asking, "other")
    problem = refused.value.problem
    assert said in f"{problem.message} {problem.reason}"
    with pytest.raises(Ds01Error) as mine:
        await ask(server.world, await server.caller(), "other")
    assert "alice" not in f"{mine.value.problem.message} {mine.value.problem.reason}"


async def test_time_given_to_her_is_told_and_on_record(server: SimServer) -> None:
    await server.launch()
    with pytest.raises(Ds01Error):
        await extend(server.world, await server.caller(), "thesis", 48 * 3600)
    await extend(server.world, await admin(server), "thesis", 48 * 3600)
    await keep(server.world, await admin(server), "thesis", server.clock.now() + timedelta(hours=2))
    assert [letter.title.removeprefix("root, an admin, ") for letter in server.terminals.letters] == [
        "gave 2d more to your container thesis", "gave leave to idle to your container thesis"
    ]  # fmt: skip
    story = await why(server.world, await server.caller(), "thesis")
    assert sum(REASON in entry.what for entry in story.entries) == 2


async def test_what_an_admin_did_ends_no_warning_that_is_still_true(server: SimServer) -> None:
    made = await server.launch()
    warning = Notice(
        id=NoticeId("notice-1"), at=server.clock.now(), uid=ALICE.uid, epoch=made.epoch, subject=made.id,
        name="thesis", rule=Rule.RUNTIME, level=Level.WARNING, title="thesis stops soon", text="",
    )  # fmt: skip
    await server.ledger.write(lambda books: books.put_notice(warning))
    await keep(server.world, await admin(server), "thesis", server.clock.now() + timedelta(hours=2))
    standing = await server.ledger.read(lambda books: books.notices(ALICE.uid))
    assert {notice.rule for notice in standing} == {Rule.RUNTIME, Rule.ADMIN}
