"""Who a mail is from decides what it may do: forged senders, agents who ask for something themselves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from mailbot.domain.events import Audience, EventKind, LetterKind, OutboundLetter
from mailbot.domain.ticket import Resolution, Status, Ticket
from tests.flows.house import BOLETO, CUSTOMER, LICENCE, RECEIPT, REPOSITORY, REQUEST, TestHouse, mail

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


# --- agents who ask for something themselves --------------------------------------------------------------------

ANA, BRUNO = "ana@example.com.br", "bruno@example.com.br"


def test_an_agents_own_request_is_completed_by_her_answer_to_the_letter_that_asks(house: TestHouse) -> None:
    house.receive(mail(REQUEST, sender=f"Ana <{ANA}>", files=[BOLETO]))
    (asked,) = house.letters()
    assert (asked.letter, asked.audience) == (LetterKind.EVIDENCE_REQUESTED, Audience.REQUESTER)
    house.requester_reply(asked, "#autorizar Seguem.", files=[RECEIPT, LICENCE])
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.missing, ticket.resolution) == (Status.OPEN, (), None)
    assert LetterKind.REPLY_REFUSED not in [letter.letter for letter in house.letters()]


@pytest.mark.parametrize(
    ("subject", "in_reply_to"),
    [("ALTERAÇÃO DE LOCAL", f"{KNOWN_ID}@example.com.br"), ("RES: [Chamado #2026-000001] ALTERAÇÃO DE LOCAL", "")],
)
def test_an_agents_own_request_is_completed_by_any_mail_that_belongs_to_it(
    house: TestHouse, subject: str, in_reply_to: str
) -> None:
    house.receive(mail(REQUEST, sender=ANA, message_id=KNOWN_ID, files=[BOLETO]))
    raw = mail("Seguem.", sender=ANA, subject=subject, in_reply_to=in_reply_to, files=[RECEIPT, LICENCE])
    house.receive(raw)
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.missing) == (Status.OPEN, ())


def test_an_agents_complete_own_request_is_told_to_a_colleague_of_the_queue(house: TestHouse) -> None:
    house.receive(mail(REQUEST, sender=ANA, files=[BOLETO, RECEIPT, LICENCE]))
    assert [letter.recipient.address for letter in house.letters(Audience.REQUESTER)] == [ANA]
    assert [letter.recipient.address for letter in house.letters(Audience.STAFF)] == [BRUNO]


def test_an_agent_without_colleagues_hears_of_her_own_request_twice(tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    path = config / "staff.yaml"
    staff = yaml.safe_load(path.read_text(encoding="utf-8"))
    staff["agents"] = [agent for agent in staff["agents"] if agent["address"] == ANA]
    for queue in staff["queues"]:
        queue.pop("notify", None)
    path.write_text(yaml.safe_dump(staff, allow_unicode=True), encoding="utf-8")
    with TestHouse(tmp_path, config_dir=config) as house:
        house.receive(mail(REQUEST, sender=ANA, files=[BOLETO, RECEIPT, LICENCE]))
        assert [(letter.letter, letter.recipient.address) for letter in house.letters()] == [
            (LetterKind.TICKET_OPENED, ANA),
            (LetterKind.TICKET_READY, ANA),
        ]
