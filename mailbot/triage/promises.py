"""Until when a ticket is to be answered: ``(TicketChange, RequestType, calendar, now) -> TicketChange``. Pure.

The clock of a promise stands still while the requester is asked (and on hold, where the type says so), and goes on
with what was left when they have answered.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from mailbot.catalogue.request_types import RequestType
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.events import EventKind
from mailbot.domain.ticket import Priority, Status, Ticket
from mailbot.domain.ticket_change import TicketChange

_BEGIN_ANEW = (EventKind.REOPENED, EventKind.TYPE_CHANGED, EventKind.RECLASSIFIED)


def due_at(
    status: Status,
    request_type: RequestType,
    now: datetime,
    calendar: BusinessCalendar,
    priority: Priority = Priority.MEDIUM,
) -> datetime | None:
    """When a ticket that is ``status`` from ``now`` on must be answered; ``None`` where nothing is promised."""
    hours = request_type.promised_hours(priority)
    return calendar.after_business_hours(now, hours) if status in (Status.NEW, Status.OPEN) and hours else None


def with_promise(
    change: TicketChange, kind: RequestType, calendar: BusinessCalendar, now: datetime
) -> TicketChange:
    """The change with the promise as it stands after it: begun, stopped, gone on with, or another priority's.

    ``kind`` is the type of the ticket after the change.
    """
    after = _promised(change, kind, calendar, now)
    return change if after is change.after else replace(change, after=after)


def _promised(change: TicketChange, kind: RequestType, calendar: BusinessCalendar, now: datetime) -> Ticket:
    before, after = change.before, change.after
    if after.is_finished:
        return after
    stands_still = kind.stops_the_clock(after.status)
    if before is None or any(change.happened(one) for one in _BEGIN_ANEW):
        begins = after.due_at is not None and not stands_still
        due = due_at(Status.OPEN, kind, now, calendar, after.priority) if begins else None
        is_so = after.due_at == due and after.due_left_seconds is None
        return after if is_so else replace(after, due_at=due, due_left_seconds=None)
    if stands_still:
        return replace(after, due_at=None, due_left_seconds=_left(before, calendar, now))
    if before.due_left_seconds is not None:
        return _gone_on(replace(after, due_left_seconds=None), before.due_left_seconds, calendar, now)
    return _running(before, after, kind, calendar, now)


def _running(
    before: Ticket, after: Ticket, kind: RequestType, calendar: BusinessCalendar, now: datetime
) -> Ticket:
    if before.due_at is None and after.due_at is not None:
        return replace(after, due_at=due_at(Status.OPEN, kind, now, calendar, after.priority))
    if before.due_at is not None and after.priority is not before.priority:
        return replace(after, due_at=_of_other_priority(before.due_at, kind, before, after, calendar, now))
    return after


def _left(before: Ticket, calendar: BusinessCalendar, now: datetime) -> int | None:
    """Seconds of business time that are left; none of a promise that is broken."""
    if before.due_at is None:
        return before.due_left_seconds
    return int(calendar.business_time(now, before.due_at).total_seconds())


def _gone_on(ticket: Ticket, left: int, calendar: BusinessCalendar, now: datetime) -> Ticket:
    due = calendar.after_business_time(now, timedelta(seconds=left))
    # Of a promise that was broken before its clock stood still staff have heard.
    told = ticket.late_for is not None and left == 0
    return replace(ticket, due_at=due, warned_for=due if told else None, late_for=due if told else None)


def _of_other_priority(
    due: datetime, kind: RequestType, before: Ticket, after: Ticket, calendar: BusinessCalendar, now: datetime
) -> datetime:
    """Counted from now; what became more urgent is never due later for it, nor what became less so earlier."""
    anew = due_at(Status.OPEN, kind, now, calendar, after.priority) or due
    ranks = list(Priority)
    more_urgent = ranks.index(after.priority) > ranks.index(before.priority)
    return min(due, anew) if more_urgent else max(due, anew)


def enters_queue_as(request_type: RequestType) -> Status:
    """The status of a request that nobody has worked on: ``new`` where the type tells so (R003-16)."""
    return Status.NEW if request_type.new_until_answered else Status.OPEN
