"""What triage may ask of the past: the interface, and the past of a house that begins today."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from mailbot.domain.customer import Customer
from mailbot.domain.events import StoredFile, TicketEvent, TicketMessage
from mailbot.domain.evidence import (
    DocumentReading,
)
from mailbot.domain.identification import NOBODY_KNOWN, CustomerClue, KnownCustomers
from mailbot.domain.ledger import MailWithCode
from mailbot.domain.outbox import LetterRow
from mailbot.domain.self_service import OwnTickets
from mailbot.domain.staffing import AgentRecord
from mailbot.domain.threads import OpenRequest
from mailbot.domain.ticket import Ticket
from mailbot.domain.traces import OtherUse
from mailbot.flows.order_desk import OrderKnowledge
from mailbot.triage.thread import (
    ThreadClues,
    ThreadKnowledge,
)


class Knowledge(OrderKnowledge, Protocol):
    """What triage may ask of the past."""

    def of_clues(self, clues: ThreadClues, *, now: datetime) -> ThreadKnowledge:
        """What is known of the handles, ids and tags in a mail."""
        ...

    def open_requests(self, requester: str, mailbox: str) -> tuple[OpenRequest, ...]:
        """Tickets of this address that wait for something."""
        ...

    def own_tickets(self, requester: str, mailbox: str, *, ending: str, limit: int) -> OwnTickets:
        """Tickets of this address, newest first; with ``ending`` only those whose number ends so."""
        ...

    def notices(self, handles: Sequence[str]) -> tuple[str, ...]:
        """The texts of the notices to staff that carry these handles."""
        ...

    def customers_for(self, address: str, clues: tuple[CustomerClue, ...]) -> KnownCustomers:
        """Whose this address is, for whom they may write, and whom these numbers name."""
        ...

    def customer(self, customer_id: int) -> Customer | None:
        """A customer's record."""
        ...

    def message_of(self, number: str, mail_id: int) -> TicketMessage | None:
        """The message that a mail became on a ticket."""
        ...

    def answered_letters(self, handles: Sequence[str]) -> tuple[str, ...]:
        """The texts of the letters to requesters that carry these handles."""
        ...

    def mails_with_codes(self, agent: str) -> Sequence[MailWithCode]:
        """The mails about no ticket in an agent's name that have to do with codes, newest first."""
        ...

    def readings(self, digests: Sequence[str]) -> list[DocumentReading]:
        """Readings of these files that are kept."""
        ...

    def close_for_now(self) -> None:
        """Whatever is open from one question to the next is closed: something follows that may take long."""
        ...

    def other_uses(self, traces: Sequence[str], *, but: Sequence[str]) -> list[OtherUse]:
        """The tickets, but for these numbers, in which any of the traces was left."""
        ...

    def sent_folder_is_watched(self, mailbox: str) -> bool:
        """Whether we see what people send from this mailbox."""
        ...

    def agent_records(self) -> Sequence[AgentRecord]:
        """What administrators and agents' own mailboxes have said over the roster's file."""
        ...


class NothingKnown:
    """The past of a mailbox that begins today (for ``explain`` without a database)."""

    def of_clues(self, clues: ThreadClues, *, now: datetime) -> ThreadKnowledge:
        """Nothing."""
        del clues, now
        return ThreadKnowledge()

    def ticket(self, number: str) -> Ticket | None:
        """None."""
        del number
        return None

    def events(self, number: str) -> Sequence[TicketEvent]:
        """None."""
        del number
        return ()

    def letters(self, number: str) -> Sequence[LetterRow]:
        """None."""
        del number
        return ()

    def assigned_to(self, address: str) -> Sequence[Ticket]:
        """None."""
        del address
        return ()

    def files_of(self, number: str) -> Sequence[StoredFile]:
        """None."""
        del number
        return ()

    def message_of(self, number: str, mail_id: int) -> TicketMessage | None:
        """None."""
        del number, mail_id
        return None

    def open_requests(self, requester: str, mailbox: str) -> tuple[OpenRequest, ...]:
        """None."""
        del requester, mailbox
        return ()

    def own_tickets(self, requester: str, mailbox: str, *, ending: str, limit: int) -> OwnTickets:
        """None."""
        del requester, mailbox, ending, limit
        return OwnTickets()

    def notices(self, handles: Sequence[str]) -> tuple[str, ...]:
        """None."""
        del handles
        return ()

    def answered_letters(self, handles: Sequence[str]) -> tuple[str, ...]:
        """None."""
        del handles
        return ()

    def mails_with_codes(self, agent: str) -> Sequence[MailWithCode]:
        """None."""
        del agent
        return ()

    def customers_for(self, address: str, clues: tuple[CustomerClue, ...]) -> KnownCustomers:
        """Nobody."""
        del address, clues
        return NOBODY_KNOWN

    def customer(self, customer_id: int) -> Customer | None:
        """Nobody."""
        del customer_id
        return None

    def readings(self, digests: Sequence[str]) -> list[DocumentReading]:
        """None."""
        del digests
        return []

    def close_for_now(self) -> None:
        """Nothing is open."""

    def other_uses(self, traces: Sequence[str], *, but: Sequence[str]) -> list[OtherUse]:
        """None."""
        del traces, but
        return []

    def sent_folder_is_watched(self, mailbox: str) -> bool:
        """No."""
        del mailbox
        return False

    def agent_records(self) -> Sequence[AgentRecord]:
        """Nothing."""
        return ()
