"""How many connections to BuildKit one user may have open, and when a session ends."""

from __future__ import annotations

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
