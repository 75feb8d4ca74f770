"""Count votes on articles, and ratings of tickets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mailbot.adapters.storage import tables

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "article_votes",
        sa.Column("article", tables.CleanText(60), nullable=False),
        sa.Column("voter_address", tables.CleanText(320), nullable=False),
        sa.Column("useful", sa.Boolean(), nullable=False),
        sa.Column("at", tables.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("article", "voter_address", name=op.f("pk_article_votes")),
    )
    op.add_column("tickets", sa.Column("rating", sa.Integer(), nullable=True))
    op.create_index("ix_tickets_own", "tickets", ["requester_address", "mailbox", "opened_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_tickets_own", "tickets")
    with op.batch_alter_table("tickets") as batch_op:
        batch_op.drop_column("rating")
    op.drop_table("article_votes")
