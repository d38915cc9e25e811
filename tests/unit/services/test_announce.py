"""A word to everybody: who reads it, where, and how it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ds01.domain.errors import ADMIN_ONLY, BAD_REQUEST, LEDGER_ERROR, Ds01Error
from ds01.domain.events import EventType, Unknown
from ds01.domain.lifecycle.case import Rule
from ds01.domain.notice import Preferences
from ds01.domain.people import Uid, User
from ds01.ports.channel import Letter
from ds01.services import notices, observe
from ds01.services.announce import announce, clear, show
from ds01.services.crier import Crier
from ds01.sim.channel import SimChannel
from ds01.sim.ledger import MemoryLedger
from ds01.wire.admin import AnnouncementView, AnnounceRequest
from tests.server import ALICE, BOB, ROOT, SimServer

TEXT = "new driver on Friday from 18:00"
TITLE = f"From root, an admin: {TEXT}"


async def said(server: SimServer, text: str = TEXT, until: str = "") -> AnnouncementView:
    return await announce(server.world, await server.caller(ROOT), AnnounceRequest(text=text, until=until))


async def met(server: SimServer) -> list[str]:
    return [notice.title for notice in await notices.unseen(server.world, await server.caller(BOB))]


async def types(server: SimServer) -> list[tuple[EventType | Unknown, int | None]]:
    found = await server.ledger.read(lambda books: books.events())
    return [(event.type, event.actor) for event in found if event.type.value.startswith("announcement.")]


async def test_everybody_meets_it_in_every_command_until_its_time(server: SimServer) -> None:
    view = await said(server, until=(server.clock.now() + timedelta(hours=2)).isoformat())
    assert (view.text, view.by) == (TEXT, "root")
    assert await met(server) == [TITLE]
    assert await met(server) == [TITLE]
    (shown,) = await notices.mine(server.world, await server.caller(BOB))
    assert (shown.rule, shown.open, shown.text) == (
        Rule.ANNOUNCED.value, True, f"This stands until {server.clock.now() + timedelta(hours=2):%a %d %b %H:%M} UTC.",
    )  # fmt: skip
    assert (await observe.status(server.world, await server.caller(BOB))).notices == (TITLE,)
    await server.clock.advance(2 * 3600)
    assert await met(server) == []
    assert (await observe.status(server.world, await server.caller(BOB))).notices == ()


async def test_it_ends_by_itself_and_that_is_on_record(server: SimServer) -> None:
    await said(server)
    await Crier(server.world).round()
    await server.clock.advance(7 * 86400 - 1)
    await Crier(server.world).round()
    assert await met(server) == [TITLE]
    await server.clock.advance(1)
    await Crier(server.world).round()
    assert await server.ledger.read(lambda books: books.announcement()) is None
    assert await types(server) == [(EventType.ANNOUNCEMENT_MADE, 0), (EventType.ANNOUNCEMENT_ENDED, None)]


async def test_an_admin_takes_it_back(server: SimServer) -> None:
    await said(server)
    assert (await clear(server.world, await server.caller(ROOT))).text == TEXT
    assert await met(server) == []
    assert await show(server.world, await server.caller(ROOT)) == AnnouncementView()
    assert await clear(server.world, await server.caller(ROOT)) == AnnouncementView()
    assert await types(server) == [(EventType.ANNOUNCEMENT_MADE, 0), (EventType.ANNOUNCEMENT_ENDED, 0)]


async def test_a_later_one_takes_its_place(server: SimServer) -> None:
    await said(server)
    await said(server, "on Saturday instead")
    assert await met(server) == ["From root, an admin: on Saturday instead"]


def inside(server: SimServer) -> SimChannel:
    """Also a channel that reaches containers only."""
    shells = SimChannel("shells", inside=True)
    server.world = replace(server.world, channels=(server.terminals, shells))
    return shells


def to(letters: list[Letter]) -> list[tuple[str, str]]:
    return sorted((letter.user.login, letter.container.name if letter.container else "") for letter in letters)


async def test_whoever_has_something_here_is_told_once_and_in_each_container(server: SimServer) -> None:
    await server.launch(name="one")
    await server.launch(name="two")
    shells = inside(server)
    await said(server)
    await Crier(server.world).round()
    await Crier(server.world).round()
    assert to(server.terminals.letters) == [("alice", "")]
    assert to(shells.letters) == [("alice", "one"), ("alice", "two")]
    assert {letter.title for letter in server.terminals.letters} == {TITLE}
    await said(server, "on Saturday instead")
    await Crier(server.world).round()
    assert len(server.terminals.letters) == 2


async def test_it_is_told_again_when_ds01d_was_killed_in_the_middle(server: SimServer) -> None:
    await server.launch()
    await said(server)
    server.restart()
    await Crier(server.world).round()
    assert to(server.terminals.letters) == [("alice", "")]
    server.restart()
    await Crier(server.world).round()
    assert len(server.terminals.letters) == 1


async def test_a_channel_somebody_does_not_want_or_that_is_broken_keeps_nobody_from_it(server: SimServer) -> None:
    await server.launch()
    await server.launch(BOB, name="his")
    wish = Preferences(uid=ALICE.uid, epoch=(await server.caller()).epoch, off=frozenset({"terminals"}))
    await server.ledger.write(lambda books: books.put_preferences(wish))
    shells = inside(server)
    shells.broken = True
    await said(server)
    await Crier(server.world).round()
    assert to(server.terminals.letters) == [("bob@lab.lan", "")]


@pytest.mark.parametrize("broken", ["channel", "directory"])
async def test_a_mistake_with_one_repeats_it_to_nobody_and_keeps_it_from_nobody(
    server: SimServer, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    await server.launch()
    await server.launch(BOB, name="his")
    shells = inside(server)
    shells.fault = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte") if broken == "channel" else None
    by_uid = server.world.directory.by_uid

    def not_hers(uid: Uid) -> User | None:
        if uid == ALICE.uid and broken == "directory":
            raise Ds01Error(LEDGER_ERROR, "The directory does not answer.")
        return by_uid(uid)

    monkeypatch.setattr(server.world.directory, "by_uid", not_hers)
    await said(server)
    crier = Crier(server.world)
    await crier.round()
    await crier.round()
    hers = [("alice", "")] if broken == "channel" else []
    assert to(server.terminals.letters) == [*hers, ("bob@lab.lan", "")]


@pytest.mark.parametrize("text", ["", "  ", "x" * 501, "two\nlines", "\x1b[2J"])
async def test_it_is_one_harmless_line(server: SimServer, text: str) -> None:
    with pytest.raises(Ds01Error) as refused:
        await said(server, text)
    assert refused.value.kind is BAD_REQUEST


@pytest.mark.parametrize("until", ["soon", "2026-12-20T18:00", "2020-01-01T00:00+00:00", "9999-12-31T23:59-14:00"])
async def test_it_ends_at_a_time_to_come(server: SimServer, until: str) -> None:
    with pytest.raises(Ds01Error) as refused:
        await said(server, until=until)
    assert refused.value.kind is BAD_REQUEST


async def test_only_admins_tell_everybody(server: SimServer) -> None:
    for ask in (announce(server.world, await server.caller(), AnnounceRequest(text=TEXT)),
                clear(server.world, await server.caller()), show(server.world, await server.caller())):  # fmt: skip
        with pytest.raises(Ds01Error) as refused:
            await ask
        assert refused.value.kind is ADMIN_ONLY
    assert await met(server) == []


async def test_a_disk_that_stays_full_brings_it_to_nobody_twice(server: SimServer) -> None:
    await server.launch()
    await said(server)
    assert isinstance(server.ledger, MemoryLedger)
    crier = Crier(server.world)
    server.ledger.fault = Ds01Error(LEDGER_ERROR, "The disk is full.")
    for _ in range(2):
        with pytest.raises(Ds01Error):
            await crier.round()
    server.ledger.fault = None
    await crier.round()
    await crier.round()
    assert len(server.terminals.letters) == 1
    found = await server.ledger.read(lambda books: books.announcement())
    assert found is not None
    assert found.told_at is not None
