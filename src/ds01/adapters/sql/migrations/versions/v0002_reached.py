"""Which volumes were in containers that run as their owner."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """None was, as far as is known: ds01d also looks at the containers that are there."""
    with op.batch_alter_table("volumes", recreate="always") as table:
        table.add_column(sa.Column("reached", sa.Boolean(), nullable=False, server_default=sa.false()))
