"""A confirmed change of who may write for an account, into the records: ``(work, ContactChange) -> None``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailbot.domain.account_contacts import ContactAction, ContactChange
from mailbot.domain.customer import (
    Company,
    Customer,
    CustomerAddress,
    CustomerEvent,
    CustomerEventKind,
    Person,
    events_between,
)
from mailbot.domain.errors import ConcurrentChange
from mailbot.flows.ports import UnitOfWork

_LONGEST_NAME = 100


def change_contact(work: UnitOfWork, change: ContactChange, *, actor: str, now: datetime) -> None:
    """Add or remove the contact; to do it twice changes nothing.

    A new contact without a record gets one, whose address nobody has vouched for yet. Raises ``ConcurrentChange``
    where the account is no longer the owner's: then the mail is looked at anew.
    """
    work.customers.lock()
    account = work.customers.get(change.account_id)
    if account is None or account.owner != change.owner_id:
        raise ConcurrentChange("the account has another owner meanwhile")
    contact = work.customers.of_address(change.email)
    match change.action:
        case ContactAction.ADD:
            person_id = contact.id if isinstance(contact, Person) else None
            if contact is None:
                person_id = _new_contact(work, change, now=now)
            if person_id is not None and person_id != account.owner:
                _set_authorised(work, account, (*account.authorised, person_id), actor=actor, now=now)
        case ContactAction.REMOVE:
            gone = contact.id if contact is not None else None
            people = tuple(one for one in account.authorised if one != gone)
            _set_authorised(work, account, people, actor=actor, now=now)


def _new_contact(work: UnitOfWork, change: ContactChange, *, now: datetime) -> int:
    first, _, last = " ".join(change.name.split())[:_LONGEST_NAME].partition(" ")
    person = Person(first_name=first, last_name=last, addresses=(CustomerAddress(address=change.email),))
    person_id = work.customers.add(person, at=now)
    created = CustomerEvent(at=now, actor=str(change.owner_id), kind=CustomerEventKind.CREATED)
    work.customers.add_events(person_id, (created,))
    return person_id


def _set_authorised(
    work: UnitOfWork, account: Customer, people: tuple[int, ...], *, actor: str, now: datetime
) -> None:
    authorised = tuple(dict.fromkeys(people))
    if authorised == account.authorised:
        return
    match account:
        case Person():
            person = replace(account, authorised=authorised)
            work.customers.change(person, at=now)
            events = events_between(account, person, at=now, actor=actor)
        case Company():
            company = replace(account, authorised=authorised)
            work.customers.change(company, at=now)
            events = events_between(account, company, at=now, actor=actor)
    work.customers.add_events(account.id, events)
