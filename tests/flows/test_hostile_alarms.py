"""The administrator hears of everything, and of nothing by the thousand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from tests.flows.house import TestHouse, mail

ADMIN = "chefe@example.com.br"
HALF_A_MINUTE = timedelta(seconds=30)
HOUR = timedelta(hours=1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path, admin_address=ADMIN, max_letters_per_hour="1") as opened:
        yield opened


def alarms(house: TestHouse, kind: LetterKind) -> list[OutboundLetter]:
    return [one for one in house.letters(Audience.ADMIN) if one.letter is kind]


def question(number: int) -> bytes:
    return mail("Qual o prazo?", subject="Dúvida", sender=f"cliente.{number}@example.com.br")


def test_a_steady_stream_of_held_letters_makes_one_alarm_an_hour_with_their_number(house: TestHouse) -> None:
    house.receive(question(0))
    for number in range(1, 21):
        house.receive(question(number))
        house.app.alarms.tick()
        house.clock.advance(HALF_A_MINUTE)
    (first,) = alarms(house, LetterKind.ALERT_LETTERS_HELD)
    assert "1 mensagem" in first.subject
    house.clock.advance(HOUR)
    house.app.alarms.tick()
    assert "19 mensagens" in alarms(house, LetterKind.ALERT_LETTERS_HELD)[1].subject


def test_a_steady_stream_of_quarantined_mails_makes_one_alarm_an_hour_with_their_number(house: TestHouse) -> None:
    for number in range(1, 21):
        house.receive(question(number), suspect="junk_folder")
        house.app.alarms.tick()
        house.clock.advance(HALF_A_MINUTE)
    (first,) = alarms(house, LetterKind.ALERT_QUARANTINE)
    assert "1 e-mail" in first.subject
    house.clock.advance(HOUR)
    house.app.alarms.tick()
    assert "19 e-mails" in alarms(house, LetterKind.ALERT_QUARANTINE)[1].subject
    house.clock.advance(HOUR)
    house.app.alarms.tick()
    assert len(alarms(house, LetterKind.ALERT_QUARANTINE)) == 2


def test_suspect_mail_of_a_mailbox_that_is_switched_off_keeps_no_alarm_back(house: TestHouse) -> None:
    house.collect(question(1), mailbox="another", suspect="junk_folder")
    house.receive(question(2), suspect="junk_folder")
    house.app.alarms.tick()
    assert len(alarms(house, LetterKind.ALERT_QUARANTINE)) == 1


def test_an_alarm_that_is_held_itself_is_no_reason_for_another(tmp_path: Path) -> None:
    nobody = "@nobody.example.com.br"
    with TestHouse(tmp_path, admin_address=ADMIN, send="allowlist", send_allowlist=nobody) as house:
        house.receive(question(0))
        for _ in range(5):
            house.app.alarms.tick()
            house.clock.advance(2 * HOUR)
        assert len(alarms(house, LetterKind.ALERT_LETTERS_HELD)) == 1
