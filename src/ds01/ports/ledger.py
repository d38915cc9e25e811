"""The ledger: the one record of who has what. Written by ds01d alone, one transaction at a time.

A transaction is a plain function over ``Books``: it reads, decides with the rules, and writes; all or nothing,
durable when ``write`` returns. An acknowledged write survives ``kill -9`` and power loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from ds01.domain.container import Container, ContainerId
from ds01.domain.events import Event, EventType
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.image import ImageId, Ownership, Tag
from ds01.domain.lease import Lease, LeaseId
from ds01.domain.people import Account, Uid
from ds01.domain.queue.plan import Owner
from ds01.domain.queue.request import Request, RequestId
from ds01.domain.queue.usage import Usage

T = TypeVar("T")


class Books(Protocol):
    """What a transaction sees. ``put_*`` inserts or replaces by id."""

    # slots: the last known inventory, and what keeps a slot out of service
    def slots(self, *, vanished: bool = True) -> tuple[Slot, ...]:
        """The inventory, with those that vanished while a lease names them unless ``vanished`` is False."""
        ...

    def put_slots(self, slots: Sequence[Slot]) -> None:
        """Replace the inventory. Slots that vanished stay known while a lease names them."""
        ...

    def quarantined(self) -> dict[SlotId, str]: ...
    def quarantine(self, slot: SlotId, reason: str | None) -> None:
        """Take a slot out of service, or back into it with None."""
        ...

    def last_used(self) -> dict[SlotId, datetime]: ...

    # leases
    def lease(self, lease: LeaseId) -> Lease | None: ...
    def open_leases(self, uid: Uid | None = None) -> tuple[Lease, ...]: ...
    def put_lease(self, lease: Lease) -> None:
        """Insert or update. Raises Ds01Error (``gpu.full``) when a slot already has an open lease (I1)."""
        ...

    # the queue
    def request(self, request: RequestId) -> Request | None: ...
    def open_requests(self, uid: Uid | None = None) -> tuple[Request, ...]:
        """Those that wait or whose slots wait for them, in the order they came."""
        ...

    def put_request(self, request: Request) -> None:
        """Insert or update. Raises Ds01Error (``name.taken``) when another one of this uid and name is open."""
        ...

    def usage(self) -> dict[Owner, Usage]:
        """What everybody had, of leases that ended."""
        ...

    def put_usage(self, owner: Owner, usage: Usage) -> None: ...

    # containers
    def container(self, container: ContainerId) -> Container | None: ...
    def containers(self, uid: Uid | None = None, *, removed: bool = False) -> tuple[Container, ...]: ...
    def named(self, uid: Uid, name: str, *, removed: bool = False) -> Container | None:
        """The live container of this name; with ``removed`` the latest one, live or not."""
        ...

    def put_container(self, container: Container) -> None: ...

    # image tags
    def tag(self, ref: str) -> Tag | None: ...
    def tags(self, uid: Uid | None = None) -> tuple[Tag, ...]: ...
    def put_tag(self, tag: Tag) -> None: ...
    def drop_tag(self, ref: str) -> None: ...

    # who brought an image
    def ownerships(self, *, uid: Uid | None = None, image: ImageId | None = None) -> tuple[Ownership, ...]: ...
    def put_ownership(self, ownership: Ownership) -> None: ...
    def drop_ownership(self, image: ImageId, uid: Uid) -> None: ...

    # accounts
    def account(self, uid: Uid) -> Account | None: ...
    def put_account(self, account: Account) -> None: ...

    # events
    def record(self, event: Event) -> Event:
        """Append; returns it with its ``seq``."""
        ...

    def events(
        self, *, uid: Uid | None = None, subject: str | None = None, types: Sequence[EventType] = (),
        after: int = 0, since: datetime | None = None, limit: int = 1000,
    ) -> tuple[Event, ...]:  # fmt: skip
        """Events in order of ``seq``; with a limit the latest ones."""
        ...

    # small values (boot id, schema facts)
    def note(self, key: str) -> str | None: ...
    def put_note(self, key: str, value: str) -> None: ...


class Ledger(Protocol):
    """The ledger's door. Functions given to it must be quick and do no I/O of their own."""

    async def write(self, work: Callable[[Books], T]) -> T:
        """Run ``work`` in one durable transaction; nothing of it stands when it raises."""
        ...

    async def read(self, work: Callable[[Books], T]) -> T:
        """Run ``work`` over one consistent view."""
        ...

    async def wait(self, after: int, timeout_seconds: float) -> int:
        """Wait until an event later than ``after`` is recorded or the time is over; returns the last seq."""
        ...

    async def verify(self) -> tuple[str, ...]:
        """What is wrong with the record itself: damage, or events that somebody changed; empty when it is sound."""
        ...

    async def close(self) -> None: ...
