"""Who a mail is from decides what it may do: forged senders, agents who ask for something themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, EventKind, OutboundLetter
from mailbot.domain.ticket import Resolution, Status, Ticket
from tests.flows.house import BOLETO, CUSTOMER, LICENCE, RECEIPT, REQUEST, TestHouse, mail

KNOWN_ID = "conhecido-por-quem-estava-em-copia"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def forged(raw: bytes) -> bytes:
    """The mail as if our server had found its sender forged."""
    return raw.replace(b"dmarc=pass", b"dmarc=fail")


def unchecked(raw: bytes) -> bytes:
    """The mail as if its sender's domain had no policy: neither verified nor failed."""
    return raw.replace(b"dmarc=pass", b"dmarc=none")


def to(house: TestHouse, address: str) -> list[OutboundLetter]:
    return [letter for letter in house.letters() if letter.recipient.address == address]


def stated(ticket: Ticket, key: str) -> str:
    return next(value.value for value in ticket.fields if value.key == key)


# --- in the requester's name ------------------------------------------------------------------------------------


def test_a_forged_sender_changes_nothing_on_a_ticket_whose_message_id_is_known(house: TestHouse) -> None:
    house.receive(mail(REQUEST, message_id=KNOWN_ID, files=[BOLETO]))
    (before,) = house.tickets()
    raw = mail("Novo local: Anápolis", in_reply_to=f"{KNOWN_ID}@example.com.br", files=[RECEIPT, LICENCE])
    house.receive(forged(raw))
    after, theirs = house.tickets()
    assert after == before
    assert len(to(house, CUSTOMER)) == 1
    with house.app.storage.read() as work:
        refused = [event for event in work.tickets.events(theirs.number) if event.kind is EventKind.THREAD_REFUSED]
    assert [event.detail for event in refused] == ["authenticity_failed"]


def test_a_forged_sender_does_not_reopen_a_ticket_whose_message_id_is_known(house: TestHouse) -> None:
    house.receive(mail(REQUEST, message_id=KNOWN_ID, files=[BOLETO, RECEIPT, LICENCE]))
    house.agent_reply(house.letters(Audience.STAFF)[0], "#autorizar")
    house.receive(forged(mail("Preciso cancelar.", in_reply_to=f"{KNOWN_ID}@example.com.br")))
    assert house.tickets()[0].resolution is Resolution.APPROVED


def test_a_mail_that_is_not_verified_overwrites_no_field_that_a_verified_one_stated(house: TestHouse) -> None:
    house.receive(mail(REQUEST, message_id=KNOWN_ID, files=[BOLETO]))
    house.receive(unchecked(mail("Novo local: Anápolis", in_reply_to=f"{KNOWN_ID}@example.com.br")))
    (ticket,) = house.tickets()
    assert "Jataí" in stated(ticket, "destination_unit")
    house.receive(mail("Novo local: Anápolis", in_reply_to=f"{KNOWN_ID}@example.com.br"))
    assert "polis" in stated(house.tickets()[0], "destination_unit")


def test_a_mail_that_is_not_verified_still_brings_what_is_missing(house: TestHouse) -> None:
    house.receive(mail(REQUEST.replace("Fone: 64 99999-1234\n", ""), message_id=KNOWN_ID, files=[BOLETO]))
    raw = mail("Fone: 64 99999-1234", in_reply_to=f"{KNOWN_ID}@example.com.br", files=[RECEIPT, LICENCE])
    house.receive(unchecked(raw))
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.missing) == (Status.OPEN, ())
