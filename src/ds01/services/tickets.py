"""Tickets: what is promised between asking and having.

They live in memory. When ds01d dies, a ticket is gone: the gateway then removes what it has just made, the lease
expires by itself, and the reconciler drops the pins.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ds01.domain.container import Container, ContainerId, ContainerState, Door
from ds01.domain.image import ImageId
from ds01.domain.lease import Lease
from ds01.domain.people import Uid

if TYPE_CHECKING:
    from ds01.services.caller import Caller

LIFE = timedelta(minutes=5)
BUILD_LIFE = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """One promise. ``container`` has no id yet when it is one to create."""

    id: str
    caller: Caller
    container: Container
    lease: Lease | None
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Building:
    """A build that goes on: nobody else may write its tags meanwhile."""

    id: str
    caller: Caller
    refs: frozenset[str]
    expires_at: datetime


@dataclass(kw_only=True)
class Tickets:
    """The open tickets of this server."""

    _open: dict[str, Ticket] = field(default_factory=dict)
    _builds: dict[str, Building] = field(default_factory=dict)
    _making: list[Container] = field(default_factory=list)

    def build(self, caller: Caller, refs: frozenset[str], now: datetime) -> Building:
        """Reserve tags for a build."""
        building = Building(id=secrets.token_hex(16), caller=caller, refs=refs, expires_at=now + BUILD_LIFE)
        self._builds[building.id] = building
        return building

    def built(self, building_id: str) -> Building | None:
        """A build is over; its tags are free to write again."""
        return self._builds.pop(building_id, None)

    def writing(self, ref: str, now: datetime) -> Uid | None:
        """Who is about to write this tag."""
        found = (b.caller.uid for b in self._builds.values() if ref in b.refs and b.expires_at > now)
        return next(found, None)

    def issue(self, caller: Caller, container: Container, lease: Lease | None, now: datetime) -> Ticket:
        """A new ticket."""
        ticket = Ticket(
            id=secrets.token_hex(16), caller=caller, container=container, lease=lease, expires_at=now + LIFE
        )
        self._open[ticket.id] = ticket
        return ticket

    def redeem(self, ticket_id: str, now: datetime) -> Ticket | None:
        """Take a ticket; None when there is none (any more)."""
        found = self._open.pop(ticket_id, None)
        return found if found is not None and found.expires_at > now else None

    @contextmanager
    def making(self, caller: Caller, name: str, now: datetime) -> Iterator[tuple[Container, ...]]:
        """Count a container from its very beginning; gives those of its user that began before it.

        Whoever begins many at once has as many begun as she may have, not one more.
        """
        before = tuple(self.creating(caller.uid))
        begun = Container(
            id=ContainerId(""), uid=caller.uid, epoch=caller.epoch, name=name, door=Door.DS01,
            state=ContainerState.CREATING, image=ImageId(""), image_ref="", created_at=now,
        )  # fmt: skip
        self._making.append(begun)
        try:
            yield before
        finally:
            self._making = [other for other in self._making if other is not begun]

    def creating(self, uid: Uid) -> Sequence[Container]:
        """Containers this user is about to have."""
        promised = [ticket.container for ticket in self._open.values() if not ticket.container.id]
        return list({c.name: c for c in (*self._making, *promised) if c.uid == uid}.values())

    def starting(self, container: ContainerId, now: datetime) -> bool:
        """Whether a start was granted that may happen at any moment."""
        return any(t.container.id == container and t.expires_at > now for t in self._open.values())

    def expired(self, now: datetime) -> Sequence[Ticket]:
        """Take the tickets whose time is over."""
        late = [ticket for ticket in self._open.values() if ticket.expires_at <= now]
        for ticket in late:
            del self._open[ticket.id]
        return late
