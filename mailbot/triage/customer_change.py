"""What a customer word makes of the sender's ticket: ``(ActOnQuery, Situation, Cause) -> TicketChange``. Pure.

``self_service.py`` chooses; here the chosen thing becomes the ticket's new value, its events and the message.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.domain.errors import MailbotError
from mailbot.domain.events import EventKind, TicketMessage, Visibility
from mailbot.domain.self_service import CustomerWord
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.change_log import Cause, ChangeLog, ticket_of, with_status
from mailbot.triage.decisions import ActOnQuery
from mailbot.triage.requester_message import is_trusted, requester_message
from mailbot.triage.situation import Situation


def act_on_query(decision: ActOnQuery, situation: Situation, cause: Cause) -> TicketChange:
    """The ticket is withdrawn, solved or rated by its requester; what else the mail says stays as a message."""
    ticket = ticket_of(situation)
    happened = ChangeLog(situation.now, cause.mail_id)
    message: TicketMessage | None = requester_message(situation, cause)
    match decision.query.word:
        case CustomerWord.CANCEL:
            after = _ended(ticket, situation, happened, EventKind.WITHDRAWN, Resolution.WITHDRAWN)
        case CustomerWord.SOLVED:
            after = _ended(ticket, situation, happened, EventKind.SOLVED, Resolution.DONE)
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


def _ended(
    ticket: Ticket, situation: Situation, happened: ChangeLog, kind: EventKind, resolution: Resolution
) -> Ticket:
    author = situation.sender.address.address
    happened.add(author, kind)
    after = with_status(replace(ticket, updated_at=situation.now), Status.RESOLVED, happened, actor=author)
    return replace(after, resolution=resolution, resolved_at=situation.now, asked_at=None, due_at=None)
