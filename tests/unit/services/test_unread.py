"""Notices of what has happened end by themselves when nobody reads them; what is to come, and the reading, does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ds01.domain.lifecycle.case import Level, Rule
from ds01.domain.notice import Notice, NoticeId
from ds01.domain.settings import KeepRules
from ds01.ports.ledger import Books
from ds01.services import notices, unread
from tests.server import ALICE, BOB, SimServer


def notice(server: SimServer, number: int, level: Level = Level.NOTICE) -> Notice:
    return Notice(
        id=NoticeId(f"notice-{number:04}"), at=server.clock.now(), uid=BOB.uid, epoch=1, subject=f"c{number}",
        name=f"exp-{number}", rule=Rule.IDLE, level=level, title=f"exp-{number} was stopped", text="It did nothing.",
    )  # fmt: skip


async def told(server: SimServer, *given: Notice) -> None:
    def write(books: Books) -> None:
        for each in given:
            books.put_notice(each)

    await server.caller(BOB)
    await server.ledger.write(write)


async def still_open(server: SimServer) -> list[str]:
    return [each.id for each in await server.ledger.read(lambda books: books.notices())]


async def test_after_ninety_days_it_is_over_and_not_before(server: SimServer) -> None:
    await told(server, notice(server, 1))
    await server.clock.advance(timedelta(days=90).total_seconds())
    assert await unread.end(server.world) == 0
    await server.clock.advance(1)
    assert await unread.end(server.world) == 1
    assert await still_open(server) == []
    (kept,) = await server.ledger.read(lambda books: books.notices(BOB.uid, ended=True))
    assert (kept.seen_at, kept.ended_at) == (None, server.clock.now())


async def test_who_comes_back_meets_it_once_all_the_same(server: SimServer) -> None:
    await told(server, notice(server, 1))
    await server.clock.advance(timedelta(days=100).total_seconds())
    await unread.end(server.world)
    assert [each.title for each in await notices.unseen(server.world, await server.caller(BOB))] == [
        "exp-1 was stopped"
    ]
    assert await notices.unseen(server.world, await server.caller(BOB)) == ()


@pytest.mark.parametrize("level", [Level.WARNING, Level.LAST])
async def test_a_warning_stands_for_as_long_as_it_is_true(server: SimServer, level: Level) -> None:
    await told(server, notice(server, 1, level))
    await server.clock.advance(timedelta(days=900).total_seconds())
    assert await unread.end(server.world) == 0
    assert await still_open(server) == ["notice-0001"]


async def test_a_year_of_them_goes_in_small_steps(server: SimServer) -> None:
    many = [notice(server, number) for number in range(2 * unread.AT_ONCE + 1)]
    hers = replace(notice(server, 9999), uid=ALICE.uid, at=server.clock.now() + timedelta(days=50))
    await told(server, *many, hers)
    await server.clock.advance(timedelta(days=91).total_seconds())
    assert await unread.end(server.world) == len(many)
    assert await still_open(server) == ["notice-9999"]


async def test_what_is_over_for_a_year_is_forgotten_and_its_event_stays(server: SimServer) -> None:
    await told(server, notice(server, 1), notice(server, 2, Level.WARNING))
    await server.clock.advance(timedelta(days=91).total_seconds())
    await unread.end(server.world)
    events = await server.ledger.read(lambda books: len(books.events()))
    await server.clock.advance(timedelta(days=365).total_seconds())
    assert await unread.forget(server.world) == 0
    await server.clock.advance(1)
    assert await unread.forget(server.world) == 1
    left = await server.ledger.read(lambda books: books.notices(ended=True))
    assert [each.id for each in left] == ["notice-0002"], "what still holds is never forgotten"
    assert await server.ledger.read(lambda books: len(books.events())) == events


async def test_the_limits_file_may_keep_them_for_ever(server: SimServer) -> None:
    server.policy.settings = replace(server.policy.settings, keep=KeepRules(notices=None))
    await told(server, replace(notice(server, 1), ended_at=server.clock.now()))
    await server.clock.advance(timedelta(days=4000).total_seconds())
    assert await unread.forget(server.world) == 0


async def test_many_are_forgotten_in_small_steps(server: SimServer) -> None:
    over = [replace(notice(server, n), ended_at=server.clock.now()) for n in range(2 * unread.AT_ONCE + 1)]
    await told(server, *over)
    await server.clock.advance(timedelta(days=366).total_seconds())
    assert await unread.forget(server.world) == len(over)
    assert await server.ledger.read(lambda books: books.notices(ended=True)) == ()
