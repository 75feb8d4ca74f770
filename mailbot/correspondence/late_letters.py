"""The warning that a ticket is late or will be: ``(TicketChange, LetterDesk, agent) -> PlannedLetter``."""

from __future__ import annotations

from mailbot.catalogue.staff import AgentSpec
from mailbot.correspondence.planned import LetterDesk, PlannedLetter
from mailbot.correspondence.staff_letters import for_agent, staff_base
from mailbot.correspondence.work_views import LateWarningView
from mailbot.domain.events import EventKind, LetterKind
from mailbot.domain.ticket_change import TicketChange


def late_warning(change: TicketChange, desk: LetterDesk, agent: AgentSpec, kind: EventKind) -> PlannedLetter:
    """``kind`` is ``late`` or ``due_soon``."""
    ticket, staff = change.after, desk.catalogue.staff
    assignee = staff.agent(staff.agent_key_for(ticket.assignee) or "") if ticket.assignee else None
    view = LateWarningView(
        **staff_base(change, desk, agent),
        late=kind is EventKind.LATE,
        answer_by=desk.words.moment(ticket.due_at, desk.zone) if ticket.due_at else "",
        assignee=assignee.name if assignee is not None else "",
    )
    return for_agent(LetterKind.LATE_WARNING, view, change, agent, desk)
