"""The form of our letter, filled in inside of the quote by every mail program that customers use."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from mailbot.domain.events import EventKind, LetterKind, OutboundLetter
from mailbot.domain.guidance import RulingAction
from mailbot.domain.ticket import Status, Ticket
from tests.flows.form_replies import PROGRAMS, message, quoted
from tests.flows.house import BOLETO, LICENCE, RECEIPT, TestHouse, mail

ANSWERS = {"Motivo": "mudei de cidade a trabalho", "Novo local": "Jataí", "Telefone": "(64) 99876-1234"}
PAPERS = (BOLETO, RECEIPT, LICENCE)


def asked(house: TestHouse, text: str = "Local atual: Rio Verde\n") -> OutboundLetter:
    """The letter that asks for reason, destination and telephone."""
    house.receive(mail(text, files=PAPERS, sender="Maria Souza <maria@example.com.br>"))
    return newest(house, LetterKind.EVIDENCE_REQUESTED)


def newest(house: TestHouse, kind: LetterKind) -> OutboundLetter:
    return [letter for letter in house.letters() if letter.letter is kind][-1]


def values(ticket: Ticket) -> dict[str, str]:
    return {value.key: value.value for value in ticket.fields if value.valid}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("top", ["", "Segue preenchido, obrigada!"])
def test_a_form_filled_in_inside_of_the_quote_completes_the_request(
    tmp_path: Path, program: str, top: str
) -> None:
    with TestHouse(tmp_path) as house:
        letter = asked(house)
        house.receive(PROGRAMS[program](letter, ANSWERS, top))
        (ticket,) = house.tickets()
        assert values(ticket) | {
            "reason": "mudei de cidade a trabalho",
            "origin_unit": "Rio Verde",
            "destination_unit": "Jataí",
            "phone": "(64) 99876-1234",
        } == values(ticket)
        assert (ticket.missing, ticket.status) == ((), Status.OPEN)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("top", ["", "Boa tarde, aguardo retorno."])
def test_an_untouched_form_answers_nothing(tmp_path: Path, program: str, top: str) -> None:
    with TestHouse(tmp_path) as house:
        letter = asked(house)
        before = house.tickets()[0]
        house.receive(PROGRAMS[program](letter, {}, top))
        (ticket,) = house.tickets()
        assert ticket.missing == before.missing
        assert {value.key for value in ticket.fields} == {value.key for value in before.fields}
        assert all(not value.misunderstood for value in ticket.fields)


def reply(house: TestHouse, letter: OutboundLetter, text: str) -> Ticket:
    house.clock.advance(timedelta(minutes=10))
    house.receive(
        message(letter, text=f"{text}\n\nEm 23/11/2026 12:01, Atendimento escreveu:\n{quoted(letter.text)}")
    )
    return house.tickets()[0]


@pytest.mark.parametrize(
    "text",
    [
        "Telefone: (64) 99876-1234\nNovo local: Jataí\nMotivo: mudei de cidade a trabalho",
        "1. Motivo: mudei de cidade a trabalho\n2. Novo local: Jataí\n3. Telefone: (64) 99876-1234",
        "Motivo - mudei de cidade a trabalho\nNovo local - Jataí\nTelefone - (64) 99876-1234",
        "Motivo\nmudei de cidade a trabalho\n\nNovo local\nJataí\n\nTelefone\n(64) 99876-1234",
        "Motivo: mudei de cidade a trabalho; Novo local: Jataí; Telefone: (64) 99876-1234",
        "Motvo: mudei de cidade a trabalho\nNvo local: Jataí\nTelefne: (64) 99876-1234",
        "• Motivo: mudei de cidade a trabalho\n• Novo local: Jataí\n• Telefone: (64) 99876-1234",
        "Motivo:____mudei de cidade a trabalho____\nNovo local: _Jataí_\nTelefone: ...(64) 99876-1234",
        "Motivo | mudei de cidade a trabalho\nNovo local | Jataí\nTelefone | (64) 99876-1234",
        "Mudei de cidade a trabalho, de Rio Verde para Jataí. Meu telefone é (64) 99876-1234.",
    ],
)
def test_answers_count_in_any_order_and_layout(tmp_path: Path, text: str) -> None:
    with TestHouse(tmp_path) as house:
        ticket = reply(house, asked(house), text)
        assert (ticket.missing, ticket.status) == ((), Status.OPEN)
        assert values(ticket)["destination_unit"] == "Jataí"


def test_answers_in_a_table_count(tmp_path: Path) -> None:
    rows = "".join(
        f"<tr><td><b>{label}</b></td><td>{answer}</td></tr>"
        for label, answer in {**ANSWERS, "Motivo": "mudei de cidade a trabalho"}.items()
    )
    with TestHouse(tmp_path) as house:
        house.receive(message(asked(house), html=f"<html><body><p>Segue</p><table>{rows}</table></body></html>"))
        (ticket,) = house.tickets()
        assert (ticket.missing, ticket.status) == ((), Status.OPEN)


def test_what_was_not_understood_is_asked_once_more_with_why_and_then_goes_to_a_person(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        first = asked(house)
        once = reply(house, first, "Motivo: mudei de cidade\nTelefone: (64) 99876-1234\nNovo local: Pirenópolis")
        assert (once.missing, once.status) == (("destination_unit",), Status.AWAITING_REQUESTER)
        again = newest(house, LetterKind.EVIDENCE_REQUESTED)
        assert "Você escreveu “Pirenópolis”" in again.text
        assert "Não encontramos uma unidade com esse nome" in again.text
        twice = reply(house, again, "Novo local: Pirenópolis, como já disse")
        assert (twice.missing, twice.status) == ((), Status.OPEN)
        asked_field = next(value for value in twice.fields if value.key == "destination_unit")
        assert (asked_field.for_a_person, asked_field.misunderstood) == (True, 2)
        assert twice.ruling is not None
        assert twice.ruling.action is RulingAction.PERSON
        notice = newest(house, LetterKind.TICKET_READY)
        assert (
            "Novo local: Pirenópolis, como já disse [Não entendemos: uma pessoa da equipe vai conferir.]"
            in notice.text
        )
        told = newest(house, LetterKind.EVIDENCE_COMPLETE)
        assert "Não entendemos: uma pessoa da equipe vai conferir." in told.text


def test_a_mail_that_says_nothing_of_the_field_is_no_misunderstanding(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        letter = asked(house, "Local atual: Rio Verde\nNovo local: Pirenópolis\n")
        ticket = reply(house, letter, "Telefone: (64) 99876-1234")
        assert "destination_unit" in ticket.missing
        assert next(value for value in ticket.fields if value.key == "destination_unit").misunderstood == 1


def test_of_contradicting_answers_the_newer_counts_and_the_agent_sees_both(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        letter = asked(house)
        lines = "\n".join(f"{label}: {answer}" for label, answer in ANSWERS.items())
        assert reply(house, letter, lines).status is Status.OPEN
        ticket = reply(house, newest(house, LetterKind.EVIDENCE_COMPLETE), "Novo local: Anápolis")
        assert values(ticket)["destination_unit"] == "Anápolis"
        notice = newest(house, LetterKind.REQUESTER_REPLIED)
        assert "Novo local: Anápolis\n  (num e-mail anterior: Jataí)" in notice.text
        with house.app.storage.read() as work:
            told = [
                event for event in work.tickets.events(ticket.number) if event.kind is EventKind.FIELD_CONTRADICTED
            ]
        assert [(event.old, event.new, event.detail) for event in told] == [
            ("Jataí", "Anápolis", "destination_unit")
        ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n".join(f"Motivo: {number}" for number in range(200)),
        "\n".join(f"Novo local: cidade {number}" for number in range(200)),
        "\n".join(f"Campo {number}: valor {number}" for number in range(200)),
        "Motivo: !!!\nNovo local: ???\nTelefone: abc",
        "Motivo: {{ 7*7 }}\nNovo local: <script>alert(1)</script>\nTelefone: https://evil.example/x",
        "____: ____\n: : :\nMotivo:::\nTelefone=\n" * 50,
    ],
)
def test_nonsense_is_asked_about_and_never_taken(tmp_path: Path, text: str) -> None:
    with TestHouse(tmp_path) as house:
        ticket = reply(house, asked(house), text)
        assert "destination_unit" in ticket.missing
        assert "phone" in ticket.missing
        letter = newest(house, LetterKind.EVIDENCE_REQUESTED)
        assert ticket.status is Status.AWAITING_REQUESTER
        assert "https://evil.example" not in letter.text + letter.html
        assert "<script>" not in letter.html
        assert "“49" not in letter.text
