"""Whose request it is: the sender's own address knows, numbers only claim, and nothing is asked that tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mailbot.catalogue.customer_needs import CUSTOMER_KEY, CustomerNeeds
from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.customer import Company, Contract, Customer, CustomerAddress, Person
from mailbot.domain.evidence import EvidenceReport, FieldOrigin, FieldValue
from mailbot.domain.identification import (
    NOBODY_KNOWN,
    NOT_IDENTIFIED,
    ClueKind,
    CustomerClue,
    IdentityState,
    KnownCustomers,
    TicketCustomer,
)
from mailbot.triage.identify_customer import SenderClaim, identify_customer, is_asked, with_customer

MARIA = Person(
    id=1,
    first_name="Maria",
    last_name="Souza",
    cpf="52998224725",
    mobile="62999998888",
    addresses=(CustomerAddress(address="maria@example.com.br", verified=True),),
    contracts=(Contract(number="L-1"),),
)
JOSE = Person(id=2, last_name="Lima", cpf="11144477735")
FIRM = Company(id=3, company="Exemplo", cnpj="12ABC34501DE35", owner=1, contracts=(Contract(number="L-9"),))
CPF = CustomerClue(kind=ClueKind.CPF, value="52998224725")
OTHER_CPF = CustomerClue(kind=ClueKind.CPF, value="11144477735")
CNPJ = CustomerClue(kind=ClueKind.CNPJ, value="12ABC34501DE35")
PHONE = CustomerClue(kind=ClueKind.PHONE, value="62999998888")
CONTRACT = CustomerClue(kind=ClueKind.CONTRACT, value="L1")


def claim(*clues: CustomerClue, vouched: bool = True, forged: bool = False, asks: bool = True) -> SenderClaim:
    return SenderClaim(vouched=vouched, forged=forged, clues=clues, asks=asks)


def known(of: Customer | None = None, *accounts: Customer, **by_clue: Any) -> KnownCustomers:
    return KnownCustomers(
        of_address=of, accounts=accounts or ((of,) if of else ()), by_clue=tuple(by_clue.get("named", ()))
    )


def test_r002_13_the_senders_own_verified_address_identifies_and_brings_the_only_contract() -> None:
    found = identify_customer(claim(), known(MARIA))
    assert (found.state, found.customer_id, found.contract) == (IdentityState.KNOWN, 1, "L-1")
    assert not is_asked(claim(), found)


@pytest.mark.parametrize(("vouched", "forged"), [(False, False), (False, True)])
def test_an_address_for_which_nobody_vouches_is_a_claim_at_most(vouched: bool, forged: bool) -> None:
    found = identify_customer(claim(vouched=vouched, forged=forged), known(MARIA))
    assert found.state is (IdentityState.UNNAMED if forged else IdentityState.CLAIMED)
    assert found.customer_id == (None if forged else 1)
    assert (found.contract, found.contracts) == ("", ())


def test_a_strangers_number_is_a_claim_for_staff_to_see() -> None:
    found = identify_customer(claim(CPF), known(None, named=[(CPF, MARIA)]))
    assert (found.state, found.customer_id) == (IdentityState.CLAIMED, 1)
    assert (found.contract, found.contracts) == ("", ())


@pytest.mark.parametrize("clues", [(), (PHONE,), (CPF,), (CNPJ,), (CONTRACT,), (CPF, PHONE)])
@pytest.mark.parametrize("vouched", [True, False])
def test_what_a_stranger_is_asked_never_depends_on_the_records(
    clues: tuple[CustomerClue, ...], vouched: bool
) -> None:
    mail = claim(*clues, vouched=vouched)
    records = [
        NOBODY_KNOWN,
        known(None, named=[(one, MARIA) for one in clues]),
        known(None, named=[(one, record) for one in clues for record in (MARIA, JOSE)]),
        known(None, named=[(one, FIRM) for one in clues]),
    ]
    asked = {is_asked(mail, identify_customer(mail, one)) for one in records}
    assert asked == {not any(one.kind is not ClueKind.PHONE for one in clues)}


def test_r002_05_several_are_never_guessed() -> None:
    found = identify_customer(claim(PHONE), known(None, named=[(PHONE, MARIA), (PHONE, JOSE)]))
    assert (found.state, found.customer_id, found.candidates) == (IdentityState.SEVERAL, None, (1, 2))
    crossed = identify_customer(claim(CPF, CONTRACT), known(None, named=[(CPF, MARIA), (CONTRACT, JOSE)]))
    assert (crossed.state, crossed.candidates) == (IdentityState.SEVERAL, (1, 2))


def test_r002_04_a_company_named_with_its_person_is_the_company() -> None:
    found = identify_customer(claim(CPF, CNPJ), known(None, named=[(CPF, MARIA), (CNPJ, FIRM)]))
    assert (found.state, found.customer_id) == (IdentityState.CLAIMED, 3)


def test_whoever_writes_for_several_accounts_says_which() -> None:
    records = known(MARIA, MARIA, FIRM)
    found = identify_customer(claim(), records)
    assert (found.state, found.candidates) == (IdentityState.SEVERAL, (1, 3))
    assert is_asked(claim(), found)
    told = identify_customer(claim(CNPJ), records, replace(found, asked=1))
    assert (told.state, told.customer_id, told.contract) == (IdentityState.KNOWN, 3, "L-9")
    by_contract = identify_customer(claim(CONTRACT), records)
    assert (by_contract.customer_id, by_contract.contract) == (1, "L-1")


def test_where_no_customer_is_asked_for_the_person_is_enough() -> None:
    found = identify_customer(claim(asks=False), known(MARIA, MARIA, FIRM))
    assert (found.state, found.customer_id) == (IdentityState.KNOWN, 1)
    assert not is_asked(claim(asks=False), identify_customer(claim(asks=False), NOBODY_KNOWN))


def test_a_known_sender_who_names_somebody_else_stays_who_they_are_and_staff_see_both() -> None:
    found = identify_customer(claim(OTHER_CPF), known(MARIA, named=[(OTHER_CPF, JOSE)]))
    assert (found.state, found.customer_id, found.candidates) == (IdentityState.KNOWN, 1, (1, 2))


def test_r002_14_of_several_contracts_the_one_that_is_named() -> None:
    two = replace(MARIA, contracts=(Contract(number="L-1"), Contract(number="L-2")))
    assert identify_customer(claim(), known(two)).contract == ""
    assert identify_customer(claim(), known(two)).contracts == ("L-1", "L-2")
    assert identify_customer(claim(CONTRACT), known(two)).contract == "L-1"


def test_who_it_is_is_asked_twice_and_then_a_person_takes_over() -> None:
    so_far = NOT_IDENTIFIED
    asked = []
    for _ in range(4):
        found = identify_customer(claim(), NOBODY_KNOWN, so_far)
        asked.append(is_asked(claim(), found, so_far))
        so_far = found
    assert asked == [True, True, False, False]


def test_a_number_in_a_later_mail_is_added_to_those_before() -> None:
    first = identify_customer(claim(PHONE), NOBODY_KNOWN)
    second = identify_customer(claim(CPF), known(None, named=[(CPF, MARIA)]), first)
    assert set(second.clues) == {PHONE, CPF}
    third = identify_customer(claim(OTHER_CPF), NOBODY_KNOWN, second)
    assert set(third.clues) == {PHONE, OTHER_CPF}


def test_a_persons_word_stands_and_what_was_known_is_not_lost() -> None:
    chosen = TicketCustomer(state=IdentityState.KNOWN, customer_id=7, contracts=("L-1",), by_hand=True)
    assert identify_customer(claim(CPF), known(JOSE), chosen).customer_id == 7
    assert identify_customer(claim(CONTRACT), NOBODY_KNOWN, chosen).contract == "L-1"
    before = identify_customer(claim(), known(MARIA))
    assert identify_customer(claim(vouched=False), NOBODY_KNOWN, before) == before


def test_r002_06_an_unconfirmed_record_identifies_nobody() -> None:
    found = identify_customer(claim(), known(replace(MARIA, confirmed=False)))
    assert found.state is IdentityState.UNNAMED


# --- what the report becomes -----------------------------------------------------------------------------------

KIND = RequestType(
    key="property_maintenance",
    name="Manutenção",
    queue="geral",
    customer=CustomerNeeds(label="CPF ou contrato", question="Qual?"),
    fields=tuple(
        FieldSpec(key=key, label=key, question="?", kind=kind)
        for key, kind in (
            ("first_name", FieldKind.TEXT),
            ("cpf", FieldKind.CPF),
            ("mobile", FieldKind.PHONE),
            ("contract", FieldKind.TEXT),
            ("description", FieldKind.TEXT),
        )
    ),
)
LACKS_ALL = EvidenceReport(missing=("first_name", "cpf", "mobile", "contract", "description"))


def values(report: EvidenceReport) -> dict[str, str]:
    return {one.key: one.value for one in report.fields if one.origin is FieldOrigin.RECORD}


def test_r002_06_what_the_record_of_a_known_customer_holds_is_not_asked_again() -> None:
    report = with_customer(LACKS_ALL, KIND, identify_customer(claim(), known(MARIA)), MARIA, asked=False)
    assert report.missing == ("description",)
    assert values(report) == {
        "first_name": "Maria",
        "cpf": "529.982.247-25",
        "mobile": "(62) 99999-8888",
        "contract": "L-1",
    }


def test_a_claim_answers_nothing_from_the_record() -> None:
    found = identify_customer(claim(CPF), known(None, named=[(CPF, MARIA)]))
    assert with_customer(LACKS_ALL, KIND, found, MARIA, asked=False) == LACKS_ALL


def test_what_the_sender_stated_stands() -> None:
    stated = FieldValue(key="mobile", value="(62) 98888-7777")
    report = replace(LACKS_ALL, fields=(stated,), missing=("contract",))
    found = with_customer(report, KIND, identify_customer(claim(), known(MARIA)), MARIA, asked=False)
    assert stated in found.fields
    assert "mobile" not in values(found)


def test_r002_14_without_any_contract_none_is_asked_for() -> None:
    bare = replace(MARIA, contracts=())
    found = with_customer(LACKS_ALL, KIND, identify_customer(claim(), known(bare)), bare, asked=False)
    assert found.missing == ("description",)
    several = replace(MARIA, contracts=(Contract(number="L-1"), Contract(number="L-2")))
    found = with_customer(LACKS_ALL, KIND, identify_customer(claim(), known(several)), several, asked=False)
    assert found.missing == ("contract", "description")


def test_r002_03_whose_it_is_stands_first_among_what_lacks() -> None:
    report = with_customer(LACKS_ALL, KIND, NOT_IDENTIFIED, None, asked=True)
    assert report.missing == (CUSTOMER_KEY, *LACKS_ALL.missing)
    assert KIND.label_for(CUSTOMER_KEY) == "CPF ou contrato"
