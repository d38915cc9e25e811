"""Tickets: what is promised between asking and having.

They live in memory. When ds01d dies, a ticket is gone: the gateway then removes what it has just made, the lease
expires by itself, and the reconciler drops the pins. Image names that are being written are reserved for as long as the
gateway says so, and a ds01d that was started since takes them up again before it gives any away.

Their times are of the monotonic clock: none is over because the wall clock was set. Rules that run on the ledger's
threads ask here too, so what is looked through there is copied first.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from ds01.domain.container import Container, ContainerId, ContainerState, Door
from ds01.domain.image import ImageId, covers
from ds01.domain.lease import Lease
from ds01.domain.people import Uid
from ds01.services.fairness import Fairness, Lane

if TYPE_CHECKING:
    from ds01.services.caller import Caller

LIFE_SECONDS = 300.0
REMEMBERED = 1000
"""Writings that are over and are known to be."""
WRITING_LIFE_SECONDS = 300.0
"""How long names stay reserved of which nobody says that they are still being written: their gateway is gone."""
LATE_SECONDS = 5.0
"""How long the engine may take to end a writing that was broken off."""


@dataclass(frozen=True, kw_only=True)
class Coming:
    """Volumes a user is about to have: ``named``, by the engine's names, and how many that nobody names."""

    uid: Uid
    named: frozenset[str] = frozenset()
    nameless: int = 0


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """One promise. ``container`` has no id yet when it is one to create."""

    id: str
    caller: Caller
    container: Container
    lease: Lease | None
    expires_at: float
    before: Lease | None = None
    """The lease as it was before it was prolonged for this start."""
    fresh: tuple[str, ...] = ()
    """Folders of volumes in which there was nothing yet."""
    volumes: Coming | None = None
    """Those that will be in it; None when none will."""
    taken: ExitStack = field(default_factory=ExitStack, compare=False, repr=False)
    """What no files are copied of while it is open."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """Image names that are being written, by a build or otherwise: nobody else may write them meanwhile.

    ``before`` is what they named until then. ``pulling`` and ``private`` say that a registry decides what they name,
    and that it was asked with a password.
    """

    id: str
    caller: Caller
    refs: frozenset[str]
    expires_at: float
    before: Mapping[str, str] = field(default_factory=dict)
    pulling: bool = False
    private: bool = False
    broken_off: bool = False
    own: Mapping[str, str] = field(default_factory=dict)
    """Those in the writer's own name space, by what she calls them."""
    aside: Mapping[str, Uid] = field(default_factory=dict)
    """Those of others that a pull will take, with who has them in her own name space as well because of it."""
    kit: bool = False
    """Whether BuildKit builds."""
    pins: frozenset[str] = frozenset()
    """Names that images have for this build alone."""
    yields: frozenset[str] = frozenset()
    """Those that somebody pulls meanwhile: what is written under them belongs into the writer's own name space."""


@dataclass(kw_only=True)
class Tickets:
    """The open tickets of this server."""

    _open: dict[str, Ticket] = field(default_factory=dict)
    _names: dict[str, Names] = field(default_factory=dict)
    _making: list[Container] = field(default_factory=list)
    _recording: list[Container] = field(default_factory=list)
    _volumes: list[Coming] = field(default_factory=list)
    _over: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    anew: bool = False
    """Whether nobody has said yet what was being written when this ds01d was started."""
    _naming: asyncio.Lock = field(default_factory=asyncio.Lock)
    _turns: Fairness = field(default_factory=Fairness)

    @asynccontextmanager
    async def turn(self, uid: int | None) -> AsyncIterator[None]:
        """Held while names are reserved or recorded: nobody reserves between the two looks of another. Of each user one
        waits for it, and her others behind that: whoever asks for a thousand has a thousand turns, and everybody else
        one in between. None is ds01d itself.
        """
        async with self._turns.alone(uid, Lane.NAMES), self._naming:
            yield

    def reserve(
        self, caller: Caller, before: Mapping[str, str], monotonic: float, *, pulling: bool = False,
        private: bool = False, own: Mapping[str, str] = MappingProxyType({}),
        aside: Mapping[str, Uid] = MappingProxyType({}),
    ) -> Names:  # fmt: skip
        """Reserve names. ``before`` has them with what they name now, ``""`` for nothing. Others give way to a pull."""
        names = Names(
            id=secrets.token_hex(16), caller=caller, refs=frozenset(before), before=before, pulling=pulling,
            private=private, own=own, aside=aside, expires_at=monotonic + WRITING_LIFE_SECONDS,
        )  # fmt: skip
        if pulling:
            self._give_way(names)
        self._names[names.id] = names
        return names

    def writer(self, names_id: str) -> Uid | None:
        """Who writes these."""
        names = self._names.get(names_id)
        return names.caller.uid if names is not None else None

    def known(self, names: Names) -> Names:
        """As it is by now."""
        return self._names.get(names.id, names)

    def renew(self, names_id: str, monotonic: float) -> bool:
        """This writing goes on; False when nothing is known of it."""
        known = self._names.get(names_id)
        if known is not None:
            self._names[names_id] = replace(known, expires_at=monotonic + WRITING_LIFE_SECONDS)
        return known is not None

    def take_up(self, names: Names) -> None:
        """A writing that an earlier ds01d allowed."""
        self._names[names.id] = names
        for pull in [each for each in self._names.values() if each.pulling]:
            self._give_way(pull)

    def building(self) -> frozenset[str]:
        """The accounts for which BuildKit builds now."""
        return frozenset(f"{names.caller.uid}:{names.caller.epoch}" for names in self._names.values() if names.kit)

    def _give_way(self, pull: Names) -> None:
        for names in list(self._names.values()):
            if names.caller.uid != pull.caller.uid and not names.pulling:
                met = {ref for ref in names.refs if covers(pull.refs, ref)}
                self._names[names.id] = replace(names, yields=names.yields | met)

    def pin(self, names: Names, pins: Iterable[str]) -> None:
        """For as long as a build of BuildKit's goes on."""
        self._names[names.id] = replace(self._names[names.id], pins=frozenset(pins), kit=True)

    def pinned(self) -> frozenset[str]:
        """What is pinned for builds that go on."""
        return frozenset(pin for names in self._names.values() for pin in names.pins)

    def being_written(self, monotonic: float) -> frozenset[str]:
        """The names that somebody is about to write."""
        return frozenset(ref for names in self._names.values() if names.expires_at > monotonic for ref in names.refs)

    def written(self, names_id: str) -> Names | None:
        """The writing is over; the names are free to write again."""
        self._over.append(names_id)
        return self._names.pop(names_id, None)

    def is_over(self, names_id: str) -> bool:
        """Whether this writing was over a moment ago: what was said of it before that may come late."""
        return names_id in self._over

    def keep(self, names: Names, until: float) -> None:
        """A writing that was broken off: the engine may still do it, so its names are looked at once more."""
        self._names[names.id] = replace(names, expires_at=until, broken_off=True)

    def put_back(self, names: Names) -> None:
        """A writing whose end could not be written down goes on until that end is said again."""
        if names.id in self._over:
            self._over.remove(names.id)
        self._names[names.id] = names

    def broken_off(self, refs: Iterable[str]) -> Sequence[Names]:
        """Writings of any of these names that were broken off."""
        return [n for n in self._names.values() if n.broken_off and any(covers(n.refs, ref) for ref in refs)]

    def pulls(self) -> Sequence[Names]:
        """The pulls that go on or were broken off."""
        return [names for names in self._names.values() if names.pulling]

    def writing(self, ref: str, uid: Uid, monotonic: float) -> Names | None:
        """Who is about to write this name: somebody else before oneself."""
        going_on = [names for names in list(self._names.values()) if names.expires_at > monotonic]
        found = [names for names in going_on if covers(names.refs, ref)]
        return min(found, key=lambda names: (names.caller.uid == uid, names.pulling), default=None)

    def late(self, monotonic: float) -> Sequence[Names]:
        """The writings whose time is over: whoever wrote has left."""
        late = [replace(names, broken_off=True) for names in self._names.values() if names.expires_at <= monotonic]
        self._names |= {names.id: names for names in late}
        return late

    def lapsed(self, names_id: str, monotonic: float) -> bool:
        """Take one of those, unless it goes on by now."""
        names = self._names.get(names_id)
        if names is None or names.expires_at > monotonic:
            return False
        del self._names[names_id]
        return True

    def issue(
        self, caller: Caller, container: Container, lease: Lease | None, monotonic: float, *,
        before: Lease | None = None, fresh: tuple[str, ...] = (), volumes: Coming | None = None,
        ending_seconds: float = 0, taken: ExitStack | None = None,
    ) -> Ticket:  # fmt: skip
        """A new ticket. ``ending_seconds`` is how long what runs may take to end before its start, ``taken`` is closed
        when it is redeemed or over.
        """
        ticket = Ticket(
            id=secrets.token_hex(16), caller=caller, container=container, lease=lease, before=before, fresh=fresh,
            volumes=volumes, expires_at=monotonic + LIFE_SECONDS + ending_seconds, taken=taken or ExitStack(),
        )  # fmt: skip
        self._open[ticket.id] = ticket
        return ticket

    def redeem(self, ticket_id: str, monotonic: float) -> Ticket | None:
        """Take a ticket; None when there is none (any more). One whose time is over stays for ``expired``: what it
        promised is taken back there.
        """
        found = self._open.get(ticket_id)
        if found is None or found.expires_at <= monotonic:
            return None
        found.taken.close()
        return self._open.pop(ticket_id)

    @contextmanager
    def making(
        self, caller: Caller, name: str, now: datetime, *, published: int = 0
    ) -> Iterator[tuple[Container, ...]]:  # fmt: skip
        """Count a container from its very beginning; gives those of its user that began before it.

        Whoever begins many at once has as many begun as she may have, not one more.
        """
        before = tuple(self.creating(caller.uid))
        begun = Container(
            id=ContainerId(""), uid=caller.uid, epoch=caller.epoch, name=name, door=Door.DS01,
            state=ContainerState.CREATING, image=ImageId(""), image_ref="", created_at=now,
            published=published,
        )  # fmt: skip
        self._making.append(begun)
        try:
            yield before
        finally:
            self._making = [other for other in self._making if other is not begun]

    def creating(self, uid: Uid) -> Sequence[Container]:
        """Containers this user is about to have."""
        promised = [ticket.container for ticket in list(self._open.values()) if not ticket.container.id]
        return list({c.name: c for c in (*self._making, *self._recording, *promised) if c.uid == uid}.values())

    @contextmanager
    def volumes(self, coming: Coming) -> Iterator[tuple[Coming, ...]]:
        """Count volumes from their very beginning until the ledger has them; gives those of their user that began
        before.
        """
        before = self._coming(coming.uid)
        self._volumes.append(coming)
        try:
            yield before
        finally:
            self._volumes = [other for other in self._volumes if other is not coming]

    def _coming(self, uid: Uid) -> tuple[Coming, ...]:
        """What is being made and has its ticket already counts once."""
        promised = (ticket.volumes for ticket in self._open.values() if ticket.volumes is not None)
        return tuple({id(each): each for each in (*self._volumes, *promised) if each.uid == uid}.values())

    @contextmanager
    def recording(self, ticket: Ticket) -> Iterator[None]:
        """A redeemed ticket's container is promised until the ledger has it."""
        self._recording.append(ticket.container)
        try:
            yield
        finally:
            self._recording = [other for other in self._recording if other is not ticket.container]

    def promised(self) -> Sequence[Container]:
        """Containers anybody is about to have."""
        return [*(t.container for t in self._open.values() if not t.container.id), *self._recording]

    def starting(self, container: ContainerId, monotonic: float) -> bool:
        """Whether a start was granted that may happen at any moment."""
        return self.start_left(container, monotonic) > timedelta(0)

    def start_left(self, container: ContainerId, monotonic: float) -> timedelta:
        """For how long such a start may still come; 0 or less when none may."""
        ends = (ticket.expires_at for ticket in list(self._open.values()) if ticket.container.id == container)
        return timedelta(seconds=max(ends, default=monotonic) - monotonic)

    def as_it_was(self, lease: Lease) -> Lease:
        """The lease as it was before the starts that go on with it."""
        found = (t.before for t in list(self._open.values()) if t.before is not None and t.before.id == lease.id)
        return next(found, lease)

    def expired(self, monotonic: float) -> Sequence[Ticket]:
        """Take the tickets whose time is over."""
        late = [ticket for ticket in self._open.values() if ticket.expires_at <= monotonic]
        for ticket in late:
            self._open.pop(ticket.id).taken.close()
        return late
