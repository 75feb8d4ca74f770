"""A ticket's new customer, into the records: ``(UnitOfWork, TicketChange) -> TicketChange``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailbot.catalogue.customer_needs import CUSTOMER_KEY
from mailbot.domain.customer import (
    Company,
    CustomerAddress,
    CustomerEvent,
    CustomerEventKind,
    Person,
)
from mailbot.domain.events import BOT, EventKind, TicketEvent
from mailbot.domain.identification import ClueKind, IdentityState
from mailbot.domain.ticket import Status
from mailbot.domain.ticket_change import TicketChange
from mailbot.evidence.identifiers import cnpj_of, cpf_of, phone_of
from mailbot.flows.ports import UnitOfWork
from mailbot.triage.situation import Situation


def with_new_customer(
    work: UnitOfWork, change: TicketChange, situation: Situation, *, now: datetime, mail_id: int | None = None
) -> TicketChange:
    """The change with a new record for a customer of whom there is none, made of what the mails stated (R002-06).

    Only where the request type says so, once nothing is asked any more, and for who wrote as themselves. The
    record is unconfirmed: it identifies nobody, and takes no number from who has one. Where the address has a
    record, that is the customer's.
    """
    if not is_to_be_registered(change, situation):
        return change
    requester = change.after.requester
    work.customers.lock()
    known = work.customers.of_address(requester.address)
    if known is None:
        customer_id = _register(work, change, now=now)
    elif known.confirmed:
        # Somebody wrote in the name of a customer's address: that is a claim, and no second record.
        return change
    else:
        customer_id = known.id
    event = TicketEvent(
        at=now,
        actor=BOT,
        kind=EventKind.CUSTOMER_IDENTIFIED,
        new=str(customer_id),
        detail=_REGISTERED,
        mail_id=mail_id,
    )
    customer = replace(change.after.customer, customer_id=customer_id)
    return replace(change, after=replace(change.after, customer=customer), events=(*change.events, event))


_REGISTERED = "registered"
_NOT_FOUND = frozenset({IdentityState.UNKNOWN, IdentityState.UNNAMED})
_LONGEST_NAME = 100


def is_to_be_registered(change: TicketChange, situation: Situation) -> bool:
    """Whether the change brings a new record for its requester, if there is none by then."""
    ticket, needs = change.after, situation.request_type.customer
    if needs is None or not needs.register_unknown or change.quiet or not change.may_answer:
        return False
    is_asked = ticket.status is Status.AWAITING_REQUESTER or CUSTOMER_KEY in ticket.missing
    is_the_requesters = situation.sender.address.address == ticket.requester.address != ""
    unknown = ticket.customer.customer_id is None and ticket.customer.state in _NOT_FOUND
    return unknown and is_the_requesters and not is_asked and not ticket.is_finished


def _register(work: UnitOfWork, change: TicketChange, *, now: datetime) -> int:
    """Write the person, and the company that the fields name; the customer's id."""
    stated = {one.key: one.value for one in change.after.fields if one.valid}
    numbers = {clue.kind: clue.value for clue in change.after.customer.clues}
    first, _, last = change.after.requester.name.partition(" ")
    address = CustomerAddress(address=change.after.requester.address, verified=change.verified)
    person = Person(
        first_name=_name(stated.get("first_name") or first),
        last_name=_name(stated.get("last_name") or last),
        cpf=cpf_of(stated.get("cpf", "")) or numbers.get(ClueKind.CPF, ""),
        mobile=phone_of(stated.get("mobile", "")) or numbers.get(ClueKind.PHONE, ""),
        addresses=(address,),
        confirmed=False,
    )
    person_id = work.customers.add(person, at=now)
    created = (CustomerEvent(at=now, actor=BOT, kind=CustomerEventKind.CREATED),)
    work.customers.add_events(person_id, created)
    cnpj = cnpj_of(stated.get("cnpj", "")) or numbers.get(ClueKind.CNPJ, "")
    name = _name(stated.get("company", ""))
    if not (cnpj or name):
        return person_id
    company = Company(company=name, cnpj=cnpj, owner=person_id, confirmed=False)
    company_id = work.customers.add(company, at=now)
    work.customers.add_events(company_id, created)
    return company_id


def _name(stated: str) -> str:
    """The first line of what stands as a name: somebody may have gone on below it."""
    return " ".join(stated.partition("\n")[0].split())[:_LONGEST_NAME]
