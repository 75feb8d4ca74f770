"""What is known of a mail when it has to be decided on: the value that ``decide`` and ``carry_out`` share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailbot.catalogue.request_types import RequestType
from mailbot.domain.confirmation import WaitingOrders
from mailbot.domain.customer import Customer
from mailbot.domain.evidence import EvidenceReport
from mailbot.domain.identification import NOT_IDENTIFIED, TicketCustomer
from mailbot.domain.mail import Accepted, Classification, InboundMail, Sender, ThreadMatch
from mailbot.domain.orders import OrderPlan
from mailbot.domain.self_service import NO_TICKETS, CustomerQuery, OwnTickets
from mailbot.domain.staff_words import Refusal
from mailbot.domain.ticket import Ticket
from mailbot.triage.directives import DirectiveBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that is known of a mail when it has to be decided on.

    ``ticket`` is the one that the mail joins, or that an agent's mail names without a right to act on it;
    ``report`` holds its evidence together with what this mail brings, and the ruling on it; ``opens_beside`` is
    the type of the ticket that the ruling opens beside it. ``answers_need_verification`` is true
    where the mailbox has a way to verify its staff. ``notices`` are the texts of the notices that an agent's mail
    answers, ``orders`` what its words come to on the ticket, ``None`` where there is none or nobody orders.
    Where nobody verifies staff, ``code_to_ask`` is the code that this mail's orders would need, ``code_refusal``
    why a code in it counts for nothing; ``confirmed`` are the orders that the right one is for, and ``mail``,
    ``directives`` and ``orders`` are then theirs.
    ``told_today`` are the reasons for which a mail in this agent's name did nothing on this ticket today.
    ``query`` is a customer word that the mail is, ``named`` the sender's tickets that it may be about;
    ``types_named`` are the request types that it names, of those ``types_offered``.
    ``customer`` is whose request it is; ``customer_record`` the record, where it is known and not only claimed;
    ``sender_record`` that of the sender's address, where our server vouches for it.
    ``arrived_at`` is the key of the mailbox to which the mail came.
    """

    mail: InboundMail
    screening: Accepted
    sender: Sender
    thread: ThreadMatch
    ticket: Ticket | None
    classification: Classification
    request_type: RequestType
    report: EvidenceReport
    directives: DirectiveBlock
    is_gratitude: bool
    answers_need_verification: bool
    now: datetime
    notices: tuple[str, ...] = ()
    opens_beside: RequestType | None = None
    query: CustomerQuery | None = None
    code_to_ask: str = ""
    code_refusal: Refusal | None = None
    confirmed: WaitingOrders | None = None
    told_today: frozenset[str] = frozenset()
    named: OwnTickets = NO_TICKETS
    orders: OrderPlan | None = None
    customer: TicketCustomer = NOT_IDENTIFIED
    customer_record: Customer | None = None
    sender_record: Customer | None = None
    types_named: tuple[RequestType, ...] = ()
    types_offered: tuple[RequestType, ...] = ()
    arrived_at: str = ""

    @property
    def type_is_gone(self) -> bool:
        """Whether the catalogue no longer has the ticket's request type: nobody knows what it needs."""
        return self.ticket is not None and self.request_type.key != self.ticket.request_type
