"""What time does to tickets, and how agents and administrators hear of much at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, LetterKind, LetterStatus, OutboundLetter
from mailbot.domain.ledger import FolderMemory
from mailbot.domain.outbox import LetterResult
from mailbot.domain.ticket import Status
from mailbot.domain.troubles import TroubleKey
from tests.flows.house import BOLETO, REQUEST, TestHouse, mail


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def letters_of(house: TestHouse, kind: LetterKind) -> list[OutboundLetter]:
    return [one for one in house.letters() if one.letter is kind]


def folder(house: TestHouse, *, looked_into: datetime | None) -> None:
    memory = FolderMemory(
        mailbox="default",
        folder="INBOX",
        uid_validity=1,
        first_uid=1,
        floor_at=None,
        last_collect_at=looked_into,
    )
    with house.app.storage.write() as work:
        work.house.remember_folder(memory)


def test_nobody_is_reminded_whose_answer_lies_unread(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO]))
    house.clock.advance(timedelta(days=11))
    house.collect(mail("segue a CNH", subject="RES: ALTERAÇÃO DE LOCAL"))
    house.app.upkeep.tick()
    assert house.tickets()[0].status is Status.AWAITING_REQUESTER
    assert letters_of(house, LetterKind.TICKET_EXPIRED) == []


@pytest.mark.parametrize("looked_into", [None, datetime.now(UTC) - timedelta(days=2)])
def test_nothing_expires_before_the_mailbox_has_been_looked_into(
    house: TestHouse, looked_into: datetime | None
) -> None:
    house.receive(mail(REQUEST, files=[BOLETO]))
    house.clock.advance(timedelta(days=11))
    folder(house, looked_into=looked_into)
    house.app.upkeep.tick()
    assert house.tickets()[0].status is Status.AWAITING_REQUESTER
    folder(house, looked_into=datetime.now(UTC))
    house.app.upkeep.tick()
    assert house.tickets()[0].status is Status.RESOLVED


def all_letters_leave(house: TestHouse) -> None:
    now = house.clock.now()
    sent = LetterResult(status=LetterStatus.SENT, sent_at=now)
    with house.app.storage.write() as work:
        while (claimed := work.outbox.claim(owner="me", now=now, real_now=now, early=True)) is not None:
            work.outbox.record(claimed, sent, owner="me")


def test_letters_that_time_causes_are_spread_and_not_held_where_nobody_looks(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        for number in range(5):
            house.receive(mail(REQUEST, sender=f"cliente.{number}@example.com.br", files=[BOLETO]))
        all_letters_leave(house)
        house.environment["MAILBOT_MAX_LETTERS_PER_HOUR"] = "2"
        house.reopen()
        house.clock.advance(timedelta(days=11))
        left = []
        for _ in range(3):
            house.app.upkeep.tick()
            house.app.upkeep.tick()
            left.append(len(letters_of(house, LetterKind.TICKET_EXPIRED)))
            house.clock.advance(timedelta(hours=1, minutes=1))
        assert left == [2, 4, 5]
        assert {one.status for one in letters_of(house, LetterKind.TICKET_EXPIRED)} == {LetterStatus.QUEUED}
        assert {one.status for one in house.tickets()} == {Status.RESOLVED}


def test_nothing_expires_while_the_server_is_away(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO]))
    house.clock.advance(timedelta(days=11))
    with house.app.storage.write() as work:
        work.house.note_trouble(TroubleKey.parse("imap:default"), "connection refused", now=house.clock.now())
    house.app.upkeep.tick()
    assert house.tickets()[0].status is Status.AWAITING_REQUESTER


def test_an_agent_with_too_many_notices_gets_a_summary_and_then_each_of_them(house: TestHouse) -> None:
    for number in range(62):
        house.receive(mail(f"Pergunta {number}", subject="Dúvida", sender=f"c{number}@cliente.example"))
    kept_back = [one for one in house.letters(Audience.STAFF) if one.status is LetterStatus.HELD]
    assert len(kept_back) == 2
    house.clock.advance(timedelta(minutes=16))
    house.app.alarms.tick()
    (summary,) = letters_of(house, LetterKind.NOTICES_SUMMARY)
    assert all((one.ticket_number or "?") in summary.text for one in kept_back)
    house.clock.advance(timedelta(minutes=1))
    house.app.alarms.tick()
    assert [one.status for one in house.letters(Audience.STAFF) if one.letter is LetterKind.TICKET_READY] == [
        LetterStatus.QUEUED
    ] * 62
    assert len(letters_of(house, LetterKind.NOTICES_SUMMARY)) == 1


def test_a_notice_of_the_summary_still_opens_its_ticket_to_an_answer(house: TestHouse) -> None:
    for number in range(61):
        house.receive(mail(f"Pergunta {number}", subject="Dúvida", sender=f"c{number}@cliente.example"))
    (kept_back,) = [one for one in house.letters(Audience.STAFF) if one.status is LetterStatus.HELD]
    house.agent_reply(kept_back, "Atendemos das 8h às 18h.")
    answers = letters_of(house, LetterKind.AGENT_ANSWER)
    assert [one.ticket_number for one in answers] == [kept_back.ticket_number]
