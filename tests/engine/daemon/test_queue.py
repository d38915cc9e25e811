"""The queue on a real engine: a turn when another one retires, nothing lost when ds01d is killed, a client gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dev.people import acting_as

from ds01.client.daemon import Client
from ds01.domain.errors import GPU_FULL, Ds01Error
from ds01.wire.launches import LaunchEvent
from ds01.wire.queue import PlaceView, QueueView
from tests.engine.daemon.conftest import Daemon, Docker, User, eventually

pytestmark = [pytest.mark.engine, pytest.mark.root]


def waits(user: User, name: str, **changes: object) -> tuple[Iterator[LaunchEvent], PlaceView]:
    """A launch that waits, as far as its first place. ds01d knows the user by the moment of the connection."""
    stream = Client(str(user.daemon.socket)).launch(user.request(name, wait=True, **changes))
    with acting_as(user.person):
        place = next(event.place for event in stream if event.place is not None)
    return stream, place


def places(user: User) -> tuple[PlaceView, ...]:
    queue = user.ask("queue")
    assert isinstance(queue, QueueView)
    return queue.places


def state(user: User) -> list[str]:
    return [place.state for place in places(user)]


def slots(daemon: Daemon) -> list[str]:
    return sorted(slot for lease in daemon.root().leases(everybody=True) for slot in lease.slots)


def test_f6_a_waiting_launch_gets_its_turn_when_another_one_retires(
    alice: User, bob: User, daemon: Daemon, docker: Docker
) -> None:
    alice.launch("all", gpus="4")
    with pytest.raises(Ds01Error) as refused:
        bob.launch("mine", gpus="2")
    assert refused.value.kind is GPU_FULL
    stream, place = waits(bob, "mine", gpus="2")
    assert (place.place, place.of, place.reason) == (1, 1, "full")
    alice.ask("retire", "all")
    last = list(stream)[-1]
    assert last.container is not None
    assert (last.container.state, last.container.gpus) == ("running", ("0", "1"))
    assert places(bob) == ()
    assert slots(daemon) == ["0", "1"]
    assert docker("ps", "-q", "--filter", f"id={last.container.id}")


def test_kill_9_while_somebody_waits_loses_nothing(alice: User, bob: User, daemon: Daemon) -> None:
    alice.launch("all", gpus="4")
    stream, place = waits(bob, "mine", gpus="1")
    daemon.kill()
    with pytest.raises(Ds01Error):
        list(stream)
    daemon.start()
    (kept,) = places(bob)
    assert (kept.state, kept.since) == ("waiting", place.since)
    alice.ask("retire", "all")
    eventually(lambda: state(bob) == ["reserved"])
    daemon.kill()
    daemon.start()
    assert state(bob) == ["reserved"]
    with acting_as(bob.person):
        last = list(Client(str(daemon.socket)).claim("mine"))[-1]
    assert last.container is not None
    assert last.container.state == "running"
    assert places(bob) == ()
    assert slots(daemon) == ["0"]


def test_a_client_that_goes_away_frees_its_place_and_one_that_stays_keeps_it(alice: User, bob: User) -> None:
    alice.launch("all", gpus="4")
    going, _ = waits(bob, "going")
    staying, _ = waits(bob, "staying", stays=True)
    assert sorted(place.name for place in places(bob)) == ["going", "staying"]
    del going, staying
    eventually(lambda: [place.name for place in places(bob)] == ["staying"])
    bob.ask("cancel", "staying")
    assert places(bob) == ()


def test_nobody_passes_those_who_wait(alice: User, bob: User) -> None:
    """Alice had four GPUs, Bob none: what she gives back is his, whoever asks first."""
    alice.launch("one", gpus="2")
    alice.launch("two", gpus="2")
    stream, _ = waits(bob, "mine", gpus="2")
    alice.ask("retire", "one")
    with pytest.raises(Ds01Error) as refused:
        alice.launch("again", gpus="2")
    assert refused.value.kind is GPU_FULL
    last = list(stream)[-1]
    assert last.container is not None
    assert last.container.state == "running"


def test_a_ds01d_that_stops_in_good_order_does_not_wait_for_those_who_wait(alice: User, bob: User) -> None:
    alice.launch("all", gpus="4")
    stream, _ = waits(bob, "mine")
    assert bob.daemon.stop() == 0
    with pytest.raises(Ds01Error) as ended:
        list(stream)
    assert ended.value.problem.reason == "Your place in the queue stays."
    bob.daemon.start()
    assert state(bob) == ["waiting"]
    bob.ask("cancel", "mine")
