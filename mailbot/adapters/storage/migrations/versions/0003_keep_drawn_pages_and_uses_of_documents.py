"""Keep the pages that were drawn of people's files, and in which tickets a document was used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mailbot.adapters.storage import tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "page_pictures",
        sa.Column("digest", tables.CleanText(64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("drawing", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "version", name=op.f("pk_page_pictures")),
    )
    op.create_table(
        "document_uses",
        sa.Column("trace", tables.CleanText(64), nullable=False),
        sa.Column("ticket_number", tables.CleanText(20), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_number"], ["tickets.number"], name=op.f("fk_document_uses_ticket_number")
        ),
        sa.PrimaryKeyConstraint("trace", "ticket_number", name=op.f("pk_document_uses")),
    )
    op.create_index("ix_document_uses_ticket_number", "document_uses", ["ticket_number"])


def downgrade() -> None:
    op.drop_table("document_uses")
    op.drop_table("page_pictures")
