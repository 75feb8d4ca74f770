"""The tables. Times are aware UTC; nested values (fields, findings, files) are JSON made by ``mapping.py``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC datetimes out; a naive one is a programming error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values; SQLite keeps no offset, so store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without time zone reached the database")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give SQLite's values their zone back."""
        if value is None:
            return None
        if not isinstance(value, datetime):
            raise TypeError(f"expected a datetime from the database, got {type(value).__name__}")
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


folders = Table(
    "folders",
    metadata,
    Column("mailbox", String(100), primary_key=True),
    Column("folder", String(500), primary_key=True),
    Column("uid_validity", BigInteger, nullable=False),
    Column("first_uid", BigInteger, nullable=False),
    Column("floor_at", UtcDateTime),
    Column("newest_received_at", UtcDateTime),
    Column("last_collect_at", UtcDateTime),
    Column("suspect_until", UtcDateTime),
)

inbound_mails = Table(
    "inbound_mails",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("mailbox", String(100), nullable=False),
    Column("folder", String(500), nullable=False),
    Column("uid_validity", BigInteger, nullable=False),
    Column("uid", String(300), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("collected_at", UtcDateTime, nullable=False),
    Column("raw_digest", String(64), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("oversize_bytes", Integer),
    Column("conversation_key", String(320), nullable=False),
    Column("message_id", Text, nullable=False, default=""),
    Column("identity", String(64), nullable=False, default=""),
    Column("from_address", String(320), nullable=False, default=""),
    Column("subject", Text, nullable=False, default=""),
    Column("suspect", String(100), nullable=False, default=""),
    Column("answer", Boolean, nullable=False, default=True),
    Column("released", Boolean, nullable=False, default=False),
    Column("outcome", String(20), nullable=False, default="pending"),
    Column("reason", Text, nullable=False, default=""),
    Column("ticket_number", String(20)),
    Column("finished_at", UtcDateTime),
    # When the oldest unfinished mail of a conversation may be taken; NULL for all others.
    Column("ready_at", UtcDateTime),
    Column("attempts", Integer, nullable=False, default=0),
    Column("deaths", Integer, nullable=False, default=0),
    Column("owner", String(200)),
    Column("fence", Integer, nullable=False, default=0),
    Column("lease_until", UtcDateTime),
    Column("begun_at", UtcDateTime),
    Column("alerted", Boolean, nullable=False, default=False),
    UniqueConstraint("mailbox", "folder", "uid_validity", "uid"),
)
Index("ix_inbound_mails_ready", inbound_mails.c.ready_at, sqlite_where=text("ready_at IS NOT NULL"),
      postgresql_where=text("ready_at IS NOT NULL"))  # fmt: skip
Index("ix_inbound_mails_pending", inbound_mails.c.conversation_key, inbound_mails.c.id,
      sqlite_where=text("outcome = 'pending'"), postgresql_where=text("outcome = 'pending'"))  # fmt: skip
Index("ix_inbound_mails_owner", inbound_mails.c.owner, sqlite_where=text("owner IS NOT NULL"),
      postgresql_where=text("owner IS NOT NULL"))  # fmt: skip
Index("ix_inbound_mails_message_id", inbound_mails.c.message_id)
Index("ix_inbound_mails_quarantined", inbound_mails.c.id, sqlite_where=text("outcome = 'quarantined'"),
      postgresql_where=text("outcome = 'quarantined'"))  # fmt: skip
Index("ix_inbound_mails_ticket_number", inbound_mails.c.ticket_number)

ticket_numbers = Table(
    "ticket_numbers",
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last", Integer, nullable=False),
)

tickets = Table(
    "tickets",
    metadata,
    Column("number", String(20), primary_key=True),
    Column("mailbox", String(100), nullable=False),
    Column("request_type", String(100), nullable=False),
    Column("requester_address", String(320), nullable=False),
    Column("requester_name", Text, nullable=False, default=""),
    Column("subject", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("status", String(30), nullable=False),
    Column("resolution", String(30)),
    Column("queue", String(100), nullable=False),
    Column("assignee", String(320)),
    Column("priority", String(10), nullable=False),
    Column("language", String(10), nullable=False),
    Column("fields", JSON, nullable=False),
    Column("documents", JSON, nullable=False),
    Column("missing", JSON, nullable=False),
    Column("mismatches", JSON, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("resolved_at", UtcDateTime),
    Column("asked_at", UtcDateTime),
    Column("reminders_sent", Integer, nullable=False, default=0),
    Column("follow_up_of", String(20)),
    Column("version", Integer, nullable=False, default=0),
    Column("search_text", Text, nullable=False, default=""),
)
Index("ix_tickets_requester", tickets.c.requester_address, tickets.c.status)
Index("ix_tickets_status", tickets.c.status, tickets.c.asked_at)
Index("ix_tickets_resolved", tickets.c.resolved_at, sqlite_where=text("status = 'resolved'"),
      postgresql_where=text("status = 'resolved'"))  # fmt: skip

ticket_messages = Table(
    "ticket_messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticket_number", ForeignKey("tickets.number"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("author_address", String(320), nullable=False),
    Column("author_name", Text, nullable=False, default=""),
    Column("role", String(20), nullable=False),
    Column("visibility", String(10), nullable=False),
    Column("text", Text, nullable=False),
    Column("message_id", Text, nullable=False, default=""),
    Column("mail_id", Integer),
    Column("files", JSON, nullable=False),
    Column("unverified", Boolean, nullable=False, default=False),
    Column("from_another_address", Boolean, nullable=False, default=False),
)
Index("ix_ticket_messages_message_id", ticket_messages.c.message_id)

ticket_events = Table(
    "ticket_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticket_number", ForeignKey("tickets.number"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(320), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("old", Text, nullable=False, default=""),
    Column("new", Text, nullable=False, default=""),
    Column("detail", Text, nullable=False, default=""),
    Column("mail_id", Integer),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message_id", String(320), nullable=False, unique=True),
    Column("handle", String(20), nullable=False, unique=True),
    Column("handle_expires_at", UtcDateTime),
    Column("handle_revoked_at", UtcDateTime),
    Column("mailbox", String(100), nullable=False),
    Column("letter", String(40), nullable=False),
    Column("audience", String(20), nullable=False),
    Column("purpose", String(20)),
    Column("recipient_address", String(320), nullable=False),
    Column("recipient_name", Text, nullable=False, default=""),
    Column("sender_name", Text, nullable=False, default=""),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("files", JSON, nullable=False),
    Column("ticket_number", String(20)),
    Column("mail_id", Integer),
    Column("automatic", Boolean, nullable=False),
    Column("auto_submitted", String(20), nullable=False, default=""),
    Column("in_reply_to", Text, nullable=False, default=""),
    Column("reference_ids", JSON, nullable=False),
    Column("verified_recipient", Boolean, nullable=False, default=False),
    Column("status", String(20), nullable=False),
    Column("hold_reason", String(40), nullable=False, default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    # NULL once the letter needs no more care: the partial index of work stays small.
    Column("due_at", UtcDateTime),
    Column("attempts", Integer, nullable=False, default=0),
    Column("unknown_outcomes", Integer, nullable=False, default=0),
    Column("last_error", Text, nullable=False, default=""),
    Column("owner", String(200)),
    Column("fence", Integer, nullable=False, default=0),
    Column("lease_until", UtcDateTime),
    Column("alerted", Boolean, nullable=False, default=False),
)
Index("ix_outbox_due", outbox.c.due_at, sqlite_where=text("due_at IS NOT NULL"),
      postgresql_where=text("due_at IS NOT NULL"))  # fmt: skip
Index("ix_outbox_owner", outbox.c.owner, sqlite_where=text("owner IS NOT NULL"),
      postgresql_where=text("owner IS NOT NULL"))  # fmt: skip
Index("ix_outbox_ticket_number", outbox.c.ticket_number)
Index("ix_outbox_mail_id", outbox.c.mail_id)
Index("ix_outbox_recipient", outbox.c.recipient_address, outbox.c.created_at)
Index("ix_outbox_automatic", outbox.c.created_at, outbox.c.status, outbox.c.verified_recipient,
      sqlite_where=text("automatic AND audience = 'requester'"),
      postgresql_where=text("automatic AND audience = 'requester'"))  # fmt: skip
Index("ix_outbox_status", outbox.c.status, sqlite_where=text("status IN ('held', 'needs_person')"),
      postgresql_where=text("status IN ('held', 'needs_person')"))  # fmt: skip

readings = Table(
    "readings",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("reader_version", Integer, primary_key=True, autoincrement=False),
    Column("reading", JSON, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("owner", String(200)),
    Column("fence", Integer, nullable=False, default=0),
    Column("lease_until", UtcDateTime),
)

server_troubles = Table(
    "server_troubles",
    metadata,
    Column("server", String(200), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("error", Text, nullable=False),
    Column("told_at", UtcDateTime),
)
