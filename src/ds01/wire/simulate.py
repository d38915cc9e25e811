"""A simulation on the wire: what ``ds01 simulate --json`` prints."""

from __future__ import annotations

from ds01.domain.record import record


@record
class UserFigures:
    """One user's jobs. Waits in seconds; ``served`` is the part of her GPU time that she had when the last job came."""

    user: str
    jobs: int
    wait_mean: float
    wait_p95: float
    slowdown_mean: float
    served: float


@record
class BookedFigures:
    """Dates of bookings: their GPU time in seconds, what part of it those they are for used, what part went back as
    nobody came or they left, the jobs that ran on them and their mean wait, and for how many with no job they were.
    """

    dates: int
    gpu_seconds: float
    used: float
    back: float
    jobs: int
    wait_mean: float | None
    absent: int


@record
class SimulationView:
    """One replay. Times in seconds, shares 0 to 1; None where there was nothing to measure.

    ``slowdown_mean`` is that of max(1, (wait + run) / max(run, 10 s)). ``utilisation`` is GPU time used by the GPU time
    there was from the first submission to the last end; ``utilisation_arrivals`` the same up to the last submission.
    ``jain`` is Jain's index over users of ``served``, ``jain_slowdown`` that of their mean slowdown.
    ``whole_server_*`` are of jobs that need every GPU. ``eta_inside`` is the share of starts within the range shown.
    ``booked`` is None where nothing was.
    """

    trace: str
    gpus: int
    policy: str
    estimates: str
    jobs: int
    refused: int
    cut: int
    users: int
    wait_mean: float
    wait_median: float
    wait_p95: float
    wait_longest: float
    slowdown_mean: float
    slowdown_median: float
    slowdown_p95: float
    utilisation: float
    utilisation_arrivals: float
    jain: float
    jain_slowdown: float
    whole_server_jobs: int
    whole_server_longest: float | None
    whole_server_mean: float | None
    eta_asked: int
    eta_inside: float | None
    eta_width_median: float | None
    booked: BookedFigures | None
    passes: int
    took_seconds: float
    jobs_per_second: float
    by_user: tuple[UserFigures, ...]
