"""Which book a ticket's sector gets, and what becomes of the ticket when it has left. Pure.

A book is written in the commit of whatever made the request complete; the ticket goes *Em Espera* only in the
commit of the result that says that it left, and back where it came back (R001-03, R001-31).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailbot.catalogue.facts.values import FactSources
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.events import BOT, AuthorRole, EventKind, TicketEvent, TicketMessage, Visibility
from mailbot.domain.guidance import Ruling, RulingAction
from mailbot.domain.mail import Address
from mailbot.domain.ticket import Status, Ticket, moved
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.rules import facts_of, rule_on

_NOW_KNOWN = (RulingAction.PROCEED, RulingAction.SUGGEST)
_IN_HAND = frozenset({Status.NEW, Status.OPEN, Status.ON_HOLD})


def with_book(change: TicketChange, kind: RequestType, sources: FactSources) -> TicketChange:
    """``change`` with the book that its ticket is ready for, unless that one was written before.

    What nobody may be answered about goes to a person, who decides what leaves.
    """
    after = change.after
    if not kind.books or after.request_type != kind.key or not (change.may_answer or change.agent is not None):
        return change
    ruling = _ruling(after, kind, sources)
    if change.agent is not None and ruling is not None and ruling.action in _NOW_KNOWN:
        # What an agent filled in is told to them as the rules see it now.
        after = replace(after, ruling=ruling)
        change = replace(change, after=after)
    wanted = _wanted(after, kind, ruling)
    if wanted in ("", after.sector_book):
        return change
    event = TicketEvent(
        at=after.updated_at, actor=BOT, kind=EventKind.BOOK_WRITTEN, old=after.sector_book, new=wanted
    )
    return replace(change, after=replace(after, sector_book=wanted), events=(*change.events, event))


def _ruling(ticket: Ticket, kind: RequestType, sources: FactSources) -> Ruling | None:
    """What the rules say of a ticket that is in hand and whole."""
    if ticket.status not in _IN_HAND or ticket.missing:
        return None
    return rule_on(kind, facts_of(kind, sources), _valid(ticket))


def _valid(ticket: Ticket) -> set[str]:
    return {value.key for value in ticket.fields if value.valid and value.value}


def _wanted(ticket: Ticket, kind: RequestType, ruling: Ruling | None) -> str:
    """Key of the book that the rules choose, or nothing where something of it lacks."""
    if ruling is None or ruling.action is not RulingAction.PROCEED:
        return ""
    valid = _valid(ticket)
    key = kind.rules[ruling.row - 1].then.book
    return key if key is not None and valid.issuperset(kind.books[key].fields) else ""


def with_noted_fields(change: TicketChange, kind: RequestType, mailbox: Address) -> TicketChange:
    """``change`` with an internal note of the fields that the type notes, once all are known and when they
    change (R001-02)."""
    now = _noted(change.after, kind)
    if not now or (change.before is not None and _noted(change.before, kind) == now):
        return change
    note = TicketMessage(
        at=change.after.updated_at,
        author=mailbox,
        role=AuthorRole.BOT,
        visibility=Visibility.INTERNAL,
        text="\n".join(now),
    )
    event = TicketEvent(at=note.at, actor=BOT, kind=EventKind.NOTE_ADDED)
    return replace(change, note=note, events=(*change.events, event))


def _noted(ticket: Ticket, kind: RequestType) -> tuple[str, ...]:
    stated = {value.key: value.value for value in ticket.fields if value.valid and value.value}
    if not kind.noted_fields or not stated.keys() >= set(kind.noted_fields):
        return ()
    return tuple(f"{kind.label_for(key)}: {stated[key]}" for key in kind.noted_fields)


def book_left(ticket: Ticket, now: datetime) -> TicketChange | None:
    """The sector's mail has left: the ticket waits for it. ``None`` where somebody has moved the ticket on."""
    if ticket.is_finished or not ticket.sector_book:
        return None
    after = replace(ticket, sector_asked_at=now, updated_at=now)
    events: tuple[TicketEvent, ...] = ()
    if ticket.status in (Status.NEW, Status.OPEN):
        after = moved(after, Status.ON_HOLD)
        events = (_status(ticket, after, now),)
    return TicketChange(before=ticket, after=after, events=events, may_answer=False, quiet=True)


def book_came_back(change: TicketChange, now: datetime) -> TicketChange:
    """A book did not reach the sector: the ticket is open, and nobody waits for an answer to it."""
    after = replace(change.after, sector_asked_at=None)
    if after.status is not Status.ON_HOLD:
        return replace(change, after=after)
    opened = moved(after, Status.OPEN)
    return replace(change, after=opened, events=(*change.events, _status(after, opened, now)))


def _status(before: Ticket, after: Ticket, now: datetime) -> TicketEvent:
    return TicketEvent(at=now, actor=BOT, kind=EventKind.STATUS_CHANGED, old=before.status, new=after.status)


def nudge(ticket: Ticket, calendar: BusinessCalendar, now: datetime) -> TicketChange | None:
    """The sector has said nothing for too long: it gets its book once more (R001-04). In office hours only."""
    if calendar.next_reminder_time(now) != now:
        return None
    event = TicketEvent(at=now, actor=BOT, kind=EventKind.SECTOR_NUDGED, new=ticket.sector_book)
    after = replace(ticket, sector_asked_at=now, updated_at=now)
    return TicketChange(before=ticket, after=after, events=(event,), may_answer=False)
