"""The past as a trace, on the wire."""

from __future__ import annotations

from ds01.domain.record import record


@record
class TraceJobView:
    """A line of a trace, in the words of its CSV heading."""

    job_id: str
    user: str
    submit_s: float
    duration_s: float
    gpus: float
    asked_s: float | None = None
