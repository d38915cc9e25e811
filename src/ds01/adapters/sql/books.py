"""What a transaction sees: the ledger's ``Books`` over one SQL connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from ds01.adapters.sql import chain, statements, tables
from ds01.adapters.sql.containers import SqlContainers
from ds01.adapters.sql.hot import Hot, Slots, lately
from ds01.adapters.sql.prepared import Found
from ds01.domain.errors import GPU_FULL, LEDGER_ERROR, Ds01Error
from ds01.domain.events import Event, EventType, Unknown
from ds01.domain.gpu import VANISHED, Slot, SlotId
from ds01.domain.history import Past
from ds01.domain.image import ImageId, Ownership, Tag
from ds01.domain.lease import Lease, LeaseId, rival
from ds01.domain.people import Account, Uid
from ds01.domain.quarantine import Keeper, Quarantine, reasons
from ds01.domain.queue.booking import BookingId


class SqlBooks(SqlContainers):
    """Reads and writes within the transaction its connection is in. ``recorded`` are the numbers of the last events, by
    their types.
    """

    def __init__(self, connection: Connection, hot: Hot | None = None) -> None:
        super().__init__(connection, hot)
        self.recorded: dict[EventType | Unknown, int] = {}

    # slots ------------------------------------------------------------------------------------------
    def slots(self, *, vanished: bool = True) -> tuple[Slot, ...]:
        known = self._slots()
        if not vanished:
            return known.present
        return known.present + tuple(slot for slot in known.absent if slot.id in self._leased())

    def put_slots(self, slots: Sequence[Slot]) -> None:
        """Replace the inventory; rows of vanished slots stay, so that old leases still say what they were."""
        self.hot = replace(self.hot, slots=None)
        self._write(statements.ALL_ABSENT, {"present": False})
        for position, slot in enumerate(slots):
            self._put(tables.slots, {**vars(slot), "present": True, "position": position})

    def quarantines(self) -> tuple[Quarantine, ...]:
        if self.hot.quarantines is None:
            rows = self._all(statements.QUARANTINES)
            found = tuple(
                Quarantine(slot=row["slot"], keeper=Keeper(row["keeper"]), reason=row["reason"]) for row in rows
            )
            self.hot = replace(self.hot, quarantines=found)
        return self.hot.quarantines or ()

    def quarantined(self) -> dict[SlotId, str]:
        gone = {slot.id: VANISHED for slot in self._slots().absent if slot.id in self._leased()}
        return gone | reasons(self.quarantines())

    def quarantine(self, slot: SlotId, keeper: Keeper, reason: str | None) -> None:
        self.hot = replace(self.hot, quarantines=None)
        if reason is None:
            self._write(statements.remove(tables.quarantines), {"key_slot": slot, "key_keeper": keeper})
        else:
            self._put(tables.quarantines, {"slot": slot, "keeper": keeper, "reason": reason})

    def last_used(self) -> dict[SlotId, datetime]:
        if self.hot.last_used is None:
            found = {row["id"]: row["last_used_at"] for row in self._all(statements.LAST_USED)}
            self.hot = replace(self.hot, last_used=found)
        return dict(self.hot.last_used or {})

    def _slots(self) -> Slots:
        if self.hot.slots is None:
            rows = self._all(statements.SLOTS)
            there = [row.pop("present") for row in rows]
            slots = [Slot(**row) for row in rows]
            found = Slots(
                present=tuple(slot for slot, present in zip(slots, there, strict=True) if present),
                absent=tuple(slot for slot, present in zip(slots, there, strict=True) if not present),
            )
            self.hot = replace(self.hot, slots=found)
            return found
        return self.hot.slots

    # leases -----------------------------------------------------------------------------------------
    def lease(self, lease: LeaseId) -> Lease | None:
        if found := self._open().get(lease) or self.hot.ended_leases.get(lease):
            return found
        row = self._one(statements.LEASE, {"id": lease})
        if row is None:
            return None
        slots = tuple(found["slot"] for found in self._all(statements.LEASE_SLOTS, {"id": lease}))
        return Lease(**row, slots=slots)

    def open_leases(self, uid: Uid | None = None) -> tuple[Lease, ...]:
        mine = (lease for lease in self._open().values() if uid is None or lease.uid == uid)
        return tuple(sorted(mine, key=lambda lease: (lease.granted_at, lease.id)))

    def leases_of(self, booking: BookingId) -> tuple[Lease, ...]:
        return _leases(self._all(statements.LEASES_OF, {"of_booking": booking}))

    def past(self, since: datetime) -> tuple[Past, ...]:
        when = {"since": since}
        asked = {row["lease"]: row["submitted_at"] for row in self._all(statements.ASKED, when)}
        return tuple(
            Past(lease=one, submitted_at=asked.get(one.id)) for one in _leases(self._all(statements.PAST, when))
        )  # fmt: skip

    def put_lease(self, lease: Lease) -> None:
        """Checks I1 and I2 before it writes; the schema checks them again."""
        known = self._open().get(lease.id)
        kept = lease if known is None else replace(lease, slots=known.slots)
        if kept.state.open:
            self._check(kept)
        try:
            self._write_lease(kept, slots=known is None or not kept.state.open)
        except IntegrityError as error:
            raise _taken(error) from error
        self._remember(kept)

    def _check(self, lease: Lease) -> None:
        slots = self._slots().by_id
        if unknown := [slot for slot in lease.slots if slot not in slots]:
            raise Ds01Error(LEDGER_ERROR, f"The ledger knows no slot {unknown[0]}.")
        if other := rival(lease, self._open().values(), slots):
            raise taken(f"{other.id} is open")

    def _write_lease(self, lease: Lease, *, slots: bool) -> None:
        self._put(tables.leases, {key: value for key, value in vars(lease).items() if key != "slots"})
        if slots:
            self._write(statements.put_lease_slots(self._connection.dialect.name), *_lease_rows(lease))
        if lease.ended_at is not None:
            self._write(statements.MARK_USED, {"of_lease": lease.id, "at": lease.ended_at})

    def _remember(self, lease: Lease) -> None:
        if lease.ended_at is None:
            self.hot = replace(self.hot, open={**self._open(), lease.id: lease})
        else:
            still = dict(self._open())
            still.pop(lease.id, None)
            used = self.last_used() | dict.fromkeys(lease.slots, lease.ended_at)
            ended = lately(self.hot.ended_leases, lease.id, lease)
            self.hot = replace(self.hot, open=still, last_used=used, ended_leases=ended)

    def _open(self) -> Mapping[LeaseId, Lease]:
        if self.hot.open is None:
            found = _leases(self._all(statements.OPEN_LEASES))
            self.hot = replace(self.hot, open={lease.id: lease for lease in found})
        return self.hot.open or {}

    def _leased(self) -> frozenset[SlotId]:
        return frozenset(slot for lease in self._open().values() for slot in lease.slots)

    # image tags -------------------------------------------------------------------------------------
    def tag(self, ref: str) -> Tag | None:
        row = self._one(statements.TAG, {"ref": ref})
        return None if row is None else Tag(**row)

    def tags(self, uid: Uid | None = None) -> tuple[Tag, ...]:
        chosen = statements.TAGS if uid is None else statements.TAGS.where(tables.tags.c.owner == uid)
        return tuple(Tag(**row) for row in self._built(chosen))

    def put_tag(self, tag: Tag) -> None:
        self._put(tables.tags, vars(tag))

    def drop_tag(self, ref: str) -> None:
        self._write(statements.remove(tables.tags), {"key_ref": ref})

    def ownerships(self, *, uid: Uid | None = None, image: ImageId | None = None) -> tuple[Ownership, ...]:
        if image is not None and uid is None:
            return tuple(Ownership(**row) for row in self._all(statements.OWNERS, {"of_image": image}))
        chosen = statements.OWNERSHIPS
        if uid is not None:
            chosen = chosen.where(tables.ownerships.c.uid == uid)
        if image is not None:
            chosen = chosen.where(tables.ownerships.c.image == image)
        return tuple(Ownership(**row) for row in self._built(chosen))

    def put_ownership(self, ownership: Ownership) -> None:
        self._put(tables.ownerships, vars(ownership))

    def drop_ownership(self, image: ImageId, uid: Uid) -> None:
        self._write(statements.remove(tables.ownerships), {"key_image": image, "key_uid": uid})

    # accounts ---------------------------------------------------------------------------------------
    def account(self, uid: Uid) -> Account | None:
        row = self._one(statements.ACCOUNT, {"uid": uid})
        return None if row is None else Account(**row)

    def put_account(self, account: Account) -> None:
        self._put(tables.accounts, vars(account))

    # events -----------------------------------------------------------------------------------------
    def record(self, event: Event) -> Event:
        seq, before = self._chain_end()
        numbered = replace(event, seq=seq + 1, hash=chain.link(before, event))
        self._write(statements.insert_into(tables.events), vars(numbered))
        self.hot = replace(self.hot, chain=(numbered.seq, numbered.hash))
        self.recorded[event.type] = numbered.seq
        return numbered

    def _chain_end(self) -> tuple[int, str]:
        if self.hot.chain is None:
            row = self._one(statements.CHAIN_END)
            return (0, chain.START) if row is None else (row["seq"], row["hash"])
        return self.hot.chain

    def events(
        self, *, uid: Uid | None = None, subject: str | None = None, types: Sequence[EventType] = (),
        after: int | None = None, before: int | None = None, since: datetime | None = None, limit: int = 1000,
    ) -> tuple[Event, ...]:  # fmt: skip
        column, chosen = tables.events.c, statements.EVENTS
        if uid is not None:
            chosen = chosen.where(column.uid == uid)
        if subject is not None:
            chosen = chosen.where(column.subject == subject)
        if types:
            chosen = chosen.where(column.type.in_(types))
        if before is not None:
            chosen = chosen.where(column.seq < before)
        if since is not None:
            chosen = chosen.where(column.at >= since)
        if after is not None:
            rows = self._built(chosen.where(column.seq > after).order_by(column.seq).limit(limit))
        else:
            rows = self._built(chosen.order_by(column.seq.desc()).limit(limit))[::-1]
        return tuple(Event(**row) for row in rows)

    # notes ------------------------------------------------------------------------------------------
    def note(self, key: str) -> str | None:
        row = self._one(statements.NOTE, {"key": key})
        return None if row is None else str(row["value"])

    def put_note(self, key: str, value: str) -> None:
        self._put(tables.notes, {"key": key, "value": value})


def _leases(rows: Iterable[Found]) -> tuple[Lease, ...]:
    return tuple(_lease(list(group)) for _, group in groupby(rows, key=lambda row: row["id"]))


def _lease(rows: list[Found]) -> Lease:
    values = dict(rows[0])
    del values["slot"]
    return Lease(**values, slots=tuple(row["slot"] for row in rows))


def _lease_rows(lease: Lease) -> list[dict[str, Any]]:
    return [
        {"lease": lease.id, "position": position, "slot": slot, "open": lease.state.open}
        for position, slot in enumerate(lease.slots)
    ]


def _taken(error: IntegrityError) -> Ds01Error | IntegrityError:
    """I1, in words: the schema refused a second open lease."""
    said = str(error.orig)
    if "lease_slots.slot" in said or "leased together" in said or "leases.container" in said:
        return taken(said)
    return error


def taken(why: str) -> Ds01Error:
    """The refusal of a second open lease."""
    return Ds01Error(
        GPU_FULL,
        "The GPU was taken by somebody else at the same moment.",
        reason=f"a second lease was refused: {why}",
        hint="Try again.",
    )
