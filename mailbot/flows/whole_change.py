"""What was decided, carried out with the note and the book that follow: ``(Understood, …) -> TicketChange``.

The one way to the change of a ticket: for intake, for a trial and an explanation of it, and for what an
administrator orders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mailbot.catalogue.staff import Staff
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.customer import Customer
from mailbot.domain.events import StoredFile
from mailbot.domain.identification import IdentityState
from mailbot.domain.mail import SenderRole
from mailbot.domain.ticket_change import TicketChange
from mailbot.flows.case import Understood
from mailbot.flows.examination_parts import ExaminationParts
from mailbot.flows.mail_as_cause import cause_for, nobodys_number
from mailbot.flows.roster import registered
from mailbot.flows.sector_books import with_books
from mailbot.triage.carry_out import carry_out
from mailbot.triage.situation import Situation

RecordOf = Callable[[int], Customer | None]
"""A customer's record by its id."""


class WholeChanges:
    """Carries out what was decided. Stores nothing."""

    def __init__(self, *, parts: ExaminationParts, calendar: BusinessCalendar) -> None:
        self._parts = parts
        self._calendar = calendar

    def of(
        self,
        found: Understood,
        *,
        staff: Staff,
        record_of: RecordOf,
        files: tuple[StoredFile, ...] = (),
        mail_id: int = 0,
        next_number: Callable[[int], str] = nobodys_number,
        answers: bool = True,
    ) -> TicketChange:
        """The change that ``found`` calls for.

        ``files`` are those of the mail ``mail_id``, 0 where none caused it; ``next_number`` as in
        :func:`cause_for`; ``answers`` is false where no letter may leave.
        """
        situation, mailbox = found.situation, found.mailbox
        cause = cause_for(
            found.decision,
            situation,
            mailbox,
            files,
            mail_id=mail_id,
            agent=registered(staff, situation.sender),
            calendar=self._calendar,
            next_number=next_number,
        )
        change = carry_out(found.decision, situation, cause)
        if not answers:
            return _unasked(change)
        record = _known_customer(change, situation, record_of)
        return with_books(change, self._parts.catalogue, mailbox, now=self._parts.now(), record=record)


def _known_customer(change: TicketChange, situation: Situation, record_of: RecordOf) -> Customer | None:
    """The record of whose the ticket is. A requester's mail has brought it, or is not to be told by it; people of
    the house order on whatever stands on the ticket, or have just said whose it is."""
    if situation.sender.role is SenderRole.REQUESTER:
        return situation.customer_record
    customer = change.after.customer
    if customer.state is not IdentityState.KNOWN or customer.customer_id is None:
        return None
    return record_of(customer.customer_id)


def _unasked(change: TicketChange) -> TicketChange:
    """Where no letter leaves nothing is asked, and nobody is to be reminded of it."""
    asked_at = change.before.asked_at if change.before else None
    return replace(change, after=replace(change.after, asked_at=asked_at))
