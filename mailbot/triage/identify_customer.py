"""Whose request a mail is about: ``(SenderClaim, KnownCustomers, so far) -> TicketCustomer``. Pure.

A customer is *known* only by the address from which our own server saw the mail come, or by the handle that went
to that address. Numbers are a claim: whether they are right is told to staff alone. So what is asked of a stranger
depends on what the stranger wrote, never on what the records hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mailbot.catalogue.customer_needs import CONTRACT_KEY, CUSTOMER_KEY
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.customer import (
    Company,
    Customer,
    Person,
    contract_key,
    written_cnpj,
    written_cpf,
    written_phone,
)
from mailbot.domain.evidence import EvidenceReport, FieldOrigin, FieldValue
from mailbot.domain.identification import (
    NOT_IDENTIFIED,
    STRONG_CLUES,
    ClueKind,
    CustomerClue,
    IdentityState,
    KnownCustomers,
    TicketCustomer,
)

_ASKED_AT_MOST = 2
_MOST_CANDIDATES = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderClaim:
    """What a mail says of its customer. ``vouched``: our server or our own handle vouches for the address;
    ``forged``: our server says that it is not the sender's. ``clues`` are the numbers in it; ``asks``: the request
    type wants to know whose it is."""

    vouched: bool
    forged: bool
    clues: tuple[CustomerClue, ...]
    asks: bool


def identify_customer(
    claim: SenderClaim, known: KnownCustomers, so_far: TicketCustomer = NOT_IDENTIFIED
) -> TicketCustomer:
    """What the ticket keeps of its customer after this mail. A person's word stands; a newer number replaces an
    older one of its kind; what was known does not become a claim by another mail."""
    clues = _merged(so_far.clues, claim.clues)
    if so_far.by_hand:
        return replace(so_far, clues=clues, contract=_contract_among(so_far.contracts, clues) or so_far.contract)
    found = _by_address(claim, known, clues) or _by_claim(claim, known, clues)
    if so_far.state is IdentityState.KNOWN and found.state is not IdentityState.KNOWN:
        return replace(so_far, clues=clues)
    asked = so_far.asked + (1 if _is_asked(claim, found, so_far.asked) else 0)
    return replace(found, clues=clues, asked=asked)


def is_asked(claim: SenderClaim, customer: TicketCustomer, so_far: TicketCustomer = NOT_IDENTIFIED) -> bool:
    """Whether the letter after this mail asks whose request it is; twice at most, then a person takes over."""
    return not customer.by_hand and _is_asked(claim, customer, so_far.asked)


def _is_asked(claim: SenderClaim, customer: TicketCustomer, asked_before: int) -> bool:
    if not claim.asks or asked_before >= _ASKED_AT_MOST or customer.state is IdentityState.KNOWN:
        return False
    if customer.of_own_address:
        # Whoever really has the address gets the letter: theirs is the choice among several accounts.
        return customer.state is IdentityState.SEVERAL
    return not any(clue.kind in STRONG_CLUES for clue in (*customer.clues, *claim.clues))


def _merged(old: Iterable[CustomerClue], new: Iterable[CustomerClue]) -> tuple[CustomerClue, ...]:
    return tuple({clue.kind: clue for clue in (*old, *new)}.values())


# --- by the sender's address -----------------------------------------------------------------------------------


def _by_address(
    claim: SenderClaim, known: KnownCustomers, clues: tuple[CustomerClue, ...]
) -> TicketCustomer | None:
    """Who the sender is by the address, where that is enough."""
    record = known.of_address
    if record is None or claim.forged or not claim.vouched or not record.confirmed:
        return None
    accounts = known.accounts or (record,)
    meant = [one for one in accounts if any(_is_named(one, clue) for clue in clues)]
    others = [one.id for _, one in known.by_clue if one.id not in {account.id for account in accounts}]
    if len(meant) != 1:
        # Their own account is meant unless they say otherwise, where they have one of their own.
        meant = [one for one in accounts if one.contracts] if claim.asks else [record]
    if len(meant) != 1 and len(accounts) > 1:
        return TicketCustomer(
            state=IdentityState.SEVERAL,
            candidates=_at_most(one.id for one in (meant or accounts)),
            of_own_address=True,
        )
    customer = meant[0] if meant else record
    numbers = tuple(one.number for one in customer.contracts)
    return TicketCustomer(
        state=IdentityState.KNOWN,
        customer_id=customer.id,
        candidates=_at_most([customer.id, *others]) if others else (),
        contracts=numbers,
        contract=_contract_among(numbers, clues) or (numbers[0] if len(numbers) == 1 else ""),
        of_own_address=True,
    )


def _is_named(account: Customer, clue: CustomerClue) -> bool:
    match clue.kind:
        case ClueKind.CONTRACT:
            return any(contract_key(one.number) == clue.value for one in account.contracts)
        case ClueKind.CNPJ:
            return isinstance(account, Company) and account.cnpj == clue.value
        case ClueKind.CPF | ClueKind.PHONE:
            return False


def _contract_among(numbers: tuple[str, ...], clues: tuple[CustomerClue, ...]) -> str:
    named = {clue.value for clue in clues if clue.kind is ClueKind.CONTRACT}
    return next((number for number in numbers if contract_key(number) in named), "")


# --- by what the mail claims -------------------------------------------------------------------------------------


def _by_claim(claim: SenderClaim, known: KnownCustomers, clues: tuple[CustomerClue, ...]) -> TicketCustomer:
    """Whom the mail names, for staff to see. ``contract`` is the number as it was written: nobody's secret."""
    own = known.of_address if known.of_address is not None and not claim.forged else None
    named = [one for clue, one in known.by_clue if clue.kind in STRONG_CLUES]
    named = named or [one for _, one in known.by_clue]
    records = {one.id: one for one in ([own] if own is not None and own.confirmed else [])}
    records |= {one.id: one for one in named}
    contract = next((clue.value for clue in clues if clue.kind is ClueKind.CONTRACT), "")
    narrowed = _narrowed(list(records.values()))
    if len(narrowed) == 1:
        state = IdentityState.CLAIMED
    elif narrowed:
        state = IdentityState.SEVERAL
    else:
        says_enough = any(clue.kind in STRONG_CLUES for clue in clues)
        state = IdentityState.UNKNOWN if says_enough else IdentityState.UNNAMED
    return TicketCustomer(
        state=state,
        customer_id=narrowed[0].id if len(narrowed) == 1 else None,
        candidates=_at_most(one.id for one in narrowed) if len(narrowed) > 1 else (),
        contract=contract,
        of_own_address=own is not None and own.confirmed and len(narrowed) == 1 and narrowed[0].id == own.id,
    )


def _narrowed(records: list[Customer]) -> list[Customer]:
    """A company and the person who speaks for it, named together, are the company."""
    companies = [one for one in records if isinstance(one, Company)]
    if len(companies) == 1 and all(one.id in (companies[0].id, companies[0].owner) for one in records):
        return list(companies)
    return records


def _at_most(ids: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(ids))[:_MOST_CANDIDATES]


# --- what it does to what is asked for -------------------------------------------------------------------------


def with_customer(
    report: EvidenceReport, kind: RequestType, customer: TicketCustomer, record: Customer | None, *, asked: bool
) -> EvidenceReport:
    """The report with what the record answers, and with whose request it is among what lacks (R002-06, -14).

    ``record`` is the known customer's: a claimed one's never answers anything. Of a customer without any contract
    none is asked for: that is for a person.
    """
    values = _of_record(record) if record is not None and customer.state is IdentityState.KNOWN else {}
    if customer.state is IdentityState.KNOWN:
        values[CONTRACT_KEY] = customer.contract
    answered = [
        FieldValue(key=spec.key, value=values[spec.key], origin=FieldOrigin.RECORD)
        for spec in kind.fields
        if values.get(spec.key) and not any(one.key == spec.key and _is_stated(one) for one in report.fields)
    ]
    keys = {one.key for one in answered}
    if customer.state is IdentityState.KNOWN and not customer.contracts:
        keys |= {CONTRACT_KEY}
    missing = [key for key in report.missing if key not in keys]
    if asked:
        missing.insert(0, CUSTOMER_KEY)
    others = [one for one in report.fields if one.key not in {value.key for value in answered}]
    return replace(report, fields=(*others, *answered), missing=tuple(missing))


def _is_stated(value: FieldValue) -> bool:
    return value.valid and value.origin is not FieldOrigin.DEFAULT


def _of_record(record: Customer) -> dict[str, str]:
    """The fields that a record answers, under the keys that the request types use."""
    values = {"email": record.addresses[0].address if record.addresses else ""}
    match record:
        case Person():
            values |= {
                "first_name": record.first_name,
                "last_name": record.last_name,
                "cpf": written_cpf(record.cpf),
                "mobile": written_phone(record.mobile),
            }
        case Company():
            values |= {"company": record.company, "company_name": record.company}
            values["cnpj"] = written_cnpj(record.cnpj)
    return values
