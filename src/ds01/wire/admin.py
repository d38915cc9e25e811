"""What admins do: the way past the gateway, what it would refuse, the fence, a word to everybody, a backup."""

from __future__ import annotations

from ds01.domain.record import record


@record
class GlassRequest:
    """Open the way past the gateway for oneself. ``reason`` is written down, with every request."""

    reason: str
    minutes: int = 15


@record
class GlassView:
    """The way past the gateway: ``socket`` is the engine for this admin until ``until`` (ISO; empty: closed)."""

    socket: str
    until: str
    reason: str


@record
class AnnounceRequest:
    """Tell everybody this, until then (a time with its zone; empty: for a week)."""

    text: str
    until: str = ""


@record
class AnnouncementView:
    """What everybody is told, by whom, and until when; all empty when nothing is."""

    text: str = ""
    until: str = ""
    by: str = ""
    at: str = ""


@record
class BackupRequest:
    """Copy the ledger to this file: a plain name is beside it, a whole path is for root; empty: as ds01d calls it."""

    path: str = ""


@record
class AuditView:
    """The chain of events: how many are as DS01 wrote them, and the first that is not."""

    events: int
    sound: bool
    broken: int | None = None
    wrong: str = ""


@record
class BackupView:
    """A copy of the ledger, looked through: where it is, how large, and how many events it has."""

    path: str
    size_bytes: int
    events: int
    at: str


@record
class WouldRefuseView:
    """One rule that the gateway would have refused by: how often, to whom, the latest request, and what to do."""

    rule: str
    times: int
    users: tuple[str, ...]
    request: str
    reason: str
    advice: str
    latest: str


@record
class DoorReportView:
    """What the gateway would have refused. ``until`` is when it begins to (ISO), ``""`` when it does now. ``planted``
    is what was made past DS01 to last, which stays when the gateway is in force.
    """

    observing: bool
    until: str
    rules: tuple[WouldRefuseView, ...]
    planted: tuple[str, ...] = ()


@record
class FenceView:
    """The fence around users' networks: ``down`` says that it was taken down on purpose, ``missing`` what does not
    stand.
    """

    down: bool
    missing: str
