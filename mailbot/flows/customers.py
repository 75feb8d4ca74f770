"""Enters customers: ``(UnitOfWork, what somebody typed) -> Saved | Refused``; new or changed, the same twice over.

Whose record is meant is told by e-mail, CPF and CNPJ. Where these belong to two records nothing is entered: no
record is ever merged by guessing (R002-05, R002-10 … -12).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar, assert_never

from mailbot.domain.customer import (
    Company,
    Contract,
    Customer,
    CustomerEntry,
    CustomerKind,
    EntryProblem,
    Person,
    company_with,
    contract_key,
    events_between,
    missing_in,
    person_with,
    with_address,
    with_contracts,
)
from mailbot.evidence.identifiers import cnpj_of, cpf_of, email_of, phone_of
from mailbot.flows.ports import UnitOfWork

_Record = TypeVar("_Record", Person, Company)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerForm:
    """The form as typed. ``kind`` is empty where it is to be told by what is filled in (R002-07)."""

    kind: CustomerKind | None = None
    first_name: str = ""
    last_name: str = ""
    cpf: str = ""
    company: str = ""
    cnpj: str = ""
    email: str = ""
    mobile: str = ""
    language: str = ""
    services: tuple[str, ...] = ()
    contracts: tuple[Contract, ...] = ()
    corporate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why nothing was entered; ``records`` are the ids of the records in the way."""

    problems: tuple[EntryProblem, ...]
    records: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What was entered: the customer's id, that of the person through whom it is found, and whether anything is
    new or changed."""

    customer_id: int
    person_id: int
    created: bool
    changed: bool


def entry_of(form: CustomerForm) -> CustomerEntry | Refused:
    """The form with every number checked and without punctuation, or what is wrong with it."""
    problems = []
    checked = {}
    for name, typed, read, problem in (
        ("cpf", form.cpf, cpf_of, EntryProblem.NOT_A_CPF),
        ("cnpj", form.cnpj, cnpj_of, EntryProblem.NOT_A_CNPJ),
        ("mobile", form.mobile, phone_of, EntryProblem.NOT_A_PHONE),
        ("email", form.email, email_of, EntryProblem.NOT_AN_EMAIL),
    ):
        value = read(typed) if typed.strip() else ""
        if value is None:
            problems.append(problem)
        checked[name] = value or ""
    if problems:
        return Refused(problems=tuple(problems))
    is_company = form.company.strip() or form.cnpj.strip()
    return CustomerEntry(
        kind=form.kind or (CustomerKind.COMPANY if is_company else CustomerKind.PERSON),
        first_name=_one_line(form.first_name),
        last_name=_one_line(form.last_name),
        company=_one_line(form.company),
        language=form.language.strip(),
        services=form.services,
        contracts=tuple(one for one in form.contracts if contract_key(one.number)),
        corporate=form.corporate,
        **checked,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def save(work: UnitOfWork, form: CustomerForm, *, actor: str, now: datetime) -> Saved | Refused:
    """Enter a customer, or bring the record up to date (R002-11): what the form leaves empty stays.

    To be called in a writing transaction; nothing is written where it is refused.
    """
    entry = entry_of(form)
    if isinstance(entry, Refused):
        return entry
    work.customers.lock()
    found = _found(work, entry)
    if isinstance(found, Refused):
        return found
    person, company = found
    missing = missing_in(entry, person=person)
    if missing:
        return Refused(problems=missing)
    taken = _contracts_of_others(work, entry, person, company)
    if taken:
        return Refused(problems=(EntryProblem.CONTRACT_OF_ANOTHER,), records=taken)
    spokesman = _keep(work, person, person_with(person, entry), actor=actor, now=now)
    if entry.kind is CustomerKind.PERSON:
        return Saved(
            customer_id=spokesman.id,
            person_id=spokesman.id,
            created=person is None,
            changed=spokesman != person,
        )
    firm = _keep(work, company, company_with(company, entry, owner=spokesman.id), actor=actor, now=now)
    return Saved(
        customer_id=firm.id,
        person_id=spokesman.id,
        created=company is None,
        changed=firm != company or spokesman != person,
    )


_Found = tuple[Person | None, Company | None]


def _found(work: UnitOfWork, entry: CustomerEntry) -> _Found | Refused:
    """The records that the entry is about, so far as there are any."""
    company = work.customers.of_cnpj(entry.cnpj) if entry.cnpj else None
    by_email = work.customers.of_address(entry.email) if entry.email else None
    by_cpf = work.customers.of_cpf(entry.cpf) if entry.cpf else None
    if isinstance(by_email, Company):
        # An address of the company itself: its person is told otherwise.
        if company is None or by_email.id != company.id:
            problem = EntryProblem.A_COMPANY_IS_NO_PERSON if company is None else EntryProblem.EMAIL_OF_ANOTHER
            return Refused(problems=(problem,), records=(by_email.id,))
        by_email = None
    if by_email is not None and by_cpf is not None and by_email.id != by_cpf.id:
        return Refused(problems=(EntryProblem.EMAIL_OF_ANOTHER,), records=(by_email.id, by_cpf.id))
    person = by_email or by_cpf or _spokesman(work, company)
    if person is not None and entry.cpf and person.cpf not in ("", entry.cpf) and person.confirmed:
        # Somebody else's number for this address: one of the two is wrong.
        return Refused(problems=(EntryProblem.EMAIL_OF_ANOTHER,), records=(person.id,))
    return person, company


def _spokesman(work: UnitOfWork, company: Company | None) -> Person | None:
    known = work.customers.get(company.owner) if company is not None else None
    return known if isinstance(known, Person) else None


def _contracts_of_others(
    work: UnitOfWork, entry: CustomerEntry, person: Person | None, company: Company | None
) -> tuple[int, ...]:
    customer: Customer | None = company if entry.kind is CustomerKind.COMPANY else person
    own = customer.id if customer is not None else 0
    owners = [work.customers.of_contract(one.number) for one in entry.contracts]
    return tuple(one for one in owners if one is not None and one != own)


def _keep(work: UnitOfWork, before: _Record | None, after: _Record, *, actor: str, now: datetime) -> _Record:
    if after == before:
        return after
    if before is None:
        after = replace(after, id=work.customers.add(after, at=now))
    else:
        work.customers.change(after, at=now)
    work.customers.add_events(after.id, events_between(before, after, at=now, actor=actor))
    return after


# --- linking ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What is to be linked to a customer: an address, a contract, persons who may or may no longer write for the
    account (ids)."""

    email: str = ""
    contract: Contract | None = None
    authorise: tuple[int, ...] = ()
    revoke: tuple[int, ...] = ()


def link(work: UnitOfWork, record: Customer, links: Links, *, actor: str, now: datetime) -> Customer | Refused:
    """Link to a record what is not linked yet; the record afterwards. To be called in a writing transaction.

    An address or a contract of another record stays there (R002-10).
    """
    work.customers.lock()
    email = email_of(links.email) if links.email else ""
    if email is None:
        return Refused(problems=(EntryProblem.NOT_AN_EMAIL,))
    refused = _of_another(work, record, email, links.contract) or _no_persons(work, links.authorise)
    if refused is not None:
        return refused
    contracts = with_contracts(record.contracts, (links.contract,) if links.contract is not None else ())
    people = [one for one in record.authorised if one not in links.revoke]
    authorised = tuple(dict.fromkeys([*people, *(one for one in links.authorise if one != record.owner)]))
    addresses = with_address(record.addresses, email, verified=True)
    match record:
        case Person():
            person = replace(record, addresses=addresses, contracts=contracts, authorised=authorised)
            return _keep(work, record, person, actor=actor, now=now)
        case Company():
            company = replace(record, addresses=addresses, contracts=contracts, authorised=authorised)
            return _keep(work, record, company, actor=actor, now=now)
        case _:
            assert_never(record)


def _of_another(work: UnitOfWork, record: Customer, email: str, contract: Contract | None) -> Refused | None:
    owner = work.customers.of_address(email) if email else None
    if owner is not None and owner.id != record.id:
        return Refused(problems=(EntryProblem.EMAIL_OF_ANOTHER,), records=(owner.id,))
    party = work.customers.of_contract(contract.number) if contract is not None else None
    if party is not None and party != record.id:
        return Refused(problems=(EntryProblem.CONTRACT_OF_ANOTHER,), records=(party,))
    return None


def _no_persons(work: UnitOfWork, ids: tuple[int, ...]) -> Refused | None:
    """Only natural persons write for an account (R002-04)."""
    persons = {one.id for one in work.customers.get_many(ids) if isinstance(one, Person)}
    others = tuple(one for one in ids if one not in persons)
    return Refused(problems=(EntryProblem.A_COMPANY_IS_NO_PERSON,), records=others) if others else None
