"""What an agent hears of their own ticket without the requester having written, that it is late or somebody else
answered: ``(TicketChange, LetterDesk, agent) -> PlannedLetter``."""

from __future__ import annotations

from mailbot.catalogue.staff import AgentSpec
from mailbot.correspondence.context import paragraphs_of
from mailbot.correspondence.planned import LetterDesk, PlannedLetter
from mailbot.correspondence.staff_letters import for_agent, staff_base
from mailbot.correspondence.work_views import ColleagueAnsweredView, LateWarningView
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


def colleague_answered(change: TicketChange, desk: LetterDesk, agent: AgentSpec) -> PlannedLetter:
    """Somebody else answered on the agent's ticket: what, and when."""
    message = change.message
    view = ColleagueAnsweredView(
        **staff_base(change, desk, agent),
        colleague=(change.agent.name or change.agent.address) if change.agent else "",
        answered_at=desk.words.moment(message.at if message else desk.now, desk.zone),
        text=paragraphs_of(message.text if message else ""),
    )
    return for_agent(LetterKind.COLLEAGUE_ANSWERED, view, change, agent, desk)
