"""Replays a trace: a clock that jumps from event to event, and the queue of ``ds01.domain`` in between.

The simulator decides nothing. It keeps one working state of the queue for the whole trace, where ds01d builds one for
each pass; what a pass does with it is the same code. Of equal GPUs the fullest that has room is taken for a part of
one, so that whole ones stay whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import heappop, heappush
from math import inf
from time import perf_counter

from ds01.domain.queue.estimate import Load, Ranges, Runs, reckoned
from ds01.domain.queue.floor import WHOLE, Floor, Run, Shape
from ds01.domain.queue.line import Line, Meter, Person, Waiter
from ds01.domain.queue.passing import Passing
from ds01.domain.queue.plan import Rules
from ds01.domain.queue.request import RequestId
from ds01.domain.queue.usage import Share, parts
from ds01.simulate.booked import Booked
from ds01.simulate.keeping import Date, Keeping
from ds01.simulate.trace import Job

_LADDER = (600, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 172800, 345600, 604800, 1209600)


class Estimates(StrEnum):
    """What the queue knows of a run before it ends: its length, or what its user asked for."""

    EXACT = "exact"
    USER = "user"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What one user of the trace may have: gpueq at once, slots for one job, seconds until a job is stopped.

    ``idle`` is after how many seconds of doing nothing one is ended, ``hold`` how long GPUs are kept after that at
    most; None is as the trace has it.
    """

    quota: float = inf
    per_job: float = inf
    runtime: float = inf
    idle: float | None = None
    hold: float | None = None
    priority: int = 0
    share: Share = field(default_factory=Share)


@dataclass(slots=True)
class Outcome:
    """What became of one job. ``shown`` is the range somebody waiting would have been shown, if she was asked; ``date``
    the booking whose GPUs it had.
    """

    job: Job
    start: float = -1.0
    end: float = -1.0
    slots: tuple[int, ...] = ()
    shown: tuple[float, float] | None = None
    date: Date | None = None


@dataclass(kw_only=True)
class Replayed:
    """A whole trace, replayed. ``seconds`` is what it took, ``refused`` are jobs that could never run, ``dates`` what
    was booked.
    """

    gpus: int
    outcomes: list[Outcome]
    refused: list[Job]
    cut: int
    passes: int
    seconds: float
    dates: Sequence[Date] = ()


def length(job: Job, terms: Terms) -> float:
    """How long it has its GPUs: what was work stays, what was idle or held in the end is as long as it now may be.

    One that was idle and is not ended for that any more goes on for as long as it asked for.
    """
    idle = job.idle if terms.idle is None or not job.idle else terms.idle
    if idle == inf:
        return max(job.duration, job.asked or 0.0)
    held = job.held if terms.hold is None else min(job.held, terms.hold)
    return job.duration - job.idle - job.held + idle + held


def planned(job: Job, terms: Terms, estimates: Estimates) -> float:
    """The time the queue plans with. Nobody asked: as people do, the next round number from twice the length."""
    if estimates is Estimates.EXACT:
        asked = length(job, terms)
    elif job.asked is not None:
        asked = job.asked
    else:
        asked = next((step for step in _LADDER if step >= 2 * job.duration), 2 * job.duration)
    return min(asked, terms.runtime)


def replay(
    jobs: Sequence[Job], gpus: int, rules: Rules, *, estimates: Estimates = Estimates.EXACT,
    terms: Mapping[str, Terms] | None = None, asked_every: int = 0, booked: Sequence[Booked] = (),
) -> Replayed:  # fmt: skip
    """Run the jobs (in order of submission) on so many GPUs. ``asked_every`` n-th who waits is told a range.

    All that is ``booked`` was so before the first job came. Raises Ds01Error when it cannot all be had together.
    """
    return _Replay(jobs, gpus, rules, estimates, terms or {}, asked_every, booked).run()


class _Replay:
    def __init__(
        self, jobs: Sequence[Job], gpus: int, rules: Rules, estimates: Estimates, terms: Mapping[str, Terms],
        asked_every: int, booked: Sequence[Booked],
    ) -> None:  # fmt: skip
        self._gpus = gpus
        self._estimates = estimates
        self._every = asked_every
        self._terms = {user: terms.get(user, Terms()) for user in {job.user for job in jobs}}
        owned = parts({user: one.share for user, one in self._terms.items()})
        self._people = {
            user: Person(uid=number, quota=one.quota, part=owned[user])
            for number, (user, one) in enumerate(sorted(self._terms.items()))
        }
        self._outcomes = [Outcome(job) for job in jobs]
        self._now = min([job.submit for job in jobs[:1]] + [one.begin for one in booked], default=0.0)
        self._ends: list[tuple[float, int, Waiter, Run]] = []
        self._runs, self._ranges = Runs(), Ranges()
        self._told: dict[int, tuple[float, float]] = {}
        self._floor = Floor([0] * gpus)
        self._line = Line(age=rules.age.total_seconds(), longest=rules.longest.total_seconds())
        self._meter = Meter(rules.half_life.total_seconds(), rules.fair, start=self._now)
        uids = {user: person.uid for user, person in self._people.items()}
        self._keeping = Keeping(booked, uids, self._floor, unclaimed=rules.unclaimed.total_seconds())
        self._passing = Passing(
            self._floor, self._line, self._meter, rules.order, rules.guard, choose=self._choose, begin=self._begin,
            guests=self._keeping.guests,
        )  # fmt: skip
        self._shapes: dict[tuple[int, int], Shape] = {}
        self._refused: list[Job] = []
        self._cut = 0

    def run(self) -> Replayed:
        """The loop: whatever happens at one moment happens together, then the queue is looked at once.

        Nothing can start that could not before when nothing came back and nothing of what came fits: no look then.
        """
        began, passes, coming, outcomes = perf_counter(), 0, 0, self._outcomes
        ends, last, keeping = self._ends, len(self._outcomes), self._keeping
        while coming < last or ends or keeping.next < inf:
            now = self._now = min(
                outcomes[coming].job.submit if coming < last else inf, ends[0][0] if ends else inf, keeping.next
            )
            ended = bool(ends) and ends[0][0] <= now
            while ends and ends[0][0] <= now:
                self._end(*heappop(ends))
            ended = keeping.pass_by(now) or ended
            new: list[Waiter] = []
            while coming < last and outcomes[coming].job.submit <= now:
                new += self._come(coming)
                coming += 1
            self._meter.rebased(self._people.values(), now)
            self._floor.expire(now)
            if ended or self._floor.any_fits({waiter.shape for waiter in new}):
                self._passing.run(now)
                passes += 1
            for waiter in new:
                if self._every and waiter.number % self._every == 0:
                    self._tell(waiter)
        done = [outcome for outcome in outcomes if outcome.start >= 0]
        return Replayed(
            gpus=self._gpus, outcomes=done, refused=self._refused, cut=self._cut, passes=passes,
            seconds=perf_counter() - began, dates=self._keeping.dates,
        )  # fmt: skip

    def _come(self, number: int) -> list[Waiter]:
        job = self._outcomes[number].job
        terms, person = self._terms[job.user], self._people[job.user]
        shape = self._shapes.get((job.slots, job.amount))
        if shape is None:
            shape = self._shapes[job.slots, job.amount] = Shape(job.slots, job.amount, cost=job.gpus)
        asked = planned(job, terms, self._estimates)
        waiter = Waiter(RequestId(job.id), person, shape, asked, job.submit, number, terms.priority)
        fits = job.slots <= min(self._gpus, terms.per_job)
        if fits and person.uid in self._passing.guests and self._sit(waiter):
            return []
        if not fits or job.gpus > terms.quota:
            self._refused.append(job)
            return []
        self._line.add(waiter)
        return [waiter]

    def _sit(self, waiter: Waiter) -> bool:
        """What is booked for her is hers at once, past the queue and beside her quota."""
        shape, now, free = waiter.shape, self._now, self._floor.free
        able = [slot for slot in range(self._gpus) if free[slot] >= shape.amount]
        hers = self._keeping.hers(waiter.person.uid, able, shape.slots, now)
        if hers:
            run = Run(self._choose(waiter, hers), shape.amount, now + waiter.planned)
            self._floor.take(run)
            self._begin(waiter, run)
        return bool(hers)

    def _choose(self, waiter: Waiter, able: list[int]) -> tuple[int, ...]:
        """Booked ones first, if enough are booked for her."""
        if waiter.person.uid in self._passing.guests:
            able = self._keeping.hers(waiter.person.uid, able, waiter.shape.slots, self._now) or able
        if waiter.shape.amount < WHOLE:
            return (min(able, key=self._floor.free.__getitem__),)
        return tuple(able[: waiter.shape.slots])

    def _begin(self, waiter: Waiter, run: Run) -> None:
        """It has its GPUs; those of a booking no longer than that."""
        now, outcome, person = self._now, self._outcomes[waiter.number], waiter.person
        date = self._keeping.sit(person.uid, run.slots, now) if person.uid in self._passing.guests else None
        whole = length(outcome.job, self._terms[outcome.job.user])
        took = min(whole, waiter.planned)
        if date is None:
            person.held += waiter.shape.cost
        else:
            run.until, took = min(run.until, date.span.end), min(took, date.span.end - now)
        self._cut += took < whole
        outcome.start, outcome.end, outcome.slots, outcome.date = now, now + took, run.slots, date
        self._meter.begin(person, waiter.shape.cost, now)
        heappush(self._ends, (now + took, waiter.number, waiter, run))
        told = self._told.pop(waiter.number, None)
        if told is not None:
            self._ranges.saw(told[1], now - told[0])

    def _end(self, at: float, number: int, waiter: Waiter, run: Run) -> None:
        self._floor.give_back(run)
        date = self._outcomes[number].date
        if date is None:
            waiter.person.held -= waiter.shape.cost
        else:
            self._keeping.leave(date, run.slots, at)
        self._meter.begin(waiter.person, -waiter.shape.cost, at)
        self._runs.saw(waiter.person.uid, waiter.planned, at - self._outcomes[number].start)

    # estimates --------------------------------------------------------------------------------------------
    def _tell(self, waiter: Waiter) -> None:
        """What somebody who has to wait would be shown now."""
        if waiter.gone:
            return
        now, ahead = self._now, []
        for one in self._passing.ranking(now):
            if one is waiter:
                break
            ahead.append(one)
        free_in = [self._free_in(slot) for slot in range(self._gpus)]
        seconds = reckoned(free_in, map(self._load, ahead), self._load(waiter))
        low, high = self._ranges.around(seconds)
        self._outcomes[waiter.number].shown = now + low, now + high
        self._told[waiter.number] = now, seconds

    def _load(self, waiter: Waiter) -> Load:
        return Load(waiter.shape.slots, waiter.shape.amount, self._runs.likely(waiter.person.uid, waiter.planned))

    def _free_in(self, slot: int) -> float:
        left = [max(0.0, run.until - self._now) * run.amount for run in self._floor.runs[slot]]
        return sum(left) / WHOLE
