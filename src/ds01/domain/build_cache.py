"""Whose a record of BuildKit's cache is. BuildKit does not know: it knows when a record was made, and last used.

Whoever was building at that time may be its owner, and nobody else: no two users share a step. The more often it is
used, the fewer are left. A cache mount says itself whose it is, where its name is told, which begins with its account.
What lies under the steps, an image, is that image's and counted there.

Of what two may have made, each may give up her part. She pays no more for it then, and the other no more than before;
it goes when the last one gives it up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

LATE = timedelta(seconds=10)
"""How long after a build BuildKit may let go of a record, which is when it notes the use."""

_MOUNT = re.compile(r' with id "(\d+)-(\d+)/[^"]*"$')
"""At the end, where BuildKit puts it: before that stands what the step's author wrote."""


@dataclass(frozen=True, kw_only=True)
class CacheRecord:
    """A record as the engine shows it. ``shared``: its files are an image's as well, and counted there."""

    id: str
    kind: str
    description: str
    size_bytes: int
    shared: bool
    in_use: bool
    created_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Window:
    """Somebody builds, from when to when. ``account`` is ``uid:epoch``."""

    account: str
    begun: datetime
    ended: datetime | None = None

    def lasts(self, at: datetime, building: frozenset[str]) -> bool:
        """Whether it may still say something of what the cache has at this moment."""
        if self.ended is not None:
            return self.ended + LATE >= at
        return self.account in building or self.begun + LONGEST >= at

    def covers(self, moment: datetime, late: timedelta = timedelta()) -> bool:
        """Whether it was going on at this moment, or was over by no more than that."""
        return self.begun <= moment and (self.ended is None or moment <= self.ended + late)


Owners = Mapping[str, frozenset[str]]
"""By a record's id, who may be its owner; nobody means that it was there before DS01."""

LONGEST = timedelta(hours=6)
"""How long a build is taken to last whose end nobody told and that nobody says is going on."""


NOBODYS: frozenset[str] = frozenset()
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class CacheBooks:
    """What is known: whose the records are that were there ``at`` that moment, and who has built since."""

    owners: Owners = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    at: datetime = NEVER
    dropped: Owners = field(default_factory=dict)
    """By a record's id, who may be its owner as well, and has given it up."""

    def begun(self, account: str, now: datetime) -> CacheBooks:
        """Somebody builds from now on."""
        return replace(self, windows=(*self.windows, Window(account=account, begun=now)))

    def ended(self, account: str, now: datetime) -> CacheBooks:
        """One build of hers is over: the one that began first, which makes no difference."""
        found = next((each for each in self.windows if each.account == account and each.ended is None), None)
        return replace(self, windows=tuple(replace(w, ended=now) if w is found else w for w in self.windows))

    def compared(
        self, records: Iterable[CacheRecord], at: datetime, building: frozenset[str] = frozenset()
    ) -> CacheBooks:
        """With what the cache had at a moment. What is gone is forgotten, and who built before that; ``building`` are
        the accounts whose builds are known to go on, however long.
        """
        kept = tuple(each for each in self.windows if each.lasts(at, building))
        claims = {record.id: self._of(record) for record in records}
        gone = {each: claimed & self._dropped_of(each) for each, claimed in claims.items()}
        dropped = {each: given_up for each, given_up in gone.items() if given_up and given_up < claims[each]}
        owners = {each: claimed - dropped.get(each, NOBODYS) for each, claimed in claims.items()}
        return CacheBooks(owners=owners, windows=kept, at=at, dropped=dropped)

    def given_up(self, account: str, in_use: Collection[str] = ()) -> CacheBooks:
        """She gives up what may be somebody else's as well, but for what is ``in_use``."""
        given = {
            each for each, accounts in self.owners.items()
            if account in accounts and len(accounts) > 1 and each not in in_use
        }  # fmt: skip
        hers = frozenset({account})
        return replace(
            self,
            owners={each: owners - hers if each in given else owners for each, owners in self.owners.items()},
            dropped={**self.dropped, **{each: self._dropped_of(each) | hers for each in given}},
        )

    def alone(self, account: str) -> frozenset[str]:
        """What can be nobody else's."""
        return self.last(account) - self.dropped.keys()

    def last(self, account: str) -> frozenset[str]:
        """What she alone has not given up. Some of it others may have made: it is hers to remove, not to see."""
        return frozenset(each for each, owners in self.owners.items() if owners == {account})

    def _dropped_of(self, record: str) -> frozenset[str]:
        return self.dropped.get(record, NOBODYS)

    def _of(self, record: CacheRecord) -> frozenset[str]:
        known = self.owners.get(record.id)
        found = self._building(record.created_at) if known is None else known | self._dropped_of(record.id)
        fresh = record.used_at is not None and record.used_at > self.at
        used = self._building(record.used_at, LATE) if record.used_at is not None and fresh else frozenset()
        return found & _named(record) or found & used or found

    def _building(self, moment: datetime, late: timedelta = timedelta()) -> frozenset[str]:
        return frozenset(window.account for window in self.windows if window.covers(moment, late))


def _named(record: CacheRecord) -> frozenset[str]:
    """Whose a cache mount says it is. An older BuildKit ends with the step's own words, so it is believed of nobody
    who was not building.
    """
    named = _MOUNT.search(record.description) if record.kind == "exec.cachemount" else None
    return frozenset() if named is None else frozenset({f"{named[1]}:{named[2]}"})


def cache_shares(records: Iterable[CacheRecord], owners: Owners, dropped: Owners = MappingProxyType({})
                 ) -> dict[str, int]:  # fmt: skip
    """What each account pays for the cache, in bytes: in equal parts where more than one may be the owner. A part that
    was given up is nobody's.
    """
    found: dict[str, int] = {}
    for record in records:
        accounts = owners.get(record.id, NOBODYS)
        parts = len(accounts) + len(dropped.get(record.id, NOBODYS))
        for account in accounts if not record.shared else ():
            found[account] = found.get(account, 0) + -(-record.size_bytes // parts)
    return found
