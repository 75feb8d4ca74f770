"""Whose a ticket is, said by a person of the house: ``(UnitOfWork, ticket, Customer) -> the ticket changed``."""

from __future__ import annotations

from datetime import datetime

from mailbot.domain.customer import Customer
from mailbot.flows.ports import UnitOfWork
from mailbot.flows.write_change import write_change
from mailbot.triage.choose_customer import choose_customer


def link_ticket(work: UnitOfWork, number: str, customer: Customer, *, actor: str, now: datetime) -> bool:
    """Make the ticket that customer's; false if there is no such ticket. Raises ``ConcurrentChange``."""
    ticket = work.tickets.get(number)
    if ticket is None:
        return False
    write_change(work, choose_customer(ticket, customer, actor=actor, at=now))
    return True
