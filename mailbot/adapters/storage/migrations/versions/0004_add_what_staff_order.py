"""Add what staff order on tickets: labels, things asked and waived, participants, visits, merging."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mailbot.adapters.storage.columns import CleanText, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_EMPTY_LIST = sa.text("'[]'")


def upgrade() -> None:
    op.add_column("tickets", sa.Column("label", CleanText(), nullable=False, server_default=""))
    for name in ("asked", "waived", "participants"):
        op.add_column("tickets", sa.Column(name, sa.JSON(), nullable=False, server_default=_EMPTY_LIST))
    op.add_column("tickets", sa.Column("visit_at", UtcDateTime(), nullable=True))
    op.add_column("tickets", sa.Column("visit_sequence", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("tickets", sa.Column("merged_into", CleanText(20), nullable=True))
    op.add_column("letter_texts", sa.Column("calendar", CleanText(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("letter_texts", schema=None) as batch_op:
        batch_op.drop_column("calendar")
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        for name in ("merged_into", "visit_sequence", "visit_at", "participants", "waived", "asked", "label"):
            batch_op.drop_column(name)
