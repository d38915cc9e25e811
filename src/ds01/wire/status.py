"""Who am I, what do I use, what may I use, is all well: the still picture."""

from __future__ import annotations

from ds01.domain.record import record
from ds01.wire.containers import ContainerView
from ds01.wire.gpus import GpusView
from ds01.wire.queue import QueueView


@record
class LimitView:
    """One limit in force: ``value`` as people write it (``30m``, ``32G``, ``no limit``), ``source`` as file:line.

    ``overrules`` are the values it overruled, nearest first, each with its source; only when one limit is explained.
    """

    key: str
    value: str
    source: str
    meaning: str = ""
    overrules: tuple[str, ...] = ()


@record
class LimitsView:
    """All limits of one user."""

    login: str
    group: str
    admin: bool
    limits: tuple[LimitView, ...]


@record
class UsageView:
    """One used/limit pair, as shown."""

    what: str
    used: str
    limit: str


@record
class StatusView:
    """``ds01 status``."""

    login: str
    group: str
    server: str
    simulated_gpus: bool
    usage: tuple[UsageView, ...]
    gpus: GpusView
    containers: tuple[ContainerView, ...]
    notices: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    """What an admin must know at once: a protection that is off."""
    queue: QueueView | None = None


@record
class PingView:
    """Whether ds01d is there, and what it is."""

    version: str
    simulated_gpus: bool
    engine: str
    """The engine's version, or ``""`` when it does not answer."""
    login: str
    gateway: str = ""
    """The gateway's socket, for commands that stream."""


@record
class EventView:
    """One event."""

    seq: int
    at: str
    type: str
    actor: str
    user: str
    subject: str
    outcome: str
    details: dict[str, str]
    text: str = ""
    schema: int = 1
    actor_uid: int | None = None
    """None: DS01 itself. Names change hands, and so do uids: ``account.changed`` events say when."""
    uid: int | None = None
    hash: str = ""
    """Its link to the event before; docs/explanation/ledger.md says how it is made."""


@record
class CheckView:
    """One check of the doctor: ``state`` is ok, warning or failed; ``fix`` is what to do."""

    name: str
    state: str
    text: str
    fix: str = ""


@record
class DoctorView:
    """All checks."""

    checks: tuple[CheckView, ...]
    healthy: bool
