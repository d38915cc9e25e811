"""``kill -9`` at any moment, under load: what was acknowledged stands, no GPU is leased twice, none is lost.

Six containers are launched, stopped, started and retired, others wait for a GPU and take their turn, jobs are submitted
and GPUs booked, without a pause while ds01d is killed at random moments. After every restart, before anything else
happens, the ledger, the engine and what the people were told must agree; in the end every job that was acknowledged has
run, and none twice. ``DS01_TESTS_KILLS`` says how
often (200, fewer where a run need not be complete), ``DS01_TESTS_SEED`` repeats a run's random choices.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from dev import tiny
from dev.people import Person

from ds01.client.daemon import Client
from ds01.wire.containers import ContainerView
from ds01.wire.queue import PlaceView
from tests.effort import tries
from tests.engine.daemon.conftest import LIMITS, Daemon, Docker, User, short_folder
from tests.engine.daemon.patience import Booker, Waiter, ask

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.slow]

KILLS = int(os.environ.get("DS01_TESTS_KILLS", str(tries(200))))
SEED = int(os.environ.get("DS01_TESTS_SEED", str(random.randrange(10**6))))
VERBS = {"absent": ("launch 0", "launch 1", "launch 1"), "running": ("stop", "retire", "launch 1"),
         "stopped": ("start", "launch 1", "retire")}  # fmt: skip
REFUSALS = {"gpu.full", "gpu.quota"}
BROKEN = {"daemon.unreachable", "container.unknown", "ledger.error"}
HERE = Path(__file__).parent
LIMITS_OF_ALL = (
    LIMITS.replace("{hold}}}", "{hold}, runtime: 1h}}")
    .replace(
        "per_container: 4}}", "per_container: 4}}, bookings: {{who: self, per_week: null, ahead: 30d, notice: 0s}}"
    )
    .replace("simulated: [", "simulated: [a100-40gb, a100-40gb, ")
)
"""Leases that end, so that what is booked for another day is in nobody's way; GPUs for some of those who want one."""


class Forker:
    """ds01d processes by fork."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._pid = 0
        self._log = (daemon.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.daemon.forker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._log, text=True, cwd=HERE.parents[2],
        )  # fmt: skip

    def start(self) -> int:
        """The pid of a ds01d that answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(self._daemon.command()[1:]) + "\n")
        self._process.stdin.flush()
        self._pid = int(self._process.stdout.readline())
        deadline = time.monotonic() + 120
        while not self._daemon.answers():
            assert time.monotonic() < deadline, self._daemon.log[-4000:]
            time.sleep(0.01)
        return self._pid

    def end(self) -> None:
        """End the last ds01d, and what started them."""
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                stream.close()
        self._process.wait()


@dataclass(kw_only=True)
class Worker:
    """One container's owner. ``state`` is what she was told, ``unsure`` when ds01d died before it answered."""

    user: User
    name: str
    process: subprocess.Popen[str]
    state: str = "absent"
    id: str = ""
    gpus: int = 0
    unsure: bool = False
    acts: int = 0
    told: dict[str, Any] = field(default_factory=dict)

    def act(self, choice: random.Random) -> None:
        """One act and what came of it."""
        self.told = ask(self.process, choice.choice(VERBS[self.state]))
        self.acts += 1
        self._learn()

    def _learn(self) -> None:
        code = self.told["code"]
        if code in REFUSALS:
            return
        if code:
            assert code in BROKEN, self.told
            self.unsure = True
            return
        container = self.told["container"]
        if container is None:
            self.state, self.id = "absent", ""
            return
        self.state, self.id = container["state"], container["id"]
        self.gpus = container["gpu_count"]

    def see(self, container: Any) -> None:
        """The truth after a restart: it must be what she was told, and becomes what she knows."""
        now = "absent" if container is None else container.state
        if not self.unsure:
            assert now == self.state, (self.name, self.told, container)
            assert container is None or container.id == self.id, (self.name, self.told, container)
        assert now in VERBS, (self.name, self.told, container)
        self.state, self.id, self.unsure = now, container.id if container else "", False
        self.gpus = container.gpu_count if container else 0


@dataclass(kw_only=True)
class Submitter:
    """Somebody who submits jobs; ``told`` are those that ds01d acknowledged."""

    user: User
    process: subprocess.Popen[str]
    acts: int = 0
    told: set[str] = field(default_factory=set)
    unsure: bool = False

    def act(self, choice: random.Random) -> None:
        """One job; a pause after it, or there would be more than the engine runs."""
        answer = ask(self.process, choice.choice(("submit 0", "submit 0", "submit 1")))
        assert answer["code"] in ("", *BROKEN), answer
        self.acts += 1
        if not answer["code"]:
            self.told.add(answer["job"])
        time.sleep(1.5)


class Crowd:
    """All workers, each in a thread; between a kill and the next load they stand still."""

    def __init__(self, workers: Sequence[Worker | Submitter | Waiter | Booker], seed: int) -> None:
        self.workers = workers
        self.failures: list[BaseException] = []
        self._gate = threading.Event()
        self._over = False
        self._busy = [threading.Lock() for _ in workers]
        self._threads = [threading.Thread(target=self._work, args=(n, seed + n)) for n in range(len(workers))]
        for thread in self._threads:
            thread.start()

    def go(self) -> None:
        self._gate.set()

    def hold(self) -> None:
        """Return when nobody is at work."""
        self._gate.clear()
        for lock in self._busy:
            with lock:
                pass

    def end(self) -> None:
        self._over = True
        self._gate.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int, seed: int) -> None:
        choice = random.Random(seed)
        while not self._over:
            self._gate.wait()
            with self._busy[number]:
                if self._gate.is_set() and not self._over and not self.workers[number].unsure:
                    self._attempt(number, choice)

    def _attempt(self, number: int, choice: random.Random) -> None:
        try:
            self.workers[number].act(choice)
        except (AssertionError, ValueError, OSError) as error:
            self.failures.append(error)
            self._over = True


def wait_for(workers: list[Worker], acts: int) -> None:
    """Until so many acts were acknowledged, or a while is over."""
    enough = sum(worker.acts for worker in workers) + acts
    deadline = time.monotonic() + 30
    while sum(worker.acts for worker in workers) < enough and time.monotonic() < deadline:
        time.sleep(0.01)


def check(daemon: Daemon, docker: Docker, workers: list[Worker], waiters: list[Waiter], bookers: list[Booker]) -> None:
    """What was acknowledged is so at once; what the engine was still doing when ds01d was killed settles soon."""
    root = Client(str(daemon.socket))
    look(root, [worker for worker in workers if not worker.unsure], [one for one in waiters if not one.unsure])
    for booker in bookers:
        booked = root.bookings(everybody=True).bookings
        booker.see({one.name for one in booked if one.owner == booker.user.person.login and one.state == "booked"})
    slots = [slot for lease in root.leases(everybody=True) for slot in lease.slots]
    assert len(slots) == len(set(slots)), slots
    deadline = time.monotonic() + 120
    while wrong := disagreement(root, docker):
        assert time.monotonic() < deadline, (wrong, daemon.log[-3000:])
        time.sleep(0.1)
    look(root, workers, waiters)


def look(root: Client, workers: list[Worker], waiters: list[Waiter]) -> None:
    listed, waiting = containers(root), places(root)
    for worker in workers:
        worker.see(listed.get((worker.user.person.login, worker.name)))
    for waiter in waiters:
        who = (waiter.user.person.login, waiter.name)
        waiter.see(listed.get(who), waiting.get(who))


def places(root: Client) -> dict[tuple[str, str], PlaceView]:
    return {(p.owner, p.name): p for p in root.queue(everybody=True).places if not p.job}


def containers(root: Client) -> dict[tuple[str, str], ContainerView]:
    return {(c.owner, c.name): c for c in root.containers(everybody=True)}


def disagreement(root: Client, docker: Docker) -> str:
    """How the ledger and the engine differ, and which lease or GPU is out of place.

    Jobs come and go while one looks: they are looked at in the end, when all have.
    """
    listed = {key: container for key, container in containers(root).items() if container.door != "job"}
    expected, waiting = {"running": "active", "stopped": "held"}, places(root)
    for lease in root.leases(everybody=True):
        if lease.container.startswith("job-"):
            continue
        holder = listed.get((lease.owner, lease.container))
        if holder is None and lease.state == "reserved" and (lease.owner, lease.container) in waiting:
            continue  # it is kept for somebody whose turn it is
        if holder is None or lease.state not in (expected.get(holder.state), "reserved"):
            return f"{lease} of {holder}"
    for container in listed.values():
        if container.state == "running" and len(container.gpus) != container.gpu_count:
            return f"{container} runs without its GPUs"
    label = ("--no-trunc", "--filter", "label=ds01.owner.uid", "--filter", "label=ds01.door=ds01")
    running, there = set(docker("ps", "-q", *label).split()), set(docker("ps", "-aq", *label).split())
    if running != {c.id for c in listed.values() if c.state == "running"}:
        return f"running: {running}, listed: {listed}"
    return "" if there == {c.id for c in listed.values()} else f"there: {there}, listed: {listed}"


@pytest.fixture
def place(docker: Docker) -> Iterator[Daemon]:
    with short_folder() as folder:
        daemon = Daemon(folder=folder, engine=docker.socket, limits=LIMITS_OF_ALL)
        daemon.write_limits()
        yield daemon
        docker.clear()


def crowd(daemon: Daemon, persons: tuple[Person, Person]) -> list[Worker]:
    workers = []
    for number in range(6):
        user = User(person=persons[number % 2], daemon=daemon)
        workers.append(Worker(user=user, name=f"run-{number}", process=hands(user, f"run-{number}")))
    return workers


def hands(user: User, name: str) -> subprocess.Popen[str]:
    """A process of hers that does what it is told on standard input."""
    arguments = [user.person.login, str(user.daemon.socket), name, str(user.workspace()), tiny.REFERENCE]
    return subprocess.Popen(
        [sys.executable, str(HERE / "worker.py"), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def end(hand: subprocess.Popen[str]) -> None:
    for stream in (hand.stdin, hand.stdout):
        if stream is not None:
            stream.close()
    hand.wait()


def leave(waiters: list[Waiter]) -> None:
    """Nobody stands before the jobs that are left."""
    for waiter in waiters:
        if waiter.state != "absent":
            ask(waiter.process, "cancel" if waiter.state == "waiting" else "retire")


def check_jobs(daemon: Daemon, docker: Docker, submitters: list[Submitter]) -> int:
    """Every job that was acknowledged ran, and no job twice, and nothing is left of them; how many there were."""
    root, deadline, fewest = Client(str(daemon.socket)), 0.0, 10_000
    while left := [job.name for job in root.jobs(limit=10_000, everybody=True) if job.state != "ended"]:
        if len(left) < fewest:  # as long as one after the other ends, a busy machine may take its time
            deadline, fewest = time.monotonic() + 120, len(left)
        assert time.monotonic() < deadline, (left, daemon.log[-3000:])
        time.sleep(0.5)
    jobs = root.jobs(limit=10_000, everybody=True)
    for one in submitters:
        mine = {job.name: job for job in jobs if job.owner == one.user.person.login}
        assert one.told <= mine.keys(), one.told - mine.keys()
        tried = [(job.name, job.told, job.attempt) for job in mine.values() if job.code != 0 or job.attempt != 1]
        assert not tried, (tried, [event.text for event in root.events(kind="job.retried", everybody=True)])
        ran = (one.user.workspace() / "ran").read_text().split() if mine else []
        assert sorted(ran) == sorted(mine)
    deadline = time.monotonic() + 120
    while left := docker("ps", "-aq", "--filter", "label=ds01.door=job").split():
        assert time.monotonic() < deadline, (left, daemon.log[-3000:])
        time.sleep(0.2)
    assert not [lease for lease in root.leases(everybody=True) if lease.container.startswith("job-")]
    return len(jobs)


def test_f3_w1_killed_at_random_moments_nothing_acknowledged_is_lost(
    place: Daemon, docker: Docker, persons: tuple[Person, Person]
) -> None:
    print(f"seed {SEED}")
    choice = random.Random(SEED)
    forker = Forker(place)
    workers = crowd(place, persons)
    owners = [User(person=person, daemon=place) for person in persons]
    submitters = [Submitter(user=owner, process=hands(owner, "")) for owner in owners]
    waiters = [Waiter(user=owner, name=name, process=hands(owner, name)) for owner in owners for name in ("w1", "w2")]
    bookers = [Booker(user=owner, process=hands(owner, "")) for owner in owners]
    crowded: list[Worker | Submitter | Waiter | Booker] = [*workers, *submitters, *waiters, *bookers]
    people = Crowd(crowded, SEED)
    try:
        pid = forker.start()
        for _ in range(KILLS):
            people.go()
            wait_for(workers, choice.randrange(8))
            time.sleep(choice.uniform(0.0, 0.4))
            os.kill(pid, signal.SIGKILL)
            people.hold()
            assert not people.failures, people.failures
            pid = forker.start()
            check(place, docker, workers, waiters, bookers)
        people.hold()
        leave(waiters)
        jobs = check_jobs(place, docker, submitters)
    finally:
        people.end()
        for one in crowded:
            end(one.process)
        forker.end()
    turns = sum(waiter.turns for waiter in waiters)
    print(f"{sum(one.acts for one in crowded)} acts, {jobs} jobs and {turns} turns over {KILLS} kills")
    assert sum(worker.acts for worker in workers) > KILLS
    assert turns > 0
    assert min(booker.acts for booker in bookers) > KILLS // 4
