"""What staff hear of a promise: ``late_change(Ticket, RequestType, calendar, now) -> TicketChange | None``. Pure.

Once before it ends and once when it is broken, for each promise; in the hours in which letters leave.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from mailbot.catalogue.request_types import RequestType
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.events import BOT, EventKind, TicketEvent
from mailbot.domain.ticket import Ticket
from mailbot.domain.ticket_change import TicketChange


def late_change(
    ticket: Ticket, kind: RequestType, calendar: BusinessCalendar, now: datetime
) -> TicketChange | None:
    """That the ticket is late, or will be soon; ``None`` where there is nothing new to tell now."""
    due = ticket.due_at
    if due is None or ticket.is_finished or kind.stops_the_clock(ticket.status) or not _may_tell(calendar, now):
        return None
    if now >= due:
        told = replace(ticket, late_for=due, warned_for=due)
        return None if ticket.late_for == due else _told(ticket, told, EventKind.LATE, now)
    warns_at = timedelta(hours=kind.warn_before_hours)
    if not kind.warn_before_hours or ticket.warned_for == due or calendar.business_time(now, due) > warns_at:
        return None
    return _told(ticket, replace(ticket, warned_for=due), EventKind.DUE_SOON, now)


def _may_tell(calendar: BusinessCalendar, now: datetime) -> bool:
    is_working_day = calendar.is_business_day(now.astimezone(calendar.zone).date())
    return is_working_day and calendar.next_reminder_time(now) == now


def _told(before: Ticket, after: Ticket, kind: EventKind, now: datetime) -> TicketChange:
    due = after.due_at.isoformat() if after.due_at else ""
    event = TicketEvent(at=now, actor=BOT, kind=kind, new=due)
    return TicketChange(before=before, after=after, events=(event,), may_answer=False)
