"""Keep which errands of agents wait for a code, and find again what was opened or refused in an agent's name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_WITH_CODE = sa.text("reason IN ('needs_code', 'code_wrong') OR confirmed")
_OPENED_FOR = sa.text("reason = 'opened_for_customer'")
_REFUSED = sa.text("kind = 'agent_reply_refused'")


def upgrade() -> None:
    op.add_column("inbound_mails", sa.Column("confirmed", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, table, columns, which in (
        ("ix_inbound_mails_with_code", "inbound_mails", ["conversation_key"], _WITH_CODE),
        ("ix_inbound_mails_opened_for", "inbound_mails", ["identity"], _OPENED_FOR),
        ("ix_ticket_events_refused", "ticket_events", ["actor", "at"], _REFUSED),
    ):
        op.create_index(name, table, columns, unique=False, sqlite_where=which, postgresql_where=which)


def downgrade() -> None:
    op.drop_index("ix_ticket_events_refused", "ticket_events")
    op.drop_index("ix_inbound_mails_opened_for", "inbound_mails")
    op.drop_index("ix_inbound_mails_with_code", "inbound_mails")
    with op.batch_alter_table("inbound_mails") as batch_op:
        batch_op.drop_column("confirmed")
