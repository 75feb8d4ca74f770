"""Words that decide how a ticket stands: decisions, waiting, visits, reopening, closing, taking back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

from mailbot.catalogue.folding import fold_words, plain_lines
from mailbot.domain.events import EventKind
from mailbot.domain.orders import Effect
from mailbot.domain.ticket import TRANSITIONS, Resolution, Status, Ticket, moved
from mailbot.triage.orders.desk import Order, OrderDesk, Outcome, Problem, Progress, effect, problem
from mailbot.triage.promises import due_at

_FURTHEST_VISIT = timedelta(days=366)


# --- decisions -----------------------------------------------------------------------------------------------


def authorise(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#autorizar [texto]`` (R000-25)."""
    return _resolved(so_far.with_text(argument), Resolution.APPROVED, desk)


def deny(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#negar motivo``: the reason may also stand below the words (R000-25)."""
    if not (argument.strip() or desk.says_more):
        return problem("reason_missing")
    return _resolved(so_far.with_text(argument), Resolution.DENIED, desk)


def resolve(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#resolver [texto]``."""
    return _resolved(so_far.with_text(argument), Resolution.DONE, desk)


def _resolved(so_far: Progress, resolution: Resolution, desk: OrderDesk) -> Outcome:
    if so_far.ticket.is_finished:
        return problem("already_decided", status=label_of(so_far.ticket, desk))
    decided = so_far.on(so_far.ticket, effect(EventKind.DECIDED, new=resolution))
    done = go_to(decided, Status.RESOLVED, desk)
    if isinstance(done, Problem):
        return done
    ticket = replace(done.ticket, resolution=resolution, resolved_at=desk.now, asked_at=None, asked=())
    return replace(done, ticket=ticket)


# --- between ---------------------------------------------------------------------------------------------------


def moving_to(status: Status) -> Order:
    """``#espera [motivo]``, ``#aprovacao [motivo]``: the reason is for staff."""

    def move(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
        return go_to(so_far, status, desk, detail=argument)

    return move


_CLIENT = ("cliente", "do cliente", "pelo cliente", "client")


def await_approval(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#aprovacao [quem]``: who approves; ``cliente`` asks the requester, who answers in one line (R003-16)."""
    going = go_to(so_far, Status.AWAITING_APPROVAL, desk, detail=argument)
    asks_client = fold_words(argument) in _CLIENT
    return going.telling("told.approval") if asks_client and not isinstance(going, Problem) else going


def schedule(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#agendar 2026-12-03 14:00``: a visit in local time; a new time replaces the one before. Where the
    requester said that nobody can come then, the agent is told so: they may have spoken meanwhile."""
    if not argument.strip():
        return problem("moment_missing")
    at = moment_in(argument, desk.zone)
    if at is None:
        return problem("not_a_moment", typed=argument)
    if not desk.now < at < desk.now + _FURTHEST_VISIT:
        return problem("moment_not_ahead", typed=argument)
    told = _moment(at, desk.zone)
    ticket = so_far.ticket
    if ticket.status is not Status.VISIT_SCHEDULED:
        going = go_to(so_far, Status.VISIT_SCHEDULED, desk)
        if isinstance(going, Problem):
            return going
        so_far = going
    old = ticket.visit_at.isoformat() if ticket.visit_at else ""
    ticket = replace(
        so_far.ticket, visit_at=at, visit_sequence=ticket.visit_sequence + (ticket.visit_at is not None)
    )
    done = so_far.on(ticket, effect(EventKind.VISIT_SCHEDULED, old=old, new=at.isoformat()), moment=told)
    if against := desk.times_against(ticket, at):
        done = replace(done.saying(moment=told, times=against), aside="against_times")
    return replace(done.telling("told.visit", moment=told), invites=True)


_DAY = r"(?:(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})|(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4}))"
_TIME = r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})|h(?P<min>\d{2})?)"
_MOMENT = re.compile(rf"{_DAY}(?:\s*,?\s*(?:as|a las)?\s+|T){_TIME}\s*(?:h|hs|horas)?\.?", re.IGNORECASE)


def moment_in(text: str, zone: tzinfo) -> datetime | None:
    """``2026-12-03 14:00``, ``03/12/2026 às 14h30`` in local time; ``None`` for anything else."""
    match = _MOMENT.fullmatch(plain_lines(text).strip())
    if match is None:
        return None
    year, month, day = (match["year"], match["month"], match["day"])
    if year is None:
        year, month, day = match["y"], match["m"], match["d"]
    try:
        minute = int(match["minute"] or match["min"] or 0)
        at = datetime(int(year), int(month), int(day), int(match["hour"]), minute, tzinfo=zone)
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _moment(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return local.strftime("%d/%m/%Y, %H:%M")


def label(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#status rótulo``: one of the type's public labels, or a company's further one over a status."""
    if not argument.strip():
        return problem("label_missing", labels=_labels(so_far.ticket, desk))
    found = _label_named(argument, so_far.ticket, desk)
    if found is None:
        return problem("no_such_label", typed=argument, labels=_labels(so_far.ticket, desk))
    name, status = found
    if status in (Status.RESOLVED, Status.CLOSED, Status.NEW):
        return problem("label_needs_a_word", label=name)
    further = name if name in desk.kind_of(so_far.ticket).further_labels else ""
    if so_far.ticket.status is status and so_far.ticket.label == further:
        return problem("already_there", status=name)
    going: Outcome = so_far if so_far.ticket.status is status else go_to(so_far, status, desk)
    if isinstance(going, Problem):
        return going
    changed = effect(EventKind.LABEL_CHANGED, old=label_of(so_far.ticket, desk), new=name)
    return going.on(replace(going.ticket, label=further), changed, status=name)


def _label_named(typed: str, ticket: Ticket, desk: OrderDesk) -> tuple[str, Status] | None:
    kind = desk.kind_of(ticket)
    named = [*kind.further_labels.items(), *((name, status) for status, name in kind.status_labels.items())]
    return next(((name, status) for name, status in named if fold_words(name) == fold_words(typed)), None)


def _labels(ticket: Ticket, desk: OrderDesk) -> str:
    kind = desk.kind_of(ticket)
    finished = (Status.RESOLVED, Status.CLOSED, Status.NEW)
    usual = [name for status, name in kind.status_labels.items() if status not in finished]
    return ", ".join(dict.fromkeys([*usual, *kind.further_labels]))


# --- the end, and back -----------------------------------------------------------------------------------------


def reopen(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#reabrir [motivo]``: the requester is told, unless they have not heard of the end."""
    ticket = so_far.ticket
    if ticket.status is Status.CLOSED:
        return problem("closed_for_good")
    if ticket.status is not Status.RESOLVED:
        return problem("not_finished", status=label_of(ticket, desk))
    reopened = effect(EventKind.REOPENED, old=ticket.resolution or "", detail=argument)
    going = go_to(so_far.on(ticket, reopened), Status.OPEN, desk, from_the_end=True)
    if isinstance(going, Problem):
        return going
    due = due_at(Status.OPEN, desk.kind_of(ticket), desk.now, desk.calendar)
    after = replace(going.ticket, resolution=None, resolved_at=None, due_at=due, merged_into=None)
    done = replace(going, ticket=after)
    knows_of_the_end = ticket.merged_into is None and not (desk.undoable is not None and desk.undoable.unsent)
    return done.telling("told.reopened") if knows_of_the_end else done


def close(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#fechar``: no reply reopens the ticket any more."""
    if so_far.ticket.status is not Status.RESOLVED:
        return problem("not_resolved", status=label_of(so_far.ticket, desk))
    if desk.undoable is not None and desk.undoable.unsent:
        return problem("decision_waits")
    closed = so_far.on(so_far.ticket, effect(EventKind.CLOSED))
    return go_to(closed, Status.CLOSED, desk, detail=argument, from_the_end=True)


def undo(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#desfazer``: takes a decision back while its letter has not left, to the status before it."""
    del argument
    if desk.undoable is None or so_far.ticket.status is not Status.RESOLVED:
        return problem("nothing_to_undo")
    if not desk.undoable.unsent:
        return problem("already_told")
    ticket, status = so_far.ticket, desk.undoable.status_before
    undone = effect(EventKind.UNDONE, old=ticket.resolution or "")
    going = go_to(so_far.on(ticket, undone), status, desk, from_the_end=True)
    if isinstance(going, Problem):
        return going
    asked_at = desk.now if status is Status.AWAITING_REQUESTER else None
    after = replace(going.ticket, resolution=None, resolved_at=None, asked_at=asked_at)
    return replace(going, ticket=after)


# --- steps -----------------------------------------------------------------------------------------------------


def go_to(
    so_far: Progress, status: Status, desk: OrderDesk, *, detail: str = "", from_the_end: bool = False
) -> Outcome:
    """The ticket in ``status``, by way of ``open`` where the table has no shorter one (INTERFACE *Statuses*).

    A finished ticket stays so but for those words that are about it: ``from_the_end``.
    """
    ticket = so_far.ticket
    if ticket.is_finished and not from_the_end:
        return problem("finished", status=label_of(ticket, desk))
    if ticket.status is status:
        return problem("already_there", status=label_of(ticket, desk))
    way = _way(ticket.status, status)
    if way is None:
        return problem("not_from_here", status=label_of(ticket, desk))
    effects: list[Effect] = []
    for step in way:
        effects.append(effect(EventKind.STATUS_CHANGED, old=ticket.status, new=step, detail=detail))
        ticket = moved(ticket, step)
    # A request that somebody works on again is nobody's to be reminded of.
    asked_at = ticket.asked_at if status is Status.AWAITING_REQUESTER else None
    done = so_far.on(replace(ticket, asked_at=asked_at), *effects)
    return done.saying(status=label_of(done.ticket, desk))


def _way(start: Status, end: Status) -> tuple[Status, ...] | None:
    if end in TRANSITIONS[start]:
        return (end,)
    goes_by_open = Status.OPEN in TRANSITIONS[start] and end in TRANSITIONS[Status.OPEN]
    return (Status.OPEN, end) if goes_by_open else None


def label_of(ticket: Ticket, desk: OrderDesk) -> str:
    """How the ticket stands, as people read it."""
    return desk.kind_of(ticket).label_of(ticket.status, ticket.label)
