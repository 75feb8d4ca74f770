"""What a second look makes of a ticket: ``correct(Ticket, SecondLook) -> TicketChange | None``. Pure.

For ``mails reprocess`` (INTERFACE *Reprocess*): what differs becomes ``reprocessed`` events, the status moves
only where intake would have moved it, a person's word stands, and the requester hears of it only if what they
must do is not what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.catalogue.request_types import RequestType
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.events import ADMIN, BOT, EventKind, TicketEvent
from mailbot.domain.evidence import EvidenceReport, FieldValue, Finding, valid_values
from mailbot.domain.guidance import Ruling, RulingAction
from mailbot.domain.ticket import Status, Ticket, moved
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.carry_out import title_of
from mailbot.triage.guided import ended, kept_ruling
from mailbot.triage.promises import due_at
from mailbot.triage.rules import as_suggestion, with_ruling

_EVENT_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook:
    """What all mails of a ticket's requester, and what agents stated, come to when they are looked at again.

    ``in_hands``: an agent answered, decided or stated something, so status and type stay, and what ended the
    ticket. ``may_ask``: the requester may be
    written to. ``quiet``: nobody is told. ``mail_id`` is the newest of the mails.
    """

    request_type: RequestType
    report: EvidenceReport
    in_hands: bool
    may_ask: bool
    verified: bool
    quiet: bool
    mail_id: int
    now: datetime
    calendar: BusinessCalendar


_BY_A_PERSON = (EventKind.AGENT_ANSWERED, EventKind.DECIDED, EventKind.TYPE_CHANGED, EventKind.ASKED)


def is_in_hands(ticket: Ticket, events: Iterable[TicketEvent]) -> bool:
    """Whether an agent answered, decided, stated something or moved the ticket: no recount moves it any more."""
    return ticket.holds_words_of_agents or any(
        event.kind in _BY_A_PERSON or (event.kind is EventKind.STATUS_CHANGED and event.actor != BOT)
        for event in events
    )


def correct(ticket: Ticket, look: SecondLook) -> TicketChange | None:
    """The change, or ``None`` where nothing differs."""
    look = _as_it_ended(ticket, _that_can_be_told(ticket, look))
    kind, report = look.request_type, look.report
    after = replace(
        ticket,
        request_type=kind.key,
        queue=ticket.queue if kind.key == ticket.request_type else kind.queue_for(valid_values(report.fields)),
        fields=report.fields,
        documents=report.findings,
        missing=report.missing,
        mismatches=report.mismatches,
        ruling=kept_ruling(ticket.ruling, report.ruling),
        title=title_of(kind, report, ticket.subject),
    )
    events = [_event(look, EventKind.REPROCESSED, ADMIN, *one) for one in _differences(ticket, after)]
    if not events:
        return None
    status = _status(ticket, look)
    after = _with_status(after, status)
    if _is_guided_anew(ticket, look):
        events.append(_event(look, EventKind.GUIDED, BOT, "", "", _given(report.ruling)))
    if status is not ticket.status:
        events.append(_event(look, EventKind.STATUS_CHANGED, BOT, "", ticket.status, status))
    tells = _tells_requester(ticket, status, look)
    after = _in_time(replace(after, updated_at=look.now), ticket, look, asked=tells)
    return TicketChange(
        before=ticket,
        after=after,
        events=tuple(events),
        may_answer=tells,
        verified=look.verified,
        quiet=look.quiet,
        correction=tells,
    )


# --- guidance ---------------------------------------------------------------------------------------------------


def _that_can_be_told(ticket: Ticket, look: SecondLook) -> SecondLook:
    """No request ends by guidance of which its requester does not hear: an agent gets it as a suggestion."""
    ruling = look.report.ruling
    if ruling is None or not _is_guided_anew(ticket, look) or (look.may_ask and not look.quiet):
        return look
    return replace(look, report=replace(look.report, ruling=as_suggestion(ruling)))


def _as_it_ended(ticket: Ticket, look: SecondLook) -> SecondLook:
    """Guidance that ended a ticket which an agent has in hand stays."""
    if not (look.in_hands and ticket.is_guided):
        return look
    return replace(look, report=with_ruling(look.request_type, look.report, ticket.ruling))


def _is_guided_anew(ticket: Ticket, look: SecondLook) -> bool:
    """Whether the requester has to be told another thing than what they were told."""
    given = _given(look.report.ruling)
    return given != "" and (not ticket.is_guided or given != _given(ticket.ruling))


def _given(ruling: Ruling | None) -> str:
    return ruling.given if ruling is not None else ""


def _with_status(ticket: Ticket, status: Status) -> Ticket:
    """A request that guidance has ended and that is to be asked about opens first."""
    if ticket.status is Status.RESOLVED and status is Status.AWAITING_REQUESTER:
        ticket = moved(ticket, Status.OPEN)
    after = moved(ticket, status)
    return after if after.is_finished else replace(after, resolution=None, resolved_at=None)


# --- status ------------------------------------------------------------------------------------------------------


def _status(ticket: Ticket, look: SecondLook) -> Status:
    if _given(look.report.ruling) and not look.in_hands:
        return Status.RESOLVED
    if ticket.is_guided and not look.in_hands:
        asks = not look.report.complete and look.may_ask and not look.quiet
        return Status.AWAITING_REQUESTER if asks else Status.OPEN
    if look.in_hands or not (_must_do_something_else(ticket, look) or _is_other_type(ticket, look)):
        return ticket.status
    if ticket.status is Status.AWAITING_REQUESTER and look.report.complete:
        return Status.OPEN
    # A ticket that came to its queue although something lacked is a person's: it is not taken back.
    came_complete = not ticket.missing and not ticket.mismatches
    in_queue = ticket.status in (Status.NEW, Status.OPEN)
    if in_queue and not look.report.complete and came_complete and look.may_ask:
        return Status.AWAITING_REQUESTER
    return ticket.status


def _must_do_something_else(ticket: Ticket, look: SecondLook) -> bool:
    before = (set(ticket.missing), set(ticket.mismatches), _given(ticket.ruling))
    return before != (set(look.report.missing), set(look.report.mismatches), _given(look.report.ruling))


def _is_other_type(ticket: Ticket, look: SecondLook) -> bool:
    return ticket.request_type != look.request_type.key


def _tells_requester(ticket: Ticket, status: Status, look: SecondLook) -> bool:
    if look.quiet or not look.may_ask or not _must_do_something_else(ticket, look):
        return False
    if _given(look.report.ruling):
        return _is_guided_anew(ticket, look)
    if ticket.is_guided:
        return status is Status.AWAITING_REQUESTER or look.report.complete
    if look.report.complete:
        return ticket.status is Status.AWAITING_REQUESTER and status is Status.OPEN
    return status is Status.AWAITING_REQUESTER


def _in_time(after: Ticket, before: Ticket, look: SecondLook, *, asked: bool) -> Ticket:
    """Reminders count from the letter that asks; nobody is reminded of what was not asked, or is there."""
    ruling = look.report.ruling
    if ruling is not None and ruling.replies and after.status is Status.RESOLVED:
        return ended(after, look.request_type, ruling, look.now) if asked else after
    if after.status is Status.AWAITING_REQUESTER:
        if asked:
            return replace(after, asked_at=look.now, reminders_sent=0, due_at=None)
        waits_on = before.status is Status.AWAITING_REQUESTER and not look.report.complete
        return replace(after, asked_at=before.asked_at if waits_on else None, due_at=None)
    if after.status is Status.OPEN and (before.status is not Status.OPEN or _is_other_type(before, look)):
        due = due_at(Status.OPEN, look.request_type, look.now, look.calendar)
        return replace(after, asked_at=None, due_at=due)
    return after


# --- events ------------------------------------------------------------------------------------------------------


def _differences(before: Ticket, after: Ticket) -> Iterator[tuple[str, str, str]]:
    """(what, old, new) for everything that a reader of the ticket would see differently."""
    yield from _differing("request_type", before.request_type, after.request_type)
    yield from _differing("queue", before.queue, after.queue)
    yield from _differing("title", before.title, after.title)
    old_fields = {value.key: value for value in before.fields}
    new_fields = {value.key: value for value in after.fields}
    for key in dict.fromkeys([*old_fields, *new_fields]):
        old, new = old_fields.get(key), new_fields.get(key)
        if old != new:
            yield f"field {key}", _field(old), _field(new)
    yield from _differing("guidance", _said(before.ruling), _said(after.ruling))
    if before.documents != after.documents:
        yield "documents", _documents(before.documents), _documents(after.documents)
    yield from _differing("missing", " ".join(before.missing), " ".join(after.missing))
    yield from _differing(
        "mismatches",
        " ".join(f"{one.key}:{one.reason}" for one in before.mismatches),
        " ".join(f"{one.key}:{one.reason}" for one in after.mismatches),
    )


def _differing(what: str, old: str, new: str) -> Iterator[tuple[str, str, str]]:
    if old != new:
        yield what, old, new


def _said(ruling: Ruling | None) -> str:
    """What a ruling tells somebody, nothing where it lets the request go on."""
    if ruling is None or ruling.action not in (RulingAction.REPLY, RulingAction.SUGGEST):
        return ""
    return f"{ruling.action}: {ruling.guidance or ruling.note}"


def _field(value: FieldValue | None) -> str:
    if value is None:
        return ""
    return value.value if value.valid else f"{value.value} ({value.reason})"


def _documents(findings: tuple[Finding, ...]) -> str:
    return "; ".join(f"{one.filename}: {one.verdict}, {one.requirement or one.kind}" for one in findings)


def _event(look: SecondLook, kind: EventKind, actor: str, what: str, old: str, new: str) -> TicketEvent:
    return TicketEvent(
        at=look.now,
        actor=actor,
        kind=kind,
        old=str(old)[:_EVENT_CHARACTERS],
        new=str(new)[:_EVENT_CHARACTERS],
        detail=what,
        mail_id=look.mail_id,
    )
