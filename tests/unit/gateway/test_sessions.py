"""How many connections to BuildKit one user may have open."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.sessions import APIS, Sessions
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
