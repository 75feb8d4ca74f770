"""One customer, one voice: letters that overtake, contradict or outlive each other never reach them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from mailbot.bootstrap import App
from mailbot.domain.events import Audience, LetterKind, LetterStatus, OutboundLetter
from mailbot.domain.exchange import Delivered, Envelope, OutcomeUnknown, Refused, SendOutcome, Throttle
from mailbot.domain.ticket import Status
from mailbot.flows.delivery import Delivery
from mailbot.flows.outlets import Outlet
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail

COMPLETE = [BOLETO, RECEIPT, LICENCE]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path, undo_minutes="5") as opened:
        yield opened


class Postman:
    """A server that gives every letter the same answer and keeps the envelopes."""

    def __init__(self, answer: SendOutcome) -> None:
        self.envelopes: list[Envelope] = []
        self._answer = answer

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> SendOutcome:
        await before_data()
        self.envelopes.append(envelope)
        return self._answer

    async def close(self) -> None:
        return


TAKEN = Delivered(response="250 ok")
OVER_THE_LIMIT = Refused(code=550, response="5.4.5 daily limit", permanent=False, throttled=Throttle.DAILY)


def deliver_all(app: App, answer: SendOutcome = TAKEN) -> Postman:
    """Deliver with the app's own send mode."""
    postman = Postman(answer)
    delivery = Delivery(
        storage=app.storage,
        blobs=app.blobs,
        outlets={key: Outlet(mailbox=mailbox, transport=postman) for key, mailbox in app.mailboxes.items()},
        office=app.office,
        secret_key=app.settings.require_secret_key(),
        hold_reason_for=app.hold_reason_for,
        clock=app.clock,
        owner="the test",
    )
    app.notice_pages.complete_all()
    asyncio.run(delivery.deliver_all())
    return postman


def notice(house: TestHouse) -> OutboundLetter:
    return house.letters(Audience.STAFF)[-1]


def decisions(house: TestHouse) -> list[OutboundLetter]:
    return [one for one in house.letters(Audience.REQUESTER) if one.letter is LetterKind.DECISION]


def test_hold_stops_letters_that_were_queued_before_it_was_set(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        house.receive(mail(REQUEST, files=COMPLETE))
    with TestHouse(tmp_path, send="hold") as house:
        assert deliver_all(house.app).envelopes == []
        assert {one.status for one in house.letters()} == {LetterStatus.HELD}
        assert {one.hold_reason for one in house.letters()} == {"hold"}


def test_what_an_administrator_released_leaves_although_the_mode_is_hold(tmp_path: Path) -> None:
    with TestHouse(tmp_path, send="hold") as house:
        house.receive(mail(REQUEST, files=COMPLETE))
        with house.app.storage.write() as work:
            released = work.outbox.release_held(now=house.clock.now())
        assert len(deliver_all(house.app).envelopes) == released == 2


def test_the_allowlist_is_asked_again_before_every_attempt(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        house.receive(mail(REQUEST, files=COMPLETE))
    with TestHouse(tmp_path, send="allowlist", send_allowlist="ana@example.com.br") as house:
        assert [one.recipient for one in deliver_all(house.app).envelopes] == ["ana@example.com.br"]


def test_a_mail_that_comes_while_the_decision_waits_takes_the_decision_back(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=COMPLETE))
    house.agent_reply(notice(house), "#autorizar pode vir")
    (waiting,) = decisions(house)
    house.clock.advance(timedelta(minutes=1))
    house.requester_reply(house.letters(Audience.REQUESTER)[0], "Na verdade quero ir para Goiás, pode ser?")
    assert decisions(house) == []
    assert house.tickets()[0].status is Status.OPEN
    assert notice(house).letter is LetterKind.REQUESTER_REPLIED
    assert "O cliente escreveu antes de a decisão sair: ela não foi enviada." in notice(house).text
    house.agent_reply(notice(house), "#negar não atendemos em Goiás")
    (told,) = decisions(house)
    assert told.message_id != waiting.message_id


def test_a_decision_that_has_left_is_not_taken_back(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=COMPLETE))
    house.agent_reply(notice(house), "#autorizar pode vir")
    house.clock.advance(timedelta(minutes=6))
    deliver_all(house.app)
    house.requester_reply(decisions(house)[0], "E qual é o endereço da unidade?")
    assert [one.status for one in decisions(house)] == [LetterStatus.SENT]
    assert "não foi enviada" not in notice(house).text


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (OVER_THE_LIMIT, LetterStatus.CANCELLED),
        # It may be there: only a person can find out.
        (OutcomeUnknown(reason="lost after the final dot"), LetterStatus.NEEDS_PERSON),
    ],
)
def test_a_decision_that_was_to_be_tried_again_does_not_leave_for_a_reopened_ticket(
    house: TestHouse, answer: SendOutcome, status: LetterStatus
) -> None:
    house.receive(mail(REQUEST, files=COMPLETE))
    deliver_all(house.app)
    house.agent_reply(notice(house), "#negar não atendemos em Goiás")
    (denial,) = decisions(house)
    house.clock.advance(timedelta(minutes=6))
    deliver_all(house.app, answer)
    house.requester_reply(house.letters(Audience.REQUESTER)[0], "Na verdade quero ir para Jataí, pode ser?")
    assert house.tickets()[0].status is Status.OPEN
    house.clock.advance(timedelta(days=1))
    assert denial.recipient.address not in {one.recipient for one in deliver_all(house.app).envelopes}
    with house.app.storage.read() as work:
        found = work.outbox.by_message_id(denial.message_id)
    assert found is not None
    assert found.status is status


def test_the_newest_of_two_held_decisions_is_the_one_that_is_kept(tmp_path: Path) -> None:
    with TestHouse(tmp_path, send="hold", undo_minutes="0") as house:
        house.receive(mail(REQUEST, files=COMPLETE))
        house.agent_reply(notice(house), "#autorizar pode vir")
        house.requester_reply(house.letters(Audience.REQUESTER)[0], "Mudei de ideia, é outra cidade")
        house.agent_reply(notice(house), "#negar a cidade mudou")
        (kept,) = decisions(house)
        assert "cidade mudou" in kept.text


def test_a_customer_whose_request_is_complete_is_not_told_that_something_is_missing(house: TestHouse) -> None:
    stranger = "estranho@example.net"
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT], sender=stranger, verified=False))
    house.receive(mail("segue a CNH", subject="CNH", files=[LICENCE], sender=stranger, verified=False))
    assert house.tickets()[0].status is Status.OPEN
    told = house.letters(Audience.REQUESTER)
    assert [(one.letter, one.status) for one in told] == [(LetterKind.EVIDENCE_COMPLETE, LetterStatus.QUEUED)]


def test_the_same_large_mail_is_refused_once(house: TestHouse) -> None:
    raw = mail("um vídeo", message_id="grande")
    for _ in range(2):
        house.collect(raw)
        with house.app.database.write() as connection:
            connection.execute(text("UPDATE inbound_mails SET oversize_bytes = 99000000"))
        house.process()
    refused = [one for one in house.letters() if one.letter is LetterKind.MAIL_REFUSED]
    assert len(refused) == 1
