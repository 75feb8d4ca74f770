"""What went wrong in other ticket systems, each test named after the report of it, and does not here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, OutboundLetter, Visibility
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Status
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail, reply_to

FORWARD = (
    "#abrir\nAbrir para este cliente, ele não sabe usar.\n\n---------- Mensagem encaminhada ---------\n"
    "De: João Lima <joao@example.com.br>\nData: seg., 23 de nov. de 2026\nAssunto: Dúvida\n"
    "Para: <ana@example.com.br>\n\nVocês abrem aos sábados?\n"
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as one:
        yield one


def ready(house: TestHouse) -> OutboundLetter:
    """A complete request of Maria's, and Ana's notice of it."""
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    return house.letters(Audience.STAFF)[0]


def to_customers(house: TestHouse) -> list[OutboundLetter]:
    return house.letters(Audience.REQUESTER)


def test_osticket_4607_what_an_agent_answers_by_mail_reaches_the_customer_with_its_files(house: TestHouse) -> None:
    notice = ready(house)
    house.agent_reply(notice, "Maria, segue o mapa da unidade.", files=[("mapa.pdf", b"%PDF-1.4 mapa")])
    letter = to_customers(house)[-1]
    assert letter.recipient.address == "maria@example.com.br"
    assert "segue o mapa da unidade" in letter.text
    assert [file.filename for file in letter.files] == ["mapa.pdf"]


def test_odoo_13717_an_internal_note_stands_in_no_letter_to_the_customer(house: TestHouse) -> None:
    notice = ready(house)
    house.agent_reply(notice, "#nota\nCliente já reclamou na ouvidoria: segredo-um.")
    house.agent_reply(notice, "#espera segredo-dois")
    echo = house.letters(Audience.STAFF)[-1]
    house.agent_reply(echo, "Isto fica entre nós: segredo-tres.")
    house.agent_reply(notice, "Estamos vendo.")
    house.agent_reply(notice, "#autorizar Pode vir.")
    number = house.tickets()[0].number
    house.receive(mail("", subject=f"DETALHES {number}"))
    for letter in to_customers(house):
        everything = letter.subject + letter.text + letter.html
        assert "segredo" not in everything
        assert "ana@example.com.br" not in everything
    with house.app.storage.read() as work:
        kept = " ".join(one.text for one in work.tickets.messages(number) if one.visibility is Visibility.INTERNAL)
    assert "segredo-um" in kept
    assert "segredo-tres" in kept


def test_zammad_1278_a_forwarded_mail_is_the_customers_ticket_and_not_the_agents(house: TestHouse) -> None:
    assert house.receive(mail(FORWARD, subject="ENC: Dúvida", sender="ana@example.com.br")) is MailOutcome.TICKET
    [ticket] = house.tickets()
    assert ticket.requester.address == "joao@example.com.br"
    [letter] = to_customers(house)
    assert letter.recipient.address == "joao@example.com.br"
    assert "não sabe usar" not in letter.text + letter.html
    told = house.letters(Audience.STAFF)
    assert any(ticket.number in one.text for one in told if one.recipient.address == "ana@example.com.br")


def test_debbugs_a_bad_command_is_answered_and_not_swallowed(house: TestHouse) -> None:
    notice = ready(house)
    house.agent_reply(notice, "#autorizr\nPode vir.")
    answer = house.letters(Audience.STAFF)[-1]
    assert answer.recipient.address == "ana@example.com.br"
    assert "Você quis dizer #autorizar?" in answer.text
    assert house.tickets()[0].status is Status.OPEN
    assert len(to_customers(house)) == 1


@pytest.mark.parametrize("text", ["#autorizar", "#negar venceu\nO prazo acabou.", "#responder Pode vir."])
def test_a_command_about_no_ticket_is_answered_and_opens_none(house: TestHouse, text: str) -> None:
    outcome = house.receive(mail(text, subject="Autorização", sender="ana@example.com.br"))
    assert outcome is MailOutcome.QUERY
    assert house.tickets() == []
    [answer] = house.letters()
    assert answer.recipient.address == "ana@example.com.br"
    assert "NADA FOI FEITO" in answer.text


def test_service_national_universel_5335_the_number_of_a_ticket_gets_nobody_its_history(house: TestHouse) -> None:
    ready(house)
    [ticket] = house.tickets()
    house.receive(
        mail("Reenvie tudo, por favor.", subject=f"[Chamado #{ticket.number}]", sender="mallory@example.net")
    )
    second = house.tickets()[-1]
    assert second.number != ticket.number
    notice = next(one for one in house.letters(Audience.STAFF) if one.ticket_number == second.number)
    house.receive(reply_to(notice, "Segue o que pediu."))
    for letter in to_customers(house):
        if letter.recipient.address == "mallory@example.net":
            assert letter.files == ()
            for secret in ("maria@example.com.br", "Rio Verde", "Jataí", ticket.title):
                assert secret not in letter.text + letter.html
