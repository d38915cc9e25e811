"""The queue on the wire: one's places in it, and how many others wait."""

from __future__ import annotations

from ds01.domain.record import record


@record
class InsteadView:
    """A smaller request that would start now: what to type for it, and what is different."""

    flags: str
    what: str


@record
class PlaceView:
    """One place in the queue. Times are ISO 8601 in UTC."""

    name: str
    owner: str
    state: str
    """``waiting``, or ``reserved``: it is its turn, and GPUs are kept for it until ``claim_until``."""
    asked: str
    """What to type to ask for the same: ``--gpus 2``."""
    since: str
    planned_seconds: int | None = None
    """The longest it will run; None has no end."""
    place: int = 0
    """1 is next; 0 when it is its turn."""
    of: int = 0
    """How many wait."""
    reason: str = ""
    """Why it waits, as a stable word: quota, full, booking, fair share, head reservation, quarantine."""
    text: str = ""
    """The same in a sentence."""
    earliest: str | None = None
    latest: str | None = None
    """When it is likely to start; None where nobody can know."""
    instead: tuple[InsteadView, ...] = ()
    """What would start now."""
    wait_until: str | None = None
    """When it gives up by itself."""
    claim_until: str | None = None
    slots: tuple[str, ...] = ()
    """The GPUs that are kept for it."""
    job: bool = False
    """Whether it is a job, which starts by itself when its turn comes."""


@record
class QueueView:
    """The queue as somebody sees it: her own places, everybody's for admins who ask, and how many there are."""

    places: tuple[PlaceView, ...]
    waiting: int
    """How many wait, of everybody."""
    reserved: int
    """For how many GPUs are kept right now."""
    others: int
    """How many of both are somebody else's."""
