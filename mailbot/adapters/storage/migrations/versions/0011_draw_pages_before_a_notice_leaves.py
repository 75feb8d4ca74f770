"""Let a notice wait until the pages that it shows are drawn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("awaits_pages", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("letter_texts", sa.Column("pages", sa.JSON(none_as_null=True), nullable=True))
    op.create_index(
        "ix_outbox_awaits_pages",
        "outbox",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("awaits_pages"),
        postgresql_where=sa.text("awaits_pages"),
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_awaits_pages", table_name="outbox")
    with op.batch_alter_table("letter_texts", schema=None) as batch_op:
        batch_op.drop_column("pages")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_column("awaits_pages")
