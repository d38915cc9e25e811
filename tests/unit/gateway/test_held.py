"""What is being written is said to ds01d until it is over, and what ds01d could not be told then, later."""

from __future__ import annotations

import pytest

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.held import ANEW, DoorDownError, Held
from ds01.wire.door import DoorHeld

ONE = DoorHeld(ticket="one", uid=1001, epoch=1, refs=("app:1",))


class Daemon:
    """ds01d: away, or started anew until it has heard what goes on, or without room to write down what is over."""

    def __init__(self) -> None:
        self.away, self.anew, self.full = False, False, False
        self.heard: list[list[DoorHeld]] = []
        self.done: list[str] = []

    async def post(self, target: str, value: object) -> object:
        if self.away:
            raise DoorDownError("away")
        if isinstance(value, list):
            self.heard.append(value)
            self.anew = False
        elif self.anew:
            raise RefusedError(ANEW, "anew", status=503)
        elif self.full:
            raise RefusedError("disk.full", "The disk of the ledger is full", status=507)
        else:
            self.done.append(f"{target} {value}")
        return "answer"


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
def held(daemon: Daemon) -> Held:
    made = Held(daemon.post)
    made.take(ONE)
    return made


async def test_who_was_started_anew_hears_what_goes_on_and_is_asked_again(held: Held, daemon: Daemon) -> None:
    daemon.anew = True
    assert await held.ask("/builds", "two") == "answer"
    assert (daemon.heard, daemon.done) == ([[ONE]], ["/builds two"])


async def test_what_is_over_is_not_said_any_more(held: Held, daemon: Daemon) -> None:
    await held.over("one", "/commit", "one")
    await held.renew()
    assert daemon.heard == [[]]


async def test_what_is_over_while_it_is_away_is_told_when_it_is_back(held: Held, daemon: Daemon) -> None:
    daemon.away = True
    with pytest.raises(DoorDownError):
        await held.over("one", "/commit", "one")
    with pytest.raises(DoorDownError):
        await held.renew()
    daemon.away, daemon.anew = False, True
    await held.renew()
    await held.renew()
    assert (daemon.heard, daemon.done) == ([[ONE], []], ["/commit one"])


async def test_what_it_has_no_room_to_write_down_is_told_until_it_has(held: Held, daemon: Daemon) -> None:
    daemon.full = True
    for _ in range(2):
        with pytest.raises(DoorDownError):
            await held.over("one", "/commit", "one")
        with pytest.raises(DoorDownError):
            await held.renew()
    daemon.full = False
    await held.renew()
    await held.renew()
    assert (daemon.heard, daemon.done) == ([[ONE], [ONE], [ONE], []], ["/commit one"])
