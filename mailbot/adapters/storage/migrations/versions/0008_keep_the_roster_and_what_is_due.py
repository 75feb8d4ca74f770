"""Keep who works here and is away, whose turn it is, which digests left, and what was said of what is due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mailbot.adapters.storage.columns import CleanText, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_RUNNING = sa.text("due_at IS NOT NULL AND status NOT IN ('resolved', 'closed')")


def upgrade() -> None:
    op.create_table(
        "agents",
        sa.Column("key", CleanText(100), nullable=False),
        sa.Column("address", CleanText(320), nullable=False),
        sa.Column("name", CleanText(), nullable=False),
        sa.Column("queues", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", CleanText(20), nullable=False),
        sa.Column("absent_until", UtcDateTime(timezone=True), nullable=True),
        sa.Column("deputy", CleanText(100), nullable=False),
        sa.Column("away_since", UtcDateTime(timezone=True), nullable=True),
        sa.Column("rerouted_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_agents")),
    )
    op.create_table(
        "queue_turns",
        sa.Column("queue", CleanText(100), nullable=False),
        sa.Column("agent", CleanText(100), nullable=False),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_queue_turns")),
    )
    op.create_table(
        "digests",
        sa.Column("kind", CleanText(20), nullable=False),
        sa.Column("recipient", CleanText(320), nullable=False),
        sa.Column("period", CleanText(10), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "recipient", "period", name=op.f("pk_digests")),
    )
    op.add_column("tickets", sa.Column("priority_asked", CleanText(10), nullable=True))
    op.add_column("tickets", sa.Column("due_left_seconds", sa.Integer(), nullable=True))
    op.add_column("tickets", sa.Column("warned_for", UtcDateTime(), nullable=True))
    op.add_column("tickets", sa.Column("late_for", UtcDateTime(), nullable=True))
    op.create_index(
        "ix_tickets_due", "tickets", ["due_at"], unique=False, sqlite_where=_RUNNING, postgresql_where=_RUNNING
    )


def downgrade() -> None:
    op.drop_index("ix_tickets_due", "tickets")
    with op.batch_alter_table("tickets") as batch_op:
        for name in ("late_for", "warned_for", "due_left_seconds", "priority_asked"):
            batch_op.drop_column(name)
    for table in ("digests", "queue_turns", "agents"):
        op.drop_table(table)
