"""What passes between us and the mail servers: folder listings on the way in, envelopes on the way out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderState:
    """A folder as it was when it was opened.

    ``uid_validity`` and ``uid_next`` are IMAP's (RFC 9051 §2.3.1.1); a Maildir has 0 and 1.
    ``newest_received_at`` is the INTERNALDATE of the newest mail in it, ``None`` if it is empty.
    ``keeps_keywords``: whether a keyword of ours can be stored in it, as far as the server tells.
    """

    uid_validity: int
    uid_next: int
    newest_received_at: datetime | None = None
    keeps_keywords: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MailEntry:
    """A mail that lies in a folder, before anything of it is fetched. ``size_bytes`` is what the server says
    (RFC822.SIZE), good for holding back what is too large and for nothing else."""

    uid: str
    received_at: datetime
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One letter for one recipient, ready for SMTP: ``message`` has CRLF line ends and no Bcc."""

    sender: str
    recipient: str
    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The server took responsibility for the letter (RFC 5321 §4.2.5)."""

    response: str


class Throttle(StrEnum):
    """Which limit of the whole mailbox an answer speaks of, and so how long it asks for patience."""

    # Too many connections or mails at this moment, a server that is busy.
    RATE = "rate"
    HOURLY = "hourly"
    DAILY = "daily"
    # The provider takes nothing until somebody acts: sending suspended, our own mailbox full.
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The server answered and did not take the letter.

    ``permanent`` is a 5xx. ``throttled`` is set for a 4xx (or a 5xx of a provider's own) that speaks of what
    this mailbox may send in all: it slows the mailbox and counts as no attempt of this letter.
    ``sender_refused`` tells that the envelope sender was the reason (a null sender that a server does not take).
    ``at_recipient`` tells that ``throttled`` was answered to RCPT TO, where one recipient may be the reason.
    """

    code: int
    response: str
    permanent: bool
    throttled: Throttle | None = None
    sender_refused: bool = False
    at_recipient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReached:
    """No connection, no log-in, or a connection lost before the final dot: harmless, the letter did not leave.

    ``credentials_refused`` tells that the server does not accept our log-in, ``login_expired`` that this is so
    because a secret, certificate or consent has come to its end. ``letter_offered``: the server had heard for
    whom the letter is, so the letter itself may be why.
    """

    reason: str
    credentials_refused: bool = False
    login_expired: bool = False
    letter_offered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeUnknown:
    """The connection was lost after the final dot was sent and before the answer came (RFC 1047)."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCopy:
    """A letter that left, for the Sent folder: the very bytes, CRLF line ends. ``message_id`` is ours."""

    message_id: str
    sent_at: datetime
    message: bytes = field(repr=False)


SendOutcome = Delivered | Refused | NotReached | OutcomeUnknown
