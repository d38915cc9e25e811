"""GPUs and how they are divided, on the wire."""

from __future__ import annotations

from ds01.domain.record import record


@record
class MigGpuView:
    """One GPU. ``now`` and ``then`` are profiles as they are written in a plan (``off`` is a whole GPU), ``then`` only
    for one in a plan. ``in_the_way`` are containers and processes that must go before it can be divided.
    """

    index: int
    model: str
    now: str
    then: str = ""
    changes: bool = False
    in_the_way: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()


@record
class MigView:
    """The GPUs of a server, or of a plan."""

    gpus: tuple[MigGpuView, ...]
    simulated: bool = False


@record
class MigRequest:
    """A plan: ``1: 3g.20gb 2g.10gb 2g.10gb; 2: off``."""

    plan: str


@record
class DrainRequest:
    """A GPU by index, a slot by label or UUID, or ``all``, to keep new work away from, and why."""

    slot: str
    reason: str = ""


@record
class DrainView:
    """What is kept free (or no longer): ``slots`` by label, and who is still on them."""

    slots: tuple[str, ...]
    still_there: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    """What else keeps them out of service."""
