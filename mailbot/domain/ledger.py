"""The log of inbound mail and the claims on work: what is known of a mail before and after it is understood."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LEASE_TIME = timedelta(seconds=60)
"""How long a claim lasts without being renewed (real time)."""

LEASE_RENEWAL_SECONDS = 15
WORK_LIMIT = timedelta(seconds=120)
"""Work older than this is no longer renewed: it hangs, and somebody else may take it."""

MAX_ATTEMPTS = 3
"""Exceptions that a mail may cause before it is quarantined."""

MAX_DEATHS = 5
"""Deaths of the daemon after which the mail in hand, the one mail that it had in hand, is quarantined."""


class MailOutcome(StrEnum):
    """What became of an inbound mail; ``pending`` until intake has finished with it."""

    PENDING = "pending"
    TICKET = "ticket"
    MESSAGE = "message"
    QUERY = "query"
    DUPLICATE = "duplicate"
    DISCARDED = "discarded"
    BOUNCE = "bounce"
    QUARANTINED = "quarantined"


UNVERIFIED_COPY = "unverified_copy"
"""Reason in the log for a mail that is a note on its ticket until the same comes from the Sent folder."""

OPENED_FOR_CUSTOMER = "opened_for_customer"
"""Reason in the log for an agent's mail that opened a ticket in a customer's name."""

TOO_LARGE = "too_large"
"""Reason of the one kind of discarded mail whose sender was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderMemory:
    """What we remember of a folder since first contact.

    ``floor_at``: mail received before it stays untouched for ever. ``first_uid``: mails below it, under the
    same UIDVALIDITY, were there before us. ``newest_received_at``: INTERNALDATE of the newest mail collected.
    ``suspect_until``: after a change of UIDVALIDITY, unknown mail up to this INTERNALDATE is not answered.
    """

    mailbox: str
    folder: str
    uid_validity: int
    first_uid: int
    floor_at: datetime | None
    newest_received_at: datetime | None = None
    last_collect_at: datetime | None = None
    suspect_until: datetime | None = None


def conversation_key(sender: str, message_id: str, raw_digest: str) -> str:
    """What says which mails wait for one another: the sender's address; of a mail of nobody its Message-ID, so
    that its copies in two mailboxes come one after the other, and where it has none its bytes."""
    if sender:
        return sender
    digest = hashlib.sha256(message_id.encode(errors="replace")).hexdigest()
    return f"id:{digest}" if message_id else f"mail:{raw_digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInboundMail:
    """A ledger row about to be written: the raw bytes already lie on disk under ``raw_digest``.

    ``suspect`` says why the mail must not be answered as if it were fresh (after a UIDVALIDITY change, from
    the junk folder): unless it turns out to be a known mail, it goes to quarantine with that reason.
    ``conversation_key`` is the normalised From address: mails of one key are processed in order.
    """

    mailbox: str
    folder: str
    uid_validity: int
    uid: str
    received_at: datetime
    raw_digest: str
    size_bytes: int
    conversation_key: str
    message_id: str
    from_address: str
    subject: str
    suspect: str = ""
    oversize_bytes: int | None = None
    answer: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedMail:
    """A mail that is ours to process until the lease runs out.

    ``fence`` is checked when the result is written. ``released`` tells that an administrator let it in,
    ``confirmed`` that the agent in whose name it came has said by a code that it is theirs.
    """

    id: int
    mailbox: str
    folder: str
    received_at: datetime
    raw_digest: str
    conversation_key: str
    fence: int
    attempts: int
    deaths: int
    suspect: str = ""
    oversize_bytes: int | None = None
    answer: bool = True
    released: bool = False
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailWithCode:
    """A mail in an agent's name about no ticket that was to be confirmed by a code, or brought a wrong one.

    ``told_at`` is when the letter about it was written; ``waits``: its code has not come.
    """

    id: int
    identity: str
    told_at: datetime
    waits: bool = False
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailResult:
    """What is written to a mail's ledger row when intake has finished with it."""

    outcome: MailOutcome
    reason: str = ""
    ticket_number: str | None = None
    message_id: str = ""
    identity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRow:
    """A ledger row as administrators see it; ``suspect``, ``answer`` and ``released`` as in
    :class:`NewInboundMail` and :class:`ClaimedMail`."""

    id: int
    mailbox: str
    folder: str
    received_at: datetime
    from_address: str
    subject: str
    message_id: str
    outcome: MailOutcome
    reason: str
    ticket_number: str | None
    attempts: int
    deaths: int
    raw_digest: str
    size_bytes: int
    suspect: str = ""
    answer: bool = True
    released: bool = False
