"""Rented property: who writes, which contract, what for, how urgent, and the visit (R002-01 to R002-19)."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.ticket import Priority, Status, Ticket
from tests.flows.house import CUSTOMER, MAILBOX, TestHouse, mail

LEAK = """Bom dia,

Nome: Maria Aparecida
Sobrenome: Souza
CPF: 529.982.247-25
Contrato: 4521-A
Descrição: a torneira da pia da cozinha está vazando desde ontem
Prioridade: alta
Não posso receber às terças de manhã.
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def opened(house: TestHouse, subject: str, text: str) -> Ticket:
    house.receive(mail(text, subject=subject))
    return house.tickets()[-1]


def stated(ticket: Ticket) -> dict[str, str]:
    return {one.key: one.value for one in ticket.fields if one.valid}


def notice(house: TestHouse) -> OutboundLetter:
    return house.letters(Audience.STAFF)[-1]


@pytest.mark.parametrize(
    ("subject", "kind", "queue"),
    [
        ("Solicitação de manutenção", "property_maintenance", "manutencao"),
        ("Manutenção", "property_maintenance", "manutencao"),
        ("Solicitação de reembolso", "property_refund", "locacao"),
        ("Solicitação de desocupação", "property_move_out", "locacao"),
        ("Entrega das chaves", "property_move_out", "locacao"),
    ],
)
def test_r002_15_three_things_are_asked_for_under_a_contract(
    house: TestHouse, subject: str, kind: str, queue: str
) -> None:
    ticket = opened(house, subject, LEAK)
    assert (ticket.request_type, ticket.queue) == (kind, queue)


def test_r002_15_a_refund_of_which_house_nobody_knows_is_not_guessed(house: TestHouse) -> None:
    assert opened(house, "Reembolso", "Quero o reembolso.").request_type == "general"


def test_r002_16_to_19_a_complete_mail_is_taken_and_confirmed(house: TestHouse) -> None:
    ticket = opened(house, "Solicitação de manutenção", LEAK)
    assert (ticket.status, ticket.missing, ticket.priority) == (Status.OPEN, (), Priority.HIGH)
    assert stated(ticket)["description"] == "a torneira da pia da cozinha está vazando desde ontem"
    letter = house.letters(Audience.REQUESTER)[-1]
    assert ticket.number in letter.text
    assert "não pode: terça-feira, 06:00 às 12:00" in letter.text and "Viu algum erro?" in letter.text


def test_r002_03_a_mail_that_tells_nobody_is_asked_for_one_of_the_numbers(house: TestHouse) -> None:
    ticket = opened(house, "Solicitação de manutenção", "O chuveiro do banheiro queimou e não esquenta mais.")
    assert ticket.status is Status.AWAITING_REQUESTER and "customer" in ticket.missing
    assert "CPF, CNPJ ou número do contrato" in house.letters(Audience.REQUESTER)[-1].text


def test_r002_09_a_company_needs_its_name_and_cnpj(house: TestHouse) -> None:
    text = "Tipo de pessoa: PJ\nSobrenome: Souza\nContrato: 4521-A\nDescrição: o portão da garagem não abre mais"
    ticket = opened(house, "Solicitação de manutenção", text)
    assert ticket.missing == ("company", "cnpj")


def test_r002_09_a_cnpj_with_one_wrong_digit_is_asked_for_with_what_is_wrong(house: TestHouse) -> None:
    text = LEAK.replace("CPF: 529.982.247-25", "Empresa: Padaria Lua\nCNPJ: 12.ABC.345/01DE-36")
    ticket = opened(house, "Solicitação de manutenção", text)
    assert "cnpj" in ticket.missing
    assert "01DE-36" in house.letters(Audience.REQUESTER)[-1].text


def test_r002_17_medium_is_the_priority_that_nobody_states(house: TestHouse) -> None:
    text = LEAK.replace("Prioridade: alta\n", "")
    assert opened(house, "Solicitação de manutenção", text).priority is Priority.MEDIUM


def test_an_empty_mail_and_a_form_of_nonsense_are_asked_about(house: TestHouse) -> None:
    assert opened(house, "Solicitação de manutenção", "").status is Status.AWAITING_REQUESTER
    letter = house.letters(Audience.REQUESTER)[-1]
    house.requester_reply(
        letter, "CPF, CNPJ ou número do contrato: xx\nNúmero do contrato: ?\nDescrição do problema: a"
    )
    ticket = house.tickets()[-1]
    assert ticket.status is Status.AWAITING_REQUESTER and "description" in ticket.missing


# --- the visit -------------------------------------------------------------------------------------------------


def visit(house: TestHouse) -> Ticket:
    opened(house, "Solicitação de manutenção", LEAK)
    house.agent_reply(notice(house), "#agendar 2026-12-03 14:00\nO encanador vai até você.")
    (ticket,) = house.tickets()
    assert ticket.status is Status.VISIT_SCHEDULED
    return ticket


def calendar_answer(
    ticket: Ticket, partstat: str, *, sequence: int = 0, program: str = "gmail", sender: str = CUSTOMER
) -> bytes:
    """An answer to the invitation as the program sends it: in an alternative, or beside a file of its own."""
    calendar = (
        "BEGIN:VCALENDAR\r\nPRODID:-//Program//EN\r\nVERSION:2.0\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\n"
        f"UID:visit-{ticket.number}@{MAILBOX.partition('@')[2]}\r\nSEQUENCE:{sequence}\r\n"
        f'ATTENDEE;CN="Souza: Maria";PARTSTAT={partstat};X-NUM-\r\n GUESTS=0:mailto:{sender}\r\n'
        "DTSTART:20261203T170000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    message = EmailMessage(policy=SMTP)
    message["Authentication-Results"] = f"mx.example.com.br; dmarc=pass header.from={sender.partition('@')[2]}"
    message["From"] = sender
    message["To"] = MAILBOX
    message["Subject"] = f"{partstat.title()}: Visita"
    message["Date"] = "Mon, 23 Nov 2026 12:30:00 -0300"
    message["Message-ID"] = f"<{program}-{partstat}-{sequence}@{sender.partition('@')[2]}>"
    if program == "outlook":
        message.set_content("")
        message.add_alternative(calendar, subtype="calendar", params={"method": "REPLY"})
    elif program == "apple":
        message.set_content(calendar, subtype="calendar", params={"method": "REPLY"})
    else:
        message["Auto-Submitted"] = "auto-generated"
        message.set_content("Maria respondeu ao convite.")
        message.add_alternative(calendar, subtype="calendar", params={"method": "REPLY"})
        message.add_attachment(calendar.encode(), maintype="application", subtype="ics", filename="invite.ics")
    return message.as_bytes()


@pytest.mark.parametrize("program", ["gmail", "outlook", "apple"])
@pytest.mark.parametrize(
    ("partstat", "status", "said"),
    [
        ("ACCEPTED", Status.VISIT_SCHEDULED, "aceitou a visita"),
        ("TENTATIVE", Status.VISIT_SCHEDULED, "talvez possa"),
        ("DECLINED", Status.OPEN, "recusou a visita"),
    ],
)
def test_r002_18_the_answer_of_a_calendar_program_is_read_and_told_to_the_agent(
    house: TestHouse, program: str, partstat: str, status: Status, said: str
) -> None:
    ticket = visit(house)
    letters = len(house.letters(Audience.REQUESTER))
    house.receive(calendar_answer(ticket, partstat, program=program))
    (after,) = house.tickets()
    assert after.status is status
    assert notice(house).letter is LetterKind.REQUESTER_ACTED and said in notice(house).text
    assert len(house.letters(Audience.REQUESTER)) == letters


@pytest.mark.parametrize(("moment", "warned"), [("2026-12-08 09:00", True), ("2026-12-08 14:00", False)])
def test_r002_18_an_agent_hears_that_a_visit_is_set_for_a_time_that_the_requester_ruled_out(
    house: TestHouse, moment: str, warned: bool
) -> None:
    opened(house, "Solicitação de manutenção", LEAK)
    house.agent_reply(notice(house), f"#agendar {moment}")
    assert house.tickets()[0].status is Status.VISIT_SCHEDULED
    told = "sobre horários, o cliente disse: não pode: terça-feira, 06:00 às 12:00"
    assert (told in " ".join(notice(house).text.split())) is warned


def test_r002_18_an_answer_to_a_time_that_was_replaced_changes_nothing(house: TestHouse) -> None:
    ticket = visit(house)
    house.agent_reply(notice(house), "#agendar 2026-12-04 10:00")
    count = len(house.letters())
    house.receive(calendar_answer(ticket, "DECLINED", sequence=0))
    assert house.tickets()[0].status is Status.VISIT_SCHEDULED
    assert len(house.letters()) == count


def test_r002_18_nobody_else_answers_for_the_requester(house: TestHouse) -> None:
    ticket = visit(house)
    house.receive(calendar_answer(ticket, "DECLINED", sender="outro@estranho.example"))
    assert house.tickets()[0].status is Status.VISIT_SCHEDULED


@pytest.mark.parametrize(
    ("line", "said"), [("APROVO", "O cliente aprovou"), ("Não aprovo.\n\nEstá caro.", "O cliente não aprovou")]
)
def test_r003_16_the_client_approves_or_not_in_one_line(house: TestHouse, line: str, said: str) -> None:
    opened(house, "Solicitação de manutenção", LEAK)
    house.agent_reply(notice(house), "#aprovacao cliente\nO conserto custa R$ 200,00.")
    assert house.tickets()[0].status is Status.AWAITING_APPROVAL
    letter = house.letters(Audience.REQUESTER)[-1]
    assert "APROVO" in letter.text and "R$ 200,00" in letter.text
    house.requester_reply(letter, line)
    assert house.tickets()[0].status is Status.OPEN
    assert said in notice(house).text
