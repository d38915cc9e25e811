"""The past as a trace, on the wire."""

from __future__ import annotations

from ds01.domain.record import record


@record
class TraceJobView:
    """A line of a trace, in the words of its CSV heading. Of ``duration_s`` the last ``idle_s`` and ``held_s`` seconds
    went by idle, until that ended it, and kept for a stopped container.
    """

    job_id: str
    user: str
    submit_s: float
    duration_s: float
    gpus: float
    asked_s: float | None = None
    idle_s: float = 0.0
    held_s: float = 0.0
