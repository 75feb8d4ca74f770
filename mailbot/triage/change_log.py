"""What every part of ``carry_out`` needs: the cause of a change, and the log of what it did. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.errors import MailbotError
from mailbot.domain.events import BOT, EventKind, StoredFile, TicketEvent
from mailbot.domain.mail import Address
from mailbot.domain.ticket import Status, Ticket, moved
from mailbot.triage.situation import Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The mail that causes a change: its ledger id, its stored files, and what a new ticket needs.

    ``number`` is the new ticket's, drawn in the transaction that will commit it. ``number_beside`` is that of a
    ticket opened beside it. ``agent`` is the roster's entry (registered address and name) of an agent who wrote.
    """

    mail_id: int
    mailbox: str
    language: str
    files: tuple[StoredFile, ...]
    calendar: BusinessCalendar
    number: str = ""
    number_beside: str = ""
    agent: Address | None = None


class ChangeLog:
    """Collects the events of one change."""

    def __init__(self, at: datetime, mail_id: int) -> None:
        self._at = at
        self._mail_id = mail_id
        self._events: list[TicketEvent] = []

    def add(self, actor: str, kind: EventKind, *, old: str = "", new: str = "", detail: str = "") -> None:
        """Note one more thing that happened."""
        self._events.append(self.event(actor, kind, old=old, new=new, detail=detail))

    def event(self, actor: str, kind: EventKind, *, old: str = "", new: str = "", detail: str = "") -> TicketEvent:
        """An event of this change's time and cause, not noted here: for another ticket."""
        return TicketEvent(
            at=self._at,
            actor=actor,
            kind=kind,
            old=str(old),
            new=str(new),
            detail=detail,
            mail_id=self._mail_id,
        )

    def has(self, kind: EventKind) -> bool:
        """Whether something of this kind was noted."""
        return any(event.kind is kind for event in self._events)

    @property
    def events(self) -> tuple[TicketEvent, ...]:
        """All of it, in order."""
        return tuple(self._events)


def with_status(ticket: Ticket, status: Status, happened: ChangeLog, *, actor: str = BOT) -> Ticket:
    """The ticket in ``status``, with the event of it. Raises ``TransitionNotAllowed``."""
    after = moved(ticket, status)
    if status is not ticket.status:
        happened.add(actor, EventKind.STATUS_CHANGED, old=ticket.status, new=status)
    return after


def ticket_of(situation: Situation) -> Ticket:
    """The ticket that the decision is about."""
    if situation.ticket is None:
        raise MailbotError("this decision needs a ticket")
    return situation.ticket
