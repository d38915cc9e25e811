"""A class of thirty who all type it in the same seconds, on a real engine: a few start at a time, and all sit."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from dev import people

from tests.engine.daemon.conftest import Daemon, Docker, User, eventually, short_folder
from tests.engine.daemon.test_class import on, opened, sitting, view

pytestmark = [pytest.mark.engine, pytest.mark.root]

THIRTY = 30
STARTS = 3
DIVIDED = '"a100-40gb: ' + " ".join(["1g.5gb"] * 7) + '"'
LIMITS = f"""\
defaults: {{{{cpus: 1, memory: 64M, shm: 16M, pids: 64, stop_grace: 1s, gpu_hold: {{hold}},
  gpus: {{{{max: 1, per_container: 1}}}}, bookings: {{{{who: others, per_week: null, notice: 0s}}}}}}}}
policy: {{{{bookings: {{{{starts: {STARTS}}}}}}}}}
gpus: {{{{source: simulated, simulated: [{", ".join([DIVIDED] * 5)}]}}}}
docker: {{{{networks: {{pool}}}}}}
"""


@pytest.fixture(scope="module")
def one_daemon(docker: Docker) -> Iterator[Daemon]:
    """Five GPUs in seven parts each."""
    with short_folder() as found:
        started = Daemon(folder=found, engine=docker.socket, limits=LIMITS).start()
        yield started
        if started.running:
            started.kill()
        docker.clear()


@pytest.fixture
def pupils(daemon: Daemon) -> Iterator[tuple[User, ...]]:
    logins = [f"ds01c{os.getpid()}x{number}" for number in range(THIRTY)]
    for login in logins:
        people.make(login)
    yield tuple(User(person=people.person(login), daemon=daemon) for login in logins)
    for login in logins:
        people.remove(login)


def test_thirty_sit_a_few_at_a_time(alice: User, pupils: tuple[User, ...], daemon: Daemon) -> None:
    opened(alice, pupils, "in 3s", gpus="1g.5gb")
    eventually(lambda: on(alice))
    going = [sitting(pupil) for pupil in pupils]
    told = [[*begun, *stream] for begun, stream in going]
    seated = [event.container.state for (*_, event) in told if event.container is not None]
    assert seated == ["running"] * THIRTY
    assert len(daemon.root().leases(everybody=True)) == THIRTY
    queued = [event.text for events in told for event in events if event.step == "class" and event.state == "begin"]
    assert queued
    assert all(text.endswith("of the class start before you") for text in queued)
    assert [seat.state for seat in view(alice).roster] == ["in"] * THIRTY
    alice.ask("close_class", "ml101")
