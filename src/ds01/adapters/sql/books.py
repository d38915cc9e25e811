"""What a transaction sees: the ledger's ``Books`` over one SQL connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Executable, Row, Table, update
from sqlalchemy.exc import IntegrityError

from ds01.adapters.sql import chain, statements, tables
from ds01.domain.container import Container, ContainerId
from ds01.domain.errors import GPU_FULL, NAME_TAKEN, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.gpu import VANISHED, Slot, SlotId
from ds01.domain.image import ImageId, Tag
from ds01.domain.lease import Lease, LeaseId
from ds01.domain.people import Account, Uid


class SqlBooks:
    """Reads and writes within the transaction its connection is in. ``recorded`` is the last event's number."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.recorded = 0

    # slots ------------------------------------------------------------------------------------------
    def slots(self) -> tuple[Slot, ...]:
        return tuple(Slot(**row._mapping) for row in self._all(statements.SLOTS))

    def put_slots(self, slots: Sequence[Slot]) -> None:
        """Replace the inventory; rows of vanished slots stay, so that old leases still say what they were."""
        self._run(update(tables.slots).values(present=False))
        for position, slot in enumerate(slots):
            self._put(tables.slots, {**vars(slot), "present": True, "position": position}, "id")

    def quarantined(self) -> dict[SlotId, str]:
        gone = {SlotId(row.id): VANISHED for row in self._all(statements.VANISHED)}
        return gone | {SlotId(row.slot): row.reason for row in self._all(statements.QUARANTINED)}

    def quarantine(self, slot: SlotId, reason: str | None) -> None:
        if reason is None:
            self._run(statements.remove(tables.quarantines), {"key_slot": slot})
        else:
            self._put(tables.quarantines, {"slot": slot, "reason": reason}, "slot")

    def last_used(self) -> dict[SlotId, datetime]:
        return {row.id: row.last_used_at for row in self._all(statements.LAST_USED)}

    # leases -----------------------------------------------------------------------------------------
    def lease(self, lease: LeaseId) -> Lease | None:
        row = self._one(statements.LEASE, {"id": lease})
        if row is None:
            return None
        slots = tuple(found.slot for found in self._all(statements.LEASE_SLOTS, {"id": lease}))
        return Lease(**row._mapping, slots=slots)

    def open_leases(self, uid: Uid | None = None) -> tuple[Lease, ...]:
        if uid is None:
            return _leases(self._all(statements.OPEN_LEASES))
        return _leases(self._all(statements.OPEN_LEASES_OF, {"uid": uid}))

    def put_lease(self, lease: Lease) -> None:
        try:
            with self._connection.begin_nested():
                self._write_lease(lease)
        except IntegrityError as error:
            raise _taken(error) from error
        if lease.ended_at is not None:
            self._run(statements.MARK_USED, {"of_lease": lease.id, "at": lease.ended_at})

    def _write_lease(self, lease: Lease) -> None:
        values = {key: value for key, value in vars(lease).items() if key != "slots"}
        if self._put(tables.leases, values, "id"):
            self._run(statements.SET_OPEN, {"of_lease": lease.id, "open": lease.state.open})
        else:
            self._run(statements.insert_into(tables.lease_slots), _lease_rows(lease))

    # containers -------------------------------------------------------------------------------------
    def container(self, container: ContainerId) -> Container | None:
        row = self._one(statements.CONTAINER, {"id": container})
        return None if row is None else Container(**row._mapping)

    def containers(self, uid: Uid | None = None, *, removed: bool = False) -> tuple[Container, ...]:
        rows = self._all(statements.containers_of(uid=uid, removed=removed))
        return tuple(Container(**row._mapping) for row in rows)

    def named(self, uid: Uid, name: str, *, removed: bool = False) -> Container | None:
        statement = statements.NAMED if removed else statements.NAMED_LIVE
        row = self._one(statement, {"uid": uid, "name": name})
        return None if row is None else Container(**row._mapping)

    def put_container(self, container: Container) -> None:
        try:
            self._put(tables.containers, vars(container), "id")
        except IntegrityError as error:
            if "containers.name" not in str(error.orig):
                raise
            raise Ds01Error(
                NAME_TAKEN,
                f"There is already a container named '{container.name}'.",
                hint=f"Retire it first: ds01 retire {container.name}",
            ) from error

    # image tags -------------------------------------------------------------------------------------
    def tag(self, ref: str) -> Tag | None:
        row = self._one(statements.TAG, {"ref": ref})
        return None if row is None else Tag(**row._mapping)

    def tags(self, uid: Uid | None = None) -> tuple[Tag, ...]:
        chosen = statements.TAGS if uid is None else statements.TAGS.where(tables.tags.c.owner == uid)
        return tuple(Tag(**row._mapping) for row in self._all(chosen))

    def tags_of(self, image: ImageId) -> tuple[Tag, ...]:
        return tuple(Tag(**row._mapping) for row in self._all(statements.TAGS.where(tables.tags.c.image == image)))

    def put_tag(self, tag: Tag) -> None:
        self._put(tables.tags, vars(tag), "ref")

    def drop_tag(self, ref: str) -> None:
        self._run(statements.remove(tables.tags), {"key_ref": ref})

    # accounts ---------------------------------------------------------------------------------------
    def account(self, uid: Uid) -> Account | None:
        row = self._one(statements.ACCOUNT, {"uid": uid})
        return None if row is None else Account(**row._mapping)

    def put_account(self, account: Account) -> None:
        self._put(tables.accounts, vars(account), "uid", "epoch")

    # events -----------------------------------------------------------------------------------------
    def record(self, event: Event) -> Event:
        before = self._one(statements.LAST_HASH)
        link = chain.link(chain.START if before is None else before.hash, event)
        values = {key: value for key, value in vars(event).items() if key != "seq"}
        seq = self._run(statements.insert_into(tables.events), {**values, "hash": link}).inserted_primary_key[0]
        self.recorded = int(seq)
        return replace(event, seq=self.recorded)

    def events(
        self, *, uid: Uid | None = None, subject: str | None = None, types: Sequence[EventType] = (),
        after: int = 0, since: datetime | None = None, limit: int = 1000,
    ) -> tuple[Event, ...]:  # fmt: skip
        column = tables.events.c
        chosen = statements.EVENTS.where(column.seq > after)
        if uid is not None:
            chosen = chosen.where(column.uid == uid)
        if subject is not None:
            chosen = chosen.where(column.subject == subject)
        if types:
            chosen = chosen.where(column.type.in_(types))
        if since is not None:
            chosen = chosen.where(column.at >= since)
        rows = self._all(chosen.order_by(column.seq.desc()).limit(limit))
        return tuple(Event(**row._mapping) for row in reversed(rows))

    # notes ------------------------------------------------------------------------------------------
    def note(self, key: str) -> str | None:
        row = self._one(statements.NOTE, {"key": key})
        return None if row is None else str(row.value)

    def put_note(self, key: str, value: str) -> None:
        self._put(tables.notes, {"key": key, "value": value}, "key")

    # how it is said in SQL --------------------------------------------------------------------------
    def _run(self, statement: Executable, values: Any = None) -> Any:
        return self._connection.execute(statement, values)

    def _all(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        return self._connection.execute(statement, values).all()

    def _one(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Row[Any] | None:
        return self._connection.execute(statement, values).first()

    def _put(self, table: Table, values: Mapping[str, Any], *key: str) -> bool:
        """Replace the row with this key, or insert it; says whether it was there.

        Two plain statements in place of an upsert, which every database spells differently.
        """
        found = {f"key_{name}": values[name] for name in key}
        rest = {name: value for name, value in values.items() if name not in key}
        if self._run(statements.change(table), {**rest, **found}).rowcount:
            return True
        self._run(statements.insert_into(table), dict(values))
        return False


def _leases(rows: Iterable[Row[Any]]) -> tuple[Lease, ...]:
    return tuple(_lease(list(group)) for _, group in groupby(rows, key=lambda row: row.id))


def _lease(rows: list[Row[Any]]) -> Lease:
    values = dict(rows[0]._mapping)
    del values["slot"]
    return Lease(**values, slots=tuple(row.slot for row in rows))


def _lease_rows(lease: Lease) -> list[dict[str, Any]]:
    return [
        {"lease": lease.id, "position": position, "slot": slot, "open": lease.state.open}
        for position, slot in enumerate(lease.slots)
    ]


def _taken(error: IntegrityError) -> Ds01Error | IntegrityError:
    """I1, in words: the schema refused a second open lease."""
    said = str(error.orig)
    if "lease_slots.slot" not in said and "leased together" not in said and "leases.container" not in said:
        return error
    return Ds01Error(
        GPU_FULL,
        "The GPU was taken by somebody else at the same moment.",
        reason=f"a second lease was refused: {said}",
        hint="Try again.",
    )
