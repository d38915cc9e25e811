"""The week of people who work by hand: what it is made of, and what it shows."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

from ds01.domain.queue.plan import Rules
from ds01.simulate import booked
from ds01.simulate.booked import Booked
from ds01.simulate.measure import wait
from ds01.simulate.replay import Estimates, replay
from ds01.simulate.trace import load
from ds01.simulate.week import CLASS, HOUR, booking, main, week


def test_a_week_has_its_class_its_nights_and_its_weekend() -> None:
    jobs = week()
    seats = [job for job in jobs if job.id.endswith("-class")]
    assert len(seats) == CLASS
    assert max(job.submit for job in seats) - min(job.submit for job in seats) <= 300
    assert all(job.asked is not None and job.duration <= job.asked for job in jobs)
    weekend = [job for job in jobs if job.submit > 5 * 24 * HOUR]
    assert 0 < len(weekend) < len(jobs) / 5
    assert jobs == week() != week(seed=2)


def test_forgetting_makes_everybody_wait() -> None:
    def mean_wait(idle: float) -> float:
        found = replay(week(idle=idle), 16, Rules(), estimates=Estimates.USER)
        return fmean(wait(one) for one in found.outcomes)

    assert mean_wait(4 * HOUR) > 2 * mean_wait(0.5 * HOUR)


def test_a_class_needs_a_booking() -> None:
    jobs = week()
    roster = frozenset(job.user for job in jobs if job.id.endswith("-class"))
    ten = (24 + 10) * HOUR
    own = Booked(id="class", gpus=CLASS // 2, begin=ten, end=ten + 2 * HOUR, users=roster)
    assert booking(jobs) == own
    seated = {}
    for dates in ((), (own,)):
        found = replay(jobs, 24, Rules(), estimates=Estimates.USER, booked=dates)
        seats = [one for one in found.outcomes if one.job.id.endswith("-class")]
        seated[len(dates)] = sum(wait(one) < 600 for one in seats)
    assert seated[0] < CLASS / 2
    assert seated[1] > 0.8 * CLASS  # the other seats go to sessions that those of the class waited for already


def test_the_program_writes_a_trace(tmp_path: Path) -> None:
    assert main([str(tmp_path / "week.csv"), "--people", "20"]) == 0
    assert load(tmp_path / "week.csv") == week(20)


def test_the_program_writes_the_booking_of_the_class(tmp_path: Path) -> None:
    assert main([str(tmp_path / "week.csv"), "--bookings", str(tmp_path / "class.csv")]) == 0
    assert booked.load(tmp_path / "class.csv") == [booking(week())]
