"""Customers: natural persons, companies that appear through a person, their addresses, contacts and contracts.

``(CustomerEntry, record so far) -> Applied``: what somebody typed becomes a new or changed record, or the reasons
why not (R002-07 … -12). A person never becomes a company: a company is a record of its own, with the person who
speaks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar


class CustomerKind(StrEnum):
    """Natural person or company (R002-07)."""

    PERSON = "person"
    COMPANY = "company"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAddress:
    """A mail address of a record, in lower case. ``verified``: somebody of the house entered it, or our server
    vouched for it in a mail. No two records share one (R002-10)."""

    address: str
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract of a customer, for one property (R002-14). ``number`` is as people write it, ``kind`` a word of
    the house's own, as rent or sale."""

    number: str
    property_address: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A natural person. ``cpf`` and ``mobile`` are digits only; ``id`` is 0 before the record is kept.

    ``confirmed`` is false for what was read from a mail and nobody of the house has looked at (R002-06): such a
    record identifies nobody. ``authorised`` are further persons who may write for this account (R004-13).
    """

    id: int = 0
    first_name: str = ""
    last_name: str = ""
    cpf: str = ""
    mobile: str = ""
    addresses: tuple[CustomerAddress, ...] = ()
    contracts: tuple[Contract, ...] = ()
    authorised: tuple[int, ...] = ()
    services: tuple[str, ...] = ()
    language: str = ""
    confirmed: bool = True

    @property
    def name(self) -> str:
        """As one writes it."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def owner(self) -> int:
        """Who the account belongs to: a person's own is theirs."""
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company. ``cnpj`` is fourteen characters without punctuation; ``owner`` is the id of the person who is its
    contact and owns its account, through whom it is found (R002-04). ``corporate``: service orders may be opened
    for it (R001-01)."""

    id: int = 0
    company: str = ""
    cnpj: str = ""
    owner: int = 0
    addresses: tuple[CustomerAddress, ...] = ()
    contracts: tuple[Contract, ...] = ()
    authorised: tuple[int, ...] = ()
    services: tuple[str, ...] = ()
    language: str = ""
    confirmed: bool = True
    corporate: bool = False

    @property
    def name(self) -> str:
        """As one writes it."""
        return self.company


Customer = Person | Company
_Record = TypeVar("_Record", Person, Company)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFound:
    """One row of a search: a person, and the companies that appear through them (R002-04)."""

    person: Person
    companies: tuple[Company, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSearch:
    """What is looked for, each by any part of it, whatever case and accents; ``words`` in any field (R002-02)."""

    words: str = ""
    name: str = ""
    last_name: str = ""
    company: str = ""
    cpf: str = ""
    cnpj: str = ""
    phone: str = ""
    email: str = ""
    contract: str = ""

    @property
    def is_empty(self) -> bool:
        """Nothing is given: such a search is not made (R002-03)."""
        return not any(getattr(self, one.name).strip() for one in fields(self))


class CustomerEventKind(StrEnum):
    """The closed list of things that can happen to a record."""

    CREATED = "created"
    CHANGED = "changed"
    CONFIRMED = "confirmed"
    CONTACT_ADDED = "contact_added"
    CONTACT_REMOVED = "contact_removed"
    ADDRESS_ADDED = "address_added"
    CONTRACT_ADDED = "contract_added"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEvent:
    """What was done to a record, by whom (R002-11): the audit. ``field`` is empty where none changed."""

    at: datetime
    actor: str
    kind: CustomerEventKind
    field: str = ""
    old: str = ""
    new: str = ""


# --- entering ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEntry:
    """The form of a customer, as filled in (R002-08, R002-09): numbers without punctuation, the address in lower
    case. A company's names of a person, ``cpf``, ``email`` and ``mobile`` are its contact person's."""

    kind: CustomerKind
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


class EntryProblem(StrEnum):
    """Why an entry cannot be kept."""

    LAST_NAME_MISSING = "last_name_missing"
    EMAIL_MISSING = "email_missing"
    EMAIL_OR_MOBILE_MISSING = "email_or_mobile_missing"
    COMPANY_MISSING = "company_missing"
    CNPJ_MISSING = "cnpj_missing"
    NOT_A_CPF = "not_a_cpf"
    NOT_A_CNPJ = "not_a_cnpj"
    NOT_A_PHONE = "not_a_phone"
    NOT_AN_EMAIL = "not_an_email"
    EMAIL_OF_ANOTHER = "email_of_another"
    CPF_OF_ANOTHER = "cpf_of_another"
    CONTRACT_OF_ANOTHER = "contract_of_another"
    A_PERSON_IS_NO_COMPANY = "a_person_is_no_company"
    A_COMPANY_IS_NO_PERSON = "a_company_is_no_person"


def missing_in(entry: CustomerEntry, *, person: Person | None = None) -> tuple[EntryProblem, ...]:
    """The required fields that the entry lacks, where ``person`` is the record that it is about so far.

    Person: surname and e-mail (R002-08). Company: name, CNPJ, its contact's surname, and e-mail or mobile
    (R002-09).
    """
    problems = []
    has_email = bool(entry.email or (person and person.addresses))
    if entry.kind is CustomerKind.COMPANY:
        if not entry.company:
            problems.append(EntryProblem.COMPANY_MISSING)
        if not entry.cnpj:
            problems.append(EntryProblem.CNPJ_MISSING)
    if not (entry.last_name or (person and person.last_name)):
        problems.append(EntryProblem.LAST_NAME_MISSING)
    if entry.kind is CustomerKind.PERSON and not has_email:
        problems.append(EntryProblem.EMAIL_MISSING)
    has_mobile = bool(entry.mobile or (person and person.mobile))
    if entry.kind is CustomerKind.COMPANY and not (has_email or has_mobile):
        problems.append(EntryProblem.EMAIL_OR_MOBILE_MISSING)
    return tuple(problems)


def person_with(known: Person | None, entry: CustomerEntry) -> Person:
    """The natural person of the entry: a new record, or ``known`` with what the entry says beyond it.

    What the entry leaves empty stays as it was; an address is added, never taken away. A company's language,
    services and contracts are its own.
    """
    record = known or Person()
    own = entry.kind is CustomerKind.PERSON
    return replace(
        record,
        first_name=entry.first_name or record.first_name,
        last_name=entry.last_name or record.last_name,
        cpf=entry.cpf or record.cpf,
        mobile=entry.mobile or record.mobile,
        addresses=with_address(record.addresses, entry.email, verified=True),
        language=(own and entry.language) or record.language,
        services=(own and entry.services) or record.services,
        contracts=with_contracts(record.contracts, entry.contracts if own else ()),
        confirmed=True,
    )


def company_with(known: Company | None, entry: CustomerEntry, *, owner: int) -> Company:
    """The company of the entry: a new record, or ``known`` with what the entry says beyond it. ``owner`` is the
    person whom the entry names as its contact."""
    record = known or Company()
    return replace(
        record,
        company=entry.company or record.company,
        cnpj=entry.cnpj or record.cnpj,
        owner=owner,
        language=entry.language or record.language,
        services=entry.services or record.services,
        contracts=with_contracts(record.contracts, entry.contracts),
        corporate=entry.corporate or record.corporate,
        confirmed=True,
    )


def with_address(
    known: tuple[CustomerAddress, ...], address: str, *, verified: bool
) -> tuple[CustomerAddress, ...]:
    """``known`` and one more, or ``known`` with that one verified; nothing for an empty address."""
    if not address:
        return known
    if address not in {one.address for one in known}:
        return (*known, CustomerAddress(address=address, verified=verified))
    return tuple(
        replace(one, verified=one.verified or verified) if one.address == address else one for one in known
    )


def with_contracts(known: tuple[Contract, ...], further: Iterable[Contract]) -> tuple[Contract, ...]:
    """``known`` and ``further``, each number once, the newer word for its property and kind."""
    merged = {contract_key(one.number): one for one in known}
    for one in further:
        before = merged.get(contract_key(one.number))
        merged[contract_key(one.number)] = (
            one
            if before is None
            else replace(
                before,
                property_address=one.property_address or before.property_address,
                kind=one.kind or before.kind,
            )
        )
    return tuple(merged.values())


def written_cpf(cpf: str) -> str:
    """A CPF as people write it."""
    return _written(cpf, "###.###.###-##")


def written_cnpj(cnpj: str) -> str:
    """A CNPJ as people write it."""
    return _written(cnpj, "##.###.###/####-##")


def written_phone(phone: str) -> str:
    """A telephone number as people write it: ``(62) 99999-8888``."""
    return f"({phone[:2]}) {phone[2:-4]}-{phone[-4:]}" if len(phone) >= 10 else phone


def _written(number: str, pattern: str) -> str:
    """``number`` with the pattern's punctuation; as it is where it has another length."""
    if len(number) != pattern.count("#"):
        return number
    characters = iter(number)
    return "".join(next(characters) if ch == "#" else ch for ch in pattern)


def contract_key(number: str) -> str:
    """A contract's number as it is compared: letters and digits only, in upper case."""
    return "".join(ch for ch in number.upper() if ch.isalnum())


_NOT_FIELDS = frozenset({"id", "addresses", "contracts", "authorised", "confirmed"})


def events_between(
    before: _Record | None, after: _Record, *, at: datetime, actor: str
) -> tuple[CustomerEvent, ...]:
    """What the audit keeps of a change; nothing where nothing changed."""

    def event(kind: CustomerEventKind, field: str = "", old: str = "", new: str = "") -> CustomerEvent:
        return CustomerEvent(at=at, actor=actor, kind=kind, field=field, old=old, new=new)

    if before is None:
        return (event(CustomerEventKind.CREATED),)
    changes = [
        event(CustomerEventKind.CHANGED, name, _shown(getattr(before, name)), _shown(getattr(after, name)))
        for name in (one.name for one in fields(after))
        if name not in _NOT_FIELDS and getattr(before, name) != getattr(after, name)
    ]
    if after.confirmed and not before.confirmed:
        changes.append(event(CustomerEventKind.CONFIRMED))
    known = {one.address: one.verified for one in before.addresses}
    changes += [
        event(CustomerEventKind.ADDRESS_ADDED, "email", "", one.address)
        for one in after.addresses
        if known.get(one.address) != one.verified
    ]
    changes += [
        event(CustomerEventKind.CONTRACT_ADDED, "contract", "", one.number)
        for one in after.contracts
        if one not in before.contracts
    ]
    changes += [
        event(CustomerEventKind.CONTACT_ADDED, "authorised", "", str(one))
        for one in after.authorised
        if one not in before.authorised
    ]
    changes += [
        event(CustomerEventKind.CONTACT_REMOVED, "authorised", str(one), "")
        for one in before.authorised
        if one not in after.authorised
    ]
    return tuple(changes)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
