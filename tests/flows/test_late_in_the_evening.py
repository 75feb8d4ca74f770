"""Between 21:00 and midnight in São Paulo the next day has begun in UTC: *today* is the customer's day."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.ticket import Ticket
from mailbot.flows.reprocess import tasks_for
from tests.flows.house import BOLETO, CUSTOMER, LICENCE, RECEIPT, REPOSITORY, REQUEST, TestHouse, mail

LAST_EVENING = datetime(2034, 3, 9, 0, 30, tzinfo=UTC)
"""Half past nine of 8 March, the last day on which the sample licence is valid."""
EXPIRED = "Vencida."
ANA = "Ana <ana@example.com.br>"

_DELIVERY = """\
key: furniture_delivery
name: Entrega de móveis
subject: ENTREGA DE MÓVEIS
queue: geral
fields:
  - {key: day, kind: date, label: Dia da entrega, question: Em que dia?, day: today_or_future}
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    config = Path(shutil.copytree(REPOSITORY / "config", tmp_path / "config"))
    (config / "catalogue" / "furniture_delivery.yaml").write_text(_DELIVERY, encoding="utf-8")
    with TestHouse(tmp_path, now=LAST_EVENING, config_dir=config) as one:
        yield one


def notice(house: TestHouse, at: int = 0) -> OutboundLetter:
    letters = house.letters(Audience.STAFF, ticket=house.tickets()[at].number)
    return [one for one in letters if one.letter is LetterKind.TICKET_READY][-1]


def remarks(ticket: Ticket) -> list[str]:
    return [remark.reason for one in ticket.documents for remark in one.remarks]


def test_a_licence_is_valid_to_the_end_of_its_last_day_here(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    assert EXPIRED not in notice(house).text
    house.clock.advance(timedelta(hours=3))
    house.receive(mail(REQUEST, sender="joana@example.com.br", files=[BOLETO, RECEIPT, LICENCE]))
    assert EXPIRED in notice(house, 1).text


def test_papers_that_an_agent_s_word_weighs_again_are_as_valid_as_today_here(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    house.agent_reply(notice(house), "#pedir boleto\nEstá ilegível.")
    (ticket,) = house.tickets()
    assert "driver_licence" in {one.requirement for one in ticket.documents}
    assert remarks(ticket) == []


def test_papers_of_a_merged_ticket_are_as_valid_as_today_here_when_its_mails_are_read_again(
    house: TestHouse,
) -> None:
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT]))
    beside = f"#abrir\nCliente: {CUSTOMER}\n{REQUEST}"
    house.receive(mail(beside, subject="telefone", sender=ANA, files=[BOLETO, RECEIPT, LICENCE]))
    first, _ = house.tickets()
    told = house.letters(Audience.STAFF)[-1]
    house.agent_reply(told, f"#juntar {first.number}")
    before = house.tickets()
    assert "cnh.pdf" in {one.filename for one in before[0].documents}
    assert remarks(before[0]) == []
    flow = house.app.reprocess()
    assert not any(flow.do(task).changed for task in tasks_for(house.mails()))
    assert house.tickets() == before


@pytest.mark.parametrize(("said", "day"), [("hoje", "2034-03-08"), ("amanhã", "2034-03-09")])
def test_a_day_that_an_agent_states_counts_from_today_here(house: TestHouse, said: str, day: str) -> None:
    house.receive(mail("Dia da entrega: 15/03/2034\n", subject="ENTREGA DE MÓVEIS"))
    house.agent_reply(notice(house), f"#campo Dia da entrega: {said}")
    (ticket,) = house.tickets()
    assert {one.key: one.value for one in ticket.fields}["day"] == day
