"""Keep to which mailbox the mail came that was re-routed to a ticket's own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mailbot.adapters.storage import tables

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickets", sa.Column("rerouted_from", tables.CleanText(100), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("tickets") as batch_op:
        batch_op.drop_column("rerouted_from")
