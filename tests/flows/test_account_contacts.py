"""R004-13: an account's owner adds and removes who may write for it, by mail, and nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.customer import CustomerEventKind, Person
from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.identification import IdentityState
from mailbot.domain.ticket import Resolution, Status
from mailbot.flows.customers import CustomerForm, Saved, save
from tests.flows.house import CUSTOMER, TestHouse, mail, reply_to

NEW = "joana@example.net"
ADD = f"Nome do contato: Joana Prado\nE-mail do contato: {NEW}\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as made:
        with made.app.storage.write() as work:
            form = CustomerForm(last_name="Souza", email=CUSTOMER, company="Exemplo", cnpj="12.ABC.345/01DE-35")
            saved = save(work, form, actor="admin", now=made.clock.now())
        assert isinstance(saved, Saved)
        yield made


FIRM, OWNER = 2, 1


def authorised(house: TestHouse) -> list[str]:
    """The addresses of those who may write for the company."""
    with house.app.storage.read() as work:
        account = work.customers.get(FIRM)
        assert account is not None
        people = work.customers.get_many(account.authorised)
    return [one.address for person in people for one in person.addresses]


def last(house: TestHouse) -> OutboundLetter:
    return house.letters(Audience.REQUESTER)[-1]


def ask(house: TestHouse, text: str = ADD, *, subject: str = "ADICIONAR CONTATO", **how: object) -> None:
    text = f"{text}CNPJ 12.ABC.345/01DE-35\n"
    house.receive(mail(text, subject=subject, **how))  # type: ignore[arg-type]  # the test's own words


def test_nothing_changes_before_the_owner_confirms_by_the_letters_handle(house: TestHouse) -> None:
    ask(house)
    letter = last(house)
    assert letter.letter is LetterKind.CONTACT_CONFIRMATION
    assert letter.recipient.address == CUSTOMER
    assert NEW in letter.text
    assert "Exemplo" in letter.text
    assert authorised(house) == []
    house.requester_reply(letter, "CONFIRMO")
    assert authorised(house) == [NEW]
    [ticket] = house.tickets()
    assert (ticket.status, ticket.resolution) == (Status.RESOLVED, Resolution.DONE)
    assert last(house).letter is LetterKind.CONTACT_CHANGED
    assert NEW not in [one.recipient.address for one in house.letters()]
    with house.app.storage.read() as work:
        assert [one.kind for one in work.customers.events(FIRM)] == [
            CustomerEventKind.CREATED,
            CustomerEventKind.CONTACT_ADDED,
        ]


def test_the_new_contact_is_recognised_from_then_on_and_gets_no_letter_of_older_tickets(house: TestHouse) -> None:
    house.receive(mail("Qual é o horário?", subject="Horário"))
    older = house.tickets()[0].number
    ask(house)
    house.requester_reply(last(house), "Sim, confirmo.")
    house.receive(mail(ADD.replace(NEW, "x@example.net"), subject="ADICIONAR CONTATO", sender=NEW))
    theirs = house.tickets()[-1]
    assert (theirs.customer.state, theirs.status) == (IdentityState.SEVERAL, Status.AWAITING_REQUESTER)
    house.requester_reply(last(house), "CNPJ 12.ABC.345/01DE-35")
    theirs = house.tickets()[-1]
    # A contact may write for the account, and does not decide who else may.
    assert (theirs.customer.state, theirs.customer.customer_id) == (IdentityState.KNOWN, FIRM)
    assert theirs.status is Status.OPEN
    assert all(one.recipient.address == CUSTOMER for one in house.letters(Audience.REQUESTER, ticket=older))


def test_a_contact_is_removed_and_to_remove_nobody_does_no_harm(house: TestHouse) -> None:
    ask(house)
    house.requester_reply(last(house), "confirmo")
    for _ in range(2):
        ask(house, f"E-mail do contato: {NEW}\n", subject="REMOVER CONTATO")
        assert last(house).letter is LetterKind.CONTACT_CONFIRMATION
        house.requester_reply(last(house), "Confirmo")
        assert authorised(house) == []
    with house.app.storage.read() as work:
        person = work.customers.of_address(NEW)
    assert isinstance(person, Person)


@pytest.mark.parametrize(
    ("sender", "verified"), [("estranho@example.net", True), (CUSTOMER, False), ("estranho@example.net", False)]
)
def test_who_is_not_the_known_owner_is_never_asked_to_confirm(
    house: TestHouse, sender: str, verified: bool
) -> None:
    ask(house, sender=sender, verified=verified)
    [ticket] = house.tickets()
    assert ticket.status is Status.OPEN
    assert last(house).letter is LetterKind.TICKET_OPENED
    assert "Exemplo" not in last(house).text
    house.requester_reply(last(house), "CONFIRMO")
    assert authorised(house) == []


@pytest.mark.parametrize("sender", ["estranho@example.net", NEW])
def test_the_handle_from_another_address_confirms_nothing(house: TestHouse, sender: str) -> None:
    ask(house)
    raw = reply_to(last(house), "CONFIRMO").replace(f"From: {CUSTOMER}".encode(), f"From: {sender}".encode())
    house.receive(raw)
    assert authorised(house) == []


def test_the_word_without_the_handle_confirms_nothing(house: TestHouse) -> None:
    ask(house)
    letter = last(house)
    house.receive(mail("CONFIRMO", subject=f"RES: {letter.subject}"))
    assert authorised(house) == []


@pytest.mark.parametrize("text", ["não confirmo", "quem é essa pessoa?", "sim?? eu não pedi", "", "simone"])
def test_any_other_word_confirms_nothing(house: TestHouse, text: str) -> None:
    ask(house)
    house.requester_reply(last(house), text)
    assert authorised(house) == []
    assert house.tickets()[0].status is not Status.RESOLVED


def test_what_is_confirmed_is_what_the_letter_said(house: TestHouse) -> None:
    ask(house)
    first = last(house)
    house.requester_reply(first, "CONFIRMO\n\nE-mail do contato: outra@example.net")
    assert authorised(house) == []
    second = last(house)
    assert "outra@example.net" in second.text
    house.requester_reply(second, "confirmo")
    assert authorised(house) == ["outra@example.net"]


def test_a_confirmation_twice_adds_once(house: TestHouse) -> None:
    ask(house)
    letter = last(house)
    house.requester_reply(letter, "CONFIRMO")
    house.requester_reply(letter, "CONFIRMO")
    assert authorised(house) == [NEW]


def test_an_address_that_belongs_to_somebody_is_linked_and_not_entered_again(house: TestHouse) -> None:
    with house.app.storage.write() as work:
        known = save(work, CustomerForm(last_name="Prado", email=NEW), actor="admin", now=house.clock.now())
    assert isinstance(known, Saved)
    ask(house)
    house.requester_reply(last(house), "CONFIRMO")
    with house.app.storage.read() as work:
        account = work.customers.get(FIRM)
    assert account is not None
    assert account.authorised == (known.customer_id,)
