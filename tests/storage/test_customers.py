"""Customers on every database: what is found by what, what is unique, and what the audit keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.domain.customer import (
    Company,
    Contract,
    Customer,
    CustomerAddress,
    CustomerEvent,
    CustomerEventKind,
    CustomerSearch,
    Person,
    PersonFound,
)
from mailbot.domain.identification import ClueKind, CustomerClue, IdentityState, KnownCustomers, TicketCustomer
from tests.storage.rows import NOW, ticket
from tests.storage.test_database import plan_of

JOSE = Person(
    first_name="José",
    last_name="Araújo",
    cpf="52998224725",
    mobile="62999998888",
    addresses=(CustomerAddress(address="jose@example.com.br", verified=True),),
    contracts=(Contract(number="LOC-2024/17", property_address="Rua das Acácias, 12, Goiânia", kind="rent"),),
)
ANA = Person(first_name="Ana", last_name="Lima", addresses=(CustomerAddress(address="ana.lima@example.com.br"),))


def add(storage: SqlStorage, record: Customer) -> int:
    with storage.write() as work:
        return work.customers.add(record, at=NOW)


def search(storage: SqlStorage, words: str = "", **fields: str) -> list[PersonFound]:
    with storage.read() as work:
        return work.customers.search(CustomerSearch(words=words, **fields))


def names(found: list[PersonFound]) -> list[str]:
    return [one.person.name for one in found]


def company(owner: int, **changes: Any) -> Company:
    return replace(Company(company="Viação Exemplo Ltda", cnpj="12ABC34501DE35", owner=owner), **changes)


def test_a_record_comes_back_as_it_was_kept(storage: SqlStorage) -> None:
    person = add(storage, replace(JOSE, services=("site", "e-mail"), language="en"))
    firm = add(storage, company(person, authorised=(add(storage, ANA),), corporate=True))
    with storage.read() as work:
        assert work.customers.get(person) == replace(JOSE, id=person, services=("site", "e-mail"), language="en")
        kept = work.customers.get(firm)
    assert kept == company(person, id=firm, authorised=(firm - 1 if firm - 1 != person else 0,), corporate=True)


@pytest.mark.parametrize(
    "words",
    [
        "jose", "ARAUJO", "josé araújo", "raúj", "529.982.247-25", "52998224725", "982.247", "(62) 99999-8888",
        "99998888", "jose@example", "LOC-2024/17", "loc 17", "loc202417", "acacias goiania", "viação",
        "exemplo jose",        "12.ABC.345/01DE-35", "12abc34501de35",
    ],
)  # fmt: skip
def test_r002_02_a_person_is_found_by_any_part_of_any_field(storage: SqlStorage, words: str) -> None:
    add(storage, ANA)
    add(storage, company(add(storage, JOSE)))
    assert names(search(storage, words)) == ["José Araújo"]


@pytest.mark.parametrize("words", ["maria", "jose lima", "52998224726", "%", "_", "jose_araujo", "\\"])
def test_r002_02_what_no_record_holds_finds_nobody(storage: SqlStorage, words: str) -> None:
    add(storage, JOSE)
    add(storage, ANA)
    assert search(storage, words) == []


def test_r002_02_several_fields_must_all_fit_and_each_in_its_own_field(storage: SqlStorage) -> None:
    add(storage, JOSE)
    add(storage, replace(ANA, first_name="Araújo"))
    assert names(search(storage, last_name="araujo")) == ["José Araújo"]
    assert names(search(storage, name="ana lima")) == []
    assert names(search(storage, name="jose", phone="9999-8888")) == ["José Araújo"]
    assert names(search(storage, cpf="99999888")) == []
    assert names(search(storage, email="JOSE@", contract="loc-2024")) == ["José Araújo"]


def test_r002_04_a_company_appears_through_its_person(storage: SqlStorage) -> None:
    person = add(storage, JOSE)
    firm = add(storage, company(person))
    [found] = search(storage, company="viacao")
    assert (found.person.id, [one.id for one in found.companies]) == (person, [firm])
    assert search(storage, cnpj="12.ABC.345") == [found]


def test_r002_04_a_company_leaves_the_words_of_the_person_it_had_before(storage: SqlStorage) -> None:
    person, other = add(storage, JOSE), add(storage, ANA)
    firm = add(storage, company(person))
    with storage.write() as work:
        work.customers.change(company(other, id=firm), at=NOW)
    assert names(search(storage, "viacao")) == ["Ana Lima"]


def test_r002_05_equal_ones_are_all_listed_by_name(storage: SqlStorage) -> None:
    for address in ("b@example.com.br", "a@example.com.br"):
        add(storage, replace(ANA, addresses=(CustomerAddress(address=address),)))
    add(storage, replace(ANA, first_name="Aline", addresses=()))
    assert names(search(storage, "lima")) == ["Aline Lima", "Ana Lima", "Ana Lima"]
    with storage.read() as work:
        assert len(work.customers.search(CustomerSearch(words="lima"), limit=2)) == 2


def test_r002_10_no_two_records_share_an_address(storage: SqlStorage) -> None:
    add(storage, JOSE)
    with pytest.raises(IntegrityError):
        add(storage, replace(ANA, addresses=JOSE.addresses))
    assert names(search(storage, "jose@example.com.br")) == ["José Araújo"]


def test_no_two_confirmed_records_share_a_number_and_an_unconfirmed_one_takes_none(storage: SqlStorage) -> None:
    typed = add(storage, replace(JOSE, confirmed=False, addresses=(), contracts=()))
    person = add(storage, JOSE)
    with pytest.raises(IntegrityError):
        add(storage, replace(JOSE, addresses=(), contracts=()))
    clue = CustomerClue(kind=ClueKind.CPF, value=JOSE.cpf)
    with storage.read() as work:
        assert [one.id for _, one in work.customers.known("", [clue]).by_clue] == [person]
        found = work.customers.of_cpf(JOSE.cpf)
    assert found is not None
    assert found.id == person != typed


def test_r002_12_a_persons_row_is_never_made_a_companys(storage: SqlStorage) -> None:
    person = add(storage, JOSE)
    with pytest.raises(ValueError, match="no company"), storage.write() as work:
        work.customers.change(company(person, id=person), at=NOW)
    with storage.read() as work:
        assert work.customers.get(person) == replace(JOSE, id=person)


def test_each_clue_names_its_records_in_one_statement(database: Database, storage: SqlStorage) -> None:
    person = add(storage, JOSE)
    firm = add(storage, company(person))
    twin = add(storage, replace(ANA, mobile=JOSE.mobile))
    clues = [
        CustomerClue(kind=ClueKind.CPF, value=JOSE.cpf),
        CustomerClue(kind=ClueKind.CNPJ, value="12ABC34501DE35"),
        CustomerClue(kind=ClueKind.CONTRACT, value="loc 2024 17"),
        CustomerClue(kind=ClueKind.PHONE, value=JOSE.mobile),
        CustomerClue(kind=ClueKind.CPF, value="11144477735"),
    ]
    with storage.read() as work:
        found = work.customers.known("", clues).by_clue
    assert sorted((clue.kind, one.id) for clue, one in found) == sorted(
        [
            (ClueKind.CPF, person),
            (ClueKind.CNPJ, firm),
            (ClueKind.CONTRACT, person),
            (ClueKind.PHONE, person),
            (ClueKind.PHONE, twin),
        ]
    )


def test_an_address_is_known_with_all_that_it_may_write_for(storage: SqlStorage) -> None:
    person, other = add(storage, JOSE), add(storage, ANA)
    firm = add(storage, company(person, authorised=(other,)))
    with storage.read() as work:
        known = work.customers.known("ANA.LIMA@example.com.br", [])
        stranger = work.customers.known("x@example.com.br", [])
        nobody = work.customers.known("", [])
    assert known.of_address is not None
    assert (known.of_address.id, [one.id for one in known.accounts]) == (other, [other, firm])
    assert stranger == nobody == KnownCustomers()


def test_whoever_writes_for_accounts_is_told_all_of_them(storage: SqlStorage) -> None:
    person, other = add(storage, JOSE), add(storage, ANA)
    firm = add(storage, company(person, authorised=(other,)))
    with storage.read() as work:
        assert [one.id for one in work.customers.accounts_of(person)] == [person, firm]
        assert [one.id for one in work.customers.accounts_of(other)] == [other, firm]


def test_no_table_is_scanned_to_find_whose_mail_it_is(database: Database, storage: SqlStorage) -> None:
    person = add(storage, JOSE)
    add(storage, company(person))
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.lstrip().startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    with storage.read() as work:
        work.customers.of_address("JOSE@example.com.br")
        work.customers.accounts_of(person)
        work.customers.known(
            "jose@example.com.br", [CustomerClue(kind=kind, value="52998224725") for kind in ClueKind]
        )
        work.customers.of_cpf(JOSE.cpf)
        work.customers.of_cnpj("12ABC34501DE35")
        work.customers.of_contract("LOC-2024/17")
    event.remove(database.engine, "before_cursor_execute", note)
    scans = [
        (step, statement)
        for statement, parameters in asked
        for step in plan_of(database, statement, parameters)
        if step.startswith(("SCAN", "Seq Scan")) and not step.startswith("SCAN anon_") and "Subquery" not in step
    ]
    assert asked
    assert scans == []


def test_r002_11_the_audit_keeps_what_was_done_in_order(storage: SqlStorage) -> None:
    person = add(storage, JOSE)
    done = [
        CustomerEvent(at=NOW, actor="admin", kind=CustomerEventKind.CREATED),
        CustomerEvent(at=NOW, actor="admin", kind=CustomerEventKind.CHANGED, field="mobile", old="1", new="2"),
    ]
    with storage.write() as work:
        work.customers.add_events(person, done[:1])
        work.customers.add_events(person, done[1:])
    with storage.read() as work:
        assert work.customers.events(person) == done
        assert work.customers.events(person + 1) == []


def test_a_ticket_keeps_whose_it_is(storage: SqlStorage) -> None:
    customer = TicketCustomer(
        state=IdentityState.SEVERAL,
        candidates=(3, 1),
        contract="LOC-1",
        contracts=("LOC-1", "LOC-2"),
        clues=(CustomerClue(kind=ClueKind.PHONE, value="62999998888"),),
        asked=1,
    )
    with storage.write() as work:
        work.tickets.add(ticket("2026-000001", customer=customer))
        work.tickets.add(ticket("2026-000002"))
    with storage.read() as work:
        kept = [work.tickets.get(f"2026-00000{n}") for n in (1, 2)]
    assert [one.customer for one in kept if one is not None] == [customer, TicketCustomer()]
