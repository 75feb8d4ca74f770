"""In a rush other processes help: nothing is lost or doubled, and one that breaks costs nobody a mail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot import crew
from mailbot.crew import workers_wanted
from mailbot.domain.ledger import MailOutcome
from mailbot.round import run_once
from tests.flows.house import TestHouse, mail

SENDERS = 40
RUSH = 5
"""Mails that call in one more helper, for tests."""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestHouse]:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    monkeypatch.setattr(crew, "MAILS_PER_WORKER", RUSH)
    with TestHouse(tmp_path, send="hold", workers="2") as opened:
        yield opened


def fill(house: TestHouse) -> None:
    for number in range(SENDERS):
        sender, first = f"cliente{number}@example.com.br", f"rush{number}"
        house.collect(mail("Qual o prazo?", subject="Dúvida", sender=sender, message_id=first))
        house.collect(
            mail("E aos sábados?", subject="Dúvida", sender=sender, in_reply_to=f"{first}@example.com.br")
        )


def helpers_called_in(captured: str) -> int:
    return captured.count("crew.called_in")


@pytest.mark.parametrize(("waiting", "wanted"), [(0, 0), (99, 0), (100, 1), (250, 2), (10_000, 3)])
def test_one_more_helper_comes_for_every_hundred_mails_up_to_a_limit(waiting: int, wanted: int) -> None:
    assert workers_wanted(waiting, 3) == wanted


def test_all_mail_of_a_rush_is_worked_off_once_and_in_each_senders_order(
    house: TestHouse, capfd: pytest.CaptureFixture[str]
) -> None:
    fill(house)
    count = run_once(house.app)
    captured = capfd.readouterr()
    assert helpers_called_in(captured.err + captured.out) == 2
    assert (count.processed, count.tickets_opened, count.quarantined) == (2 * SENDERS, SENDERS, 0)
    assert Counter(row.outcome for row in house.mails()) == {
        MailOutcome.TICKET: SENDERS,
        MailOutcome.MESSAGE: SENDERS,
    }
    tickets = house.tickets()
    assert Counter(ticket.requester.address for ticket in tickets) == {
        f"cliente{number}@example.com.br": 1 for number in range(SENDERS)
    }
    with house.app.storage.read() as work:
        for ticket in tickets:
            texts = [message.text.strip() for message in work.tickets.messages(ticket.number)]
            assert texts == ["Qual o prazo?", "E aos sábados?"]


def test_a_few_mails_call_nobody_in(house: TestHouse, capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(RUSH - 1):
        house.collect(mail("Qual o prazo?", subject="Dúvida", sender=f"cliente{number}@example.com.br"))
    run_once(house.app)
    captured = capfd.readouterr()
    assert helpers_called_in(captured.err + captured.out) == 0


def test_many_mails_of_one_sender_call_nobody_in(house: TestHouse, capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(4 * RUSH):
        house.collect(mail(f"Pergunta {number}", subject="Dúvida"))
    run_once(house.app)
    captured = capfd.readouterr()
    assert helpers_called_in(captured.err + captured.out) == 0


def test_a_round_goes_on_alone_where_helpers_cannot_start(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(crew, "WORKER_MODULE", "mailbot.nothing_of_that_name")
    fill(house)
    assert run_once(house.app).tickets_opened == SENDERS
    captured = capfd.readouterr()
    assert helpers_called_in(captured.err + captured.out) == 2, "one that broke is not called again at once"
