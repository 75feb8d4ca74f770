"""What a customer word makes of the sender's ticket: ``(ActOnQuery, Situation, Cause) -> TicketChange``. Pure.

``self_service.py`` chooses; here the chosen thing becomes the ticket's new value, its events and the message.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.domain.events import EventKind
from mailbot.domain.ticket import Resolution, Status
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.change_log import Cause, ChangeLog, ticket_of, with_status
from mailbot.triage.decisions import ActOnQuery
from mailbot.triage.requester_message import is_trusted, requester_message
from mailbot.triage.situation import Situation


def act_on_query(decision: ActOnQuery, situation: Situation, cause: Cause) -> TicketChange:
    """The ticket is withdrawn by its requester; a word beside it stays as a message."""
    del decision
    ticket = ticket_of(situation)
    author = situation.sender.address.address
    happened = ChangeLog(situation.now, cause.mail_id)
    happened.add(author, EventKind.WITHDRAWN)
    after = with_status(replace(ticket, updated_at=situation.now), Status.RESOLVED, happened, actor=author)
    after = replace(after, resolution=Resolution.WITHDRAWN, resolved_at=situation.now, asked_at=None, due_at=None)
    return TicketChange(
        before=ticket,
        after=after,
        events=happened.events,
        message=requester_message(situation, cause),
        may_answer=situation.screening.may_answer,
        verified=is_trusted(situation),
    )
