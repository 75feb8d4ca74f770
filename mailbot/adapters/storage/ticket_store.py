"""Tickets with their messages and events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)

from mailbot.adapters.storage.compiled import CompiledStatement
from mailbot.adapters.storage.mapping import (
    event_from_row,
    event_to_row,
    folded,
    message_from_row,
    message_to_row,
    ticket_from_row,
    ticket_to_row,
    understood,
)
from mailbot.adapters.storage.tables import (
    ticket_events,
    ticket_messages,
    tickets,
)
from mailbot.domain.errors import ConcurrentChange
from mailbot.domain.events import TicketEvent, TicketMessage
from mailbot.domain.self_service import OwnTickets, TicketSummary
from mailbot.domain.threads import OpenRequest
from mailbot.domain.ticket import Status, Ticket

_T = tickets.c
_CHUNK = 500

# Two processes may open the year's first ticket. Word for word the same in SQLite and PostgreSQL.
_NEXT_NUMBER = CompiledStatement(
    text(
        "INSERT INTO ticket_numbers (year, last) VALUES (:this_year, 1) "
        "ON CONFLICT (year) DO UPDATE SET last = ticket_numbers.last + 1 RETURNING last"
    )
)
_INSERT_TICKET = CompiledStatement(insert(tickets))
_INSERT_MESSAGE = CompiledStatement(insert(ticket_messages))
_INSERT_EVENT = CompiledStatement(insert(ticket_events))
_WANTED = select(tickets).where(_T.number == bindparam("wanted"))
_GET, _GET_TO_CHANGE = CompiledStatement(_WANTED), CompiledStatement(_WANTED.with_for_update())
_CHANGE = CompiledStatement(
    update(tickets)
    .where(_T.number == bindparam("changed"), _T.version == bindparam("expected"))
    .values({column.name: bindparam(f"new_{column.name}") for column in _T if not column.primary_key})
)
# Literals: only so does SQLite see that a partial index applies, or need not plan anew for every mail.
_AWAITS_REQUESTER = _T.status == literal_column(f"'{Status.AWAITING_REQUESTER}'")
_RESOLVED = _T.status == literal_column(f"'{Status.RESOLVED}'")
_MOST_OPEN_REQUESTS = 20
_OPEN_REQUESTS = CompiledStatement(
    select(_T.number, _T.request_type, _T.missing)
    .where(
        _T.requester_address == bindparam("requester"),
        _AWAITS_REQUESTER,
        _T.mailbox == bindparam("of_mailbox"),
    )
    .order_by(_T.number.desc())
    .limit(_MOST_OPEN_REQUESTS)
)


_LAST_MESSAGES = CompiledStatement(
    select(ticket_messages)
    .where(ticket_messages.c.ticket_number == bindparam("of_ticket"))
    .order_by(ticket_messages.c.id.desc())
    .limit(bindparam("count", type_=Integer))
)
_IDS_FROM = CompiledStatement(
    select(ticket_messages.c.message_id)
    .where(
        ticket_messages.c.ticket_number == bindparam("of_ticket"),
        ticket_messages.c.author_address == bindparam("author"),
        ticket_messages.c.message_id != "",
    )
    .order_by(ticket_messages.c.id)
)


_OWN = (_T.requester_address == bindparam("requester"), _T.mailbox == bindparam("of_mailbox"))
_ENDS_SO = _T.number.endswith(bindparam("ending"), autoescape=False)


def _own_tickets_query(*, with_ending: bool) -> Select[Any]:
    wanted = (*_OWN, _ENDS_SO) if with_ending else _OWN
    count = select(func.count()).select_from(tickets).where(*wanted).scalar_subquery()
    return (
        select(_T.number, _T.request_type, _T.title, _T.status, _T.opened_at, count.label("how_many"))
        .where(*wanted)
        .order_by(_T.opened_at.desc(), _T.number.desc())
        .limit(bindparam("at_most", type_=Integer))
    )


_OWN_TICKETS = {with_ending: _own_tickets_query(with_ending=with_ending) for with_ending in (False, True)}


class TicketStore:
    """Rows of ``tickets``, ``ticket_messages`` and ``ticket_events`` within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_number(self, year: int) -> str:
        """The next ticket number of the year, ``YYYY-NNNNNN``, without gaps: what is rolled back gives its number
        back. So, on PostgreSQL, who wants the next one waits for the end of this transaction."""
        last: int = _NEXT_NUMBER.run(self._connection, {"this_year": year}).scalar_one()
        return f"{year}-{last:06d}"

    def get(self, number: str) -> Ticket | None:
        """The ticket, or ``None``; within a writing transaction nobody else changes it before its end."""
        writing = self._connection.get_execution_options().get("mailbot_write", False)
        query = _GET_TO_CHANGE if writing else _GET
        row = query.row(self._connection, {"wanted": number})
        return ticket_from_row(row) if row else None

    def add(self, ticket: Ticket) -> None:
        """Write a new ticket."""
        _INSERT_TICKET.run(self._connection, ticket_to_row(ticket))

    def change(self, ticket: Ticket, *, expected_version: int) -> Ticket:
        """Write a changed ticket. Raises ``ConcurrentChange`` unless it still has ``expected_version``."""
        changed = replace(ticket, version=expected_version + 1)
        values = {f"new_{name}": value for name, value in ticket_to_row(changed).items()}
        values |= {"changed": ticket.number, "expected": expected_version}
        result = _CHANGE.run(self._connection, values)
        if result.rowcount != 1:
            raise ConcurrentChange(f"ticket {ticket.number} changed meanwhile")
        return changed

    def add_message(self, number: str, message: TicketMessage) -> None:
        """Append a message."""
        _INSERT_MESSAGE.run(self._connection, message_to_row(number, message))

    def drop_message(self, message_id: str, *, mail_id: int) -> None:
        """Take away what stands on a ticket from this mail; the ledger and the events keep it."""
        condition = and_(ticket_messages.c.message_id == message_id, ticket_messages.c.mail_id == mail_id)
        self._connection.execute(delete(ticket_messages).where(condition))

    def add_events(self, number: str, events: Sequence[TicketEvent]) -> None:
        """Append events, in order."""
        _INSERT_EVENT.run_many(self._connection, [event_to_row(number, event) for event in events])

    def messages(self, number: str) -> list[TicketMessage]:
        """All messages, oldest first."""
        query = (
            select(ticket_messages).where(ticket_messages.c.ticket_number == number).order_by(ticket_messages.c.id)
        )
        return [message_from_row(row) for row in self._connection.execute(query).mappings()]

    def last_messages(self, number: str, count: int) -> list[TicketMessage]:
        """The newest ``count`` messages, oldest of them first."""
        rows = _LAST_MESSAGES.rows(self._connection, {"of_ticket": number, "count": count})
        return [message_from_row(row) for row in reversed(rows)]

    def first_message(self, number: str) -> TicketMessage | None:
        """The message that opened the ticket."""
        query = select(ticket_messages).where(ticket_messages.c.ticket_number == number)
        row = self._connection.execute(query.order_by(ticket_messages.c.id).limit(1)).mappings().first()
        return message_from_row(row) if row else None

    def events(self, number: str) -> list[TicketEvent]:
        """All events, oldest first."""
        query = select(ticket_events).where(ticket_events.c.ticket_number == number).order_by(ticket_events.c.id)
        return [event_from_row(row) for row in self._connection.execute(query).mappings()]

    def message_count(self, number: str) -> int:
        """How many messages the ticket has."""
        query = select(func.count()).select_from(ticket_messages).where(ticket_messages.c.ticket_number == number)
        return self._connection.scalar(query) or 0

    def message_counts(self, numbers: Sequence[str]) -> dict[str, int]:
        """How many messages each of these tickets has; those without any are left out."""
        counts: dict[str, int] = {}
        for start in range(0, len(numbers), _CHUNK):
            query = (
                select(ticket_messages.c.ticket_number, func.count())
                .where(ticket_messages.c.ticket_number.in_(numbers[start : start + _CHUNK]))
                .group_by(ticket_messages.c.ticket_number)
            )
            counts.update((number, count) for number, count in self._connection.execute(query))
        return counts

    def tickets_with_message_ids(self, message_ids: Sequence[str]) -> list[tuple[str, str]]:
        """(Message-ID, ticket number) of inbound messages that are known."""
        if not message_ids:
            return []
        query = select(ticket_messages.c.message_id, ticket_messages.c.ticket_number).where(
            ticket_messages.c.message_id.in_(message_ids)
        )
        return [(row.message_id, row.ticket_number) for row in self._connection.execute(query)]

    def message_ids_from(self, number: str, address: str) -> list[str]:
        """Message-IDs of what this person wrote on the ticket, oldest first."""
        found = _IDS_FROM.run(self._connection, {"of_ticket": number, "author": address})
        return [message_id for (message_id,) in found.rows]

    def open_requests(self, requester: str, mailbox: str) -> list[OpenRequest]:
        """Tickets of this requester that wait for something: the newest 20, oldest of them first.

        Each is looked at for each of the requester's mails, and somebody may send thousands.
        """
        rows = _OPEN_REQUESTS.rows(self._connection, {"requester": requester, "of_mailbox": mailbox})
        return [
            OpenRequest(
                ticket_number=row["number"], request_type=row["request_type"], missing=tuple(row["missing"])
            )
            for row in reversed(rows)
        ]

    def own_tickets(self, requester: str, mailbox: str, *, ending: str = "", limit: int) -> OwnTickets:
        """This requester's tickets in this mailbox, newest first, ``limit`` of them, and how many there are: one
        query. With ``ending`` (digits and a hyphen) only those whose number ends so."""
        query = _OWN_TICKETS[bool(ending)]
        values = {"requester": requester, "of_mailbox": mailbox, "at_most": limit}
        rows = self._connection.execute(query, values | ({"ending": ending} if ending else {})).all()
        return OwnTickets(
            tickets=tuple(
                TicketSummary(
                    number=row.number,
                    request_type=row.request_type,
                    title=row.title,
                    status=Status(row.status),
                    opened_at=row.opened_at,
                )
                for row in rows
            ),
            count=rows[0].how_many if rows else 0,
        )

    def browse(
        self,
        *,
        status: Status | None = None,
        request_type: str | None = None,
        queue: str | None = None,
        requester: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        words: str = "",
    ) -> list[Ticket]:
        """Tickets, newest first; ``words`` must all occur in number, subject, title, requester or fields."""
        query = select(tickets).order_by(_T.opened_at.desc(), _T.number.desc())
        for column, value in (
            (_T.status, status.value if status else None),
            (_T.request_type, request_type),
            (_T.queue, queue),
            (_T.requester_address, requester.lower() if requester else None),
        ):
            if value is not None:
                query = query.where(column == value)
        if since is not None:
            query = query.where(_T.opened_at >= since)
        for word in folded(words).split():
            query = query.where(_T.search_text.contains(word, autoescape=True))
        if limit is not None:
            query = query.limit(limit)
        return understood(self._connection.execute(query).mappings(), ticket_from_row, key="number")

    def waiting_since(self, asked_before: datetime) -> list[Ticket]:
        """Tickets that have waited for their requester since before ``asked_before``."""
        query = select(tickets).where(_AWAITS_REQUESTER, _T.asked_at.is_not(None), _T.asked_at <= asked_before)
        rows = self._connection.execute(query.order_by(_T.asked_at, _T.number)).mappings()
        return understood(rows, ticket_from_row, key="number")

    def sector_silent_since(self, asked_before: datetime) -> list[Ticket]:
        """Tickets on hold whose sector has owed an answer since before ``asked_before``."""
        query = select(tickets).where(
            _T.status == Status.ON_HOLD.value, _T.sector_asked_at.is_not(None), _T.sector_asked_at <= asked_before
        )
        rows = self._connection.execute(query.order_by(_T.sector_asked_at, _T.number)).mappings()
        return understood(rows, ticket_from_row, key="number")

    def resolved_before(self, moment: datetime) -> list[Ticket]:
        """Resolved tickets whose window for reopening is over."""
        query = select(tickets).where(_RESOLVED, _T.resolved_at <= moment)
        rows = self._connection.execute(query.order_by(_T.resolved_at, _T.number)).mappings()
        return understood(rows, ticket_from_row, key="number")
