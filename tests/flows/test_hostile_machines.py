"""What programs send, or people in a program's name: forwarders that mark what they pass on, made-up bounces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, EventKind, LetterStatus
from mailbot.domain.ledger import MailOutcome
from tests.flows.house import BOLETO, LICENCE, MAILBOX, RECEIPT, REQUEST, TestHouse, mail

THIRD = "terceiro@outro.example.com.br"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def test_a_copy_that_a_forwarder_marked_as_its_answer_does_not_swallow_the_customers_own_mail(
    house: TestHouse,
) -> None:
    copy = mail(REQUEST, message_id="pedido", headers=[("Auto-Submitted", "auto-replied")])
    assert house.receive(copy) is MailOutcome.DISCARDED
    assert house.receive(mail(REQUEST, message_id="pedido")) is MailOutcome.TICKET
    assert house.receive(mail(REQUEST, message_id="pedido")) is MailOutcome.DUPLICATE


def test_a_report_about_somebody_else_is_noted_and_puts_no_words_before_an_agent(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    (letter,) = house.letters(Audience.REQUESTER)
    raw = (
        f"From: MAILER-DAEMON@x.example.com.br\r\nReturn-Path: <>\r\nTo: {MAILBOX}\r\nSubject: failure notice\r\n"
        f"Message-ID: <devolvida@x.example.com.br>\r\n\r\n"
        f"The user you wanted does not exist.\r\n<{THIRD}>:\r\n550 user unknown. LIGUE 0800-GOLPE\r\n\r\n"
        f"{letter.message_id}\r\n"
    )
    before = len(house.letters())
    assert house.receive(raw.encode()) is MailOutcome.BOUNCE
    assert len(house.letters()) == before
    assert house.letters(Audience.REQUESTER)[0].status is LetterStatus.QUEUED
    with house.app.storage.read() as work:
        event = work.tickets.events(house.tickets()[0].number)[-1]
    assert event.kind is EventKind.DELIVERY_FAILED
    assert event.detail == "the report names another recipient than the letter's"


def test_a_forwarders_report_that_names_the_letters_own_recipient_too_is_told(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    (letter,) = house.letters(Audience.REQUESTER)
    raw = (
        f"From: MAILER-DAEMON@x.example.com.br\r\nReturn-Path: <>\r\nTo: {MAILBOX}\r\nSubject: failure notice\r\n"
        f"Message-ID: <devolvida@x.example.com.br>\r\n\r\n"
        f"<{THIRD}> (expanded from <{letter.recipient.address}>):\r\n550 user unknown\r\n\r\n"
        f"{letter.message_id}\r\n"
    )
    assert house.receive(raw.encode()) is MailOutcome.BOUNCE
    with house.app.storage.read() as work:
        after = work.outbox.by_message_id(letter.message_id)
    assert after is not None and after.status is LetterStatus.FAILED
