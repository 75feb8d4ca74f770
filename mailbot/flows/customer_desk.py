"""What is known when somebody asks with a customer word: ``(CustomerQuery, Asking) -> Situation``.

Nothing is looked up for whom nothing may be told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from mailbot.catalogue.load import GENERAL, Catalogue
from mailbot.domain.customer import Customer
from mailbot.domain.evidence import EvidenceReport
from mailbot.domain.mail import Accepted, Classification, InboundMail, Sender, SenderRole, ThreadMatch
from mailbot.domain.self_service import NO_TICKETS, CustomerQuery, CustomerWord, OwnTickets
from mailbot.domain.ticket import Ticket
from mailbot.triage.directives import DirectiveBlock
from mailbot.triage.self_service import Access, access
from mailbot.triage.situation import Situation
from mailbot.triage.types_named import types_named

_CHOICES_AT_MOST = 20
_NEED_A_TICKET = frozenset({CustomerWord.DETAILS, CustomerWord.CANCEL})


class OwnTicketKnowledge(Protocol):
    """What is asked of the past for a customer word."""

    def ticket(self, number: str) -> Ticket | None:
        """A ticket."""
        ...

    def own_tickets(self, requester: str, mailbox: str, *, ending: str, limit: int) -> OwnTickets:
        """Tickets of this address, newest first; with ``ending`` only those whose number ends so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A mail with a customer word, as far as understood; ``joined`` is the ticket that its thread leads to."""

    mail: InboundMail
    screening: Accepted
    sender: Sender
    thread: ThreadMatch
    joined: Ticket | None
    mailbox: str
    now: datetime


def query_situation(
    query: CustomerQuery,
    asking: Asking,
    *,
    known: OwnTicketKnowledge,
    catalogue: Catalogue,
    record_of: Callable[[str], Customer | None],
) -> Situation:
    """The situation of a mail that is a customer word; its ticket is the one that the word is about. ``record_of``
    finds the customer's record of an address: where there is no ticket, it tells the language of the answer."""
    sender, joined = asking.sender, asking.joined
    ticket, named, record = joined, NO_TICKETS, None
    if access(asking.screening, sender, asking.thread, joined) is Access.GRANTED:
        # Somebody of the staff who asks is a requester like all others.
        sender = replace(sender, role=SenderRole.REQUESTER, agent_key=None)
        ticket, named = _meant(query, sender.address.address, joined, asking.mailbox, known)
        record = record_of(sender.address.address) if ticket is None else None
    retypes = query.word in _RETYPE
    offered = catalogue.types_of(asking.mailbox) if retypes else ()
    kind = catalogue.type(ticket.request_type if ticket else GENERAL)
    return Situation(
        mail=asking.mail,
        screening=asking.screening,
        sender=sender,
        thread=asking.thread,
        ticket=ticket,
        classification=Classification(request_type=kind.key if ticket else None, matched="customer_word"),
        request_type=kind,
        report=_as_it_stands(ticket),
        directives=DirectiveBlock(remaining_text=asking.mail.new_text),
        is_gratitude=False,
        answers_need_verification=False,
        now=asking.now,
        query=query,
        sender_record=record,
        named=named,
        types_named=types_named(query.word, query.argument, offered, _departments(catalogue), kind.family)
        if retypes
        else (),
        types_offered=offered,
    )


_RETYPE = frozenset({CustomerWord.TYPE, CustomerWord.DEPARTMENT})


def _departments(catalogue: Catalogue) -> dict[str, str]:
    return {queue.key: queue.name for queue in catalogue.staff.queues}


def _meant(
    query: CustomerQuery, requester: str, joined: Ticket | None, mailbox: str, known: OwnTicketKnowledge
) -> tuple[Ticket | None, OwnTickets]:
    """The ticket that the word is about, if it is one, and those that it could be about."""
    if query.word is CustomerWord.VOTE:
        return None, NO_TICKETS
    if query.argument and query.word not in _RETYPE:
        named = known.own_tickets(requester, mailbox, ending=query.argument, limit=_CHOICES_AT_MOST)
        return (known.ticket(named.tickets[0].number) if named.count == 1 else None), named
    if joined is not None and joined.requester.address == requester and joined.mailbox == mailbox:
        return joined, NO_TICKETS
    if query.word in _RETYPE:
        own = known.own_tickets(requester, mailbox, ending="", limit=_CHOICES_AT_MOST)
        return _only_open(own, known)
    if query.word in _NEED_A_TICKET:
        return None, known.own_tickets(requester, mailbox, ending="", limit=_CHOICES_AT_MOST)
    return None, NO_TICKETS


def _only_open(own: OwnTickets, known: OwnTicketKnowledge) -> tuple[Ticket | None, OwnTickets]:
    """The one open ticket of somebody who names none, or all that are open."""
    still_open = tuple(one for one in own.tickets if not one.is_finished)
    one = still_open[0] if len(still_open) == 1 and own.count <= _CHOICES_AT_MOST else None
    return (known.ticket(one.number) if one else None), OwnTickets(tickets=still_open, count=len(still_open))


def _as_it_stands(ticket: Ticket | None) -> EvidenceReport:
    """A word is no evidence."""
    if ticket is None:
        return EvidenceReport()
    return EvidenceReport(
        findings=ticket.documents, fields=ticket.fields, missing=ticket.missing, mismatches=ticket.mismatches
    )
