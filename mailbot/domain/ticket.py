"""A ticket: its state, and the one table of what may follow what.

``status`` says who must act next, ``resolution`` how it ended. What customers read is configuration.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from mailbot.domain.errors import TransitionNotAllowed
from mailbot.domain.evidence import FieldOrigin, FieldValue, Finding, Mismatch
from mailbot.domain.guidance import Ruling
from mailbot.domain.identification import NOT_IDENTIFIED, TicketCustomer
from mailbot.domain.mail import Address


class Status(StrEnum):
    """Who must act next."""

    NEW = "new"
    AWAITING_REQUESTER = "awaiting_requester"
    OPEN = "open"
    ON_HOLD = "on_hold"
    AWAITING_APPROVAL = "awaiting_approval"
    VISIT_SCHEDULED = "visit_scheduled"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Resolution(StrEnum):
    """How a ticket ended."""

    APPROVED = "approved"
    DENIED = "denied"
    GUIDED = "guided"
    DONE = "done"
    WITHDRAWN = "withdrawn"
    DUPLICATE = "duplicate"
    EXPIRED = "expired"
    REDIRECTED = "redirected"


class Priority(StrEnum):
    """How urgent a ticket is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


_S = Status
_BESIDE_OPEN = frozenset({_S.ON_HOLD, _S.AWAITING_APPROVAL, _S.VISIT_SCHEDULED, _S.AWAITING_REQUESTER})

TRANSITIONS: dict[Status, frozenset[Status]] = {
    _S.NEW: frozenset({_S.AWAITING_REQUESTER, _S.OPEN, _S.ON_HOLD, _S.RESOLVED}),
    _S.AWAITING_REQUESTER: frozenset({_S.OPEN, _S.RESOLVED}),
    _S.OPEN: _BESIDE_OPEN | {_S.RESOLVED},
    _S.ON_HOLD: frozenset({_S.OPEN, _S.RESOLVED}),
    _S.AWAITING_APPROVAL: frozenset({_S.OPEN, _S.RESOLVED}),
    _S.VISIT_SCHEDULED: frozenset({_S.OPEN, _S.RESOLVED}),
    _S.RESOLVED: frozenset({_S.OPEN, _S.CLOSED}),
    _S.CLOSED: frozenset(),
}
"""INTERFACE *Statuses*; ``awaiting_requester`` also ends ``resolved`` by expiry or an agent's word."""

REOPEN_WINDOW_DAYS = 14
CLOSE_AFTER_DAYS = REOPEN_WINDOW_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One request of one requester. ``number`` is ``YYYY-NNNNNN`` and never the key to anything.

    ``subject`` is the first mail's and stays; ``title`` is ours and may be made from fields. ``version``
    grows by one with each change and is what two simultaneous changes meet at. ``rating`` is what the
    requester gave it, 1 to 5, once. ``rerouted_from`` is the key of the mailbox to which the first mail came,
    where that does not offer the type and ``mailbox`` does.

    What only staff set: ``label`` is a further public label of the status that it belongs to; ``asked`` are things
    that an agent asked for by name and that are no requirement of the type; ``waived`` are keys of requirements
    that need not be shown, ``set_aside`` papers that count no more because they were asked for again;
    ``participants`` are addresses that get what the requester gets; ``merged_into`` is the
    ticket to which everything goes that is written to this one. ``sector_book`` is the last book that was written
    to the queue's sector, ``sector_asked_at`` when it last left without an answer since.

    ``priority_asked`` is what was asked for and not given without a look. ``due_left_seconds`` is the business
    time that is left of the promise while its clock stands still; ``warned_for`` and ``late_for`` are the promises
    of which staff were told that they come near, and that they are broken.
    """

    number: str
    mailbox: str
    request_type: str
    requester: Address
    subject: str
    title: str
    status: Status
    opened_at: datetime
    updated_at: datetime
    queue: str = ""
    assignee: str | None = None
    priority: Priority = Priority.MEDIUM
    resolution: Resolution | None = None
    language: str = "pt-BR"
    fields: tuple[FieldValue, ...] = ()
    documents: tuple[Finding, ...] = ()
    missing: tuple[str, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()
    ruling: Ruling | None = None
    due_at: datetime | None = None
    resolved_at: datetime | None = None
    reminders_sent: int = 0
    asked_at: datetime | None = None
    follow_up_of: str | None = None
    customer: TicketCustomer = NOT_IDENTIFIED
    label: str = ""
    asked: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    set_aside: tuple[Finding, ...] = ()
    participants: tuple[str, ...] = ()
    visit_at: datetime | None = None
    visit_sequence: int = 0
    merged_into: str | None = None
    rating: int | None = None
    rerouted_from: str = ""
    priority_asked: Priority | None = None
    due_left_seconds: int | None = None
    warned_for: datetime | None = None
    late_for: datetime | None = None
    sector_book: str = ""
    sector_asked_at: datetime | None = None
    version: int = 0

    @property
    def is_finished(self) -> bool:
        """Resolved or closed."""
        return self.status in (Status.RESOLVED, Status.CLOSED)

    @property
    def papers(self) -> tuple[Finding, ...]:
        """All that agents see: what counts, then what was asked for again and did not come again."""
        came = {one.sha256 for one in self.documents}
        return (*self.documents, *(one for one in self.set_aside if one.sha256 not in came))

    @property
    def holds_words_of_agents(self) -> bool:
        """Whether staff have stated something of it themselves."""
        return any(value.origin is FieldOrigin.AGENT for value in self.fields)

    @property
    def is_guided(self) -> bool:
        """Resolved by the bot's own guidance: no agent has seen it."""
        return self.is_finished and self.ruling is not None and self.ruling.replies


def moved(ticket: Ticket, status: Status) -> Ticket:
    """The ticket in ``status``: the one way by which a ticket's status changes.

    Raises :class:`TransitionNotAllowed` unless its status is that already or the step stands in
    :data:`TRANSITIONS`.
    """
    if status is not ticket.status and status not in TRANSITIONS[ticket.status]:
        raise TransitionNotAllowed(f"a ticket cannot go from {ticket.status} to {status}")
    return replace(ticket, status=status)
