"""The schema: what the tables say, what the migrations build, and what the domain needs are one thing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Table, text

from ds01.adapters.sql import connect, schema, tables
from ds01.domain.container import Container
from ds01.domain.events import Event
from ds01.domain.gpu import Slot
from ds01.domain.image import Ownership, Tag
from ds01.domain.lease import Lease
from ds01.domain.people import Account
from ds01.domain.queue.request import Request


def built(path: Path, build: Callable[[Connection], None]) -> set[str]:
    """Everything SQLite says about a database, without the migration tool's own table."""
    engine = connect.writer(connect.location(path))
    with engine.connect() as connection, connect.writing(connection):
        build(connection)
        rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
        found = {re.sub(r"\s+", " ", row.sql) for row in rows if "alembic_version" not in row.sql}
    engine.dispose()
    return found


def test_the_migrations_build_exactly_the_tables(tmp_path: Path) -> None:
    migrated = built(tmp_path / "a.db", lambda connection: schema.bring_to_head(connection, "a.db"))
    declared = built(tmp_path / "b.db", tables.metadata.create_all)
    assert migrated == declared


def test_the_migration_tool_finds_nothing_to_do(tmp_path: Path) -> None:
    engine = connect.writer(connect.location(tmp_path / "a.db"))
    with engine.connect() as connection, connect.writing(connection):
        schema.bring_to_head(connection, "a.db")
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
        assert schema.revision(connection) == schema.HEAD
    engine.dispose()


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "ds01.adapters.sql:migrations")
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


@pytest.mark.parametrize(
    ("table", "kind", "other"),
    [
        (tables.slots, Slot, {"present", "position", "last_used_at"}),
        (tables.leases, Lease, set()),
        (tables.requests, Request, {"gpus", "gpu_profile", "gpu_memory_bytes"}),
        (tables.containers, Container, set()),
        (tables.tags, Tag, set()),
        (tables.ownerships, Ownership, set()),
        (tables.accounts, Account, set()),
        (tables.events, Event, set()),
    ],
    ids=lambda value: str(getattr(value, "name", "")),
)
def test_a_column_for_every_field(table: Table, kind: type[Any], other: set[str]) -> None:
    elsewhere = {Lease: {"slots"}, Request: {"ask"}}.get(kind, set())
    assert set(table.columns.keys()) - other == {field.name for field in fields(kind)} - elsewhere
