"""What guidance does to a ticket: it ends by it, and another may be opened beside it. Pure.

``end_by_guidance`` is for tickets of which the table says that the requester has to do something else; ``beside``
adds the linked ticket (R000-02), for whoever has drawn its number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.catalogue.request_types import RequestType
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.events import BOT, AuthorRole, EventKind, StoredFile, TicketEvent, TicketMessage, Visibility
from mailbot.domain.evidence import FieldValue
from mailbot.domain.guidance import Ruling, RulingAction
from mailbot.domain.ticket import Priority, Resolution, Status, Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.change_log import ChangeLog, with_status
from mailbot.triage.promises import due_at
from mailbot.triage.rules import figures

OPENED_BESIDE = "opened_beside"
"""Detail of a ``linked`` event between a ticket and the one that was opened with it."""


def note_ruling(before: Ruling | None, ruling: Ruling | None, happened: ChangeLog) -> Ruling | None:
    """The ruling as the ticket keeps it, with the event of what is new in it for an agent."""
    ruling = kept_ruling(before, ruling)
    if ruling is None:
        return None
    is_new = before is None or (before.row, before.action) != (ruling.row, ruling.action)
    if is_new and ruling.action in (RulingAction.SUGGEST, RulingAction.PERSON):
        detail = figures(ruling)
        happened.add(BOT, EventKind.SUGGESTED, new=ruling.guidance or str(ruling.action), detail=detail)
    return ruling


def kept_ruling(before: Ruling | None, ruling: Ruling | None) -> Ruling | None:
    """``ruling`` with the ticket that an earlier one opened beside, which is never opened twice: not after the
    ticket was of a type without rules for a while either, whose ruling is of row 0 then."""
    if before is None or not before.linked_ticket:
        return ruling
    ruling = ruling or Ruling(action=RulingAction.PROCEED, row=0)
    return replace(ruling, linked_ticket=before.linked_ticket, opens="")


def end_by_guidance(
    ticket: Ticket, kind: RequestType, ruling: Ruling, happened: ChangeLog, now: datetime
) -> Ticket:
    """The ticket, resolved as its guidance says. Raises ``TransitionNotAllowed``."""
    happened.add(BOT, EventKind.GUIDED, new=ruling.guidance, detail=figures(ruling))
    return ended(with_status(ticket, Status.RESOLVED, happened), kind, ruling, now)


def ended(ticket: Ticket, kind: RequestType, ruling: Ruling, now: datetime) -> Ticket:
    """A resolved ticket as its guidance ends it: how, since when, and nothing to wait for."""
    resolution = Resolution(kind.guidance[ruling.guidance].resolution)
    return replace(ticket, resolution=resolution, resolved_at=now, asked_at=None, due_at=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a ticket that is opened beside another needs: its type, a number of its own, the time."""

    kind: RequestType
    number: str
    now: datetime
    calendar: BusinessCalendar
    mail_id: int
    files: tuple[StoredFile, ...] = ()


def beside(change: TicketChange, wanted: Beside) -> TicketChange:
    """``change`` with the linked ticket that its ruling opens, in its department's queue.

    The requester hears of it in the letter that guides them, so that it has no letter of its own yet.
    """
    ticket, ruling = change.after, change.after.ruling
    if ruling is None:
        return change
    linked = _linked(ticket, wanted)
    happened = ChangeLog(wanted.now, wanted.mail_id)
    happened.add(BOT, EventKind.OPENED, new=linked.request_type)
    happened.add(BOT, EventKind.LINKED, new=ticket.number, detail=OPENED_BESIDE)
    happened.add(BOT, EventKind.STATUS_CHANGED, old=Status.NEW, new=linked.status)
    opened = TicketChange(
        before=None,
        after=linked,
        events=happened.events,
        message=_message(change, wanted),
        may_answer=False,
        verified=change.verified,
    )
    link = TicketEvent(
        at=wanted.now,
        actor=BOT,
        kind=EventKind.LINKED,
        new=linked.number,
        detail=OPENED_BESIDE,
        mail_id=wanted.mail_id,
    )
    told = replace(ticket, ruling=replace(ruling, linked_ticket=linked.number))
    return replace(change, after=told, events=(*change.events, link), beside=opened)


def _linked(ticket: Ticket, wanted: Beside) -> Ticket:
    kind = wanted.kind
    fields = tuple(value for value in ticket.fields if kind.field(value.key) is not None)
    return Ticket(
        number=wanted.number,
        mailbox=ticket.mailbox,
        request_type=kind.key,
        requester=ticket.requester,
        subject=ticket.subject,
        title=kind.title_for(_values(fields)) or kind.name,
        status=Status.OPEN,
        queue=kind.queue,
        priority=Priority.MEDIUM,
        language=ticket.language,
        opened_at=wanted.now,
        updated_at=wanted.now,
        fields=fields,
        due_at=due_at(Status.OPEN, kind, wanted.now, wanted.calendar),
    )


def _values(fields: tuple[FieldValue, ...]) -> dict[str, str]:
    return {value.key: value.value for value in fields if value.valid}


def _message(change: TicketChange, wanted: Beside) -> TicketMessage:
    """The requester's words once more. Their mail is the other ticket's: neither its id nor its place in the
    ledger stands here, so that an answer to it goes there."""
    said = change.message
    return TicketMessage(
        at=wanted.now,
        author=change.after.requester,
        role=AuthorRole.REQUESTER,
        visibility=Visibility.PUBLIC,
        text=said.text if said is not None else "",
        files=wanted.files,
        unverified=said.unverified if said is not None else not change.verified,
    )
