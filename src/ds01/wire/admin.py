"""What admins do to the gateway: the way past it, and what it would refuse."""

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
    """What the gateway would have refused. ``until`` is when it begins to (ISO), ``""`` when it does now."""

    observing: bool
    until: str
    rules: tuple[WouldRefuseView, ...]


@record
class FenceView:
    """The fence around users' networks: ``down`` says that it was taken down on purpose, ``missing`` what does not
    stand.
    """

    down: bool
    missing: str
