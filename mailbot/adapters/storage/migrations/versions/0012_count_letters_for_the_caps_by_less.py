"""Keep for the caps' count only letters that count, by when they were written and for whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_INDEX = "ix_outbox_automatic"


def upgrade() -> None:
    _make_anew(
        ["created_at", "verified_recipient"],
        "automatic AND audience = 'requester' AND status NOT IN ('held', 'cancelled')",
    )


def downgrade() -> None:
    _make_anew(["created_at", "status", "verified_recipient"], "automatic AND audience = 'requester'")


def _make_anew(columns: list[str], condition: str) -> None:
    op.drop_index(_INDEX, table_name="outbox")
    op.create_index(
        _INDEX,
        "outbox",
        columns,
        unique=False,
        sqlite_where=sa.text(condition),
        postgresql_where=sa.text(condition),
    )
