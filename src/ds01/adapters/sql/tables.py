"""The tables. A column has the name of the field it keeps, so that rows become values without a list of names.

The invariants are the schema's as far as it can: at most one open lease per slot and per container, a GPU and
its MIG instances never leased together, one live container, one open request and one open job per name, events that
cannot be changed.
The migrations build exactly this; a test compares the two. That an index is partial is said for SQLite alone: to say it
for PostgreSQL, as the migrations do, loads that dialect, 5 MB of memory, wherever the tables are known.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
    text,
)

from ds01.adapters.sql.columns import (
    EventWord,
    Exact,
    Mounts,
    NameSet,
    Numbers,
    NumberSet,
    Span,
    Texts,
    UtcTime,
    Word,
    Words,
)
from ds01.domain.container import ContainerState, Door, StopReason
from ds01.domain.image import Provenance
from ds01.domain.jobs.job import JobEnd, JobState
from ds01.domain.lease import LeaseState
from ds01.domain.lifecycle.case import Level, Rule
from ds01.domain.queue.booking import BookingState, Kind
from ds01.domain.queue.request import RequestState

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Sequence = BigInteger().with_variant(Integer, "sqlite")

slots = Table(
    "slots",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("gpu", String(80), nullable=False),
    Column("gpu_index", Integer, nullable=False),
    Column("model", Text, nullable=False),
    Column("profile", String(40), nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("gpueq", Exact, nullable=False),
    Column("minor", Integer, nullable=False),
    Column("numa_node", Integer, nullable=False),
    Column("links", NameSet, nullable=False),
    Column("present", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
    Column("last_used_at", UtcTime),
)

quarantines = Table(
    "quarantines",
    metadata,
    Column("slot", String(80), primary_key=True),
    Column("keeper", String(16), primary_key=True),
    Column("reason", Text, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("uid", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("gpueq", Exact, nullable=False),
    Column("state", Word(LeaseState), nullable=False),
    Column("granted_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("container", String(64)),
    Column("name", Text, nullable=False),
    Column("ended_at", UtcTime),
    Column("reason", Text, nullable=False),
    Column("planned", Span),
    Column("booking", String(40), nullable=False),
    CheckConstraint("(state IN ('released', 'revoked')) = (ended_at IS NOT NULL)", name="ended"),
    Index("leases_open", "uid", sqlite_where=text("ended_at IS NULL")),
    Index("leases_booking", "booking", sqlite_where=text("booking != ''")),
    Index(
        "leases_one_per_container",
        "container",
        unique=True,
        sqlite_where=text("ended_at IS NULL AND container IS NOT NULL"),
    ),
)

lease_slots = Table(
    "lease_slots",
    metadata,
    Column("lease", String(40), ForeignKey("leases.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("slot", String(80), ForeignKey("slots.id"), nullable=False),
    Column("open", Boolean, nullable=False),
    Index("lease_slots_one_open", "slot", unique=True, sqlite_where=text("open")),
)

requests = Table(
    "requests",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("uid", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("gpus", Integer, nullable=False),
    Column("gpu_profile", String(40)),
    Column("gpu_memory_bytes", BigInteger, nullable=False),
    Column("submitted_at", UtcTime, nullable=False),
    Column("planned", Span),
    Column("interactive", Boolean, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", Word(RequestState), nullable=False),
    Column("wait_until", UtcTime),
    Column("lease", String(40), ForeignKey("leases.id")),
    Column("claim_until", UtcTime),
    Column("ended_at", UtcTime),
    Column("reason", Text, nullable=False),
    Column("order", Text, nullable=False),
    CheckConstraint("(state IN ('taken', 'cancelled', 'expired')) = (ended_at IS NOT NULL)", name="ended"),
    CheckConstraint("(state = 'reserved') <= (lease IS NOT NULL)", name="reserved"),
    Index(
        "requests_one_open_name",
        "uid",
        "name",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
    ),
)

bookings = Table(
    "bookings",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("uid", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("gpus", Integer, nullable=False),
    Column("gpu_profile", String(40)),
    Column("gpu_memory_bytes", BigInteger, nullable=False),
    Column("begins_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False, index=True),
    Column("uids", NumberSet, nullable=False),
    Column("series", String(40), nullable=False),
    Column("kind", Word(Kind), nullable=False),
    Column("each", Integer),
    Column("keep", Span),
    Column("group", Text, nullable=False),
    Column("image", Text, nullable=False),
    Column("state", Word(BookingState), nullable=False),
    Column("made_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("reason", Text, nullable=False),
    Column("told", Integer),
    CheckConstraint("(state != 'booked') = (ended_at IS NOT NULL)", name="ended"),
    CheckConstraint("begins_at < ends_at", name="length"),
)

usage = Table(
    "usage",
    metadata,
    Column("uid", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("seconds", Float, nullable=False),
    Column("at", UtcTime, nullable=False),
)

containers = Table(
    "containers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("uid", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("door", Word(Door), nullable=False),
    Column("state", Word(ContainerState), nullable=False),
    Column("image", Text, nullable=False),
    Column("image_ref", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("project", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("lease", String(40), ForeignKey("leases.id")),
    Column("gpus", Integer, nullable=False),
    Column("gpu_profile", String(40), nullable=False),
    Column("gpu_memory_bytes", BigInteger, nullable=False),
    Column("forced_user", Boolean, nullable=False),
    Column("started_at", UtcTime),
    Column("stopped_at", UtcTime),
    Column("removed_at", UtcTime),
    Column("reason", Word(StopReason)),
    Column("reason_detail", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("pins", Text, nullable=False),
    Column("ports", Numbers, nullable=False),
    Column("published", Integer, nullable=False),
    Column("mounts", Mounts, nullable=False),
    Column("ran", Span, nullable=False),
    Column("extended", Span, nullable=False),
    Column("kept_until", UtcTime),
    Column("on_stop", Text, nullable=False),
    Index("containers_uid", "uid", "name"),
    Index(
        "containers_one_live_name",
        "uid",
        "name",
        unique=True,
        sqlite_where=text("state != 'removed'"),
    ),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("uid", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("submitted_at", UtcTime, nullable=False),
    Column("gpus", Integer, nullable=False),
    Column("gpu_profile", String(40)),
    Column("gpu_memory_bytes", BigInteger, nullable=False),
    Column("order", Text, nullable=False),
    Column("array", Text, nullable=False),
    Column("index", Integer),
    Column("parallel", Integer),
    Column("after", Texts, nullable=False),
    Column("planned", Span),
    Column("retries", Integer, nullable=False),
    Column("state", Word(JobState), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("eligible_at", UtcTime),
    Column("request", String(40), ForeignKey("requests.id")),
    Column("container", String(64)),
    Column("started_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("end", Word(JobEnd)),
    Column("detail", Text, nullable=False),
    Column("exit_code", Integer),
    Column("note", Text, nullable=False),
    CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name="ended"),
    CheckConstraint("(state = 'running') <= (container IS NOT NULL)", name="running"),
    Index("jobs_uid", "uid", "number", "index"),
    Index("jobs_name", "uid", "name"),
    Index("jobs_array", "uid", "array"),
    Index("jobs_submitted", "submitted_at"),
    Index(
        "jobs_one_open_name",
        "uid",
        "name",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
    ),
)

tags = Table(
    "tags",
    metadata,
    Column("ref", Text, primary_key=True),
    Column("image", Text, nullable=False, index=True),
    Column("provenance", Word(Provenance), nullable=False),
    Column("owner", BigInteger, index=True),
)

ownerships = Table(
    "ownerships",
    metadata,
    Column("image", Text, primary_key=True),
    Column("uid", BigInteger, primary_key=True, autoincrement=False, index=True),
    Column("epoch", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
)

volumes = Table(
    "volumes",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("uid", BigInteger, nullable=False, index=True),
    Column("epoch", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("anonymous", Boolean, nullable=False),
)

networks = Table(
    "networks",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("uid", BigInteger, nullable=False, index=True),
    Column("epoch", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("stored", Text, nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("subject", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("rule", Word(Rule), nullable=False),
    Column("level", Word(Level), nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("acts_at", UtcTime),
    Column("reached", Words, nullable=False),
    Column("delivered_at", UtcTime),
    Column("seen_at", UtcTime),
    Column("ended_at", UtcTime),
    Index("notices_open", "uid", sqlite_where=text("ended_at IS NULL")),
    Index("notices_uid", "uid", "at"),
    Index("notices_ended", "ended_at"),
)

preferences = Table(
    "preferences",
    metadata,
    Column("uid", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("mail", Text, nullable=False),
    Column("webhook", Text, nullable=False),
    Column("shape", String(40), nullable=False),
    Column("off", NameSet, nullable=False),
)

consumption = Table(
    "consumption",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("uid", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("project", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("running_seconds", Float, nullable=False),
    Column("gpu_seconds", Float, nullable=False),
    Column("gpueq_seconds", Float, nullable=False),
    Column("cpu_seconds", Float, nullable=False),
    Column("memory_byte_seconds", Float, nullable=False),
    Column("joules", Float, nullable=False),
)

exemptions = Table(
    "exemptions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("by", BigInteger, nullable=False),
    Column("login", Text, nullable=False),
    Column("keys", NameSet, nullable=False),
    Column("until", UtcTime, nullable=False),
    Column("reason", Text, nullable=False),
)

announcements = Table(
    "announcements",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("by", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("until", UtcTime, nullable=False),
    Column("told_at", UtcTime),
)

accounts = Table(
    "accounts",
    metadata,
    Column("uid", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("login", Text, nullable=False),
    Column("since", UtcTime),
)

events = Table(
    "events",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("type", EventWord, nullable=False),
    Column("actor", BigInteger),
    Column("uid", BigInteger),
    Column("subject", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("details", Words, nullable=False),
    Column("schema", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Index("events_uid", "uid", "seq"),
    Index("events_subject", "subject", "seq"),
    sqlite_autoincrement=True,
)

notes = Table(
    "notes",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("value", Text, nullable=False),
)

_ONE_SIZE = """CREATE TRIGGER lease_slots_one_size_{when} BEFORE {event} ON lease_slots WHEN NEW.open
BEGIN SELECT RAISE(ABORT, 'a GPU and its instances cannot be leased together')
FROM slots AS mine JOIN slots AS theirs ON theirs.gpu = mine.gpu AND theirs.id != mine.id
JOIN lease_slots AS held ON held.slot = theirs.id AND held.open
WHERE mine.id = NEW.slot AND 'full' IN (mine.profile, theirs.profile); END"""

_KEEP = """CREATE TRIGGER events_no_{verb} BEFORE {verb} ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"""

SQLITE_TRIGGERS = (
    _ONE_SIZE.format(when="insert", event="INSERT"),
    _ONE_SIZE.format(when="open", event="UPDATE OF open"),
    _KEEP.format(verb="update"),
    _KEEP.format(verb="delete"),
)


@event.listens_for(metadata, "after_create")
def _create_triggers(target: MetaData, connection: Connection, **_: object) -> None:
    if connection.dialect.name == "sqlite":
        for statement in SQLITE_TRIGGERS:
            connection.exec_driver_sql(statement)
