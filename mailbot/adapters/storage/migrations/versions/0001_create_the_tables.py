"""Create the tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mailbot.adapters.storage import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "folders",
        sa.Column("mailbox", tables.CleanText(100), nullable=False),
        sa.Column("folder", tables.CleanText(500), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("first_uid", sa.BigInteger(), nullable=False),
        sa.Column("floor_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("newest_received_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_collect_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("suspect_until", tables.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("mailbox", "folder", name=op.f("pk_folders")),
    )
    op.create_table(
        "inbound_mails",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox", tables.CleanText(100), nullable=False),
        sa.Column("folder", tables.CleanText(500), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", tables.CleanText(300), nullable=False),
        sa.Column("received_at", tables.UtcDateTime(timezone=True), nullable=False),
        sa.Column("collected_at", tables.UtcDateTime(timezone=True), nullable=False),
        sa.Column("raw_digest", tables.CleanText(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("oversize_bytes", sa.BigInteger(), nullable=True),
        sa.Column("conversation_key", tables.CleanText(320), nullable=False),
        sa.Column("message_id", tables.CleanText(), nullable=False),
        sa.Column("identity", tables.CleanText(64), nullable=False),
        sa.Column("from_address", tables.CleanText(320), nullable=False),
        sa.Column("subject", tables.CleanText(), nullable=False),
        sa.Column("suspect", tables.CleanText(100), nullable=False),
        sa.Column("answer", sa.Boolean(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("outcome", tables.CleanText(20), nullable=False),
        sa.Column("reason", tables.CleanText(), nullable=False),
        sa.Column("ticket_number", tables.CleanText(20), nullable=True),
        sa.Column("finished_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ready_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("owner", tables.CleanText(200), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("begun_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("alerted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_mails")),
        sa.UniqueConstraint(
            "mailbox",
            "folder",
            "uid_validity",
            "uid",
            name=op.f("uq_inbound_mails_mailbox_folder_uid_validity_uid"),
        ),
    )
    with op.batch_alter_table("inbound_mails", schema=None) as batch_op:
        batch_op.create_index("ix_inbound_mails_message_id", ["message_id"], unique=False, postgresql_using="hash")
        batch_op.create_index(
            "ix_inbound_mails_owner",
            ["owner"],
            unique=False,
            sqlite_where=sa.text("owner IS NOT NULL"),
            postgresql_where=sa.text("owner IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_inbound_mails_pending",
            ["conversation_key", "id"],
            unique=False,
            sqlite_where=sa.text("outcome = 'pending'"),
            postgresql_where=sa.text("outcome = 'pending'"),
        )
        batch_op.create_index(
            "ix_inbound_mails_quarantined",
            ["id"],
            unique=False,
            sqlite_where=sa.text("outcome = 'quarantined'"),
            postgresql_where=sa.text("outcome = 'quarantined'"),
        )
        batch_op.create_index(
            "ix_inbound_mails_ready",
            ["ready_at"],
            unique=False,
            sqlite_where=sa.text("ready_at IS NOT NULL"),
            postgresql_where=sa.text("ready_at IS NOT NULL"),
        )
        batch_op.create_index("ix_inbound_mails_ticket_number", ["ticket_number"], unique=False)

    op.create_table(
        "key_checks",
        sa.Column("digest", tables.CleanText(64), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_key_checks")),
    )
    op.create_table(
        "leases",
        sa.Column("name", tables.CleanText(200), nullable=False),
        sa.Column("owner", tables.CleanText(200), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", tables.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", tables.CleanText(320), nullable=False),
        sa.Column("handle", tables.CleanText(20), nullable=False),
        sa.Column("handle_expires_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("handle_revoked_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("mailbox", tables.CleanText(100), nullable=False),
        sa.Column("letter", tables.CleanText(40), nullable=False),
        sa.Column("audience", tables.CleanText(20), nullable=False),
        sa.Column("purpose", tables.CleanText(20), nullable=True),
        sa.Column("recipient_address", tables.CleanText(320), nullable=False),
        sa.Column("recipient_name", tables.CleanText(), nullable=False),
        sa.Column("sender_name", tables.CleanText(), nullable=False),
        sa.Column("subject", tables.CleanText(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("ticket_number", tables.CleanText(20), nullable=True),
        sa.Column("mail_id", sa.Integer(), nullable=True),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("auto_submitted", tables.CleanText(20), nullable=False),
        sa.Column("in_reply_to", tables.CleanText(), nullable=False),
        sa.Column("reference_ids", sa.JSON(), nullable=False),
        sa.Column("verified_recipient", sa.Boolean(), nullable=False),
        sa.Column("status", tables.CleanText(20), nullable=False),
        sa.Column("hold_reason", tables.CleanText(40), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("created_at", tables.UtcDateTime(timezone=True), nullable=False),
        sa.Column("not_before", tables.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("due_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("unknown_outcomes", sa.Integer(), nullable=False),
        sa.Column("last_error", tables.CleanText(), nullable=False),
        sa.Column("owner", tables.CleanText(200), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("alerted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("handle", name=op.f("uq_outbox_handle")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outbox_message_id")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_automatic",
            ["created_at", "status", "verified_recipient"],
            unique=False,
            sqlite_where=sa.text("automatic AND audience = 'requester'"),
            postgresql_where=sa.text("automatic AND audience = 'requester'"),
        )
        batch_op.create_index(
            "ix_outbox_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index("ix_outbox_mail_id", ["mail_id"], unique=False)
        batch_op.create_index(
            "ix_outbox_owner",
            ["owner"],
            unique=False,
            sqlite_where=sa.text("owner IS NOT NULL"),
            postgresql_where=sa.text("owner IS NOT NULL"),
        )
        batch_op.create_index("ix_outbox_recipient", ["recipient_address", "created_at"], unique=False)
        batch_op.create_index(
            "ix_outbox_status",
            ["status"],
            unique=False,
            sqlite_where=sa.text("status IN ('held', 'needs_person', 'failed')"),
            postgresql_where=sa.text("status IN ('held', 'needs_person', 'failed')"),
        )
        batch_op.create_index("ix_outbox_ticket_number", ["ticket_number"], unique=False)

    op.create_table(
        "letter_texts",
        sa.Column("letter_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", tables.CleanText(), nullable=False),
        sa.Column("html", tables.CleanText(), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["outbox.id"], name=op.f("fk_letter_texts_letter_id_outbox")),
        sa.PrimaryKeyConstraint("letter_id", name=op.f("pk_letter_texts")),
    )
    op.create_table(
        "sent_copies",
        sa.Column("letter_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mailbox", tables.CleanText(100), nullable=False),
        sa.Column("due_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", tables.CleanText(), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["outbox.id"], name=op.f("fk_sent_copies_letter_id")),
        sa.PrimaryKeyConstraint("letter_id", name=op.f("pk_sent_copies")),
    )
    with op.batch_alter_table("sent_copies", schema=None) as batch_op:
        batch_op.create_index("ix_sent_copies_mailbox", ["mailbox", "due_at"], unique=False)

    op.create_table(
        "other_message_ids",
        sa.Column("message_id", tables.CleanText(500), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["outbox.id"], name=op.f("fk_other_message_ids_letter_id")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_other_message_ids")),
    )
    op.create_table(
        "readings",
        sa.Column("digest", tables.CleanText(64), nullable=False),
        sa.Column("reader_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reading", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "reader_version", name=op.f("pk_readings")),
    )
    op.create_table(
        "server_troubles",
        sa.Column("server", tables.CleanText(200), nullable=False),
        sa.Column("since", tables.UtcDateTime(timezone=True), nullable=False),
        sa.Column("error", tables.CleanText(), nullable=False),
        sa.Column("told_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("server", name=op.f("pk_server_troubles")),
    )
    op.create_table(
        "ticket_numbers",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_ticket_numbers")),
    )
    op.create_table(
        "tickets",
        sa.Column("number", tables.CleanText(20), nullable=False),
        sa.Column("mailbox", tables.CleanText(100), nullable=False),
        sa.Column("request_type", tables.CleanText(100), nullable=False),
        sa.Column("requester_address", tables.CleanText(320), nullable=False),
        sa.Column("requester_name", tables.CleanText(), nullable=False),
        sa.Column("subject", tables.CleanText(), nullable=False),
        sa.Column("title", tables.CleanText(), nullable=False),
        sa.Column("status", tables.CleanText(30), nullable=False),
        sa.Column("resolution", tables.CleanText(30), nullable=True),
        sa.Column("queue", tables.CleanText(100), nullable=False),
        sa.Column("assignee", tables.CleanText(320), nullable=True),
        sa.Column("priority", tables.CleanText(10), nullable=False),
        sa.Column("language", tables.CleanText(10), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("documents", sa.JSON(), nullable=False),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("mismatches", sa.JSON(), nullable=False),
        sa.Column("opened_at", tables.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", tables.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("asked_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reminders_sent", sa.Integer(), nullable=False),
        sa.Column("follow_up_of", tables.CleanText(20), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("search_text", tables.CleanText(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_tickets")),
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index("ix_tickets_requester", ["requester_address", "status"], unique=False)
        batch_op.create_index(
            "ix_tickets_resolved",
            ["resolved_at"],
            unique=False,
            sqlite_where=sa.text("status = 'resolved'"),
            postgresql_where=sa.text("status = 'resolved'"),
        )
        batch_op.create_index("ix_tickets_status", ["status", "asked_at"], unique=False)

    op.create_table(
        "ticket_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_number", tables.CleanText(20), nullable=False),
        sa.Column("at", tables.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor", tables.CleanText(320), nullable=False),
        sa.Column("kind", tables.CleanText(40), nullable=False),
        sa.Column("old", tables.CleanText(), nullable=False),
        sa.Column("new", tables.CleanText(), nullable=False),
        sa.Column("detail", tables.CleanText(), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ticket_number"], ["tickets.number"], name=op.f("fk_ticket_events_ticket_number")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_events")),
    )
    with op.batch_alter_table("ticket_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_events_ticket_number"), ["ticket_number"], unique=False)

    op.create_table(
        "ticket_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_number", tables.CleanText(20), nullable=False),
        sa.Column("at", tables.UtcDateTime(timezone=True), nullable=False),
        sa.Column("author_address", tables.CleanText(320), nullable=False),
        sa.Column("author_name", tables.CleanText(), nullable=False),
        sa.Column("role", tables.CleanText(20), nullable=False),
        sa.Column("visibility", tables.CleanText(10), nullable=False),
        sa.Column("text", tables.CleanText(), nullable=False),
        sa.Column("message_id", tables.CleanText(), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=True),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("unverified", sa.Boolean(), nullable=False),
        sa.Column("from_another_address", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_number"], ["tickets.number"], name=op.f("fk_ticket_messages_ticket_number")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_messages")),
    )
    with op.batch_alter_table("ticket_messages", schema=None) as batch_op:
        batch_op.create_index(
            "ix_ticket_messages_message_id", ["message_id"], unique=False, postgresql_using="hash"
        )
        batch_op.create_index(batch_op.f("ix_ticket_messages_ticket_number"), ["ticket_number"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("ticket_messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_messages_ticket_number"))
        batch_op.drop_index("ix_ticket_messages_message_id")

    op.drop_table("ticket_messages")
    with op.batch_alter_table("ticket_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_events_ticket_number"))

    op.drop_table("ticket_events")
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_index("ix_tickets_status")
        batch_op.drop_index(
            "ix_tickets_resolved",
            sqlite_where=sa.text("status = 'resolved'"),
            postgresql_where=sa.text("status = 'resolved'"),
        )
        batch_op.drop_index("ix_tickets_requester")

    op.drop_table("tickets")
    op.drop_table("ticket_numbers")
    op.drop_table("server_troubles")
    op.drop_table("readings")
    op.drop_table("other_message_ids")
    with op.batch_alter_table("sent_copies", schema=None) as batch_op:
        batch_op.drop_index("ix_sent_copies_mailbox")

    op.drop_table("sent_copies")
    op.drop_table("letter_texts")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_ticket_number")
        batch_op.drop_index(
            "ix_outbox_status",
            sqlite_where=sa.text("status IN ('held', 'needs_person', 'failed')"),
            postgresql_where=sa.text("status IN ('held', 'needs_person', 'failed')"),
        )
        batch_op.drop_index("ix_outbox_recipient")
        batch_op.drop_index(
            "ix_outbox_owner",
            sqlite_where=sa.text("owner IS NOT NULL"),
            postgresql_where=sa.text("owner IS NOT NULL"),
        )
        batch_op.drop_index("ix_outbox_mail_id")
        batch_op.drop_index(
            "ix_outbox_due",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_outbox_automatic",
            sqlite_where=sa.text("automatic AND audience = 'requester'"),
            postgresql_where=sa.text("automatic AND audience = 'requester'"),
        )

    op.drop_table("outbox")
    op.drop_table("leases")
    op.drop_table("key_checks")
    with op.batch_alter_table("inbound_mails", schema=None) as batch_op:
        batch_op.drop_index("ix_inbound_mails_ticket_number")
        batch_op.drop_index(
            "ix_inbound_mails_ready",
            sqlite_where=sa.text("ready_at IS NOT NULL"),
            postgresql_where=sa.text("ready_at IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_inbound_mails_quarantined",
            sqlite_where=sa.text("outcome = 'quarantined'"),
            postgresql_where=sa.text("outcome = 'quarantined'"),
        )
        batch_op.drop_index(
            "ix_inbound_mails_pending",
            sqlite_where=sa.text("outcome = 'pending'"),
            postgresql_where=sa.text("outcome = 'pending'"),
        )
        batch_op.drop_index(
            "ix_inbound_mails_owner",
            sqlite_where=sa.text("owner IS NOT NULL"),
            postgresql_where=sa.text("owner IS NOT NULL"),
        )
        batch_op.drop_index("ix_inbound_mails_message_id")

    op.drop_table("inbound_mails")
    op.drop_table("folders")
