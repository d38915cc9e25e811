"""Run by Alembic: all missing migrations in the one transaction the caller began, so none is half done."""

from __future__ import annotations

from alembic import context

from ds01.adapters.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
