"""One thing that goes wrong stops nothing else: a database that goes away, a ticket that cannot be worked on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from mailbot.adapters.storage.mail_store import MailStore
from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.events import LetterKind
from mailbot.domain.ledger import LEASE_TIME, MailOutcome
from mailbot.domain.ticket import Ticket
from mailbot.flows import upkeep
from mailbot.flows.examine import Examiner
from mailbot.flows.handle_mail import MailHandler
from mailbot.housework import tick
from mailbot.triage.time_passes import due_change
from tests.flows.house import TestHouse, mail
from tests.flows.lost_answers import answer_is_lost


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path, admin_address="administracao@example.com.br") as opened:
        yield opened


def question(number: int = 1) -> bytes:
    return mail("Qual o prazo?", subject="Dúvida", sender=f"cliente.{number}@example.com.br")


def away(*_args: object, **_kwargs: object) -> Any:
    raise StorageUnavailable("database is locked")


@pytest.mark.parametrize("broken", ["store", "reader"])
def test_a_mail_that_could_not_be_given_back_is_given_back_later_and_counts_no_death(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    house.collect(question())

    def crash(*_args: object, **_kwargs: object) -> Any:
        raise RuntimeError("a defect of ours")

    for _ in range(7):
        with monkeypatch.context() as patch, pytest.raises(StorageUnavailable):
            # What was claimed can be neither finished nor given back, nor an attempt be counted.
            patch.setattr(MailHandler, "handle", away if broken == "store" else crash)
            patch.setattr(MailStore, "give_back", away)
            house.app.intake.process_next()
        assert house.mails()[0].outcome is MailOutcome.PENDING
    assert house.process() is MailOutcome.TICKET
    assert (house.mails()[0].deaths, house.mails()[0].attempts) == (0, 0)


@pytest.mark.parametrize("lost", ["a claim", "an outcome and the next claim"])
def test_a_mail_whose_claim_nobody_heard_of_is_worked_on_at_once_and_counts_no_death(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    house.collect(question(1))
    house.collect(question(2))
    intake = house.app.intake
    with (
        answer_is_lost(monkeypatch, of_write=1 if lost == "a claim" else 2),
        pytest.raises(StorageUnavailable),
    ):
        intake.process_next()
    while intake.process_next() is not None:
        pass
    assert [(one.outcome, one.deaths) for one in house.mails()] == [(MailOutcome.TICKET, 0)] * 2


def test_a_daemon_that_stops_gives_back_what_it_did_not_hear_that_it_claimed(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.collect(question())
    with answer_is_lost(monkeypatch, of_write=1), pytest.raises(StorageUnavailable):
        house.app.intake.process_next()
    house.app.intake.stop()
    assert house.open().intake.process_next() is MailOutcome.TICKET
    assert house.mails()[0].deaths == 0


def test_while_helpers_work_what_was_claimed_ahead_is_theirs(house: TestHouse) -> None:
    for number in range(3):
        house.collect(question(number))
    assert house.app.intake.process_next() is MailOutcome.TICKET
    helper = house.open().intake
    house.app.intake.leave_to_others()
    while helper.process_next() is not None:
        pass
    assert [(one.outcome, one.deaths) for one in house.mails()] == [(MailOutcome.TICKET, 0)] * 3


def test_what_hangs_is_counted_and_its_late_result_is_not_written(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.collect(question())
    assert house.app.intake.give_up_hanging(timedelta()) is None
    examine = Examiner.examine
    given_up: list[int | None] = []

    def slow(*args: Any, **kwargs: Any) -> Any:
        assert house.app.intake.give_up_hanging(LEASE_TIME) is None
        given_up.append(house.app.intake.give_up_hanging(timedelta()))
        return examine(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Examiner, "examine", slow)
        for attempts in (1, 2, 3):
            assert house.process() is MailOutcome.PENDING
            assert house.mails()[0].attempts == attempts
    assert given_up == [1, 1, 1]
    assert house.mails()[0].outcome is MailOutcome.QUARANTINED
    assert house.tickets() == []


def test_a_ticket_that_cannot_be_worked_on_stops_no_other(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        house.receive(mail("Bom dia", subject="ALTERAÇÃO DE LOCAL", sender=f"cliente.{number}@example.com.br"))
    bad, *others = house.tickets()

    def breaking(ticket: Ticket, *args: Any) -> Any:
        if ticket.number == bad.number:
            raise KeyError("its type is gone")
        return due_change(ticket, *args)

    monkeypatch.setattr(upkeep, "due_change", breaking)
    house.clock.advance(timedelta(days=1, hours=1))
    with capture_logs() as logs:
        house.app.upkeep.tick()
    reminded = [one.ticket_number for one in house.letters() if one.letter is LetterKind.REMINDER]
    assert sorted(filter(None, reminded)) == [ticket.number for ticket in others]
    assert [line["ticket"] for line in logs if line["action"] == "upkeep.error"] == [bad.number]


def test_alarms_are_raised_whatever_is_wrong_with_tickets(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.receive(question(), suspect="junk_folder")

    def broken() -> None:
        raise RuntimeError("a defect of ours")

    monkeypatch.setattr(house.app.upkeep, "tick", broken)
    with pytest.raises(RuntimeError):
        tick(house.app)
    assert [one.letter for one in house.letters()] == [LetterKind.ALERT_QUARANTINE]
