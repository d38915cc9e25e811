"""Work that gives way, on a real engine: told, stopped with its reason, and back in the queue to start anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.daemon.conftest import Daemon, User, eventually
from tests.engine.daemon.test_jobs import job, submit
from tests.engine.daemon.test_life import notices, under
from tests.engine.daemon.test_queue import state, waits

pytestmark = [pytest.mark.engine, pytest.mark.root]

LIMITS = """\
defaults: {{cpus: 1, memory: 256M, shm: 16M, pids: 256, containers: 80, stop_grace: 5s, lead: 3s}}
groups:
  student: {{members: ["*"], gpus: {{max: 4, per_container: 4}}}}
users:
  WHO: {{preemptible: true}}
gpus: {{source: simulated, simulated: [a100-40gb, a100-40gb, a100-40gb, a100-40gb]}}
docker: {{networks: {pool}}}
"""


@pytest.fixture
def yielding(daemon: Daemon, alice: User) -> Iterator[User]:
    """Alice, whose work gives way."""
    before = daemon.limits
    under(daemon, LIMITS.replace("WHO", alice.person.login))
    yield alice
    under(daemon, before.replace("{hold}", daemon.hold))


def test_a_job_that_gives_way_is_told_stops_and_starts_anew_when_there_is_room(yielding: User, bob: User) -> None:
    script = "trap 'echo saved >>done; exit 0' TERM; echo begun >>done; while :; do sleep 0.1; done"
    (sent,) = submit(yielding, script, gpus="4").jobs
    done = yielding.workspace() / "done"
    eventually(lambda: done.exists() and done.read_text() == "begun\n")
    stream, place = waits(bob, "mine", gpus="2")
    assert (place.place, place.reason) == (1, "full")
    last = list(stream)[-1]
    assert last.container is not None
    assert last.container.state == "running"
    assert [notice.rule for notice in notices(yielding, sent.name)][:1] == ["yielding"]
    eventually(lambda: (job(yielding, sent.name).state, state(yielding)) == ("queued", ["waiting"]))
    bob.ask("retire", "mine")
    eventually(lambda: done.read_text().split() == ["begun", "saved", "begun"])
    yielding.ask("cancel_job", sent.name)
    eventually(lambda: job(yielding, sent.name).state == "ended")
