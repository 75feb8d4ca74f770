"""The tables. Times are aware UTC; nested values (fields, findings, files) are JSON made by ``mapping.py``.

Those of customers and staff stand in ``customer_tables.py`` and ``staff_tables.py``;
whoever needs ``metadata`` takes it here, where all are known.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    text,
)

from mailbot.adapters.storage.columns import CleanText as CleanText
from mailbot.adapters.storage.columns import UtcDateTime as UtcDateTime
from mailbot.adapters.storage.columns import metadata as metadata
from mailbot.adapters.storage.customer_tables import customers as customers
from mailbot.adapters.storage.staff_tables import agents as agents

folders = Table(
    "folders",
    metadata,
    Column("mailbox", CleanText(100), primary_key=True),
    Column("folder", CleanText(500), primary_key=True),
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
    Column("mailbox", CleanText(100), nullable=False),
    Column("folder", CleanText(500), nullable=False),
    Column("uid_validity", BigInteger, nullable=False),
    Column("uid", CleanText(300), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("collected_at", UtcDateTime, nullable=False),
    Column("raw_digest", CleanText(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("oversize_bytes", BigInteger),
    Column("conversation_key", CleanText(320), nullable=False),
    Column("message_id", CleanText(), nullable=False, default=""),
    Column("identity", CleanText(64), nullable=False, default=""),
    Column("from_address", CleanText(320), nullable=False, default=""),
    Column("subject", CleanText(), nullable=False, default=""),
    Column("suspect", CleanText(100), nullable=False, default=""),
    Column("answer", Boolean, nullable=False, default=True),
    Column("released", Boolean, nullable=False, default=False),
    # Its agent said with a code that it is theirs.
    Column("confirmed", Boolean, nullable=False, default=False),
    Column("outcome", CleanText(20), nullable=False, default="pending"),
    Column("reason", CleanText(), nullable=False, default=""),
    Column("ticket_number", CleanText(20)),
    Column("finished_at", UtcDateTime),
    # When the oldest unfinished mail of a conversation may be taken; NULL for all others.
    Column("ready_at", UtcDateTime),
    Column("attempts", Integer, nullable=False, default=0),
    Column("deaths", Integer, nullable=False, default=0),
    Column("owner", CleanText(200)),
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
# A sender may make an id longer than a row of PostgreSQL's ordered index can be; only equality is asked for.
Index("ix_inbound_mails_message_id", inbound_mails.c.message_id, postgresql_using="hash")
Index("ix_inbound_mails_quarantined", inbound_mails.c.id, sqlite_where=text("outcome = 'quarantined'"),
      postgresql_where=text("outcome = 'quarantined'"))  # fmt: skip
Index("ix_inbound_mails_ticket_number", inbound_mails.c.ticket_number)
Index("ix_inbound_mails_with_code", inbound_mails.c.conversation_key,
      sqlite_where=text("reason IN ('needs_code', 'code_wrong') OR confirmed"),
      postgresql_where=text("reason IN ('needs_code', 'code_wrong') OR confirmed"))  # fmt: skip
Index("ix_inbound_mails_opened_for", inbound_mails.c.identity,
      sqlite_where=text("reason = 'opened_for_customer'"),
      postgresql_where=text("reason = 'opened_for_customer'"))  # fmt: skip

ticket_numbers = Table(
    "ticket_numbers",
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last", Integer, nullable=False),
)

tickets = Table(
    "tickets",
    metadata,
    Column("number", CleanText(20), primary_key=True),
    Column("mailbox", CleanText(100), nullable=False),
    Column("request_type", CleanText(100), nullable=False),
    Column("requester_address", CleanText(320), nullable=False),
    Column("requester_name", CleanText(), nullable=False, default=""),
    Column("subject", CleanText(), nullable=False),
    Column("title", CleanText(), nullable=False),
    Column("status", CleanText(30), nullable=False),
    Column("resolution", CleanText(30)),
    Column("queue", CleanText(100), nullable=False),
    Column("assignee", CleanText(320)),
    Column("priority", CleanText(10), nullable=False),
    Column("language", CleanText(10), nullable=False),
    Column("fields", JSON, nullable=False),
    Column("documents", JSON, nullable=False),
    Column("missing", JSON, nullable=False),
    Column("mismatches", JSON, nullable=False),
    Column("ruling", JSON(none_as_null=True)),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("resolved_at", UtcDateTime),
    Column("asked_at", UtcDateTime),
    Column("reminders_sent", Integer, nullable=False, default=0),
    Column("follow_up_of", CleanText(20)),
    Column("customer_id", Integer),
    Column("customer", JSON(none_as_null=True)),
    Column("label", CleanText(), nullable=False, default=""),
    Column("asked", JSON, nullable=False, default=list),
    Column("waived", JSON, nullable=False, default=list),
    Column("participants", JSON, nullable=False, default=list),
    Column("visit_at", UtcDateTime),
    Column("visit_sequence", Integer, nullable=False, default=0),
    Column("merged_into", CleanText(20)),
    Column("rating", Integer),
    Column("rerouted_from", CleanText(100), nullable=False, default=""),
    Column("priority_asked", CleanText(10)),
    Column("due_left_seconds", Integer),
    Column("warned_for", UtcDateTime),
    Column("late_for", UtcDateTime),
    Column("sector_book", CleanText(64), nullable=False, default=""),
    Column("sector_asked_at", UtcDateTime),
    Column("version", Integer, nullable=False, default=0),
    Column("search_text", CleanText(), nullable=False, default=""),
)
Index("ix_tickets_requester", tickets.c.requester_address, tickets.c.status)
Index("ix_tickets_customer_id", tickets.c.customer_id, sqlite_where=text("customer_id IS NOT NULL"),
      postgresql_where=text("customer_id IS NOT NULL"))  # fmt: skip
Index("ix_tickets_own", tickets.c.requester_address, tickets.c.mailbox, tickets.c.opened_at)
Index("ix_tickets_status", tickets.c.status, tickets.c.asked_at)
# Asked for word for word: only so does SQLite see that the index applies.
UNFINISHED_AND_DUE = text("due_at IS NOT NULL AND status NOT IN ('resolved', 'closed')")
Index("ix_tickets_due", tickets.c.due_at, sqlite_where=UNFINISHED_AND_DUE, postgresql_where=UNFINISHED_AND_DUE)
Index("ix_tickets_resolved", tickets.c.resolved_at, sqlite_where=text("status = 'resolved'"),
      postgresql_where=text("status = 'resolved'"))  # fmt: skip

ticket_messages = Table(
    "ticket_messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticket_number", ForeignKey("tickets.number"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("author_address", CleanText(320), nullable=False),
    Column("author_name", CleanText(), nullable=False, default=""),
    Column("role", CleanText(20), nullable=False),
    Column("visibility", CleanText(10), nullable=False),
    Column("text", CleanText(), nullable=False),
    Column("message_id", CleanText(), nullable=False, default=""),
    Column("mail_id", Integer),
    Column("files", JSON, nullable=False),
    Column("unverified", Boolean, nullable=False, default=False),
    Column("from_another_address", Boolean, nullable=False, default=False),
)
Index("ix_ticket_messages_message_id", ticket_messages.c.message_id, postgresql_using="hash")

ticket_events = Table(
    "ticket_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticket_number", ForeignKey("tickets.number"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", CleanText(320), nullable=False),
    Column("kind", CleanText(40), nullable=False),
    Column("old", CleanText(), nullable=False, default=""),
    Column("new", CleanText(), nullable=False, default=""),
    Column("detail", CleanText(), nullable=False, default=""),
    Column("mail_id", Integer),
)
Index("ix_ticket_events_refused", ticket_events.c.actor, ticket_events.c.at,
      sqlite_where=text("kind = 'agent_reply_refused'"),
      postgresql_where=text("kind = 'agent_reply_refused'"))  # fmt: skip

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message_id", CleanText(320), nullable=False, unique=True),
    Column("handle", CleanText(20), nullable=False, unique=True),
    Column("handle_expires_at", UtcDateTime),
    Column("handle_revoked_at", UtcDateTime),
    Column("mailbox", CleanText(100), nullable=False),
    Column("letter", CleanText(40), nullable=False),
    Column("audience", CleanText(20), nullable=False),
    Column("purpose", CleanText(20)),
    Column("recipient_address", CleanText(320), nullable=False),
    Column("recipient_name", CleanText(), nullable=False, default=""),
    Column("sender_name", CleanText(), nullable=False, default=""),
    Column("subject", CleanText(), nullable=False),
    Column("files", JSON, nullable=False),
    Column("ticket_number", CleanText(20)),
    Column("mail_id", Integer),
    Column("automatic", Boolean, nullable=False),
    Column("auto_submitted", CleanText(20), nullable=False, default=""),
    Column("in_reply_to", CleanText(), nullable=False, default=""),
    Column("reference_ids", JSON, nullable=False),
    Column("verified_recipient", Boolean, nullable=False, default=False),
    Column("status", CleanText(20), nullable=False),
    Column("hold_reason", CleanText(40), nullable=False, default=""),
    Column("released", Boolean, nullable=False, default=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    # NULL once the letter needs no more care: the partial index of work stays small.
    Column("due_at", UtcDateTime),
    Column("attempts", Integer, nullable=False, default=0),
    Column("unknown_outcomes", Integer, nullable=False, default=0),
    Column("last_error", CleanText(), nullable=False, default=""),
    Column("owner", CleanText(200)),
    Column("fence", Integer, nullable=False, default=0),
    Column("lease_until", UtcDateTime),
    Column("alerted", Boolean, nullable=False, default=False),
    # Its pages are to be drawn before it may leave; what is to be drawn stands beside the letter's text.
    Column("awaits_pages", Boolean, nullable=False, default=False, server_default=text("false")),
)
Index("ix_outbox_awaits_pages", outbox.c.due_at, sqlite_where=text("awaits_pages"),
      postgresql_where=text("awaits_pages"))  # fmt: skip
Index("ix_outbox_due", outbox.c.due_at, sqlite_where=text("due_at IS NOT NULL"),
      postgresql_where=text("due_at IS NOT NULL"))  # fmt: skip
Index("ix_outbox_owner", outbox.c.owner, sqlite_where=text("owner IS NOT NULL"),
      postgresql_where=text("owner IS NOT NULL"))  # fmt: skip
Index("ix_outbox_ticket_number", outbox.c.ticket_number)
Index("ix_outbox_mail_id", outbox.c.mail_id)
Index("ix_outbox_recipient", outbox.c.recipient_address, outbox.c.created_at)
# Of nothing else than what the caps count: they count up to a whole hour's letters for every one.
_COUNTED = text("automatic AND audience = 'requester' AND status NOT IN ('held', 'cancelled')")
Index("ix_outbox_automatic", outbox.c.created_at, outbox.c.verified_recipient,
      sqlite_where=_COUNTED, postgresql_where=_COUNTED)  # fmt: skip
Index("ix_outbox_status", outbox.c.status, sqlite_where=text("status IN ('held', 'needs_person', 'failed')"),
      postgresql_where=text("status IN ('held', 'needs_person', 'failed')"))  # fmt: skip

# Apart from the outbox, whose rows are written anew at every step of a delivery: these stay as they are, but for
# the one time that pages are put in.
letter_texts = Table(
    "letter_texts",
    metadata,
    Column("letter_id", ForeignKey("outbox.id"), primary_key=True, autoincrement=False),
    Column("text", CleanText(), nullable=False),
    Column("html", CleanText(), nullable=False),
    Column("calendar", CleanText(), nullable=False, default=""),
    Column("pages", JSON(none_as_null=True)),
)

sent_copies = Table(
    "sent_copies",
    metadata,
    Column("letter_id", ForeignKey("outbox.id"), primary_key=True, autoincrement=False),
    Column("mailbox", CleanText(100), nullable=False),
    # NULL once nobody tries any more.
    Column("due_at", UtcDateTime),
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", CleanText(), nullable=False, default=""),
)
Index("ix_sent_copies_mailbox", sent_copies.c.mailbox, sent_copies.c.due_at)

other_message_ids = Table(
    "other_message_ids",
    metadata,
    # What a provider made of the Message-ID of a letter of ours.
    Column("message_id", CleanText(500), primary_key=True),
    Column("letter_id", ForeignKey("outbox.id"), nullable=False),
)

article_votes = Table(
    "article_votes",
    metadata,
    Column("article", CleanText(60), primary_key=True),
    Column("voter_address", CleanText(320), primary_key=True),
    Column("useful", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

readings = Table(
    "readings",
    metadata,
    Column("digest", CleanText(64), primary_key=True),
    Column("reader_version", Integer, primary_key=True, autoincrement=False),
    Column("reading", JSON, nullable=False),
)

page_pictures = Table(
    "page_pictures",
    metadata,
    # By the digest of the file whose pages they are; the pictures themselves are files of their own.
    Column("digest", CleanText(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("drawing", JSON, nullable=False),
)

document_uses = Table(
    "document_uses",
    metadata,
    Column("trace", CleanText(64), primary_key=True),
    Column("ticket_number", ForeignKey("tickets.number"), primary_key=True),
)
Index("ix_document_uses_ticket_number", document_uses.c.ticket_number)

key_checks = Table(
    "key_checks",
    metadata,
    # What one fixed word comes to under MAILBOT_SECRET_KEY: it tells another key, and nothing of this one.
    Column("digest", CleanText(64), primary_key=True),
)

leases = Table(
    "leases",
    metadata,
    Column("name", CleanText(200), primary_key=True),
    Column("owner", CleanText(200)),
    Column("fence", Integer, nullable=False, default=0),
    Column("lease_until", UtcDateTime),
)

server_troubles = Table(
    "server_troubles",
    metadata,
    Column("server", CleanText(200), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("error", CleanText(), nullable=False),
    Column("told_at", UtcDateTime),
)
