"""How many connections to BuildKit one user may have open, and when a session ends."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.held import DoorDownError
from ds01.gateway.sessions import APIS, Session, Sessions
from ds01.gateway.upstream import UpstreamError
from ds01.wire.door import DoorUser

ALICE, MALLORY = (DoorUser(uid=uid, gid=uid, login="x", admin=False) for uid in (1001, 1002))


def test_p17_connections_of_buildkits_api_are_counted_by_user() -> None:
    sessions = Sessions()
    with ExitStack() as opened:
        for _ in range(APIS):
            opened.enter_context(sessions.speaking(MALLORY))
        with pytest.raises(RefusedError) as refused, sessions.speaking(MALLORY):
            pass
        assert (refused.value.rule, refused.value.status) == ("grpc.many", 429)
        with sessions.speaking(ALICE):
            pass
    with sessions.speaking(MALLORY):
        pass


@pytest.mark.parametrize(
    "error", [RefusedError("x", "no"), DoorDownError("silent"), UpstreamError("the engine is away")]
)
async def test_a_session_whose_build_cannot_go_on_ends(error: Exception) -> None:
    session = Session(id="s", account="1002:0")
    with pytest.raises(type(error)), session.ended_by_refusal():
        raise error
    assert session.over.is_set()


async def rounds(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_who_waits_for_a_session_is_woken_by_no_other(wakes: list[asyncio.Event]) -> None:
    sessions = Sessions()
    waiting = asyncio.create_task(sessions.of(ALICE, "hers"))
    with ExitStack() as opened:
        for number in range(5):
            await rounds(3)
            opened.enter_context(sessions.opened(MALLORY, f"other{number}"))
        await rounds(3)
        assert not wakes
        hers = opened.enter_context(sessions.opened(ALICE, "hers"))
        assert await waiting is hers
    assert len(wakes) == 1


async def test_who_waits_for_a_build_is_woken_by_no_other(wakes: list[asyncio.Event]) -> None:
    sessions = Sessions()
    waiting = [asyncio.create_task(sessions.begun(ALICE, "hers")) for _ in range(2)]
    with ExitStack() as going:
        for number in range(5):
            await rounds(3)
            going.enter_context(sessions.building(MALLORY, f"other{number}"))
        await rounds(3)
        assert not wakes
        going.enter_context(sessions.building(ALICE, "hers"))
        assert await asyncio.gather(*waiting) == [True, True]
    assert len(wakes) == 2


async def _as_it_is(content: bytes) -> bytes:
    return content


def _refused(session: Session) -> None:
    with pytest.raises(RefusedError), session.ended_by_refusal():
        raise RefusedError("build.many", "no")


def test_a_refused_build_leaves_the_session_to_those_that_run_on_it() -> None:
    session = Session(id="s", account="1002:0")
    with session.ended_by_refusal(), session.judged_by(_as_it_is):
        _refused(session)
    assert not session.over.is_set()
    with session.ended_by_refusal(), session.policed_by(_as_it_is):
        _refused(session)
        with session.ended_by_refusal(), session.policed_by(_as_it_is):
            pass
        _refused(session)
    assert not session.over.is_set()
    _refused(session)
    assert session.over.is_set()


def test_a_refused_build_leaves_the_session_to_one_that_is_not_granted_yet() -> None:
    session = Session(id="s", account="1002:0")
    with session.ended_by_refusal():
        _refused(session)
    assert not session.over.is_set()
    _refused(session)
    assert session.over.is_set()
