"""Whose request it is, by mail: asked, answered, found, registered; and what a stranger never learns."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailbot.domain.customer import Contract, Customer, Person
from mailbot.domain.events import Audience, EventKind, OutboundLetter, TicketEvent
from mailbot.domain.evidence import FieldOrigin
from mailbot.domain.identification import IdentityState
from mailbot.domain.ticket import Status, Ticket
from mailbot.flows.customers import CustomerForm, Saved, save
from mailbot.flows.reprocess import tasks_for
from tests.flows.house import CUSTOMER, REPOSITORY, TestHouse, mail

MAINTENANCE = """
key: property_maintenance
name: Manutenção do imóvel
subject: MANUTENÇÃO DO IMÓVEL
queue: sau
customer:
  label: CPF, CNPJ ou contrato
  question: Responda com um deles, para localizarmos o seu cadastro.
  register_unknown: true
fields:
  - {key: first_name, label: Nome, question: "Qual é o seu nome?", required: false}
  - {key: mobile, kind: phone, label: Celular, question: "Qual é o seu celular?", required: false}
  - {key: contract, label: Número do contrato, question: "Qual é o contrato do imóvel?"}
  - {key: description, label: Problema, question: "O que precisa de conserto?"}
status_labels:
  new: Recebido
  awaiting_requester: Aguardando você
  open: Em análise
  on_hold: Em espera
  awaiting_approval: Aguardando aprovação
  visit_scheduled: Visita agendada
  resolved: Concluído
  closed: Encerrado
"""
SUBJECT = "MANUTENÇÃO DO IMÓVEL"
PROBLEM = "Problema: a torneira da cozinha está vazando muito\n"
STRANGER = "estranho@example.net"
CPF = "529.982.247-25"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    (config / "catalogue" / "property_maintenance.yaml").write_text(MAINTENANCE, encoding="utf-8")
    with TestHouse(tmp_path, config_dir=config) as made:
        yield made


def enter(house: TestHouse, **form: Any) -> int:
    plain: dict[str, Any] = {"first_name": "Maria", "last_name": "Souza", "email": CUSTOMER, "cpf": CPF}
    with house.app.storage.write() as work:
        saved = save(work, CustomerForm(**plain | form), actor="admin", now=house.clock.now())
    assert isinstance(saved, Saved)
    return saved.customer_id


def contracts(*numbers: str) -> tuple[Contract, ...]:
    return tuple(Contract(number=one, property_address=f"Rua Secreta {one}") for one in numbers)


def last_ticket(house: TestHouse) -> Ticket:
    return house.tickets()[-1]


def record(house: TestHouse, customer_id: int | None) -> Customer:
    assert customer_id is not None
    with house.app.storage.read() as work:
        found = work.customers.get(customer_id)
    assert found is not None
    return found


def told(house: TestHouse, audience: Audience = Audience.REQUESTER) -> OutboundLetter:
    return house.letters(audience)[-1]


def test_a_ticket_that_is_given_to_another_customer_keeps_and_tells_nothing_of_a_record(house: TestHouse) -> None:
    enter(house, contracts=contracts("LOC-1"), mobile="62 99999-8888")
    told_of = {"first_name": "José", "last_name": "Lima", "email": "jose@example.com.br", "cpf": "111.444.777-35"}
    jose = enter(house, **told_of, mobile="62 97777-1111", contracts=contracts("LOC-2"))
    house.receive(mail(PROBLEM, subject=SUBJECT))
    house.app.staff_desk.say_whose(last_ticket(house), record(house, jose))
    ticket = last_ticket(house)
    assert (ticket.customer.customer_id, ticket.customer.contract) == (jose, "LOC-2")
    assert FieldOrigin.RECORD not in {one.origin for one in ticket.fields}
    house.requester_reply(told(house), "Obrigada!")
    flow = house.app.reprocess()
    assert {flow.do(task).problem for task in tasks_for(house.mails())} == {""}
    stated = {one.value for one in last_ticket(house).fields}
    assert not stated & {"José", "Lima", "111.444.777-35", "(62) 97777-1111", "(62) 99999-8888"}


def test_r002_13_a_customers_own_address_is_enough_and_brings_the_contract(house: TestHouse) -> None:
    customer = enter(house, contracts=contracts("LOC-1"), mobile="62 99999-8888")
    house.receive(mail(PROBLEM, subject=SUBJECT))
    ticket = last_ticket(house)
    assert (ticket.status, ticket.missing) == (Status.OPEN, ())
    assert (ticket.customer.state, ticket.customer.customer_id) == (IdentityState.KNOWN, customer)
    assert ticket.customer.contract == "LOC-1"
    assert {one.key: one.value for one in ticket.fields}["mobile"] == "(62) 99999-8888"
    notice = told(house, Audience.STAFF)
    assert "Identificado pelo endereço" in notice.text
    assert "Contrato deste pedido: LOC-1" in notice.text
    assert CPF in notice.html


def test_r002_03_who_says_nothing_is_asked_for_one_field_and_found_by_the_answer(house: TestHouse) -> None:
    enter(house, email="", company="Exemplo", cnpj="12.ABC.345/01DE-35", mobile="62 99999-8888", cpf="")
    house.receive(mail(f"{PROBLEM}Número do contrato: LOC-12/2024\n", subject=SUBJECT))
    first = told(house)
    # A contract is enough to look for somebody.
    assert last_ticket(house).missing == ()
    house.receive(mail(PROBLEM, subject=SUBJECT, sender="outra@example.net"))
    asked = told(house)
    assert "CPF, CNPJ ou contrato" in asked.text
    assert last_ticket(house).missing == ("customer", "contract")
    house.requester_reply(asked, "Nosso CNPJ é 12abc34501de35\nNúmero do contrato: LOC-7/2024")
    ticket = last_ticket(house)
    assert (ticket.status, ticket.customer.state) == (Status.OPEN, IdentityState.CLAIMED)
    assert "nada confirma que quem escreveu é o cliente" in told(house, Audience.STAFF).text
    assert first.ticket_number != asked.ticket_number


_SECRETS = ("Maria", "Souza", "LOC-1", "Rua Secreta", "99999-8888", CUSTOMER, "cadastro 1", "Cadastro")


@pytest.mark.parametrize("text", ["", f"CPF {CPF}\n", "Contrato LOC-1\n", "Celular: (62) 99999-8888\n"])
@pytest.mark.parametrize("verified", [True, False])
def test_a_stranger_learns_nothing_and_changes_nothing(house: TestHouse, text: str, verified: bool) -> None:
    """The letters are the same, word for word, whether there is such a customer or not."""
    raw = mail(PROBLEM + text, subject=SUBJECT, sender=STRANGER, verified=verified)
    house.receive(raw)
    without = told(house)
    customer = enter(house, contracts=contracts("LOC-1"), mobile="62 99999-8888")
    before = record(house, customer)
    house.receive(mail(PROBLEM + text, subject=SUBJECT, sender="outro@example.net", verified=verified))
    with_record = told(house)
    first, second = (
        (one.text.replace(one.handle, "").replace(str(one.ticket_number), "")) for one in (without, with_record)
    )
    assert first == second
    assert not any(secret in with_record.text + with_record.html for secret in _SECRETS if secret not in text)
    assert record(house, customer) == before
    with house.app.storage.read() as work:
        assert len(work.customers.events(customer)) == 1


def test_r002_05_several_are_listed_for_the_agent_and_nobody_is_guessed(house: TestHouse) -> None:
    enter(house, mobile="62 99999-8888")
    enter(house, last_name="Lima", email="lima@example.com.br", cpf="111.444.777-35", contracts=contracts("LOC-1"))
    text = f"{PROBLEM}CPF {CPF}, contrato LOC-1\nNúmero do contrato: LOC-1\n"
    house.receive(mail(text, subject=SUBJECT, sender=STRANGER))
    ticket = last_ticket(house)
    assert (ticket.status, ticket.customer.state) == (Status.OPEN, IdentityState.SEVERAL)
    assert (ticket.customer.customer_id, ticket.customer.candidates) == (None, (1, 2))
    notice = told(house, Audience.STAFF).text
    assert "1. Cadastro 1: Maria Souza, 529.982.247-25" in notice
    assert "2. Cadastro 2: Maria Lima, 111.444.777-35" in notice
    assert "#cliente" in notice
    # A number that was not listed names nobody; the agent then chooses.
    letter = told(house, Audience.STAFF)
    for typed in ("0", "3", "dois", "2 e 1", "²", ""):
        house.agent_reply(letter, f"#cliente {typed}")
        assert last_ticket(house).customer.customer_id is None
        assert "um dos 2 cadastros" in told(house, Audience.STAFF).text
    letters = len(house.letters(Audience.REQUESTER))
    house.agent_reply(letter, "#cliente 2")
    chosen = last_ticket(house).customer
    assert (chosen.customer_id, chosen.by_hand, chosen.contract) == (2, True, "LOC1")
    assert "O chamado é de Maria Lima" in told(house, Audience.STAFF).text
    assert len(house.letters(Audience.REQUESTER)) == letters


def test_r002_06_who_is_not_found_becomes_an_unconfirmed_record_of_what_was_stated(house: TestHouse) -> None:
    text = f"{PROBLEM}Nome: João\nMeu CPF é {CPF}\nNúmero do contrato: LOC-7/2024\nCelular: (62) 98888-7777\n"
    house.receive(mail(text, subject=SUBJECT, sender=f"Joao da Silva <{STRANGER}>"))
    ticket = last_ticket(house)
    assert ticket.customer.state is IdentityState.UNKNOWN
    person = record(house, ticket.customer.customer_id)
    assert isinstance(person, Person)
    assert (person.first_name, person.last_name, person.cpf) == ("João", "da Silva", "52998224725")
    assert (person.mobile, person.confirmed) == ("62988887777", False)
    assert [one.address for one in person.addresses] == [STRANGER]
    assert "fizemos um novo, que falta conferir" in told(house, Audience.STAFF).text
    # The same person again: no second record; and the number goes to who really enters it.
    house.receive(mail(text, subject=SUBJECT, sender=STRANGER))
    assert last_ticket(house).customer.customer_id == person.id
    assert enter(house) != person.id


def test_r002_10_an_address_with_a_record_is_linked_and_never_entered_again(house: TestHouse) -> None:
    customer = enter(house)
    text = f"{PROBLEM}CPF 111.444.777-35\nNúmero do contrato: LOC-7/2024\n"
    house.receive(mail(text, subject=SUBJECT, verified=False))
    ticket = last_ticket(house)
    assert (ticket.customer.state, ticket.customer.customer_id) == (IdentityState.CLAIMED, customer)


def test_r002_14_of_several_contracts_it_is_asked_which_and_the_answer_counts(house: TestHouse) -> None:
    enter(house, contracts=contracts("LOC-1", "LOC-2"))
    house.receive(mail(PROBLEM, subject=SUBJECT))
    assert last_ticket(house).missing == ("contract",)
    assert "LOC-1; LOC-2" in told(house).text
    house.requester_reply(told(house), "Número do contrato: LOC-2")
    ticket = last_ticket(house)
    assert (ticket.status, ticket.customer.contract) == (Status.OPEN, "LOC-2")


def test_r002_14_the_contracts_of_a_record_are_told_to_its_own_verified_address_only(house: TestHouse) -> None:
    enter(house, contracts=contracts("LOC-1", "LOC-2"))
    house.receive(mail(PROBLEM + f"CPF: {CPF}\n", subject=SUBJECT, sender=STRANGER))
    house.receive(mail(PROBLEM + f"CPF: {CPF}\n", subject=SUBJECT, verified=False))
    letters = house.letters(Audience.REQUESTER)
    assert letters and all("LOC-" not in letter.text for letter in letters)


def test_r002_14_a_customer_without_any_contract_goes_to_a_person(house: TestHouse) -> None:
    enter(house)
    house.receive(mail(PROBLEM, subject=SUBJECT))
    assert (last_ticket(house).status, last_ticket(house).missing) == (Status.OPEN, ())


def test_who_does_not_say_it_is_asked_twice_and_then_a_person_has_the_request(house: TestHouse) -> None:
    house.receive(mail(f"{PROBLEM}Número do contrato: sem número\n", subject=SUBJECT, sender=STRANGER))
    asked = [last_ticket(house).missing]
    for _ in range(2):
        house.requester_reply(told(house), "Não sei dizer, podem ver por favor?")
        asked.append(last_ticket(house).missing)
    assert asked == [("customer",), ("customer",), ()]
    assert last_ticket(house).status is Status.OPEN


def test_a_forged_address_identifies_nobody(house: TestHouse) -> None:
    enter(house, contracts=contracts("LOC-1"))
    raw = mail(PROBLEM, subject=SUBJECT).replace(b"dmarc=pass", b"dmarc=fail")
    house.receive(raw)
    assert last_ticket(house).customer.customer_id is None
    assert house.letters(Audience.REQUESTER) == []


def test_a_handle_used_from_another_address_tells_nothing_of_whose_it_is(house: TestHouse) -> None:
    house.receive(mail(PROBLEM, subject=SUBJECT, sender=STRANGER))
    enter(house, contracts=contracts("LOC-1"))
    before = last_ticket(house).customer
    letter = told(house)
    house.receive(mail(f"CPF {CPF}", subject="RES", sender=CUSTOMER, in_reply_to=letter.message_id))
    assert last_ticket(house).customer == before


def test_r003_17_the_record_says_in_which_language_its_customer_is_written_to(house: TestHouse) -> None:
    enter(house, language="en")
    house.receive(mail("Olá", subject="Pergunta qualquer"))
    house.receive(mail("Olá", subject="Pergunta qualquer", sender=STRANGER))
    assert [one.language for one in house.tickets()] == ["en", "pt-BR"]
    kinds = [event.kind for event in _events(house, "2026-000001")]
    assert EventKind.CUSTOMER_IDENTIFIED in kinds
    assert EventKind.CUSTOMER_IDENTIFIED not in [event.kind for event in _events(house, "2026-000002")]


def test_r003_17_a_customer_word_is_answered_in_the_language_of_the_record(house: TestHouse) -> None:
    enter(house, language="en")
    house.receive(mail("", subject="MEUS CHAMADOS"))
    house.receive(mail("", subject="MEUS CHAMADOS", verified=False))
    known, stranger = house.letters(Audience.REQUESTER)
    assert 'lang="en"' in known.html
    # An answer to somebody who may be anybody does not tell that there is a record.
    assert 'lang="pt-BR"' in stranger.html


def _events(house: TestHouse, number: str) -> list[TicketEvent]:
    with house.app.storage.read() as work:
        return list(work.tickets.events(number))


def test_reading_again_changes_nothing_of_whose_it_is(house: TestHouse) -> None:
    enter(house, contracts=contracts("LOC-1"))
    house.receive(mail(PROBLEM, subject=SUBJECT))
    house.receive(mail(PROBLEM, subject=SUBJECT, sender=STRANGER))
    before = [(one.missing, one.customer, one.fields) for one in house.tickets()]
    flow = house.app.reprocess()
    for task in tasks_for(house.mails()):
        flow.do(task, quiet=False, dry_run=False)
    assert [(one.missing, one.customer, one.fields) for one in house.tickets()] == before


@pytest.mark.parametrize("answer", ["É o contrato LOC-9", "CNPJ 12.ABC.345/01DE-35"])
def test_whoever_writes_for_two_accounts_says_which(house: TestHouse, answer: str) -> None:
    enter(house, contracts=contracts("LOC-1"))
    enter(house, company="Exemplo", cnpj="12.ABC.345/01DE-35", contracts=contracts("LOC-9"))
    house.receive(mail(PROBLEM, subject=SUBJECT))
    assert "customer" in last_ticket(house).missing
    letter = told(house)
    assert "LOC-9" not in letter.text
    house.requester_reply(letter, answer)
    ticket = last_ticket(house)
    assert (ticket.customer.state, ticket.customer.customer_id) == (IdentityState.KNOWN, 2)
    assert ticket.customer.contract == "LOC-9"
