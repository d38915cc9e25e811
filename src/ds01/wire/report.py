"""A month of the server on the wire."""

from __future__ import annotations

from ds01.domain.record import record
from ds01.wire.usage import ConsumptionLine


@record
class DayView:
    """One day (UTC): GPU time, and energy by what became of it."""

    day: str
    gpueq_hours: float
    used_wh: float
    idle_wh: float
    unattributed_wh: float


@record
class WaitLine:
    """One user's waits for GPUs that ended in the month; ``at_once`` grants needed none, ``gave_up`` got nothing."""

    user: str
    at_once: int
    waited: int
    median_seconds: int
    longest_seconds: int
    gave_up: int


@record
class NoticeLine:
    """What was told of one rule: warnings, what was done, how many of both reached nobody, and to how many users."""

    rule: str
    warned: int
    acted: int
    undelivered: int
    users: int


@record
class ReportView:
    """The report. ``users``, ``projects`` and ``days`` each sum to ``total``, which is what the meters show: energy
    that is nobody's has lines of its own. ``last`` is the last day in it; a month that is not over is not ``complete``.

    ``possible_gpu_hours`` is what the GPUs that are there now could have given in that time. ``co2_g_per_kwh`` None: no
    grid intensity is set.
    """

    server: str
    month: str
    first: str
    last: str
    complete: bool
    simulated_gpus: bool
    possible_gpu_hours: float
    co2_g_per_kwh: float | None
    total: ConsumptionLine
    users: tuple[ConsumptionLine, ...]
    projects: tuple[ConsumptionLine, ...]
    days: tuple[DayView, ...]
    waits: tuple[WaitLine, ...]
    all_waits: WaitLine
    notices: tuple[NoticeLine, ...]
