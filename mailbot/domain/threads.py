"""What the database knows of handles, Message-IDs and open requests when a mail is to be threaded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailbot.domain.events import HandlePurpose


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownHandle:
    """A reply token that we once gave out, with the address that it was given to."""

    handle: str
    ticket_number: str
    recipient: str
    purpose: HandlePurpose
    expired: bool
    revoked: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMessageId:
    """A Message-ID that stands on a ticket: a mail that came in, or a letter of ours (then ``recipient``)."""

    message_id: str
    ticket_number: str
    recipient: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """A requester's ticket that waits for something."""

    ticket_number: str
    request_type: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTicket:
    """A ticket that exists, and who takes part in it."""

    ticket_number: str
    participants: frozenset[str]
