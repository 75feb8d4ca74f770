"""Whose a ticket is, for an agent's eyes: ``(Ticket, records) -> lines of a notice``. No letter to a requester
shows any of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from mailbot.catalogue.customer_needs import CONTRACT_KEY
from mailbot.catalogue.request_types import RequestType
from mailbot.correspondence.context import CustomerLine
from mailbot.correspondence.words import Phrase, phrase
from mailbot.domain.customer import Company, Customer, Person, contract_key, written_cnpj, written_cpf
from mailbot.domain.identification import IdentityState
from mailbot.domain.ticket import Ticket


def customer_state(ticket: Ticket, kind: RequestType) -> Phrase | None:
    """How sure it is whose ticket this is; nothing where no record is meant and none is asked for."""
    customer = ticket.customer
    if customer.by_hand:
        return phrase("customer.by_hand")
    if customer.state is IdentityState.UNKNOWN and customer.customer_id is not None:
        return phrase("customer.registered")
    if customer.state in (IdentityState.UNKNOWN, IdentityState.UNNAMED) and kind.customer is None:
        return None
    if customer.state is IdentityState.KNOWN and customer.candidates:
        return phrase("customer.known_names_another")
    return phrase(f"customer.{customer.state}")


def customer_lines(ticket: Ticket, records: Sequence[Customer]) -> tuple[CustomerLine, ...]:
    """The record, or all that could be meant, numbered as ``#cliente n`` counts them."""
    customer = ticket.customer
    single = () if customer.customer_id is None else (customer.customer_id,)
    ids = customer.candidates or single
    known = {one.id: one for one in records}
    return tuple(
        _line(known[one], str(number) if len(ids) > 1 else "", ticket)
        for number, one in enumerate(ids, start=1)
        if one in known
    )


def _line(record: Customer, number: str, ticket: Ticket) -> CustomerLine:
    return CustomerLine(
        number=number,
        name=record.name,
        record=str(record.id),
        tax_id=_tax_id(record),
        contracts=", ".join(one.number for one in record.contracts[:_MOST_CONTRACTS]),
        contract=_as_written(ticket) if ticket.customer.customer_id == record.id else "",
        confirmed=record.confirmed,
    )


def _as_written(ticket: Ticket) -> str:
    """The contract that is meant, with the punctuation with which it was stated."""
    number = ticket.customer.contract
    stated = (one.value for one in ticket.fields if one.key == CONTRACT_KEY and one.valid)
    return next((one for one in stated if contract_key(one) == contract_key(number)), number)


_MOST_CONTRACTS = 10


def _tax_id(record: Customer) -> str:
    match record:
        case Person():
            return written_cpf(record.cpf)
        case Company():
            return written_cnpj(record.cnpj)
        case _:
            assert_never(record)
