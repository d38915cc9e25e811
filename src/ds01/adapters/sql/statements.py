"""Every question the ledger asks, in one place. Built once: SQLAlchemy then only fills in the values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Select,
    String,
    Table,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects import sqlite

from ds01.adapters.sql.tables import (
    accounts,
    announcements,
    bookings,
    consumption,
    containers,
    events,
    exemptions,
    jobs,
    lease_slots,
    leases,
    networks,
    notes,
    notices,
    ownerships,
    preferences,
    quarantines,
    requests,
    slots,
    tags,
    usage,
    volumes,
)
from ds01.domain.announcement import Announcement
from ds01.domain.consumption import Consumed
from ds01.domain.container import Container, Door
from ds01.domain.events import Event
from ds01.domain.exemption import GrantedExemption
from ds01.domain.gpu import Slot
from ds01.domain.image import Ownership, Tag
from ds01.domain.jobs.job import Job, JobEnd
from ds01.domain.lease import Lease
from ds01.domain.lifecycle.case import Level
from ds01.domain.network import Network
from ds01.domain.notice import Notice, Preferences
from ds01.domain.people import Account
from ds01.domain.queue.booking import Booking
from ds01.domain.queue.request import Request
from ds01.domain.volume import Volume

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def _fields(table: Table, kind: type[Any], *without: str) -> list[ColumnElement[Any]]:
    return [table.c[field.name] for field in fields(kind) if field.name not in without]


_LIVE: ColumnElement[bool] = literal_column("state != 'removed'")
"""As text, because a partial index serves only a condition that is written like its own."""

SLOTS = select(*_fields(slots, Slot), slots.c.present).order_by(slots.c.gpu_index, slots.c.position, slots.c.id)
ALL_ABSENT = update(slots).values(present=bindparam("present"))
LAST_USED = select(slots.c.id, slots.c.last_used_at).where(slots.c.last_used_at.is_not(None))
MARK_USED = (
    update(slots)
    .where(slots.c.id.in_(select(lease_slots.c.slot).where(lease_slots.c.lease == bindparam("of_lease"))))
    .values(last_used_at=bindparam("at"))
)
QUARANTINES = select(quarantines.c.slot, quarantines.c.keeper, quarantines.c.reason).order_by(quarantines.c.slot)

_LEASE = _fields(leases, Lease, "slots")
LEASE_SLOTS = select(lease_slots.c.slot).where(lease_slots.c.lease == bindparam("id")).order_by(lease_slots.c.position)
LEASE = select(*_LEASE).where(leases.c.id == bindparam("id"))
OPEN_LEASES = (
    select(*_LEASE, lease_slots.c.slot)
    .join(lease_slots, lease_slots.c.lease == leases.c.id)
    .where(leases.c.ended_at.is_(None))
    .order_by(leases.c.granted_at, leases.c.id, lease_slots.c.position)
)
_ASK = (
    requests.c.gpus.label("count"), requests.c.gpu_profile.label("profile"),
    requests.c.gpu_memory_bytes.label("memory_bytes"),
)  # fmt: skip
_REQUEST = (*_fields(requests, Request, "ask"), *_ASK)
REQUEST = select(*_REQUEST).where(requests.c.id == bindparam("id"))
OPEN_REQUESTS = (
    select(*_REQUEST).where(requests.c.ended_at.is_(None)).order_by(requests.c.submitted_at, requests.c.id)
)  # fmt: skip
_JOB = (
    *_fields(jobs, Job, "ask"), jobs.c.gpus.label("count"), jobs.c.gpu_profile.label("profile"),
    jobs.c.gpu_memory_bytes.label("memory_bytes"),
)  # fmt: skip
JOB = select(*_JOB).where(jobs.c.id == bindparam("id"))
OPEN_JOBS = select(*_JOB).where(jobs.c.ended_at.is_(None))
JOBS = select(*_JOB).order_by(jobs.c.submitted_at.desc(), jobs.c.number.desc(), jobs.c.index)
NUMBERED = (
    select(*_JOB).where(jobs.c.uid == bindparam("uid"), jobs.c.number == bindparam("number")).order_by(jobs.c.index)
)
_ONE_TASK = jobs.c.index == bindparam("task")
TASKS = NUMBERED.limit(1), NUMBERED.where(_ONE_TASK).limit(1)
_FAILED = (
    select(jobs.c.id)
    .where(jobs.c.uid == bindparam("uid"), jobs.c.number == bindparam("number"), jobs.c.ended_at.is_not(None))
    .where(jobs.c.end.is_distinct_from(JobEnd.EXIT) | jobs.c.exit_code.is_distinct_from(0))
    .limit(1)
)
FAILED = _FAILED, _FAILED.where(_ONE_TASK)
CALLED = (
    select(*_JOB)
    .where(
        jobs.c.uid == bindparam("uid"),
        (jobs.c.name == bindparam("called")) | (jobs.c.array == bindparam("called")),
    )
    .order_by(jobs.c.number.desc())
    .limit(1)
)
_LATER = jobs.alias("later")
ENDED_JOBS = (
    select(jobs.c.uid, jobs.c.number)
    .where(exists().where(_LATER.c.uid == jobs.c.uid, _LATER.c.number > jobs.c.number))
    .group_by(jobs.c.uid, jobs.c.number)
    .having(func.count() == func.count(jobs.c.ended_at), func.max(jobs.c.ended_at) < bindparam("at"))
    .order_by(jobs.c.uid, jobs.c.number)
)
DROP_JOBS = delete(jobs).where(jobs.c.uid == bindparam("key_uid"), jobs.c.number == bindparam("key_number"))
LAST_NUMBER = select(func.max(jobs.c.number).label("last")).where(jobs.c.uid == bindparam("uid"))
_BOOKED = (
    bookings.c.gpus.label("count"), bookings.c.gpu_profile.label("profile"),
    bookings.c.gpu_memory_bytes.label("memory_bytes"),
)  # fmt: skip
_BOOKING = (*_fields(bookings, Booking, "ask", "slots", "claimed"), *_BOOKED)
BOOKING = select(*_BOOKING).where(bookings.c.id == bindparam("id"))
_IN_ORDER = (bookings.c.begins_at, bookings.c.id)
BOOKINGS = select(*_BOOKING).where(bookings.c.ended_at.is_(None)).order_by(*_IN_ORDER)
BOOKINGS_AFTER = select(*_BOOKING).where(bookings.c.ends_at > bindparam("after")).order_by(*_IN_ORDER)
LEASES_OF = (
    select(*_LEASE, lease_slots.c.slot)
    .join(lease_slots, lease_slots.c.lease == leases.c.id)
    .where(leases.c.booking == bindparam("of_booking"), literal_column("booking != ''"))
    .order_by(leases.c.granted_at, leases.c.id, lease_slots.c.position)
)
_SINCE = or_(leases.c.ended_at.is_(None), leases.c.ended_at >= bindparam("since"))
PAST = (
    select(*_LEASE, lease_slots.c.slot)
    .join(lease_slots, lease_slots.c.lease == leases.c.id)
    .where(_SINCE)
    .order_by(leases.c.granted_at, leases.c.id, lease_slots.c.position)
)
ASKED = select(requests.c.lease, requests.c.submitted_at).join(leases, leases.c.id == requests.c.lease).where(_SINCE)
USAGE = select(usage.c.uid, usage.c.epoch, usage.c.seconds, usage.c.at)

_CONTAINER = _fields(containers, Container)
CONTAINER = select(*_CONTAINER).where(containers.c.id == bindparam("id"))
LIVE = select(*_CONTAINER).where(_LIVE).order_by(containers.c.created_at, containers.c.id)
LATEST = select(*_CONTAINER).order_by(containers.c.created_at.desc(), containers.c.id.desc())
NAMED = (
    select(*_CONTAINER)
    .where(containers.c.uid == bindparam("uid"), containers.c.name == bindparam("name"))
    .order_by(_LIVE.desc(), containers.c.created_at.desc(), containers.c.id)
    .limit(1)
)
NAMED_LIVE = NAMED.where(_LIVE)

_TAG = _fields(tags, Tag)
TAGS = select(*_TAG).order_by(tags.c.ref)
OWNERSHIPS = select(*_fields(ownerships, Ownership)).order_by(ownerships.c.at, ownerships.c.image, ownerships.c.uid)
OWNERS = OWNERSHIPS.where(ownerships.c.image == bindparam("of_image"))
TAG = select(*_TAG).where(tags.c.ref == bindparam("ref"))

NOTICES = select(*_fields(notices, Notice)).order_by(notices.c.at.desc(), notices.c.id.desc())
NOTICE = select(*_fields(notices, Notice)).where(notices.c.id == bindparam("id"))
STILL_TRUE: ColumnElement[bool] = literal_column("ended_at IS NULL")
UNREAD_NOTICES = (
    select(*_fields(notices, Notice))
    .where(STILL_TRUE, notices.c.level == Level.NOTICE)
    .order_by(notices.c.at, notices.c.id)
)
ENDED_NOTICES = select(notices.c.id)
PREFERENCES = select(*_fields(preferences, Preferences)).where(
    preferences.c.uid == bindparam("uid"), preferences.c.epoch == bindparam("epoch")
)
CONSUMED = select(consumption)
CONSUMED_ONE = select(*_fields(consumption, Consumed)).where(
    *[column == bindparam(f"key_{column.name}") for column in consumption.primary_key]
)
ANNOUNCEMENT = select(*_fields(announcements, Announcement))
EXEMPTIONS = select(*_fields(exemptions, GrantedExemption)).order_by(exemptions.c.at, exemptions.c.id)

VOLUMES = select(*_fields(volumes, Volume)).order_by(volumes.c.created_at, volumes.c.id)
VOLUME = select(*_fields(volumes, Volume)).where(volumes.c.id == bindparam("id"))
NETWORKS = select(*_fields(networks, Network)).order_by(networks.c.created_at, networks.c.id)
NETWORK = select(*_fields(networks, Network)).where(networks.c.id == bindparam("id"))

ACCOUNT = (
    select(*_fields(accounts, Account))
    .where(accounts.c.uid == bindparam("uid"))
    .order_by(accounts.c.epoch.desc())
    .limit(1)
)

EVENTS = select(*_fields(events, Event))
_WRITTEN = (
    *_fields(events, Event, "at", "type", "details"),
    *(type_coerce(events.c[name], String).label(name) for name in ("at", "type", "details")),
)
"""Events as they are in the file: what somebody else wrote there may be no event at all."""
CHAIN = select(*_WRITTEN).order_by(events.c.seq.desc())
WHOLE_CHAIN = select(*_WRITTEN).order_by(events.c.seq)
CHAIN_END = select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)
LAST_SEQ = select(func.max(events.c.seq))

NOTE = select(notes.c.value).where(notes.c.key == bindparam("key"))


def containers_of(chosen: Select[Any], *, uid: int | None, door: Door | None, name: str | None = None) -> Select[Any]:
    """Of these containers those of one user or of all, that came by this door or have this name."""
    column = containers.c
    asked = ((column.uid, uid), (column.door, door), (column.name, name))
    return chosen.where(*(each == value for each, value in asked if value is not None))


@cache
def insert_into(table: Table) -> Insert:
    """One new row."""
    return insert(table)


@cache
def replace_in(table: Table, dialect: str) -> Insert:
    """One row: inserted, or put in the place of the one with its primary key."""
    keys = list(table.primary_key)
    return _upsert(table, dialect, [column.name for column in table.columns if column not in set(keys)])


@cache
def put_lease_slots(dialect: str) -> Insert:
    """The slots of a lease; of one that is known only whether they are open changes."""
    return _upsert(lease_slots, dialect, ["open"])


def _insert(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    """PostgreSQL's is loaded where it is used: it takes 5 MB of memory that a ledger in SQLite has no use for."""
    if dialect != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def _upsert(table: Table, dialect: str, changing: Sequence[str]) -> Insert:
    statement = _insert(table, dialect)
    changes = {name: statement.excluded[name] for name in changing}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes)


@cache
def remove(table: Table) -> Delete:
    """One row, found by its primary key given as ``key_<column>``."""
    return delete(table).where(*[column == bindparam(f"key_{column.name}") for column in table.primary_key])
