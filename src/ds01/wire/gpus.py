"""GPUs and slots on the wire."""

from __future__ import annotations

from ds01.domain.record import record


@record
class SlotView:
    """One slot. ``holder`` is a login for admins and for oneself, ``in use`` for others, ``""`` when free;
    ``utilisation`` is 0 to 100, None when unknown.
    """

    id: str
    label: str
    model: str
    profile: str
    memory_bytes: int
    gpueq: float
    state: str
    """free, reserved, active, held or quarantined."""
    holder: str = ""
    container: str = ""
    utilisation: float | None = None
    memory_used_bytes: int | None = None
    reason: str = ""


@record
class GpusView:
    """All slots of the server."""

    simulated: bool
    slots: tuple[SlotView, ...]
    free: int
    total: int


@record
class LeaseView:
    """One lease."""

    id: str
    owner: str
    state: str
    slots: tuple[str, ...]
    gpueq: float
    container: str
    granted_at: str
    expires_at: str | None = None


@record
class ForeignView:
    """A process on a slot that is not in the container the slot is leased to. ``started_at`` None: unknown;
    ``container`` is the one of DS01 that it is in, ``leased_to`` whose the slot is, ``""`` for none.
    """

    slot: str
    pid: int
    user: str
    command: str
    memory_bytes: int
    started_at: str | None = None
    container: str = ""
    leased_to: str = ""
