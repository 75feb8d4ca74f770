"""The administrator hears of everything, and of nothing by the thousand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, LetterKind, LetterStatus, OutboundLetter
from mailbot.domain.outbox import LetterResult
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


def end(house: TestHouse, audience: Audience, status: LetterStatus) -> None:
    """All that is on its way to this audience ends so."""
    now = house.clock.now()
    with house.app.storage.write() as work:
        while (claimed := work.outbox.claim(owner="me", now=now, real_now=now, early=True)) is not None:
            ends = status if claimed.letter.audience is audience else LetterStatus.SENT
            work.outbox.record(claimed, LetterResult(status=ends), owner="me")


@pytest.mark.parametrize(
    ("audience", "status"),
    [
        (Audience.STAFF, LetterStatus.FAILED),
        (Audience.STAFF, LetterStatus.NEEDS_PERSON),
        (Audience.REQUESTER, LetterStatus.NEEDS_PERSON),
    ],
)
def test_a_letter_that_got_stuck_is_told_to_the_administrator_once(
    house: TestHouse, audience: Audience, status: LetterStatus
) -> None:
    house.receive(question(0))
    end(house, audience, status)
    for _ in range(3):
        house.app.alarms.tick()
        house.clock.advance(2 * HOUR)
    (told,) = alarms(house, LetterKind.ALERT_LETTERS_STUCK)
    assert "1 mensagem" in told.subject


def test_an_alarm_that_fails_is_no_reason_for_another(house: TestHouse) -> None:
    house.receive(question(0))
    end(house, Audience.STAFF, LetterStatus.FAILED)
    house.app.alarms.tick()
    end(house, Audience.ADMIN, LetterStatus.NEEDS_PERSON)
    house.clock.advance(2 * HOUR)
    house.app.alarms.tick()
    assert len(alarms(house, LetterKind.ALERT_LETTERS_STUCK)) == 1


def test_a_notice_that_came_back_is_told_to_the_administrator(house: TestHouse) -> None:
    house.receive(question(0))
    end(house, Audience.STAFF, LetterStatus.SENT)
    (notice,) = house.letters(Audience.STAFF)
    with house.app.storage.write() as work:
        assert work.outbox.mark_bounced(notice.message_id, "550 no such user")
    house.app.alarms.tick()
    assert len(alarms(house, LetterKind.ALERT_LETTERS_STUCK)) == 1


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
