"""``python -m ds01.simulate.week OUT``: a week of 200 people who work with GPUs by hand, as a trace.

``--bookings FILE`` writes what the class books, for ``ds01 simulate --bookings``.

Traces of clusters are of jobs; the people DS01 is built for open a session, work, go for lunch and forget. Each of
them, from a seed:

- works on most weekdays: one to three sessions a day, begun in the morning, after lunch or in the evening;
- wants half a GPU's worth for an exercise (an instance), a GPU for a thesis, now and then two or all eight;
- asks for the time limit of her kind, because people do not guess; works 20 minutes to 5 hours;
- forgets to retire one session in four: it then idles until the idle rule ends it, half an hour later;
- one in twelve runs something overnight, which is no session: 6 to 14 hours;
- and on Tuesday at ten 30 of them sit in a class, all within five minutes, for two hours.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ds01.domain.queue.floor import WHOLE
from ds01.simulate import booked
from ds01.simulate.booked import Booked
from ds01.simulate.trace import NEEDED, Job

PEOPLE, CLASS = 200, 30
HOUR, DAY = 3600.0, 86400.0
IDLE = 0.5 * HOUR
"""How long a forgotten session idles before the idle rule ends it."""
_BEGINS = (9.0, 13.0, 19.0)
_WORKDAYS, _TUESDAY = 5, 1
_STUDENT, _RESEARCHER = 8 * HOUR, 24 * HOUR


@dataclass(frozen=True, kw_only=True)
class Habit:
    """How somebody works."""

    name: str
    gpus: float
    asks: float
    sessions: float
    overnight: float


def week(people: int = PEOPLE, *, seed: int = 1, forget: float = 0.25, idle: float = IDLE) -> list[Job]:
    """The sessions and runs of a week that begins on Monday at midnight."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    habits = [_habit(number, chance) for number in range(people)]
    found = [job for habit in habits for job in _week_of(habit, chance, forget, idle)]
    found += [_seat(habit, chance, forget, idle) for habit in habits if habit.gpus < 1][:CLASS]
    found.sort(key=lambda job: job.submit)
    return found


def booking(jobs: Sequence[Job]) -> Booked:
    """What those in the class book: half a GPU for each, for its two hours; who is late finds it kept."""
    roster = frozenset(job.user for job in jobs if job.id.endswith("-class"))
    begin = _TUESDAY * DAY + 10 * HOUR
    return Booked(id="class", gpus=CLASS // 2, begin=begin, end=begin + 2 * HOUR, users=roster)


def _habit(number: int, chance: random.Random) -> Habit:
    student = number % 4 != 0
    gpus = 0.5 if student and chance.random() < 0.7 else 1.0
    return Habit(
        name=f"{'s' if student else 'r'}{number:03}",
        gpus=gpus,
        asks=_STUDENT if student else _RESEARCHER,
        sessions=chance.choice((0.3, 0.5, 1.0)) if student else chance.choice((0.5, 1.0, 1.5)),
        overnight=0.0 if student else 1 / 3,
    )


def _week_of(habit: Habit, chance: random.Random, forget: float, idle: float) -> Iterator[Job]:
    for day in range(7):
        busy = habit.sessions * (1.0 if day < _WORKDAYS else 0.25)
        for part, begin in enumerate(_BEGINS):
            if chance.random() < busy / 2:
                at = day * DAY + (begin + chance.triangular(0, 4, 0.5)) * HOUR
                work = min(habit.asks, chance.lognormvariate(0.2, 0.7) * HOUR)
                idles = idle if chance.random() < forget else 0.0
                yield _job(habit, f"{day}{part}", at, max(0.3 * HOUR, work) + idles, _size(habit, chance))
        if chance.random() < habit.overnight * 0.25:
            at = day * DAY + chance.uniform(17, 22) * HOUR
            yield _job(habit, f"{day}n", at, chance.uniform(6, 14) * HOUR, habit.gpus)


def _size(habit: Habit, chance: random.Random) -> float:
    """What she wants this time: now and then more, and seldom everything."""
    draw = chance.random()
    if habit.gpus < 1 or draw < 0.93:
        return habit.gpus
    return 8.0 if draw > 0.99 else 2.0


def _seat(habit: Habit, chance: random.Random, forget: float, idle: float) -> Job:
    at = _TUESDAY * DAY + 10 * HOUR + chance.uniform(0, 300)
    idles = idle if chance.random() < forget else 0.0
    return _job(habit, "class", at, 2 * HOUR + idles, 0.5)


def _job(habit: Habit, what: str, at: float, length: float, gpus: float) -> Job:
    return Job(
        id=f"{habit.name}-{what}", user=habit.name, submit=round(at, 1), duration=round(min(length, habit.asks), 1),
        slots=max(1, int(gpus)), amount=WHOLE if gpus >= 1 else round(gpus * WHOLE), asked=habit.asks,
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """The program."""
    parser = argparse.ArgumentParser(
        prog="python -m ds01.simulate.week", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trace", type=Path, metavar="OUT")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--forget", type=float, default=0.25, metavar="SHARE", help="sessions that are forgotten")
    parser.add_argument("--bookings", type=Path, metavar="FILE", help="write the booking of the class")
    parser.add_argument("--idle", type=float, default=IDLE, metavar="SECONDS", help="when the idle rule ends those")
    options = parser.parse_args(arguments)
    jobs = week(options.people, seed=options.seed, forget=options.forget, idle=options.idle)
    with options.trace.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow((*NEEDED, "asked_s"))
        rows.writerows((job.id, job.user, job.submit, job.duration, f"{job.gpus:g}", job.asked) for job in jobs)
    if options.bookings is not None:
        booked.write([booking(jobs)], options.bookings)
    sys.stdout.write(f"{len(jobs)} sessions of {options.people} people in {options.trace}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
