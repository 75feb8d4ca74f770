"""Values of the domain ↔ rows; what is kept as JSON within them: ``nested_mapping.py``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import structlog

from mailbot.adapters.storage.file_mapping import (
    file_from_json,
    file_to_json,
    pages_from_json,
    pages_to_json,
    without_nul,
)
from mailbot.adapters.storage.nested_mapping import (
    Json,
    customer_from_json,
    customer_to_json,
    field_from_json,
    field_to_json,
    finding_from_json,
    finding_to_json,
    mismatch_from_json,
    mismatch_to_json,
)
from mailbot.adapters.storage.ruling_mapping import ruling_from_json, ruling_to_json
from mailbot.domain.events import (
    Audience,
    AuthorRole,
    EventKind,
    HandlePurpose,
    LetterKind,
    LetterStatus,
    OutboundLetter,
    TicketEvent,
    TicketMessage,
    Visibility,
)
from mailbot.domain.ledger import ClaimedMail, InboundRow, MailOutcome, NewInboundMail
from mailbot.domain.mail import Address
from mailbot.domain.outbox import LetterRow
from mailbot.domain.ticket import Priority, Resolution, Status, Ticket

_Value = TypeVar("_Value")

NOT_UNDERSTOOD = (ValueError, KeyError, TypeError)
"""What a row raises that a newer version wrote: a value that no enum of ours has, a key that is not there."""

_log = structlog.get_logger("mailbot.storage")


def understood(
    rows: Iterable[Mapping[Any, Any]], from_row: Callable[[Mapping[Any, Any]], _Value], *, key: str
) -> list[_Value]:
    """The values of all rows that can be understood; the others are named in the log by their ``key``."""
    values = []
    for row in rows:
        try:
            values.append(from_row(row))
        except NOT_UNDERSTOOD as error:
            said = type(error).__name__
            _log.error("row not understood", action="storage.row_skipped", **{key: row[key]}, error=said)
    return values


# No character before these is an accent.
_NO_LATIN = re.compile("[^\x00-\u02ff]")
_SET_ASIDE = "set_aside"
"""Mark of a paper that counts no more."""


def inbound_to_row(mail: NewInboundMail, collected_at: datetime) -> Json:
    return {
        "mailbox": mail.mailbox,
        "folder": mail.folder,
        "uid_validity": mail.uid_validity,
        "uid": mail.uid,
        "received_at": mail.received_at,
        "collected_at": collected_at,
        "raw_digest": mail.raw_digest,
        "size_bytes": mail.size_bytes,
        "oversize_bytes": mail.oversize_bytes,
        "conversation_key": without_nul(mail.conversation_key)[:320],
        "message_id": without_nul(mail.message_id),
        "from_address": without_nul(mail.from_address)[:320],
        "subject": without_nul(mail.subject),
        "suspect": mail.suspect,
        "answer": mail.answer,
    }


def claimed_from_row(row: Mapping[Any, Any], *, fence: int) -> ClaimedMail:
    return ClaimedMail(
        id=row["id"],
        mailbox=row["mailbox"],
        folder=row["folder"],
        received_at=row["received_at"],
        raw_digest=row["raw_digest"],
        conversation_key=row["conversation_key"],
        fence=fence,
        attempts=row["attempts"],
        deaths=row["deaths"],
        suspect=row["suspect"],
        oversize_bytes=row["oversize_bytes"],
        answer=row["answer"],
        released=row["released"],
        confirmed=row["confirmed"],
    )


def inbound_row_from(row: Mapping[Any, Any]) -> InboundRow:
    return InboundRow(
        id=row["id"],
        mailbox=row["mailbox"],
        folder=row["folder"],
        received_at=row["received_at"],
        from_address=row["from_address"],
        subject=row["subject"],
        message_id=row["message_id"],
        outcome=MailOutcome(row["outcome"]),
        reason=row["reason"],
        ticket_number=row["ticket_number"],
        attempts=row["attempts"],
        deaths=row["deaths"],
        raw_digest=row["raw_digest"],
        size_bytes=row["size_bytes"],
        suspect=row["suspect"],
        answer=row["answer"],
        released=row["released"],
    )


def ticket_to_row(ticket: Ticket) -> Json:
    return {
        "number": ticket.number,
        "mailbox": ticket.mailbox,
        "request_type": ticket.request_type,
        "requester_address": ticket.requester.address,
        "requester_name": without_nul(ticket.requester.name),
        "subject": without_nul(ticket.subject),
        "title": without_nul(ticket.title),
        "status": ticket.status.value,
        "resolution": ticket.resolution.value if ticket.resolution else None,
        "queue": ticket.queue,
        "assignee": ticket.assignee,
        "priority": ticket.priority.value,
        "language": ticket.language,
        "fields": [field_to_json(value) for value in ticket.fields],
        "documents": [
            *(finding_to_json(finding) for finding in ticket.documents),
            *({**finding_to_json(finding), _SET_ASIDE: True} for finding in ticket.set_aside),
        ],
        "missing": list(ticket.missing),
        "mismatches": [mismatch_to_json(mismatch) for mismatch in ticket.mismatches],
        "ruling": ruling_to_json(ticket.ruling),
        "opened_at": ticket.opened_at,
        "updated_at": ticket.updated_at,
        "due_at": ticket.due_at,
        "resolved_at": ticket.resolved_at,
        "asked_at": ticket.asked_at,
        "reminders_sent": ticket.reminders_sent,
        "follow_up_of": ticket.follow_up_of,
        "customer_id": ticket.customer.customer_id,
        "customer": customer_to_json(ticket.customer),
        "label": without_nul(ticket.label),
        "asked": [without_nul(one) for one in ticket.asked],
        "waived": list(ticket.waived),
        "participants": list(ticket.participants),
        "visit_at": ticket.visit_at,
        "visit_sequence": ticket.visit_sequence,
        "merged_into": ticket.merged_into,
        "rating": ticket.rating,
        "rerouted_from": ticket.rerouted_from,
        "priority_asked": ticket.priority_asked.value if ticket.priority_asked else None,
        "due_left_seconds": ticket.due_left_seconds,
        "warned_for": ticket.warned_for,
        "late_for": ticket.late_for,
        "sector_book": ticket.sector_book,
        "sector_asked_at": ticket.sector_asked_at,
        "version": ticket.version,
        "search_text": search_text(ticket),
    }


def search_text(ticket: Ticket) -> str:
    """What ``tickets search`` looks through: folded, so that accents and case do not matter."""
    return folded(
        " ".join(
            [
                ticket.number,
                ticket.subject,
                ticket.title,
                ticket.requester.address,
                ticket.requester.name,
                *(value.value for value in ticket.fields),
                *(finding.filename for finding in ticket.documents),
            ]
        )
    )


def folded(text: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", without_nul(text))
    return _NO_LATIN.sub(_unless_combining, decomposed).casefold()


def _unless_combining(found: re.Match[str]) -> str:
    character = found.group()
    return "" if unicodedata.combining(character) else character


def ticket_from_row(row: Mapping[Any, Any]) -> Ticket:
    return Ticket(
        number=row["number"],
        mailbox=row["mailbox"],
        request_type=row["request_type"],
        requester=Address(address=row["requester_address"], name=row["requester_name"]),
        subject=row["subject"],
        title=row["title"],
        status=Status(row["status"]),
        resolution=Resolution(row["resolution"]) if row["resolution"] else None,
        queue=row["queue"],
        assignee=row["assignee"],
        priority=Priority(row["priority"]),
        language=row["language"],
        fields=tuple(field_from_json(data) for data in row["fields"]),
        documents=tuple(finding_from_json(data) for data in row["documents"] if not data.get(_SET_ASIDE)),
        set_aside=tuple(finding_from_json(data) for data in row["documents"] if data.get(_SET_ASIDE)),
        missing=tuple(row["missing"]),
        mismatches=tuple(mismatch_from_json(data) for data in row["mismatches"]),
        ruling=ruling_from_json(row["ruling"]),
        opened_at=row["opened_at"],
        updated_at=row["updated_at"],
        due_at=row["due_at"],
        resolved_at=row["resolved_at"],
        asked_at=row["asked_at"],
        reminders_sent=row["reminders_sent"],
        follow_up_of=row["follow_up_of"],
        customer=customer_from_json(row["customer"]),
        label=row["label"],
        asked=tuple(row["asked"]),
        waived=tuple(row["waived"]),
        participants=tuple(row["participants"]),
        visit_at=row["visit_at"],
        visit_sequence=row["visit_sequence"],
        merged_into=row["merged_into"],
        rating=row["rating"],
        rerouted_from=row["rerouted_from"],
        priority_asked=Priority(row["priority_asked"]) if row["priority_asked"] else None,
        due_left_seconds=row["due_left_seconds"],
        warned_for=row["warned_for"],
        late_for=row["late_for"],
        sector_book=row["sector_book"],
        sector_asked_at=row["sector_asked_at"],
        version=row["version"],
    )


def message_to_row(number: str, message: TicketMessage) -> Json:
    return {
        "ticket_number": number,
        "at": message.at,
        "author_address": message.author.address,
        "author_name": without_nul(message.author.name),
        "role": message.role.value,
        "visibility": message.visibility.value,
        "text": without_nul(message.text),
        "message_id": without_nul(message.message_id),
        "mail_id": message.mail_id,
        "files": [file_to_json(file) for file in message.files],
        "unverified": message.unverified,
        "from_another_address": message.from_another_address,
    }


def message_from_row(row: Mapping[Any, Any]) -> TicketMessage:
    return TicketMessage(
        at=row["at"],
        author=Address(address=row["author_address"], name=row["author_name"]),
        role=AuthorRole(row["role"]),
        visibility=Visibility(row["visibility"]),
        text=row["text"],
        message_id=row["message_id"],
        mail_id=row["mail_id"],
        files=tuple(file_from_json(data) for data in row["files"]),
        unverified=row["unverified"],
        from_another_address=row["from_another_address"],
    )


def event_to_row(number: str, event: TicketEvent) -> Json:
    return {
        "ticket_number": number,
        "at": event.at,
        "actor": event.actor,
        "kind": event.kind.value,
        "old": without_nul(event.old),
        "new": without_nul(event.new),
        "detail": without_nul(event.detail),
        "mail_id": event.mail_id,
    }


def event_from_row(row: Mapping[Any, Any]) -> TicketEvent:
    return TicketEvent(
        at=row["at"],
        actor=row["actor"],
        kind=EventKind(row["kind"]),
        old=row["old"],
        new=row["new"],
        detail=row["detail"],
        mail_id=row["mail_id"],
    )


def letter_to_row(letter: OutboundLetter, *, handle_expires_at: datetime | None) -> Json:
    waiting = letter.status in (LetterStatus.QUEUED, LetterStatus.RETRY)
    return {
        "message_id": letter.message_id,
        "handle": letter.handle,
        "handle_expires_at": handle_expires_at,
        "mailbox": letter.mailbox,
        "letter": letter.letter.value,
        "audience": letter.audience.value,
        "purpose": letter.purpose.value if letter.purpose else None,
        "recipient_address": letter.recipient.address,
        "recipient_name": without_nul(letter.recipient.name),
        "sender_name": without_nul(letter.sender_name),
        "subject": without_nul(letter.subject),
        "files": [file_to_json(file) for file in letter.files],
        "ticket_number": letter.ticket_number,
        "mail_id": letter.mail_id,
        "automatic": letter.automatic,
        "auto_submitted": letter.auto_submitted,
        "in_reply_to": letter.in_reply_to,
        "reference_ids": list(letter.references),
        "verified_recipient": letter.verified_recipient,
        "status": letter.status.value,
        "hold_reason": letter.hold_reason,
        "created_at": letter.created_at,
        "not_before": letter.not_before,
        "due_at": letter.not_before if waiting else None,
        "awaits_pages": letter.awaits_pages,
    }


def letter_text_to_row(letter: OutboundLetter, *, letter_id: int) -> Json:
    return {
        "letter_id": letter_id,
        "text": without_nul(letter.text),
        "html": without_nul(letter.html),
        "calendar": without_nul(letter.calendar),
        "pages": pages_to_json(letter.pages),
    }


def letter_from_row(row: Mapping[Any, Any]) -> OutboundLetter:
    return OutboundLetter(
        message_id=row["message_id"],
        handle=row["handle"],
        mailbox=row["mailbox"],
        letter=LetterKind(row["letter"]),
        audience=Audience(row["audience"]),
        purpose=HandlePurpose(row["purpose"]) if row["purpose"] else None,
        recipient=Address(address=row["recipient_address"], name=row["recipient_name"]),
        sender_name=row["sender_name"],
        subject=row["subject"],
        text=row["text"],
        html=row["html"],
        calendar=row["calendar"],
        files=tuple(file_from_json(data) for data in row["files"]),
        ticket_number=row["ticket_number"],
        mail_id=row["mail_id"],
        automatic=row["automatic"],
        auto_submitted=row["auto_submitted"],
        in_reply_to=row["in_reply_to"],
        references=tuple(row["reference_ids"]),
        verified_recipient=row["verified_recipient"],
        status=LetterStatus(row["status"]),
        hold_reason=row["hold_reason"],
        created_at=row["created_at"],
        not_before=row["not_before"],
        sent_at=row["sent_at"],
        attempts=row["attempts"],
        unknown_outcomes=row["unknown_outcomes"],
        released=row["released"],
        last_error=row["last_error"],
        pages=pages_from_json(row.get("pages")),
        awaits_pages=row["awaits_pages"],
    )


def letter_row_from(row: Mapping[Any, Any]) -> LetterRow:
    return LetterRow(
        message_id=row["message_id"],
        ticket_number=row["ticket_number"],
        letter=LetterKind(row["letter"]),
        audience=Audience(row["audience"]),
        to=row["recipient_address"],
        subject=row["subject"],
        status=LetterStatus(row["status"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
        not_before=row["not_before"],
        sent_at=row["sent_at"],
        last_error=row["last_error"],
        hold_reason=row["hold_reason"],
    )


def unique(values: Sequence[str]) -> list[str]:
    """The values once each, in order."""
    return list(dict.fromkeys(values))
