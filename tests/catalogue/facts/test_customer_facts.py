"""Facts of whose request it is: what is only claimed is unknown, neither true nor false."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mailbot.catalogue.facts.functions import CustomerIs
from mailbot.catalogue.facts.values import FactSources, KnownFact
from mailbot.catalogue.units import UnitTable
from mailbot.domain.customer import Company, Customer, Person
from mailbot.domain.identification import IdentityState, TicketCustomer

PERSON = Person(id=1)
FIRM = Company(id=2, corporate=True)
KNOWN, CLAIMED = IdentityState.KNOWN, IdentityState.CLAIMED


def said(what: str, state: IdentityState, record: Customer | None = None, **customer: Any) -> object:
    """What the fact comes to: true, false, or ``None`` for unknown."""
    spec = CustomerIs.model_validate({"from": "customer_is", "what": what})
    sources = FactSources(
        fields={},
        units=UnitTable(),
        today=date(2026, 11, 23),
        customer=TicketCustomer(state=state, **customer),
        customer_record=record,
    )
    fact = spec.compute(sources)
    return fact.value if isinstance(fact, KnownFact) else None


@pytest.mark.parametrize(
    ("what", "state", "record", "customer", "expected"),
    [
        ("known", KNOWN, PERSON, {}, True),
        ("known", IdentityState.UNKNOWN, None, {}, False),
        ("known", CLAIMED, None, {}, None),
        ("known", IdentityState.SEVERAL, None, {}, None),
        ("known", IdentityState.UNNAMED, None, {}, None),
        ("company", KNOWN, FIRM, {}, True),
        ("company", KNOWN, PERSON, {}, False),
        ("company", CLAIMED, FIRM, {}, None),
        ("corporate", KNOWN, FIRM, {}, True),
        ("corporate", KNOWN, PERSON, {}, False),
        ("corporate", CLAIMED, FIRM, {}, None),
        ("under_contract", KNOWN, PERSON, {"contract": "L-1", "contracts": ("L-1",)}, True),
        ("under_contract", KNOWN, PERSON, {}, False),
        ("under_contract", KNOWN, PERSON, {"contracts": ("L-1", "L-2")}, None),
        ("under_contract", CLAIMED, PERSON, {"contract": "L-1"}, None),
    ],
)
def test_r001_01_what_is_only_claimed_is_neither_true_nor_false(
    what: str, state: IdentityState, record: Customer | None, customer: dict[str, Any], expected: object
) -> None:
    assert said(what, state, record, **customer) is expected
