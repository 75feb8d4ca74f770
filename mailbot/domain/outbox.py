"""Letters on their way out: the claim on one, and what the result of an attempt means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailbot.domain.events import Audience, LetterKind, LetterStatus, OutboundLetter

HELD_FOR_SUMMARY = "summary"
"""Hold reason of a notice that will be told in a summary."""


class HoldReason(StrEnum):
    """Why a letter is held; letters and lists word it by this code."""

    SEND_HOLD = "hold"
    ALLOWLIST = "allowlist"
    CAP_HOUR = "cap_hour"
    CAP_RECIPIENT = "cap_recipient"
    CAP_TICKET = "cap_ticket"
    CAP_UNVERIFIED = "cap_unverified"
    SUMMARY = HELD_FOR_SUMMARY


CAP_REASONS = frozenset(
    {HoldReason.CAP_HOUR, HoldReason.CAP_RECIPIENT, HoldReason.CAP_TICKET, HoldReason.CAP_UNVERIFIED}
)
"""Hold reasons that pass by themselves with time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterCaps:
    """How many automatic letters to requesters may leave (REQUIREMENTS *Caps on letters*), and beyond how
    many notices an hour one agent gets a summary instead."""

    verified_per_address_and_hour: int = 20
    unverified_acknowledgements_per_ticket: int = 1
    unverified_per_address_and_day: int = 5
    unverified_per_hour: int = 60
    per_ticket_and_day: int = 20
    automatic_per_hour: int = 1000
    notices_per_agent_and_hour: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedLetter:
    """A letter that is ours to deliver until the lease runs out; ``fence`` is checked by every result."""

    id: int
    letter: OutboundLetter
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCopy:
    """A letter that left and is to be saved in the Sent folder; ``attempts`` counts the server's refusals."""

    letter_id: int
    letter: OutboundLetter
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCopies:
    """Letters of a mailbox that will not be saved in its Sent folder: how many, and why the last one was not."""

    count: int
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterResult:
    """What is written to a letter's row after an attempt.

    ``retry_at`` is set for ``retry`` (and for ``queued``: given back without counting an attempt).
    """

    status: LetterStatus
    error: str = ""
    retry_at: datetime | None = None
    sent_at: datetime | None = None
    counts_as_attempt: bool = True
    hold_reason: str = ""
    outcome_unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRow:
    """A letter as administrators see it."""

    message_id: str
    ticket_number: str | None
    letter: LetterKind
    audience: Audience
    to: str
    subject: str
    status: LetterStatus
    attempts: int
    created_at: datetime
    not_before: datetime
    sent_at: datetime | None
    last_error: str
    hold_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterCounts:
    """How many letters went where lately; what the caps are held against (REQUIREMENTS *Caps on letters*)."""

    to_address_last_hour: int
    to_address_last_day: int
    unverified_last_hour: int
    on_ticket_last_day: int
    automatic_last_hour: int
    acknowledgements_on_ticket: int


def cap_reached(
    counts: LetterCounts, caps: LetterCaps, *, verified: bool, acknowledges: bool
) -> HoldReason | None:
    """The cap that one more automatic letter to a requester would break, or ``None``.

    ``acknowledges`` is true for a letter that answers a mail at once (not for a reminder).
    """
    if counts.automatic_last_hour >= caps.automatic_per_hour:
        return HoldReason.CAP_HOUR
    if counts.on_ticket_last_day >= caps.per_ticket_and_day:
        return HoldReason.CAP_TICKET
    if verified:
        full = counts.to_address_last_hour >= caps.verified_per_address_and_hour
        return HoldReason.CAP_RECIPIENT if full else None
    if acknowledges and counts.acknowledgements_on_ticket >= caps.unverified_acknowledgements_per_ticket:
        return HoldReason.CAP_UNVERIFIED
    if counts.unverified_last_hour >= caps.unverified_per_hour:
        return HoldReason.CAP_UNVERIFIED
    full = counts.to_address_last_day >= caps.unverified_per_address_and_day
    return HoldReason.CAP_RECIPIENT if full else None
