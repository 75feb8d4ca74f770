"""Whose request a mail is about, asked of the records: ``(mail, thread, ticket, RequestType) -> WhoseRequest``.

Reads only. A mail that is no requester's, or came from another address than the ticket's, says nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from mailbot.catalogue.customer_needs import CUSTOMER_KEY
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.customer import Customer
from mailbot.domain.evidence import EvidenceReport
from mailbot.domain.identification import (
    NOT_IDENTIFIED,
    CustomerClue,
    IdentityState,
    KnownCustomers,
    TicketCustomer,
)
from mailbot.domain.mail import Authenticity, InboundMail, Sender, SenderRole, ThreadKey, ThreadMatch
from mailbot.domain.ticket import Ticket
from mailbot.evidence.identifiers import clues_in
from mailbot.triage.account_contacts import owns, with_confirmation
from mailbot.triage.identify_customer import SenderClaim, identify_customer, is_asked, with_customer

AskRecords = Callable[[str, tuple[CustomerClue, ...]], KnownCustomers]
"""What the records say of an address and of the numbers in a mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoseRequest:
    """What a mail comes to: what its ticket keeps, the known customer's record, whether it is asked whose it is.

    ``sender`` is the record whose address the sender has, where our server vouches for it.
    """

    customer: TicketCustomer = NOT_IDENTIFIED
    record: Customer | None = None
    sender: Customer | None = None
    asked: bool = False

    @property
    def services(self) -> tuple[str, ...]:
        """The known customer's services."""
        known = self.customer.state is IdentityState.KNOWN
        return self.record.services if known and self.record is not None else ()

    def added_to(self, report: EvidenceReport, kind: RequestType) -> EvidenceReport:
        """The report with what the record answers and what is asked of the customer.

        A record answers only who wrote from its own address: what stands on a ticket is told to its requester,
        whoever they are, and a person of the house may have named its customer.
        """
        answering = self.record if self.customer.of_own_address else None
        report = with_customer(report, kind, self.customer, answering, asked=self.asked)
        return with_confirmation(report, kind, self.customer, is_owner=owns(self.sender, self.record))


def as_it_stands(ticket: Ticket) -> WhoseRequest:
    """What is kept already, for a mail that changes nothing of it."""
    return WhoseRequest(customer=ticket.customer, asked=CUSTOMER_KEY in ticket.missing)


class CustomerRecords(Protocol):
    """Where customers are known."""

    def customer(self, customer_id: int) -> Customer | None:
        """A customer's record."""
        ...


def whose_it_stands(ticket: Ticket, known: CustomerRecords) -> WhoseRequest:
    """What is kept already, with the record of the customer that is known."""
    customer_id = ticket.customer.customer_id
    record = known.customer(customer_id) if customer_id is not None else None
    return replace(as_it_stands(ticket), record=record)


def whose_request(
    mail: InboundMail,
    sender: Sender,
    thread: ThreadMatch,
    ticket: Ticket | None,
    kind: RequestType,
    ask: AskRecords,
) -> WhoseRequest:
    """Find out whose request it is; numbers in the mail count only where the type asks for a customer."""
    if ticket is not None and (sender.role is not SenderRole.REQUESTER or thread.from_another_address):
        return as_it_stands(ticket)
    if sender.role is SenderRole.MACHINE:
        return WhoseRequest()
    so_far = ticket.customer if ticket is not None else NOT_IDENTIFIED
    asks = kind.customer is not None
    clues = clues_in(mail.new_text) if asks else ()
    found_before = tuple(one for one in so_far.clues if one.kind not in {clue.kind for clue in clues})
    known = ask(sender.address.address, (*found_before, *clues))
    claim = SenderClaim(
        vouched=is_vouched_for(sender, thread),
        forged=sender.authenticity is Authenticity.FAILED,
        clues=clues,
        asks=asks,
    )
    customer = identify_customer(claim, known, so_far)
    return WhoseRequest(
        customer=customer,
        record=next((one for one in known.accounts if one.id == customer.customer_id), None),
        sender=known.of_address if claim.vouched and not claim.forged else None,
        asked=is_asked(claim, customer, so_far),
    )


def is_vouched_for(sender: Sender, thread: ThreadMatch) -> bool:
    """Whether our server vouches for the address, or the mail carries the handle that went to it."""
    if thread.from_another_address or sender.authenticity is Authenticity.FAILED:
        return False
    has_own_handle = thread.accepted and thread.key is ThreadKey.REPLY_TOKEN
    return sender.authenticity is Authenticity.VERIFIED or has_own_handle
