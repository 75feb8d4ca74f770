"""A person of the house says whose a ticket is: ``(Ticket, Customer) -> Ticket, events``. Pure.

What ``#cliente n`` and ``customers link --ticket`` do.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailbot.catalogue.customer_needs import CUSTOMER_KEY
from mailbot.domain.customer import Customer
from mailbot.domain.events import EventKind, TicketEvent
from mailbot.domain.evidence import FieldOrigin, FieldValue
from mailbot.domain.identification import IdentityState, TicketCustomer
from mailbot.domain.ticket import Ticket
from mailbot.domain.ticket_change import TicketChange


def nth_candidate(ticket: Ticket, number: int) -> int | None:
    """Id of the record that a notice listed under ``number`` (from 1); ``None`` if it listed no such one."""
    candidates = ticket.customer.candidates
    return candidates[number - 1] if 1 <= number <= len(candidates) else None


def choose_customer(ticket: Ticket, customer: Customer, *, actor: str, at: datetime) -> TicketChange:
    """The ticket as that customer's. It no longer waits to be told whose it is; what else it waits for stays.

    The contract is taken over where the customer has only one. What the record of another customer answered goes,
    and so does its contract.
    """
    numbers = tuple(one.number for one in customer.contracts)
    old = ticket.customer.customer_id
    was_another = old not in (None, customer.id)
    contract = "" if was_another and ticket.customer.contract not in numbers else ticket.customer.contract
    after = replace(
        ticket,
        updated_at=at,
        fields=_without_records(ticket.fields) if was_another else ticket.fields,
        missing=tuple(key for key in ticket.missing if key != CUSTOMER_KEY),
        customer=replace(
            ticket.customer,
            state=IdentityState.KNOWN,
            customer_id=customer.id,
            contracts=numbers,
            contract=contract or (numbers[0] if len(numbers) == 1 else ""),
            of_own_address=ticket.customer.of_own_address and _is_one_of_the_address(ticket.customer, customer.id),
            by_hand=True,
        ),
    )
    event = TicketEvent(
        at=at,
        actor=actor,
        kind=EventKind.CUSTOMER_IDENTIFIED,
        old=str(old or ""),
        new=str(customer.id),
        detail="by_hand",
    )
    return TicketChange(before=ticket, after=after, events=(event,), quiet=True)


def _without_records(fields: tuple[FieldValue, ...]) -> tuple[FieldValue, ...]:
    return tuple(value for value in fields if value.origin is not FieldOrigin.RECORD)


def _is_one_of_the_address(so_far: TicketCustomer, chosen: int) -> bool:
    """Whether the chosen customer is whom the sender's own address told, or among those."""
    return chosen == so_far.customer_id if so_far.customer_id is not None else chosen in so_far.candidates
