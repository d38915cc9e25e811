"""Brings a ledger to the schema this DS01 knows. The migration tool is loaded only when there is work for it."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from ds01.domain.errors import LEDGER_ERROR, Ds01Error

HEAD = "0001"
"""The newest migration; a test compares it with the folder."""


def bring_to_head(connection: Connection, where: str) -> None:
    """Run the migrations that are missing, all or none of them. A newer ledger than this DS01 is refused."""
    found = revision(connection)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise Ds01Error(
            LEDGER_ERROR,
            f"The ledger {where} was written by a newer DS01.",
            reason=f"its schema is {found}, this version knows {HEAD}",
            hint="Install the newer version again; an older one would lose what it does not know.",
        )
    _migrate(connection)


def revision(connection: Connection) -> str | None:
    """The schema of the ledger; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return None if row is None else str(row.version_num)


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "ds01.adapters.sql:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
