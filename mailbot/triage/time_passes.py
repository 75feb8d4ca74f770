"""What time makes of a ticket: ``due_change(Ticket, RequestType, calendar, now) -> TicketChange | None``, and its
closing. Pure.

Upkeep finds the tickets that are due and commits what is said here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from mailbot.catalogue.request_types import AfterReminders, RequestType
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.events import BOT, EventKind, TicketEvent
from mailbot.domain.ticket import Resolution, Status, Ticket, moved
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.promises import due_at, with_promise


def due_change(
    ticket: Ticket, kind: RequestType, calendar: BusinessCalendar, now: datetime
) -> TicketChange | None:
    """What is due on a ticket that waits for its requester: a reminder, its end, or nothing.

    Days are calendar days since the question (INTERFACE *Statuses*); a letter leaves in office hours only.
    Raises ``TransitionNotAllowed`` rather than break the table.
    """
    if ticket.asked_at is None or calendar.next_reminder_time(now) != now:
        return None
    waited = now - ticket.asked_at
    if waited >= timedelta(days=kind.expires_day):
        return _end_of_waiting(ticket, kind, calendar, now)
    passed = sum(1 for day in kind.reminders_days if waited >= timedelta(days=day))
    if passed <= ticket.reminders_sent:
        return None
    event = TicketEvent(at=now, actor=BOT, kind=EventKind.REMINDED, new=str(passed))
    after = replace(ticket, reminders_sent=passed, updated_at=now)
    return TicketChange(before=ticket, after=after, events=(event,))


def _end_of_waiting(ticket: Ticket, kind: RequestType, calendar: BusinessCalendar, now: datetime) -> TicketChange:
    if kind.after_reminders is AfterReminders.TO_QUEUE:
        due = due_at(Status.OPEN, kind, now, calendar)
        after = replace(moved(ticket, Status.OPEN), asked_at=None, due_at=due, updated_at=now)
        events = (_status_changed(ticket, after, now),)
        change = TicketChange(before=ticket, after=after, events=events, may_answer=False)
        return with_promise(change, kind, calendar, now)
    after = replace(
        moved(ticket, Status.RESOLVED),
        resolution=Resolution.EXPIRED,
        resolved_at=now,
        asked_at=None,
        updated_at=now,
    )
    expired = TicketEvent(at=now, actor=BOT, kind=EventKind.EXPIRED)
    return TicketChange(before=ticket, after=after, events=(expired, _status_changed(ticket, after, now)))


def closing_change(ticket: Ticket, now: datetime) -> TicketChange:
    """The window for reopening is over. Raises ``TransitionNotAllowed`` for a ticket that is not finished."""
    after = replace(moved(ticket, Status.CLOSED), updated_at=now)
    closed = TicketEvent(at=now, actor=BOT, kind=EventKind.CLOSED)
    events = (closed, _status_changed(ticket, after, now))
    return TicketChange(before=ticket, after=after, events=events, quiet=True)


def _status_changed(before: Ticket, after: Ticket, now: datetime) -> TicketEvent:
    return TicketEvent(at=now, actor=BOT, kind=EventKind.STATUS_CHANGED, old=before.status, new=after.status)
