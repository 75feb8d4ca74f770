"""Rows to fill a database with."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.domain.events import Audience, HandlePurpose, LetterKind, LetterStatus, OutboundLetter
from mailbot.domain.ledger import ClaimedMail, NewInboundMail
from mailbot.domain.mail import Address
from mailbot.domain.outbox import ClaimedLetter
from mailbot.domain.ticket import Status, Ticket

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
ME, OTHER = "me", "another"
_numbers = itertools.count(1)


def mail(sender: str = "maria@example.com.br", **changes: Any) -> NewInboundMail:
    """A mail of its own."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "mailbox": "default",
        "folder": "INBOX",
        "uid_validity": 7,
        "uid": str(number),
        "received_at": NOW,
        "raw_digest": f"{number:064x}",
        "size_bytes": 1000,
        "conversation_key": sender,
        "message_id": f"{number}@example.com.br",
        "from_address": sender,
        "subject": "Dúvida",
    }
    return NewInboundMail(**values | changes)


def add_mails(storage: SqlStorage, *mails: NewInboundMail, now: datetime = NOW) -> list[int]:
    """Write mails in one commit; their ids."""
    with storage.write() as work:
        return work.mails.add(mails, now=now)


def claim_mail(
    storage: SqlStorage, now: datetime = NOW, *, owner: str = ME, real_now: datetime | None = None
) -> ClaimedMail | None:
    """Claim in a commit of its own."""
    with storage.write() as work:
        return work.mails.claim(owner=owner, mailboxes=["default"], now=now, real_now=real_now or now)


def ticket(number: str, **changes: Any) -> Ticket:
    """A ticket."""
    values: dict[str, Any] = {
        "number": number,
        "mailbox": "default",
        "request_type": "general",
        "requester": Address(address="maria@example.com.br", name="Maria"),
        "subject": "Dúvida",
        "title": "Dúvida",
        "status": Status.OPEN,
        "opened_at": NOW,
        "updated_at": NOW,
        "queue": "geral",
    }
    return Ticket(**values | changes)


def letter(**changes: Any) -> OutboundLetter:
    """A letter of its own."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "message_id": f"mb.{number}@example.com.br",
        "handle": f"h{number}",
        "mailbox": "default",
        "letter": LetterKind.TICKET_OPENED,
        "audience": Audience.REQUESTER,
        "purpose": HandlePurpose.REQUESTER,
        "recipient": Address(address="maria@example.com.br", name="Maria"),
        "sender_name": "Central",
        "subject": "Recebemos",
        "text": "Recebemos.",
        "html": "<p>Recebemos.</p>",
        "created_at": NOW,
        "not_before": NOW,
        "automatic": True,
        "ticket_number": "2026-000001",
    }
    return OutboundLetter(**values | changes)


def add_letters(storage: SqlStorage, *letters: OutboundLetter) -> None:
    """Write letters in one commit."""
    with storage.write() as work:
        for one in letters:
            work.outbox.add(one, handle_expires_at=None)


def claim_letter(
    storage: SqlStorage,
    now: datetime = NOW,
    *,
    owner: str = ME,
    real_now: datetime | None = None,
    early: bool = False,
) -> ClaimedLetter | None:
    """Claim in a commit of its own."""
    with storage.write() as work:
        return work.outbox.claim(owner=owner, now=now, real_now=real_now or now, early=early)


def status_of(storage: SqlStorage, message_id: str) -> LetterStatus:
    """How a letter stands."""
    with storage.read() as work:
        found = work.outbox.by_message_id(message_id)
    assert found is not None
    return found.status
