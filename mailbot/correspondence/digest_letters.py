"""The letters that leave by themselves in the morning: ``(what there is to do, AlertDesk) -> PlannedLetter``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.staff import AgentSpec
from mailbot.correspondence.alerts import AlertDesk
from mailbot.correspondence.context import LetterView, first_name
from mailbot.correspondence.planned import PlannedLetter
from mailbot.correspondence.words import Phrase, phrase
from mailbot.correspondence.work_views import (
    DigestManagersView,
    DigestView,
    QueueFigures,
    UndeliveredRow,
    WorkList,
    WorkRow,
)
from mailbot.domain.events import Audience, LetterKind
from mailbot.domain.staffing import WorkCount
from mailbot.domain.ticket import Priority, Ticket

_LISTED_AT_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsDay:
    """What an agent has before them. ``own`` holds the tickets of those too whom they stand in for, ``unassigned``
    what is nobody's in their queues; ``undelivered`` are (ticket, letter), ``refused`` (ticket, how many mails in
    the agent's name did nothing since the working day before)."""

    own: Sequence[Ticket]
    unassigned: Sequence[Ticket]
    undelivered: Sequence[tuple[str, str]] = ()
    refused: Sequence[tuple[str, int]] = ()
    stands_in_for: Sequence[AgentSpec] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagersWeek:
    """What a week came to; ``until`` is its last day."""

    since: date
    until: date
    counts: Sequence[WorkCount]
    late: Sequence[Ticket]


def digest(
    day: AgentsDay, agent: AgentSpec, desk: AlertDesk, catalogue: Catalogue, now: datetime
) -> PlannedLetter:
    """The agent's list. Every ticket stands in it once: as late, as due today, or as what it is besides."""
    own, unassigned = list(day.own), list(day.unassigned)
    everything = [*own, *unassigned]
    late = [one for one in everything if _is_late(one, now)]
    due_today = [one for one in everything if one not in late and _is_due_on(one, now.astimezone(desk.zone), desk)]
    told = {one.number for one in (*late, *due_today)}

    def rows(tickets: Collection[Ticket]) -> WorkList:
        return _list(tickets, desk, catalogue, now)

    view = DigestView(
        brand_name=desk.brand_name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        agent_name=first_name(agent.name),
        today=desk.words.date(now, desk.zone),
        late=rows(late),
        due_today=rows(due_today),
        own=rows([one for one in own if one.number not in told]),
        unassigned=rows([one for one in unassigned if one.number not in told]),
        undelivered=(*_undelivered(day, desk), *_refused(day)),
        stands_in_for=", ".join(one.name for one in day.stands_in_for),
        nothing_to_do=not everything and not day.undelivered and not day.refused,
    )
    return _to_staff(LetterKind.DIGEST, view, desk)


def _undelivered(day: AgentsDay, desk: AlertDesk) -> tuple[UndeliveredRow, ...]:
    return tuple(
        UndeliveredRow(
            ticket_number=number,
            what=phrase("work.undelivered", letter=desk.words.say(phrase(f"letter.{letter}"))),
        )
        for number, letter in day.undelivered[:_LISTED_AT_MOST]
    )


def _refused(day: AgentsDay) -> tuple[UndeliveredRow, ...]:
    """What the agent was perhaps told of once only."""
    return tuple(
        UndeliveredRow(
            ticket_number=number,
            what=phrase("work.refused_one" if count == 1 else "work.refused", count=str(count)),
        )
        for number, count in day.refused[:_LISTED_AT_MOST]
    )


def digest_managers(week: ManagersWeek, desk: AlertDesk, catalogue: Catalogue, now: datetime) -> PlannedLetter:
    """The week by queue, and what is late now."""
    view = DigestManagersView(
        brand_name=desk.brand_name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        since=week.since.strftime("%d/%m/%Y"),
        until=week.until.strftime("%d/%m/%Y"),
        queues=tuple(_figures(one, desk, catalogue) for one in week.counts),
        late=_list(week.late, desk, catalogue, now),
    )
    return _to_staff(LetterKind.DIGEST_MANAGERS, view, desk)


def _figures(count: WorkCount, desk: AlertDesk, catalogue: Catalogue) -> QueueFigures:
    queue = catalogue.staff.queue(count.queue)
    rating = ""
    if count.rating is not None:
        mean = f"{count.rating:.1f}".replace(".", desk.words.say(phrase("decimal_mark")))
        rating = desk.words.say(phrase("work.rating", rating=mean, count=str(count.ratings)))
    return QueueFigures(
        name=queue.name if queue else count.queue,
        opened=str(count.opened),
        ended=desk.words.say(_ended(count)),
        still_open=str(count.still_open),
        late=str(count.late),
        time_to_end="" if count.hours_to_end is None else _span(count.hours_to_end, desk),
        rating=rating,
    )


def _ended(count: WorkCount) -> Phrase:
    values = {"count": str(count.ended), "expired": str(count.expired)}
    return phrase("work.ended_expired" if count.expired else "work.ended", **values)


def _span(hours: float, desk: AlertDesk) -> str:
    days, rest = divmod(round(hours), 24)
    if days:
        return desk.words.say(phrase("work.days_and_hours", days=str(days), hours=str(rest)))
    return desk.words.say(phrase("work.hours", hours=str(rest)))


def _list(tickets: Collection[Ticket], desk: AlertDesk, catalogue: Catalogue, now: datetime) -> WorkList:
    left_out = len(tickets) - _LISTED_AT_MOST
    return WorkList(
        count=str(len(tickets)),
        rows=tuple(_row(one, desk, catalogue, now) for one in list(tickets)[:_LISTED_AT_MOST]),
        left_out=str(left_out) if left_out > 0 else "",
    )


def _row(ticket: Ticket, desk: AlertDesk, catalogue: Catalogue, now: datetime) -> WorkRow:
    kind = catalogue.type(ticket.request_type)
    late = _is_late(ticket, now)
    return WorkRow(
        number=ticket.number,
        title=ticket.title or kind.name,
        requester=ticket.requester.name or ticket.requester.address,
        status_label=kind.label_of(ticket.status, ticket.label),
        answer_by=desk.moment(ticket.due_at) if ticket.due_at else "",
        late=late,
        due_today=not late and _is_due_on(ticket, now.astimezone(desk.zone), desk),
        urgent=ticket.priority is Priority.HIGH,
    )


def _is_late(ticket: Ticket, now: datetime) -> bool:
    return ticket.due_at is not None and ticket.due_at <= now


def _is_due_on(ticket: Ticket, local: datetime, desk: AlertDesk) -> bool:
    end_of_day = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), desk.zone)
    return ticket.due_at is not None and ticket.due_at < end_of_day


def _to_staff(letter: LetterKind, view: LetterView, desk: AlertDesk) -> PlannedLetter:
    return PlannedLetter(
        letter=letter,
        audience=Audience.STAFF,
        purpose=None,
        recipient=desk.admin,
        sender_name=desk.brand_name,
        view=view,
        language=desk.language,
        automatic=False,
        auto_submitted="auto-generated",
        verified_recipient=True,
    )
