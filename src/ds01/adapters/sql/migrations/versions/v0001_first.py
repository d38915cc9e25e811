"""The first ledger: slots, leases, requests, jobs, usage, containers, volumes, networks, images, accounts, events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ONE_SIZE = """CREATE TRIGGER lease_slots_one_size_{when} BEFORE {event} ON lease_slots WHEN NEW.open
BEGIN SELECT RAISE(ABORT, 'a GPU and its instances cannot be leased together')
FROM slots AS mine JOIN slots AS theirs ON theirs.gpu = mine.gpu AND theirs.id != mine.id
JOIN lease_slots AS held ON held.slot = theirs.id AND held.open
WHERE mine.id = NEW.slot AND 'full' IN (mine.profile, theirs.profile); END"""

KEEP = """CREATE TRIGGER events_no_{verb} BEFORE {verb} ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"""


def upgrade() -> None:
    """Create everything."""
    _slots()
    _leases()
    _requests()
    _jobs()
    _bookings()
    _containers()
    _people_and_images()
    _volumes_and_networks()
    _notices()
    _consumption()
    _words_of_admins()
    _events()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(ONE_SIZE.format(when="insert", event="INSERT"))
        op.execute(ONE_SIZE.format(when="open", event="UPDATE OF open"))
        op.execute(KEEP.format(verb="update"))
        op.execute(KEEP.format(verb="delete"))


def _slots() -> None:
    op.create_table(
        "slots",
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("gpu", sa.String(80), nullable=False),
        sa.Column("gpu_index", sa.Integer(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("profile", sa.String(40), nullable=False),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("gpueq", sa.String(32), nullable=False),
        sa.Column("minor", sa.Integer(), nullable=False),
        sa.Column("numa_node", sa.Integer(), nullable=False),
        sa.Column("links", sa.Text(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("last_used_at", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_slots"),
    )
    op.create_table(
        "quarantines",
        sa.Column("slot", sa.String(80), nullable=False),
        sa.Column("keeper", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("slot", "keeper", name="pk_quarantines"),
    )


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("gpueq", sa.String(32), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("granted_at", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.String(32)),
        sa.Column("container", sa.String(64)),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("planned", sa.Float()),
        sa.Column("booking", sa.String(40), nullable=False),
        sa.CheckConstraint("(state IN ('released', 'revoked')) = (ended_at IS NOT NULL)", name=op.f("ck_leases_ended")),
        sa.PrimaryKeyConstraint("id", name="pk_leases"),
    )
    open_ = sa.text("ended_at IS NULL")
    with_container = sa.text("ended_at IS NULL AND container IS NOT NULL")
    op.create_index("leases_open", "leases", ["uid"], sqlite_where=open_, postgresql_where=open_)
    booked = sa.text("booking != ''")
    op.create_index("leases_booking", "leases", ["booking"], sqlite_where=booked, postgresql_where=booked)
    op.create_index(
        "leases_one_per_container", "leases", ["container"], unique=True,
        sqlite_where=with_container, postgresql_where=with_container,
    )  # fmt: skip
    op.create_table(
        "lease_slots",
        sa.Column("lease", sa.String(40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("slot", sa.String(80), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["lease"], ["leases.id"], name="fk_lease_slots_lease"),
        sa.ForeignKeyConstraint(["slot"], ["slots.id"], name="fk_lease_slots_slot"),
        sa.PrimaryKeyConstraint("lease", "position", name="pk_lease_slots"),
    )
    only_open = sa.text("open")
    op.create_index(
        "lease_slots_one_open", "lease_slots", ["slot"], unique=True,
        sqlite_where=only_open, postgresql_where=only_open,
    )  # fmt: skip


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.Column("gpu_profile", sa.String(40)),
        sa.Column("gpu_memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.String(32), nullable=False),
        sa.Column("planned", sa.Float()),
        sa.Column("interactive", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("wait_until", sa.String(32)),
        sa.Column("lease", sa.String(40)),
        sa.Column("claim_until", sa.String(32)),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("order", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('taken', 'cancelled', 'expired')) = (ended_at IS NOT NULL)", name=op.f("ck_requests_ended")
        ),
        sa.CheckConstraint("(state = 'reserved') <= (lease IS NOT NULL)", name=op.f("ck_requests_reserved")),
        sa.ForeignKeyConstraint(["lease"], ["leases.id"], name="fk_requests_lease"),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
    )
    open_ = sa.text("ended_at IS NULL")
    op.create_index(
        "requests_one_open_name", "requests", ["uid", "name"], unique=True, sqlite_where=open_, postgresql_where=open_
    )
    op.create_table(
        "usage",
        sa.Column("uid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("uid", "epoch", name="pk_usage"),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.String(32), nullable=False),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.Column("gpu_profile", sa.String(40)),
        sa.Column("gpu_memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("order", sa.Text(), nullable=False),
        sa.Column("array", sa.Text(), nullable=False),
        sa.Column("index", sa.Integer()),
        sa.Column("parallel", sa.Integer()),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("planned", sa.Float()),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("eligible_at", sa.String(32)),
        sa.Column("request", sa.String(40)),
        sa.Column("container", sa.String(64)),
        sa.Column("started_at", sa.String(32)),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("end", sa.String(40)),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name=op.f("ck_jobs_ended")),
        sa.CheckConstraint("(state = 'running') <= (container IS NOT NULL)", name=op.f("ck_jobs_running")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name="fk_jobs_request"),
    )
    op.create_index("jobs_uid", "jobs", ["uid", "number", "index"])
    op.create_index("jobs_name", "jobs", ["uid", "name"])
    op.create_index("jobs_array", "jobs", ["uid", "array"])
    op.create_index("jobs_submitted", "jobs", ["submitted_at"])
    op.create_index(
        "jobs_one_open_name",
        "jobs",
        ["uid", "name"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _bookings() -> None:
    op.create_table(
        "bookings",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.Column("gpu_profile", sa.String(40)),
        sa.Column("gpu_memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("begins_at", sa.String(32), nullable=False),
        sa.Column("ends_at", sa.String(32), nullable=False),
        sa.Column("uids", sa.Text(), nullable=False),
        sa.Column("series", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("each", sa.Integer()),
        sa.Column("keep", sa.Float()),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("image", sa.Text(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("made_at", sa.String(32)),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("told", sa.Integer()),
        sa.CheckConstraint("(state != 'booked') = (ended_at IS NOT NULL)", name=op.f("ck_bookings_ended")),
        sa.CheckConstraint("begins_at < ends_at", name=op.f("ck_bookings_length")),
        sa.PrimaryKeyConstraint("id", name="pk_bookings"),
    )
    op.create_index("ix_bookings_ends_at", "bookings", ["ends_at"])


def _containers() -> None:
    op.create_table(
        "containers",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("door", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("image", sa.Text(), nullable=False),
        sa.Column("image_ref", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("lease", sa.String(40)),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.Column("gpu_profile", sa.String(40), nullable=False),
        sa.Column("gpu_memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("forced_user", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.String(32)),
        sa.Column("stopped_at", sa.String(32)),
        sa.Column("removed_at", sa.String(32)),
        sa.Column("reason", sa.String(40)),
        sa.Column("reason_detail", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("pins", sa.Text(), nullable=False),
        sa.Column("ports", sa.Text(), nullable=False),
        sa.Column("published", sa.Integer(), nullable=False),
        sa.Column("mounts", sa.Text(), nullable=False),
        sa.Column("ran", sa.Float(), nullable=False),
        sa.Column("extended", sa.Float(), nullable=False),
        sa.Column("kept_until", sa.String(32)),
        sa.Column("on_stop", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["lease"], ["leases.id"], name="fk_containers_lease"),
        sa.PrimaryKeyConstraint("id", name="pk_containers"),
    )
    op.create_index("containers_uid", "containers", ["uid", "name"])
    live = sa.text("state != 'removed'")
    op.create_index(
        "containers_one_live_name", "containers", ["uid", "name"], unique=True,
        sqlite_where=live, postgresql_where=live,
    )  # fmt: skip


def _people_and_images() -> None:
    op.create_table(
        "tags",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("image", sa.Text(), nullable=False),
        sa.Column("provenance", sa.String(40), nullable=False),
        sa.Column("owner", sa.BigInteger()),
        sa.PrimaryKeyConstraint("ref", name="pk_tags"),
    )
    op.create_index("ix_tags_image", "tags", ["image"])
    op.create_index("ix_tags_owner", "tags", ["owner"])
    op.create_table(
        "ownerships",
        sa.Column("image", sa.Text(), nullable=False),
        sa.Column("uid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("image", "uid", name="pk_ownerships"),
    )
    op.create_index("ix_ownerships_uid", "ownerships", ["uid"])
    op.create_table(
        "accounts",
        sa.Column("uid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("since", sa.String(32)),
        sa.PrimaryKeyConstraint("uid", "epoch", name="pk_accounts"),
    )


def _volumes_and_networks() -> None:
    op.create_table(
        "volumes",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_volumes"),
    )
    op.create_index("ix_volumes_uid", "volumes", ["uid"])
    op.create_table(
        "networks",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stored", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_networks"),
        sa.UniqueConstraint("stored", name="uq_networks_stored"),
    )
    op.create_index("ix_networks_uid", "networks", ["uid"])


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rule", sa.String(40), nullable=False),
        sa.Column("level", sa.String(40), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("acts_at", sa.String(32)),
        sa.Column("reached", sa.Text(), nullable=False),
        sa.Column("delivered_at", sa.String(32)),
        sa.Column("seen_at", sa.String(32)),
        sa.Column("ended_at", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    still = sa.text("ended_at IS NULL")
    op.create_index("notices_open", "notices", ["uid"], sqlite_where=still, postgresql_where=still)
    op.create_index("notices_uid", "notices", ["uid", "at"])
    op.create_index("notices_ended", "notices", ["ended_at"])
    op.create_table(
        "preferences",
        sa.Column("uid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mail", sa.Text(), nullable=False),
        sa.Column("webhook", sa.Text(), nullable=False),
        sa.Column("shape", sa.String(40), nullable=False),
        sa.Column("off", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("uid", "epoch", name="pk_preferences"),
    )


def _consumption() -> None:
    op.create_table(
        "consumption",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("uid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("running_seconds", sa.Float(), nullable=False),
        sa.Column("gpu_seconds", sa.Float(), nullable=False),
        sa.Column("gpueq_seconds", sa.Float(), nullable=False),
        sa.Column("cpu_seconds", sa.Float(), nullable=False),
        sa.Column("memory_byte_seconds", sa.Float(), nullable=False),
        sa.Column("joules", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("day", "uid", "epoch", "project", "name", name="pk_consumption"),
    )


def _words_of_admins() -> None:
    op.create_table(
        "exemptions",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.Column("until", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_exemptions"),
    )
    op.create_table(
        "announcements",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("until", sa.String(32), nullable=False),
        sa.Column("told_at", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_announcements"),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("actor", sa.BigInteger()),
        sa.Column("uid", sa.BigInteger()),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("schema", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_uid", "events", ["uid", "seq"])
    op.create_index("events_subject", "events", ["subject", "seq"])
    op.create_table(
        "notes",
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_notes"),
    )
