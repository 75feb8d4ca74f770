"""What time makes of a ticket: reminders, the end of waiting, closing; never beside the table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from mailbot.catalogue.business_time import business_calendar
from mailbot.catalogue.request_types import AfterReminders, RequestType
from mailbot.domain.errors import TransitionNotAllowed
from mailbot.domain.events import BOT, EventKind
from mailbot.domain.ticket import TRANSITIONS, Resolution, Status, Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.time_passes import closing_change, due_change
from tests.triage.situations import LOCATION, NOW, catalogue, ticket


def kind(after_reminders: AfterReminders = AfterReminders.EXPIRE) -> RequestType:
    return catalogue().type(LOCATION).model_copy(update={"after_reminders": after_reminders})


def due(on: Ticket, of: RequestType | None = None, *, days: float) -> TicketChange | None:
    """What is due on a ticket whose question is so many days old."""
    calendar = business_calendar(catalogue().calendar)
    return due_change(replace(on, asked_at=NOW - timedelta(days=days)), of or kind(), calendar, NOW)


def steps(change: TicketChange) -> list[tuple[str, str]]:
    """The statuses that the ticket goes through, from what it was to what it is, as its events tell."""
    told = [(event.old, event.new) for event in change.events if event.kind is EventKind.STATUS_CHANGED]
    before = change.before.status if change.before else Status.NEW
    path = [before, *(Status(new) for _, new in told)]
    assert told == [(old, new) for old, new in pairwise(path)]
    assert path[-1] is change.after.status
    return told


def test_a_reminder_leaves_on_its_day_once_and_moves_nothing() -> None:
    waiting = ticket(Status.AWAITING_REQUESTER)
    assert due(waiting, days=0.9) is None
    reminded = due(waiting, days=1)
    assert reminded is not None
    assert (reminded.after.reminders_sent, reminded.after.status) == (1, Status.AWAITING_REQUESTER)
    assert [(event.actor, event.kind, event.new) for event in reminded.events] == [(BOT, EventKind.REMINDED, "1")]
    assert due(reminded.after, days=1.5) is None


def test_who_was_asked_nothing_is_reminded_of_nothing() -> None:
    calendar = business_calendar(catalogue().calendar)
    assert due_change(ticket(Status.AWAITING_REQUESTER), kind(), calendar, NOW) is None


def test_nothing_is_due_at_night() -> None:
    calendar = business_calendar(catalogue().calendar)
    asked = ticket(Status.AWAITING_REQUESTER, asked_at=NOW - timedelta(days=30))
    assert due_change(asked, kind(), calendar, NOW + timedelta(hours=9)) is None


def test_a_request_that_nobody_completes_expires() -> None:
    change = due(ticket(Status.AWAITING_REQUESTER), days=10)
    assert change is not None
    assert (change.after.resolution, change.after.resolved_at, change.after.asked_at) == (
        Resolution.EXPIRED,
        NOW,
        None,
    )
    assert [event.kind for event in change.events] == [EventKind.EXPIRED, EventKind.STATUS_CHANGED]
    assert steps(change) == [(Status.AWAITING_REQUESTER, Status.RESOLVED)]


def test_or_it_goes_to_its_queue_with_a_promise_where_the_type_says_so() -> None:
    change = due(ticket(Status.AWAITING_REQUESTER), kind(AfterReminders.TO_QUEUE), days=10)
    assert change is not None
    assert change.after.due_at is not None
    assert (change.after.asked_at, change.may_answer) == (None, False)
    assert steps(change) == [(Status.AWAITING_REQUESTER, Status.OPEN)]


def test_a_resolved_ticket_closes_quietly() -> None:
    change = closing_change(ticket(Status.RESOLVED), NOW)
    assert change.quiet
    assert [event.kind for event in change.events] == [EventKind.CLOSED, EventKind.STATUS_CHANGED]
    assert steps(change) == [(Status.RESOLVED, Status.CLOSED)]


@pytest.mark.parametrize("after_reminders", AfterReminders)
@pytest.mark.parametrize("status", Status)
def test_the_end_of_waiting_obeys_the_table(status: Status, after_reminders: AfterReminders) -> None:
    end = Status.OPEN if after_reminders is AfterReminders.TO_QUEUE else Status.RESOLVED
    if end is status or end in TRANSITIONS[status]:
        change = due(ticket(status), kind(after_reminders), days=10)
        assert change is not None
        assert change.after.status is end
    else:
        with pytest.raises(TransitionNotAllowed):
            due(ticket(status), kind(after_reminders), days=10)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.CLOSED])
def test_closing_obeys_the_table(status: Status) -> None:
    if Status.CLOSED in TRANSITIONS[status]:
        assert closing_change(ticket(status), NOW).after.status is Status.CLOSED
    else:
        with pytest.raises(TransitionNotAllowed):
            closing_change(ticket(status), NOW)
