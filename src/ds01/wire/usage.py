"""What was consumed, on the wire. Hours of slots, of whole GPUs and of cores; energy in watt-hours."""

from __future__ import annotations

from ds01.domain.record import record


@record
class ConsumptionLine:
    """One line: by day, user, project or container; what it is not by is empty. ``co2_g`` None: no grid intensity."""

    day: str = ""
    user: str = ""
    project: str = ""
    container: str = ""
    running_hours: float = 0.0
    gpu_hours: float = 0.0
    gpueq_hours: float = 0.0
    cpu_hours: float = 0.0
    memory_gib_hours: float = 0.0
    energy_wh: float = 0.0
    co2_g: float | None = None


@record
class ConsumptionView:
    """The lines since a day, and their sum. For admins who ask for everybody, ``idle`` and ``unattributed`` energy are
    lines, too, so that the sum is what the meters show. There are 1,000 lines at most, the largest, or the latest days;
    the sum is of all.
    """

    since: str
    by: str
    lines: tuple[ConsumptionLine, ...]
    total: ConsumptionLine
    more: int = 0
    """So many lines are left out."""
