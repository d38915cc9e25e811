"""The figures of a replay, by their textbook definitions; ``SimulationView`` says which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean, median

from ds01.simulate.replay import Outcome, Replayed
from ds01.simulate.trace import Job
from ds01.wire.simulate import BookedFigures, SimulationView, UserFigures

SHORT = 10.0
"""Runs shorter than this count as this long in a slowdown."""


def wait(one: Outcome) -> float:
    """Seconds from submission to start."""
    return one.start - one.job.submit


def slowdown(one: Outcome) -> float:
    """How many times as long as the run itself everything took, at least 1."""
    run = one.end - one.start
    return max(1.0, (wait(one) + run) / max(run, SHORT))


def jain(values: Sequence[float]) -> float:
    """Jain's index: 1 when all are equal, 1/n when one has everything."""
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 1.0


def percentile(values: Iterable[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0


def used(outcomes: Iterable[Outcome], until: float) -> float:
    """GPU-seconds used up to a moment."""
    return sum(max(0.0, min(until, one.end) - one.start) * one.job.gpus for one in outcomes)


def report(found: Replayed, *, trace: str, policy: str, estimates: str) -> SimulationView:
    """All figures of a replay."""
    done = found.outcomes
    waits, slow = [wait(one) for one in done], [slowdown(one) for one in done]
    first = min((one.job.submit for one in done), default=0.0)
    last_submit = max((one.job.submit for one in done), default=0.0)
    last_end = max((one.end for one in done), default=0.0)
    people = _people(done, last_submit)
    whole = [wait(one) for one in done if one.job.slots == found.gpus and one.job.gpus == found.gpus]
    told = [(one, one.shown) for one in done if one.shown is not None]
    return SimulationView(
        trace=trace, gpus=found.gpus, policy=policy, estimates=estimates,
        jobs=len(done), refused=len(found.refused), cut=found.cut, users=len(people),
        wait_mean=_mean(waits), wait_median=median(waits or [0.0]), wait_p95=percentile(waits, 0.95),
        wait_longest=max(waits, default=0.0),
        slowdown_mean=_mean(slow), slowdown_median=median(slow or [0.0]), slowdown_p95=percentile(slow, 0.95),
        utilisation=_share(used(done, last_end), found.gpus * (last_end - first)),
        utilisation_arrivals=_share(used(done, last_submit), found.gpus * (last_submit - first)),
        jain=jain([one.served for one in people]), jain_slowdown=jain([one.slowdown_mean for one in people]),
        whole_server_jobs=len(whole), whole_server_longest=max(whole, default=None),
        whole_server_mean=_mean(whole) if whole else None,
        eta_asked=len(told),
        eta_inside=fmean(low <= one.start <= high for one, (low, high) in told) if told else None,
        eta_width_median=median(high - low for _, (low, high) in told) if told else None,
        booked=_booked(found) if found.dates else None,
        passes=found.passes, took_seconds=found.seconds, jobs_per_second=_share(len(done), found.seconds),
        by_user=people,
    )  # fmt: skip


def offered(jobs: Iterable[Job]) -> float:
    """GPU-seconds asked for together."""
    return sum(job.duration * job.gpus for job in jobs)


def _booked(found: Replayed) -> BookedFigures:
    whole = sum(len(one.slots) * (one.span.end - one.span.begin) for one in found.dates)
    seated = [one for one in found.outcomes if one.date is not None]
    users = {user for one in found.dates for user in one.booked.users}
    return BookedFigures(
        dates=len(found.dates), gpu_seconds=whole,
        used=_share(sum((one.end - one.start) * one.job.gpus for one in seated), whole),
        back=_share(sum(one.back for one in found.dates), whole),
        jobs=len(seated), wait_mean=_mean([wait(one) for one in seated]) if seated else None,
        absent=len(users - {one.job.user for one in found.outcomes}),
    )  # fmt: skip


def _people(done: Iterable[Outcome], until: float) -> tuple[UserFigures, ...]:
    by_user: dict[str, list[Outcome]] = defaultdict(list)
    for one in done:
        by_user[one.job.user].append(one)
    return tuple(
        UserFigures(
            user=user,
            jobs=len(mine),
            wait_mean=fmean(map(wait, mine)),
            wait_p95=percentile(map(wait, mine), 0.95),
            slowdown_mean=fmean(map(slowdown, mine)),
            served=_share(used(mine, until), sum((one.end - one.start) * one.job.gpus for one in mine)),
        )
        for user, mine in sorted(by_user.items())
    )


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 0.0


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
