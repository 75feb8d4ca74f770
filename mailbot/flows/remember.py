"""What triage may ask of the past, answered from storage: question by question, or all of one examination at one
look."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import datetime
from types import TracebackType
from typing import Self

from mailbot.domain.customer import Customer
from mailbot.domain.events import Audience, AuthorRole, StoredFile, TicketEvent, TicketMessage
from mailbot.domain.evidence import DocumentReading
from mailbot.domain.identification import CustomerClue, KnownCustomers
from mailbot.domain.ledger import MailWithCode
from mailbot.domain.mailbox import SENT_FOLDER
from mailbot.domain.outbox import LetterRow
from mailbot.domain.self_service import OwnTickets
from mailbot.domain.staffing import AgentRecord
from mailbot.domain.threads import KnownMessageId, KnownTicket, OpenRequest
from mailbot.domain.ticket import Ticket
from mailbot.domain.traces import OtherUse
from mailbot.evidence.reading import READER_VERSION
from mailbot.flows.ports import Storage, UnitOfWork
from mailbot.mime.body import html_to_text
from mailbot.triage.thread import ThreadClues, ThreadKnowledge

# A reply quotes one letter, rarely two; its References name up to twenty.
_MOST_ANSWERED_LETTERS = 5
_MOST_TICKETS_OF_AN_AGENT = 200


class StoredKnowledge:
    """Implements ``Knowledge`` on a storage, each question in a short reading transaction of its own."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def transaction(self) -> AbstractContextManager[UnitOfWork]:
        """The transaction in which a question is answered."""
        return self._storage.read()

    def close_for_now(self) -> None:
        """Nothing is open between two questions."""

    def of_clues(self, clues: ThreadClues, *, now: datetime) -> ThreadKnowledge:
        """What is known of the handles, ids and tags in a mail."""
        if not (clues.handles or clues.message_ids or clues.ticket_tags):
            return ThreadKnowledge()
        with self.transaction() as work:
            handles = work.outbox.handles([clue.handle for clue in clues.handles], now=now)
            ids = [
                *work.outbox.message_ids(clues.message_ids),
                *work.sent.other_message_ids(clues.message_ids),
                *(
                    KnownMessageId(message_id=message_id, ticket_number=number)
                    for message_id, number in work.tickets.tickets_with_message_ids(clues.message_ids)
                ),
            ]
            numbers = dict.fromkeys([*(one.ticket_number for one in ids), *clues.ticket_tags])
            tickets = [ticket for number in numbers if (ticket := work.tickets.get(number)) is not None]
        return ThreadKnowledge(
            handles=tuple(handles),
            message_ids=tuple(ids),
            tickets=tuple(
                KnownTicket(
                    ticket_number=ticket.number,
                    participants=frozenset({ticket.requester.address, *ticket.participants}),
                )
                for ticket in tickets
            ),
        )

    def ticket(self, number: str) -> Ticket | None:
        """A ticket."""
        with self.transaction() as work:
            return work.tickets.get(number)

    def events(self, number: str) -> list[TicketEvent]:
        """All that happened to a ticket, oldest first."""
        with self.transaction() as work:
            return work.tickets.events(number)

    def letters(self, number: str) -> list[LetterRow]:
        """The letters of a ticket."""
        with self.transaction() as work:
            return work.outbox.letters_of_ticket(number)

    def assigned_to(self, address: str) -> list[Ticket]:
        """The unfinished tickets of an agent, most urgent first."""
        with self.transaction() as work:
            return work.workload.assigned_to(address, limit=_MOST_TICKETS_OF_AN_AGENT)

    def files_of(self, number: str) -> list[StoredFile]:
        """All files of the requester's messages of a ticket, oldest first."""
        with self.transaction() as work:
            messages = work.tickets.messages(number)
        return [file for one in messages if one.role is not AuthorRole.AGENT for file in one.files]

    def message_of(self, number: str, mail_id: int) -> TicketMessage | None:
        """The message that a mail became on a ticket."""
        with self.transaction() as work:
            return next((one for one in work.tickets.messages(number) if one.mail_id == mail_id), None)

    def open_requests(self, requester: str, mailbox: str) -> tuple[OpenRequest, ...]:
        """Tickets of this address that wait for something."""
        with self.transaction() as work:
            return tuple(work.tickets.open_requests(requester, mailbox))

    def own_tickets(self, requester: str, mailbox: str, *, ending: str, limit: int) -> OwnTickets:
        """Tickets of this address, newest first; with ``ending`` only those whose number ends so."""
        with self.transaction() as work:
            return work.tickets.own_tickets(requester, mailbox, ending=ending, limit=limit)

    def notices(self, handles: Sequence[str]) -> tuple[str, ...]:
        """The texts of the notices to staff that carry these handles."""
        if not handles:
            return ()
        with self.transaction() as work:
            letters = [work.outbox.by_handle(handle) for handle in handles]
        return tuple(one.text for one in letters if one is not None and one.audience is Audience.STAFF)

    def answered_letters(self, handles: Sequence[str]) -> tuple[str, ...]:
        """The texts, plain and from HTML, of the newest letters to requesters that carry these handles."""
        if not handles:
            return ()
        with self.transaction() as work:
            found = [work.outbox.by_handle(handle) for handle in handles[:_MOST_ANSWERED_LETTERS]]
        letters = [one for one in found if one is not None and one.audience is Audience.REQUESTER]
        return tuple(text for one in letters for text in (one.text, html_to_text(one.html)))

    def mails_with_codes(self, agent: str) -> list[MailWithCode]:
        """The mails about no ticket in an agent's name that have to do with codes, newest first."""
        with self.transaction() as work:
            return work.errands.with_codes(agent)

    def readings(self, digests: Sequence[str]) -> list[DocumentReading]:
        """Readings of these files that are kept."""
        with self.transaction() as work:
            return work.house.readings(digests, READER_VERSION)

    def other_uses(self, traces: Sequence[str], *, but: Sequence[str]) -> list[OtherUse]:
        """The tickets, but for these numbers, in which any of the traces was left."""
        if not traces:
            return []
        with self.transaction() as work:
            return work.papers.other_uses(traces, but=but)

    def customers_for(self, address: str, clues: tuple[CustomerClue, ...]) -> KnownCustomers:
        """Whose this address is, for whom they may write, and whom these numbers name."""
        with self.transaction() as work:
            return work.customers.known(address, clues)

    def customer(self, customer_id: int) -> Customer | None:
        """A customer's record."""
        with self.transaction() as work:
            return work.customers.get(customer_id)

    def sent_folder_is_watched(self, mailbox: str) -> bool:
        """Whether we see what people send from this mailbox."""
        with self.transaction() as work:
            return work.house.folder(mailbox, SENT_FOLDER) is not None

    def agent_records(self) -> list[AgentRecord]:
        """What is said of agents over the roster's file."""
        with self.transaction() as work:
            return work.roster.records()


class KnowledgeForOneMail(StoredKnowledge):
    """The same for one mail: a context whose questions are all answered over one connection, taken with the first
    of them and, once it was closed for a while, with the next. On SQLite that is one consistent view; on
    PostgreSQL each statement sees its own moment."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self._transaction = ExitStack()
        self._work: UnitOfWork | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._work = None
        # The storage sees an error that a question met: it says what became of the database.
        self._transaction.__exit__(kind, error, trace)

    def transaction(self) -> AbstractContextManager[UnitOfWork]:
        if self._work is None:
            self._work = self._transaction.enter_context(self._storage.read())
        return nullcontext(self._work)

    def close_for_now(self) -> None:
        """The transaction ends."""
        self._work = None
        self._transaction.close()
