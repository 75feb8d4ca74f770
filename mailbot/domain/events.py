"""What happened to a ticket (append-only), and the letters that tell people of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from mailbot.domain.mail import Address

if TYPE_CHECKING:
    from mailbot.domain.notice_pages import PagesToDraw


class Visibility(StrEnum):
    """Who may read a message."""

    PUBLIC = "public"
    INTERNAL = "internal"


class AuthorRole(StrEnum):
    """Who wrote a message or caused an event."""

    REQUESTER = "requester"
    AGENT = "agent"
    MACHINE = "machine"
    BOT = "bot"
    OTHER = "other"


class EventKind(StrEnum):
    """The closed list of things that can happen to a ticket."""

    OPENED = "opened"
    MESSAGE_RECEIVED = "message_received"
    EVIDENCE_CHANGED = "evidence_changed"
    FIELDS_CHANGED = "fields_changed"
    FIELD_CONTRADICTED = "field_contradicted"
    STATUS_CHANGED = "status_changed"
    ASSIGNED = "assigned"
    AGENT_ANSWERED = "agent_answered"
    NOTE_ADDED = "note_added"
    DECIDED = "decided"
    GUIDED = "guided"
    SUGGESTED = "suggested"
    REOPENED = "reopened"
    AGENT_REPLY_REFUSED = "agent_reply_refused"
    THREAD_REFUSED = "thread_refused"
    LETTER_HELD = "letter_held"
    LETTER_SUPPRESSED = "letter_suppressed"
    DELIVERY_FAILED = "delivery_failed"
    REMINDED = "reminded"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SOLVED = "solved"
    RATED = "rated"
    RECLASSIFIED = "reclassified"
    CLOSED = "closed"
    LINKED = "linked"
    CUSTOMER_IDENTIFIED = "customer_identified"
    CONTACT_CHANGED = "contact_changed"
    REPROCESSED = "reprocessed"
    QUEUE_CHANGED = "queue_changed"
    PRIORITY_CHANGED = "priority_changed"
    TYPE_CHANGED = "type_changed"
    LABEL_CHANGED = "label_changed"
    ASKED = "asked"
    WAIVED = "waived"
    VISIT_SCHEDULED = "visit_scheduled"
    MERGED = "merged"
    PARTICIPANT_ADDED = "participant_added"
    UNDONE = "undone"
    ORIGINALS_SENT = "originals_sent"
    PAGES_SENT = "pages_sent"
    REROUTED = "rerouted"
    REQUESTER_ANSWERED = "requester_answered"
    CONFIRMATION_ASKED = "confirmation_asked"
    ORDERS_CONFIRMED = "orders_confirmed"
    CODE_REFUSED = "code_refused"
    DUE_SOON = "due_soon"
    LATE = "late"
    PRIORITY_ASKED = "priority_asked"
    BOOK_WRITTEN = "book_written"
    SECTOR_ANSWERED = "sector_answered"
    SECTOR_NUDGED = "sector_nudged"


class RequesterAnswer(StrEnum):
    """What a requester answers to a visit (R002-18) or to a question for approval (R003-16)."""

    VISIT_ACCEPTED = "visit_accepted"
    VISIT_DECLINED = "visit_declined"
    VISIT_TENTATIVE = "visit_tentative"
    APPROVED = "approved"
    NOT_APPROVED = "not_approved"


SHARED_MAILBOX = "shared_mailbox"
"""Detail of an ``agent_answered`` that a person wrote to the requester straight from the shared mailbox."""

PUT_BACK_ABSENT = "absent"
"""Detail of an ``assigned`` that took a ticket from an agent who is away."""

PUT_BACK_REVOKED = "revoked"
"""Detail of an ``assigned`` that took a ticket from who works here no more."""

ADMIN = "admin"
"""The actor of what an administrator did on the command line."""

BOT = "bot"
"""The actor of what nobody but mailbot did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEvent:
    """One thing that happened. ``actor`` is an address, :data:`BOT` or ``admin``; old/new are short words."""

    at: datetime
    actor: str
    kind: EventKind
    old: str = ""
    new: str = ""
    detail: str = ""
    mail_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file kept under its keyed digest, with the name that it is shown by.

    ``content_id`` is set of a picture that stands in a letter's HTML (RFC 2392, ``cid:``).
    """

    digest: str
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    content_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMessage:
    """What somebody wrote on a ticket; never edited afterwards (R003-13)."""

    at: datetime
    author: Address
    role: AuthorRole
    visibility: Visibility
    text: str
    message_id: str = ""
    mail_id: int | None = None
    files: tuple[StoredFile, ...] = ()
    unverified: bool = False
    from_another_address: bool = False


# --- letters ---------------------------------------------------------------------------------------------


class Audience(StrEnum):
    """Whom a letter is for."""

    REQUESTER = "requester"
    STAFF = "staff"
    ADMIN = "admin"


class LetterKind(StrEnum):
    """Every letter that mailbot can write; each has a folder ``templates/letters/<letter>/``."""

    TICKET_OPENED = "ticket_opened"
    EVIDENCE_REQUESTED = "evidence_requested"
    EVIDENCE_COMPLETE = "evidence_complete"
    WHICH_TICKET = "which_ticket"
    AGENT_ANSWER = "agent_answer"
    DECISION = "decision"
    GUIDANCE = "guidance"
    MAIL_REFUSED = "mail_refused"
    REMINDER = "reminder"
    TICKET_EXPIRED = "ticket_expired"
    TICKET_READY = "ticket_ready"
    REQUESTER_REPLIED = "requester_replied"
    REPLY_REFUSED = "reply_refused"
    TICKET_STATUS = "ticket_status"
    TICKET_LIST = "ticket_list"
    TICKET_DETAILS = "ticket_details"
    HELP = "help"
    QUERY_NOT_ANSWERED = "query_not_answered"
    TICKET_WITHDRAWN = "ticket_withdrawn"
    CONTACT_CONFIRMATION = "contact_confirmation"
    CONTACT_CHANGED = "contact_changed"
    TICKET_RECLASSIFIED = "ticket_reclassified"
    REQUESTER_ACTED = "requester_acted"
    TRANSCRIPT = "transcript"
    CONFIRM_ORDERS = "confirm_orders"
    LATE_WARNING = "late_warning"
    COLLEAGUE_ANSWERED = "colleague_answered"
    DIGEST = "digest"
    DIGEST_MANAGERS = "digest_managers"
    SECTOR_BOOK = "sector_book"
    SECTOR_REPLIED = "sector_replied"
    DELIVERY_FAILED = "delivery_failed"
    NOTICES_SUMMARY = "notices_summary"
    ALERT_QUARANTINE = "alert_quarantine"
    ALERT_SERVER_AWAY = "alert_server_away"
    ALERT_LOGIN_EXPIRES = "alert_login_expires"
    ALERT_LETTERS_HELD = "alert_letters_held"
    ALERT_LETTERS_STUCK = "alert_letters_stuck"


class HandlePurpose(StrEnum):
    """What a reply to a letter may do."""

    REQUESTER = "requester"
    STAFF_PUBLIC = "staff_public"
    STAFF_INTERNAL = "staff_internal"
    SECTOR = "sector"


STAFF_PURPOSES = frozenset({HandlePurpose.STAFF_PUBLIC, HandlePurpose.STAFF_INTERNAL})
"""A reply to such a letter is a person's of the house; what it carries stays inside unless they say so."""

HOUSE_PURPOSES = STAFF_PURPOSES | {HandlePurpose.SECTOR}
"""Nothing in a reply to such a letter is the requester's."""


class LetterStatus(StrEnum):
    """Where a letter stands on its way out."""

    QUEUED = "queued"
    HELD = "held"
    SENDING = "sending"
    TRANSMITTING = "transmitting"
    RETRY = "retry"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NEEDS_PERSON = "needs_person"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundLetter:
    """A letter, fully written, on its way to one recipient.

    ``released``: an administrator said that it may leave, whatever the send mode.

    Made when it is enqueued and not changed once it may leave, so that a retry is the same letter under the same
    Message-ID. While it ``awaits_pages`` those of ``pages`` are still to be drawn and put in, and it does
    not leave.

    ``handle`` is the reply token that stands in ``message_id`` and in the text. ``automatic`` is false for an
    agent's own words: only automatic letters carry Auto-Submitted and count against caps. ``calendar`` is an
    invitation (iCalendar, METHOD:REQUEST) that stands beside text and HTML.
    """

    message_id: str
    handle: str
    mailbox: str
    letter: LetterKind
    audience: Audience
    purpose: HandlePurpose | None
    recipient: Address
    sender_name: str
    subject: str
    text: str
    html: str
    created_at: datetime
    not_before: datetime
    automatic: bool
    ticket_number: str | None = None
    mail_id: int | None = None
    auto_submitted: str = "auto-replied"
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    files: tuple[StoredFile, ...] = ()
    calendar: str = ""
    verified_recipient: bool = False
    status: LetterStatus = LetterStatus.QUEUED
    hold_reason: str = ""
    attempts: int = 0
    unknown_outcomes: int = 0
    released: bool = False
    last_error: str = ""
    sent_at: datetime | None = None
    pages: PagesToDraw | None = None
    awaits_pages: bool = False
