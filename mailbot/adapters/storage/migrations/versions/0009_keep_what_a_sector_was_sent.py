"""Keep which book a ticket's sector was sent, and since when it owes an answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mailbot.adapters.storage.columns import CleanText, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickets", sa.Column("sector_book", CleanText(64), nullable=False, server_default=""))
    op.add_column("tickets", sa.Column("sector_asked_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_column("sector_asked_at")
        batch_op.drop_column("sector_book")
