"""What people fill in wrongly gets a clear question or a person, never a silent default (issue 5, *Bad input*)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.events import Audience
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Status
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REPOSITORY, TestHouse, mail, reply_to

PAPERS = [BOLETO, RECEIPT, LICENCE]
AGENCY = "agencia@aurora.example.com.br"

_ORDER = """\
key: furniture_delivery
name: Entrega de móveis
subject: ENTREGA DE MÓVEIS
queue: geral
fields:
  - {key: day, kind: date, label: Dia da entrega, question: Em que dia?, day: future}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(REPOSITORY / "config", tmp_path / "config"))


@pytest.fixture
def house(tmp_path: Path, config: Path) -> Iterator[TestHouse]:
    (config / "catalogue" / "furniture_delivery.yaml").write_text(_ORDER, encoding="utf-8")
    units = config / "units.yaml"
    units.write_text(
        units.read_text("utf-8").replace("aliases: [Anapolis GO]", "aliases: [Gyn]"), encoding="utf-8"
    )
    folder = tmp_path / "house"
    folder.mkdir()
    with TestHouse(
        folder,
        config_dir=config,
        agencia_address=AGENCY,
        agencia_imap_url=f"maildir://{folder / 'agencia'}",
        agencia_smtp_url="smtp://127.0.0.1:9",
    ) as opened:
        yield opened


def told(house: TestHouse) -> str:
    return " ".join(house.letters(Audience.REQUESTER)[-1].text.split())


def location(start: str, end: str) -> str:
    return (
        f"Local atual: {start}\nNovo local: {end}\nMotivo: mudança de cidade\nNome: Maria\nFone: 64 99999-1234\n"
    )


def test_an_empty_mail_under_the_right_subject_is_asked_for_everything(house: TestHouse) -> None:
    house.receive(mail(""))
    (ticket,) = house.tickets()
    assert ticket.status is Status.AWAITING_REQUESTER
    assert "Motivo: ____" in told(house) and "✘ Boleto da vistoria: falta enviar" in told(house)


def test_of_two_units_of_one_name_both_are_named_and_none_is_taken(house: TestHouse) -> None:
    house.receive(mail(location("Rio Verde", "Gyn"), files=PAPERS))
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.missing) == (Status.AWAITING_REQUESTER, ("destination_unit",))
    assert "Mais de uma unidade atende com esse nome: Goiânia, Anápolis." in told(house)


@pytest.mark.parametrize("day", ["20/11/2026", "ontem", "31/02/2027", "30/11"])
def test_a_day_that_cannot_be_is_asked_for_again(house: TestHouse, day: str) -> None:
    house.receive(mail(f"Dia da entrega: {day}\n", subject="Entrega de móveis"))
    (ticket,) = house.tickets()
    is_possible = day == "30/11"
    assert ticket.status is (Status.OPEN if is_possible else Status.AWAITING_REQUESTER)
    assert ("Dia da entrega: ____" in told(house)) is not is_possible


def test_two_hundred_answers_in_one_mail_are_read_in_time_and_a_field_keeps_one(house: TestHouse) -> None:
    answers = "".join(f"Novo local: {'Jataí' if number % 2 else 'Anápolis'}\n" for number in range(200))
    begun = time.thread_time()
    house.receive(
        mail(answers + "Local atual: Rio Verde\nMotivo: mudança de cidade\nNome: Maria\nFone: 64 99999-1234")
    )
    assert time.thread_time() - begun < 3
    (ticket,) = house.tickets()
    assert [one.key for one in ticket.fields].count("destination_unit") <= 1
    assert "destination_unit" in ticket.missing, "which of the two is meant nobody guesses"


def test_a_type_that_the_mailbox_does_not_offer_is_answered_with_those_that_it_does(house: TestHouse) -> None:
    house.collect(mail("Preciso da segunda via.", subject="Segunda via do boleto"), mailbox="agencia")
    assert house.process() is MailOutcome.TICKET
    confirmation = house.letters(Audience.REQUESTER)[-1]
    house.collect(reply_to(confirmation, "TIPO: alteração de local"), mailbox="agencia")
    house.process()
    assert house.tickets()[0].request_type == "agency_billing"
    assert "Atendimento da agência" in told(house) and "Alteração de local" not in told(house)
