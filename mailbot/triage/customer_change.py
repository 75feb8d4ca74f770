"""What a customer word makes of the sender's ticket: ``(ActOnQuery, Situation, Cause) -> TicketChange``. Pure.

``self_service.py`` chooses; here the chosen thing becomes the ticket's new value, its events and the message.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.domain.errors import MailbotError
from mailbot.domain.events import EventKind, TicketMessage, Visibility
from mailbot.domain.evidence import valid_values
from mailbot.domain.self_service import CustomerWord
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.change_log import Cause, ChangeLog, ticket_of, with_status
from mailbot.triage.decisions import ActOnQuery
from mailbot.triage.guided import kept_ruling, note_ruling
from mailbot.triage.promises import due_at
from mailbot.triage.requester_message import is_trusted, requester_message
from mailbot.triage.situation import Situation


def act_on_query(decision: ActOnQuery, situation: Situation, cause: Cause, *, title: str) -> TicketChange:
    """The ticket is withdrawn, solved, rated or given another type by its requester; what else the mail says stays
    as a message. ``title`` is what the ticket is called as the situation's request type."""
    ticket = ticket_of(situation)
    happened = ChangeLog(situation.now, cause.mail_id)
    message: TicketMessage | None = requester_message(situation, cause)
    match decision.query.word:
        case CustomerWord.CANCEL:
            after = _ended(ticket, situation, happened, EventKind.WITHDRAWN, Resolution.WITHDRAWN)
        case CustomerWord.SOLVED:
            after = _ended(ticket, situation, happened, EventKind.SOLVED, Resolution.DONE)
        case CustomerWord.TYPE | CustomerWord.DEPARTMENT:
            after = replace(_reclassified(ticket, situation, cause, happened), title=title)
        case CustomerWord.RATE:
            rating = decision.query.value
            happened.add(situation.sender.address.address, EventKind.RATED, new=str(rating))
            after = replace(ticket, rating=rating, updated_at=situation.now)
            # A reason is for the staff: it is no part of the conversation.
            message = replace(requester_message(situation, cause), visibility=Visibility.INTERNAL)
        case _:
            raise MailbotError(f"{decision.query.word} changes no ticket")
    return TicketChange(
        before=ticket,
        after=after,
        events=happened.events,
        message=message,
        may_answer=situation.screening.may_answer,
        verified=is_trusted(situation),
    )


_MOVES = frozenset({Status.NEW, Status.OPEN, Status.AWAITING_REQUESTER})
"""From here a ticket moves by itself; anything else is what a person has set."""


def _reclassified(ticket: Ticket, situation: Situation, cause: Cause, happened: ChangeLog) -> Ticket:
    """Another type, its queue and its promise, and what its documents and fields come to."""
    kind, report, author = situation.request_type, situation.report, situation.sender.address.address
    happened.add(author, EventKind.RECLASSIFIED, old=ticket.request_type, new=kind.key)
    queue = kind.queue_for(valid_values(report.fields))
    after = replace(
        ticket,
        request_type=kind.key,
        queue=queue,
        assignee=ticket.assignee if queue == ticket.queue else None,
        label="",
        updated_at=situation.now,
        ruling=note_ruling(None, kept_ruling(ticket.ruling, report.ruling), happened),
        fields=report.fields,
        documents=report.findings,
        missing=report.missing,
        mismatches=report.mismatches,
    )
    if ticket.status not in _MOVES:
        return after
    if report.complete or not situation.screening.may_answer:
        if ticket.status is not Status.NEW or not kind.new_until_answered:
            after = with_status(after, Status.OPEN, happened)
        due = due_at(Status.OPEN, kind, situation.now, cause.calendar)
        return replace(after, due_at=due, asked_at=None)
    after = with_status(after, Status.AWAITING_REQUESTER, happened)
    return replace(after, asked_at=situation.now, reminders_sent=0, due_at=None)


def _ended(
    ticket: Ticket, situation: Situation, happened: ChangeLog, kind: EventKind, resolution: Resolution
) -> Ticket:
    author = situation.sender.address.address
    happened.add(author, kind)
    after = with_status(replace(ticket, updated_at=situation.now), Status.RESOLVED, happened, actor=author)
    return replace(after, resolution=resolution, resolved_at=situation.now, asked_at=None, due_at=None)
