"""What orders are weighed with, how far a plan has come, and why one is not possible: the parts of a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo

from mailbot.catalogue.field_specs import FieldSpec
from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.staff import AgentSpec
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.customer import Customer
from mailbot.domain.events import EventKind, StoredFile
from mailbot.domain.evidence import EvidenceReport, FieldValue
from mailbot.domain.mail import Address
from mailbot.domain.orders import Effect, Surviving, Told, Values
from mailbot.domain.ticket import Status, Ticket

CheckField = Callable[[FieldSpec, str], FieldValue]
"""What an agent typed for a field → the value in the form in which it is kept, or why it is none."""

HeldAgainst = Callable[[Ticket, RequestType], EvidenceReport]
"""What a ticket holds, held against the requirements of a request type."""


TimesAgainst = Callable[[Ticket, datetime], str]
"""What the requester said of times at which nobody can come, if a moment is one of these; else empty (R002-18)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoable:
    """The last decision of a ticket as the events tell it. ``unsent``: its letter has not begun to leave."""

    status_before: Status
    unsent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDesk:
    """What the words may look things up in.

    ``agent`` is the roster's own entry of who orders. ``other`` is the ticket that ``#juntar`` names, already the
    one at the end of a chain of merged ones; ``undoable`` the decision that ``#desfazer`` would take back, ``own``
    the agent's open tickets, ``originals`` the files that came with the ticket's mails, ``customers`` the records
    that could be meant, by id: looked up only where a word asks for them.
    ``says_more``: the mail has text or files beside the words.
    """

    catalogue: Catalogue
    calendar: BusinessCalendar
    agent: AgentSpec
    now: datetime
    undo_time: timedelta
    check_field: CheckField
    held_against: HeldAgainst
    times_against: TimesAgainst
    mailbox_address: str = ""
    other: Ticket | None = None
    undoable: Undoable | None = None
    own: tuple[Ticket, ...] = ()
    originals: tuple[StoredFile, ...] = ()
    customers: Mapping[int, Customer] = field(default_factory=dict)
    says_more: bool = False

    @property
    def zone(self) -> tzinfo:
        """In which agents write times."""
        return self.calendar.zone

    @property
    def address(self) -> Address:
        """The agent's registered address and name."""
        return Address(address=self.agent.address, name=self.agent.name)

    def kind_of(self, ticket: Ticket) -> RequestType:
        """The ticket's request type."""
        return self.catalogue.type(ticket.request_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why an order is not possible: the code of a sentence and what stands in it."""

    code: str
    values: Values = ()


def problem(code: str, **values: str) -> Problem:
    """``problem("no_such_queue", typed="saw")``."""
    return Problem(code=code, values=tuple(values.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A ticket with some of a mail's orders done. ``said`` is what the sentence of the latest order needs, and
    ``aside`` which of its sentences where it is not the usual one."""

    ticket: Ticket
    effects: tuple[Effect, ...] = ()
    told: tuple[Told, ...] = ()
    asks: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    files: tuple[StoredFile, ...] = ()
    papers: tuple[StoredFile, ...] = ()
    invites: bool = False
    into: Surviving | None = None
    said: Values = ()
    aside: str = ""

    def on(self, ticket: Ticket, *effects: Effect, **said: str) -> Progress:
        """One order further: the ticket that it makes, what it did, and what its sentence needs."""
        done = (*self.effects, *effects)
        return replace(self, ticket=ticket, effects=done, said=tuple(said.items()), aside="")

    def saying(self, **said: str) -> Progress:
        """One order further that changes nothing on the ticket."""
        return replace(self, said=tuple(said.items()), aside="")

    def telling(self, code: str, **values: str) -> Progress:
        """The requester is told of it in a sentence."""
        return replace(self, told=(*self.told, Told(code=code, values=tuple(values.items()))))

    def with_text(self, text: str) -> Progress:
        """Words that belong to the mail's text."""
        return replace(self, texts=(*self.texts, text.strip())) if text.strip() else self


Outcome = Progress | Problem
Order = Callable[[str, Progress, OrderDesk], Outcome]
"""What a word does with its argument; raises nothing."""


def effect(kind: EventKind, *, old: str = "", new: str = "", detail: str = "") -> Effect:
    """A thing that happens; the detail short enough for a list of events."""
    return Effect(kind=kind, old=str(old), new=str(new), detail=detail[:300])
