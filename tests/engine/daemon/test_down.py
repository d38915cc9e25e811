"""ds01d is killed and down for an hour while everything goes on: what it finds then, and what it does about it.

On a real engine. The hour is a clock that is put forward while ds01d is away (``later``), so what the engine says of it
happened an hour earlier; what comes after, warnings and their lead, is in real time.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dev.people import Person

from ds01.domain.errors import Ds01Error
from ds01.wire.bookings import BookingsView, BookRequest
from ds01.wire.containers import WhyEntry
from tests.engine.daemon.conftest import Daemon, Docker, User, eventually, short_folder
from tests.engine.daemon.later import HOUR
from tests.engine.daemon.test_jobs import job, submit
from tests.engine.daemon.test_life import LATE, notices, stopped, story
from tests.engine.daemon.test_queue import places, waits

pytestmark = [pytest.mark.engine, pytest.mark.root]

LATER = Path(__file__).with_name("later.py")
LEAD = timedelta(seconds=3)
MOMENT = timedelta(seconds=0.5)
"""Between a decision and its record."""
ONCE = ("daemon.started", "booking.ended", "queue.turn", "job.ended")
LIMITS = """\
defaults:
  {{cpus: 1, memory: 256M, shm: 16M, pids: 256, containers: 80, stop_grace: 2s, gpu_hold: 15m, idle: 30m, lead: 3s,
    runtime: null}}
groups:
  student:
    members: ["*"]
    gpus: {{max: 4, per_container: 4}}
    bookings: {{who: self, per_week: null, ahead: 30d, notice: 0s}}
users: {{WHO: {{runtime: 30m}}}}
policy: {{idle: {{window: 1m, start_grace: 0s}}}}
gpus: {{source: simulated, simulated: [a100-40gb, a100-40gb, a100-40gb, a100-40gb, a100-40gb]}}
docker: {{networks: {pool}}}
"""
"""Bob's containers have half an hour."""


@dataclass(kw_only=True)
class Away(Daemon):
    """A ds01d that comes back an hour later."""

    later: bool = False

    def command(self) -> list[str]:
        words = super().command()
        return [sys.executable, str(LATER), *words[1:]] if self.later else words

    def back(self) -> None:
        """It is killed, and there again by a clock an hour ahead."""
        self.later = True
        self.start()


@pytest.fixture(scope="module")
def one_daemon(docker: Docker, persons: tuple[Person, Person]) -> Iterator[Away]:
    with short_folder() as found:
        limits = LIMITS.replace("WHO", persons[1].login)
        started = Away(folder=found, engine=docker.socket, limits=limits)
        started.start()
        yield started
        if started.running:
            started.kill()
        docker.clear()


def once(daemon: Daemon, since: int) -> Counter[tuple[str, str]]:
    """What ds01d told after an event, by what and whom."""
    events = daemon.root().events(everybody=True, after=since)
    return Counter((each.type, each.subject) for each in events)


def at(entries: Sequence[WhyEntry], says: str) -> datetime:
    (found,) = [entry for entry in entries if says in entry.what]
    return datetime.fromisoformat(found.at)


def test_f4_e4_after_an_hour_down_all_is_caught_up_and_nobody_is_stopped_unwarned(
    alice: User, bob: User, daemon: Away, docker: Docker
) -> None:
    """Five GPUs. While ds01d is away bob's half hour passes, and more than alice's may idle; one of hers dies, the GPU
    hold of another ends, a job ends, a booking begins and ends; and bob waits for three GPUs.
    """
    idles, long = alice.launch("idles"), bob.launch("long")
    dies, held = alice.launch("dies"), alice.launch("held")
    alice.ask("stop", "held")
    alice.ask("book", BookRequest(begins="in 5m", length_seconds=1200, gpus="1", name="lab"))
    (sent,) = submit(alice, "touch begun; sleep 1; echo done").jobs
    eventually((alice.workspace() / "begun").exists)
    stream, place = waits(bob, "mine", gpus="3", stays=True)
    assert place.reason == "full"
    before = max(each.seq for each in daemon.root().events(everybody=True, limit=1000))

    daemon.kill()
    with pytest.raises(Ds01Error):
        list(stream)
    docker("kill", dies.id)
    eventually(lambda: docker("ps", "-q", "--filter", f"label=ds01.name={sent.name}") == "")
    daemon.back()

    assert alice.container("dies").reason.endswith("exit code 137")
    died = at(story(alice, "dies"), "dies stopped")
    assert died < datetime.now(UTC), "when the engine says it ended, not when ds01d came back"
    assert [(mine.name, mine.state) for mine in places(bob)] == [("mine", "reserved")]
    assert "stopped by you" in alice.container("held").reason
    eventually(lambda: job(alice, sent.name).state == "ended")
    assert job(alice, sent.name).told.endswith("is done.")

    eventually(lambda: notices(bob, "long"))
    assert not stopped(bob, "long")
    eventually(lambda: stopped(bob, "long"), 40)
    entries = story(bob, "long")
    unheard = at(entries, "nobody could be told")
    (stop,) = [datetime.fromisoformat(each.at) + HOUR for each in entries if each.detail == "runtime:30m"]
    (warning,) = [each for each in notices(bob, "long") if each.level == "warning"]
    assert datetime.fromisoformat(warning.acts_at or "") - datetime.fromisoformat(warning.at) >= LEAD - MOMENT
    assert unheard + 2 * LEAD - MOMENT <= stop <= unheard + 2 * LEAD + LATE
    assert bob.container("long").reason == "reached its runtime limit of 30m"

    assert alice.container("idles").state == "running"
    assert notices(alice, "idles") == []
    bookings = alice.ask("bookings")
    assert isinstance(bookings, BookingsView)
    assert bookings.bookings == ()
    happened = once(daemon, before)
    assert happened.pop(("notice.delivered", long.id)) == 2, "the warning, and that it was stopped"
    assert set(happened.values()) == {1}, happened
    assert {("container.stopped", one.id) for one in (dies, long)} <= {*happened}
    assert not {("container.stopped", one.id) for one in (held, idles)} & {*happened}
    kinds = Counter(kind for kind, _ in happened)
    assert {kind: kinds[kind] for kind in ONCE} == dict.fromkeys(ONCE, 1)
    assert kinds["lease.released"] == 3, "the hold of long, too, is over: by ds01d's clock it stopped an hour ago"
    bob.ask("cancel", "mine")
