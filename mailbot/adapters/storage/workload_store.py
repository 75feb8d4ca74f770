"""Tickets as work to be done: what is due, whose it is, nobody's yet, and what a week came to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, literal_column, select, update

from mailbot.adapters.storage.mapping import ticket_from_row, understood
from mailbot.adapters.storage.tables import UNFINISHED_AND_DUE, outbox, ticket_events, tickets
from mailbot.domain.events import Audience, LetterStatus
from mailbot.domain.staffing import WorkCount
from mailbot.domain.ticket import Resolution, Status, Ticket

_T, _O, _E = tickets.c, outbox.c, ticket_events.c
# A literal, not a parameter: only so does SQLite see that the partial index applies.
_REFUSED = _E.kind == literal_column("'agent_reply_refused'")
# The states by name, not all but two: only so is the index by status of use.
_UNFINISHED = _T.status.in_([one.value for one in Status if one not in (Status.RESOLVED, Status.CLOSED)])
_NOT_DELIVERED = (LetterStatus.FAILED.value, LetterStatus.NEEDS_PERSON.value)
_NOT_BEGUN = (LetterStatus.QUEUED.value, LetterStatus.HELD.value, LetterStatus.RETRY.value)


class WorkloadStore:
    """Questions about many tickets at once, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def due_before(self, moment: datetime, *, limit: int = 500) -> list[Ticket]:
        """Unfinished tickets whose promise ends by ``moment`` and of which staff have not heard that it is broken;
        the earliest first."""
        untold = _T.late_for.is_(None) | (_T.late_for != _T.due_at)
        return self._tickets(_due_by(moment), untold, limit=limit)

    def late(self, now: datetime, *, limit: int = 500) -> list[Ticket]:
        """Unfinished tickets whose promise is broken, the oldest first."""
        return self._tickets(_due_by(now), limit=limit)

    def unassigned(self, queues: Sequence[str], *, limit: int = 500) -> list[Ticket]:
        """Tickets of these queues that wait for an agent and are nobody's."""
        waits = _T.status.in_((Status.OPEN.value, Status.NEW.value))
        return self._tickets(_T.queue.in_(queues), _T.assignee.is_(None), waits, limit=limit)

    def assigned_to(self, address: str, *, limit: int = 2000) -> list[Ticket]:
        """An agent's unfinished tickets, those with the nearest promise first."""
        return self._tickets(_UNFINISHED, _T.assignee == address, limit=limit)

    def _tickets(self, *conditions: ColumnElement[bool], limit: int) -> list[Ticket]:
        query = select(tickets).where(*conditions).order_by(_T.due_at.is_(None), _T.due_at, _T.number).limit(limit)
        return understood(self._connection.execute(query).mappings(), ticket_from_row, key="number")

    def not_delivered(self, numbers: Sequence[str], *, since: datetime) -> list[tuple[str, str]]:
        """(ticket, letter) of letters to requesters that could not be delivered, of these tickets."""
        query = (
            select(_O.ticket_number, _O.letter)
            .where(
                _O.ticket_number.in_(numbers),
                _O.status.in_(_NOT_DELIVERED),
                _O.audience == Audience.REQUESTER.value,
                _O.created_at >= since,
            )
            .order_by(_O.id)
        )
        return [(row.ticket_number, row.letter) for row in self._connection.execute(query)]

    def types_in_use(self) -> set[str]:
        """Keys of the request types of all tickets that are not finished."""
        return set(self._connection.scalars(select(_T.request_type).where(_UNFINISHED).distinct()))

    def refused_in_name_of(self, agent: str, *, since: datetime) -> list[tuple[str, int]]:
        """(ticket, how many) of mails in an agent's name that did nothing."""
        query = (
            select(_E.ticket_number, func.count().label("mails"))
            .where(_REFUSED, _E.actor == agent, _E.at >= since)
            .group_by(_E.ticket_number)
            .order_by(_E.ticket_number)
        )
        return [(row.ticket_number, row.mails) for row in self._connection.execute(query)]

    def counts(self, *, since: datetime, until: datetime) -> list[WorkCount]:
        """What came to pass by queue, in the order of their keys."""
        return [self._count(queue, since, until) for queue in self._connection.scalars(_QUEUES)]

    def _count(self, queue: str, since: datetime, until: datetime) -> WorkCount:
        of_queue = _T.queue == queue
        ended_at = self._connection.execute(
            select(_T.opened_at, _T.resolved_at, _T.rating, _T.resolution).where(
                of_queue, _T.resolved_at.is_not(None), _T.resolved_at >= since, _T.resolved_at < until
            )
        ).all()
        spans: list[timedelta] = [row.resolved_at - row.opened_at for row in ended_at]
        ratings = [row.rating for row in ended_at if row.rating is not None]
        return WorkCount(
            queue=queue,
            opened=self._how_many(of_queue, _T.opened_at >= since, _T.opened_at < until),
            ended=len(ended_at),
            expired=sum(row.resolution == Resolution.EXPIRED.value for row in ended_at),
            still_open=self._how_many(of_queue, _UNFINISHED),
            late=self._how_many(of_queue, _due_by(until)),
            hours_to_end=sum(spans, timedelta()) / timedelta(hours=1) / len(spans) if spans else None,
            ratings=len(ratings),
            rating=sum(ratings) / len(ratings) if ratings else None,
        )

    def _how_many(self, *conditions: ColumnElement[bool]) -> int:
        return self._connection.scalar(select(func.count()).select_from(tickets).where(*conditions)) or 0

    def shut_out(self, address: str, *, now: datetime) -> int:
        """From now on no letter that was sent to this member of staff gives them any right, and none leaves that
        waits; how many handles end."""
        theirs = (_O.recipient_address == address, _O.audience == Audience.STAFF.value)
        ended = self._connection.execute(
            update(outbox).where(*theirs, _O.handle_revoked_at.is_(None)).values(handle_revoked_at=now)
        )
        waiting = update(outbox).where(*theirs, _O.status.in_(_NOT_BEGUN), _O.owner.is_(None))
        self._connection.execute(waiting.values(status=LetterStatus.CANCELLED.value, due_at=None))
        return ended.rowcount


def _due_by(moment: datetime) -> ColumnElement[bool]:
    return and_(UNFINISHED_AND_DUE, _T.due_at <= moment)


_QUEUES = select(_T.queue).where(_T.queue != "").distinct().order_by(_T.queue)
