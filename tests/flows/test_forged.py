"""Many mails that name addresses of strangers as their senders: tickets for people to look at, but few letters."""

from __future__ import annotations

from pathlib import Path

from mailbot.domain.events import Audience, LetterKind, LetterStatus
from mailbot.domain.outbox import LetterCaps
from tests.flows.house import TestHouse, mail

MAILS = 150


def test_forged_addresses_get_no_more_letters_than_the_cap_and_one_alarm_is_raised(tmp_path: Path) -> None:
    cap = LetterCaps().unverified_per_hour
    assert cap < MAILS
    with TestHouse(tmp_path, admin_address="administracao@example.com.br") as house:
        for number in range(MAILS):
            victim = f"vitima.{number}@example.com.br"
            house.collect(mail("Qual o prazo?", subject="Dúvida", sender=victim, verified=False))
        for _ in range(MAILS):
            house.process()
        letters = house.letters(Audience.REQUESTER)
        leaving = [letter for letter in letters if letter.status is LetterStatus.QUEUED]
        held = [letter for letter in letters if letter.status is LetterStatus.HELD]
        assert len(leaving) == cap
        assert {letter.hold_reason for letter in held} == {"cap_unverified"}
        assert len({letter.recipient.address for letter in leaving}) == cap
        assert len(house.tickets()) == MAILS
        house.app.alarms.tick()
        house.app.alarms.tick()
        alarms = [one for one in house.letters(Audience.ADMIN) if one.letter is LetterKind.ALERT_LETTERS_HELD]
        assert len(alarms) == 1
        assert str(len(held)) in alarms[0].subject + alarms[0].text


def test_one_victim_named_by_many_mails_gets_five_letters_a_day(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        for _ in range(20):
            house.receive(mail("Qual o prazo?", subject="Dúvida", sender="vitima@example.com.br", verified=False))
        leaving = [one for one in house.letters(Audience.REQUESTER) if one.status is LetterStatus.QUEUED]
        assert len(leaving) == LetterCaps().unverified_per_address_and_day
