"""What an attempt to deliver comes to, and what delivery does when servers, databases and letters misbehave."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from email.parser import BytesParser
from email.policy import SMTP
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from mailbot import leases
from mailbot.adapters.storage.engine import Database
from mailbot.catalogue.providers import provider_of
from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.events import Audience, EventKind, LetterKind, LetterStatus, OutboundLetter, StoredFile
from mailbot.domain.exchange import Delivered, Envelope, NotReached, OutcomeUnknown, Refused, SendOutcome, Throttle
from mailbot.domain.ledger import LEASE_TIME
from mailbot.domain.mail import Address
from mailbot.domain.outbox import ClaimedLetter, LetterResult
from mailbot.domain.ticket import Status
from mailbot.flows.attempts import result_of
from mailbot.flows.delivery import Delivery, DeliveryCount
from mailbot.flows.outlets import Outlet
from tests.flows.house import CUSTOMER, MAILBOX, TestHouse, mail
from tests.flows.lost_answers import answer_is_lost

DELIVERED = Delivered(response="250 ok")
NO_SUCH_USER = Refused(code=550, response="5.1.1 no such user", permanent=True)
NOT_NOW = Refused(code=450, response="4.2.0 greylisted", permanent=False)
TOO_FAST = Refused(code=421, response="too many mails", permanent=False, throttled=Throttle.RATE)
SENDER_REFUSED = Refused(code=550, response="sender rejected", permanent=True, sender_refused=True)
AWAY = NotReached(reason="connection refused")
LOST_AT_RCPT = NotReached(reason="RCPT TO: closed", letter_offered=True)
LIMIT_AT_RCPT = Refused(
    code=450, response="too many mails", permanent=False, throttled=Throttle.DAILY, at_recipient=True
)
LOGIN_REFUSED = NotReached(reason="log-in: 535", credentials_refused=True)
UNKNOWN = OutcomeUnknown(reason="lost after the final dot")


class FakeTransport:
    """Answers from a list, the last answer for ever; remembers what it was given."""

    def __init__(self, *answers: SendOutcome | Exception) -> None:
        self.answers = list(answers)
        self.envelopes: list[Envelope] = []
        self.closed = False

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> SendOutcome:
        self.envelopes.append(envelope)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Delivered | OutcomeUnknown):
            await before_data()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path, quiet_seconds="0", undo_minutes="0") as opened:
        yield opened


def delivery(house: TestHouse, transport: FakeTransport, *, owner: str = "me", **spec: Any) -> Delivery:
    mailbox = house.app.mailboxes["default"]
    mailbox = replace(mailbox, spec=mailbox.spec.model_copy(update={"max_connections": 1, **spec}))
    return Delivery(
        storage=house.app.storage,
        blobs=house.app.blobs,
        outlets={"default": Outlet(mailbox=mailbox, transport=transport)},
        office=house.app.office,
        secret_key=house.app.settings.require_secret_key(),
        hold_reason_for=lambda _address: None,
        clock=house.clock,
        owner=owner,
    )


def deliver(house: TestHouse, transport: FakeTransport, **spec: Any) -> DeliveryCount:
    return asyncio.run(delivery(house, transport, **spec).deliver_all())


def question(house: TestHouse, *, verified: bool = True, sender: str = CUSTOMER) -> OutboundLetter:
    """A plain question comes in; returns the customer's letter. A notice to an agent is written as well."""
    house.receive(mail("Qual o prazo?", subject="Dúvida", verified=verified, sender=sender))
    return house.letters(Audience.REQUESTER)[-1]


def now_of(house: TestHouse, letter: OutboundLetter) -> OutboundLetter:
    with house.app.storage.read() as work:
        found = work.outbox.by_message_id(letter.message_id)
    assert found is not None
    return found


# --- the table --------------------------------------------------------------------------------------------------

_NOW = datetime.fromisoformat("2026-11-23T15:00:00+00:00")
_LETTER = OutboundLetter(
    message_id="m@example.com.br",
    handle="h",
    mailbox="default",
    letter=LetterKind.DECISION,
    audience=Audience.REQUESTER,
    purpose=None,
    recipient=Address(address=CUSTOMER),
    sender_name="",
    subject="",
    text="",
    html="",
    created_at=_NOW,
    not_before=_NOW,
    automatic=True,
)
_MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("outcome", "changes", "status", "wait", "counts"),
    [
        (DELIVERED, {}, "sent", None, True),
        (NO_SUCH_USER, {}, "failed", None, True),
        (NOT_NOW, {}, "retry", _MINUTE, True),
        (NOT_NOW, {"attempts": 2}, "retry", 15 * _MINUTE, True),
        (NOT_NOW, {"attempts": 500}, "retry", 240 * _MINUTE, True),
        (NOT_NOW, {"not_before": _NOW - timedelta(days=5, seconds=1)}, "failed", None, True),
        # Held for a month and released now: the five days begin now.
        (NOT_NOW, {"created_at": _NOW - timedelta(days=30)}, "retry", _MINUTE, True),
        (TOO_FAST, {"attempts": 4, "not_before": _NOW - timedelta(days=4)}, "retry", _MINUTE, False),
        (TOO_FAST, {"not_before": _NOW - timedelta(days=5, seconds=1)}, "failed", None, True),
        (AWAY, {}, "retry", timedelta(seconds=5), True),
        (AWAY, {"attempts": 9, "not_before": _NOW - timedelta(days=90)}, "retry", 5 * _MINUTE, True),
        (LOST_AT_RCPT, {}, "retry", timedelta(seconds=5), True),
        (LOST_AT_RCPT, {"not_before": _NOW - timedelta(days=5, seconds=1)}, "failed", None, True),
        (UNKNOWN, {}, "retry", 2 * _MINUTE, True),
        (UNKNOWN, {"unknown_outcomes": 1}, "retry", 2 * _MINUTE, True),
        (UNKNOWN, {"unknown_outcomes": 2}, "needs_person", None, True),
    ],
)
def test_what_an_answer_means(
    outcome: SendOutcome, changes: dict[str, Any], status: str, wait: timedelta | None, counts: bool
) -> None:
    result = result_of(outcome, replace(_LETTER, **changes), now=_NOW, jitter=1.0)
    assert result.status == status
    assert result.retry_at == (None if wait is None else _NOW + wait)
    assert result.counts_as_attempt == counts
    assert result.outcome_unknown == (outcome is UNKNOWN)
    assert (result.sent_at == _NOW) == (status == "sent")


# --- letters ----------------------------------------------------------------------------------------------------


def test_letters_leave_once(house: TestHouse) -> None:
    letter = question(house)
    transport = FakeTransport(DELIVERED)
    assert deliver(house, transport).sent == 2
    assert now_of(house, letter).status is LetterStatus.SENT
    assert deliver(house, transport).sent == 0
    assert len(transport.envelopes) == 2
    assert transport.closed


def test_a_copy_after_an_unknown_outcome_is_the_same_letter(house: TestHouse) -> None:
    letter = question(house)
    transport = FakeTransport(UNKNOWN, UNKNOWN, DELIVERED)
    deliver(house, transport)
    house.clock.advance(3 * _MINUTE)
    deliver(house, transport)
    copies = [read(one) for one in transport.envelopes if one.recipient == CUSTOMER]
    assert len(copies) == 2
    assert copies[0]["Date"] == copies[1]["Date"]
    assert copies[0]["Message-ID"] == copies[1]["Message-ID"] == f"<{letter.message_id}>"


def test_three_unknown_outcomes_are_for_a_person(house: TestHouse) -> None:
    letter = question(house)
    transport = FakeTransport(UNKNOWN)
    for _ in range(5):
        deliver(house, transport)
        house.clock.advance(3 * _MINUTE)
    assert now_of(house, letter).status is LetterStatus.NEEDS_PERSON
    assert sum(one.recipient == CUSTOMER for one in transport.envelopes) == 3


def test_a_letter_that_died_three_times_on_its_way_is_not_sent_again(house: TestHouse) -> None:
    letter = question(house)
    began = datetime.now(UTC) - timedelta(hours=1)
    with house.app.storage.write() as work:
        for times in range(3):
            real_now = began + times * 2 * LEASE_TIME
            claimed = work.outbox.claim(owner="dead", now=house.clock.now(), real_now=real_now, early=True)
            assert claimed is not None
            work.outbox.mark_transmitting(claimed, owner="dead", real_now=real_now)
        work.outbox.release("dead", real_now=began)
    transport = FakeTransport(DELIVERED)
    deliver(house, transport)
    assert CUSTOMER not in [one.recipient for one in transport.envelopes]
    assert now_of(house, letter).status is LetterStatus.NEEDS_PERSON


def test_a_letter_refused_for_good_is_noted_on_its_ticket_and_staff_are_told(house: TestHouse) -> None:
    letter = question(house)
    transport = FakeTransport(NO_SUCH_USER, DELIVERED)
    assert deliver(house, transport).failed == 1
    failed = now_of(house, letter)
    assert (failed.status, failed.last_error) == (LetterStatus.FAILED, "550 5.1.1 no such user")
    assert letter.ticket_number is not None
    with house.app.storage.read() as work:
        kinds = [event.kind for event in work.tickets.events(letter.ticket_number)]
    assert kinds.count(EventKind.DELIVERY_FAILED) == 1
    notices = [one for one in house.letters(Audience.STAFF) if one.letter is LetterKind.DELIVERY_FAILED]
    assert len(notices) == 1


def test_a_notice_to_staff_that_fails_makes_no_further_notice(house: TestHouse) -> None:
    question(house)
    deliver(house, FakeTransport(DELIVERED, NO_SUCH_USER))
    deliver(house, FakeTransport(NO_SUCH_USER))
    assert [one for one in house.letters() if one.letter is LetterKind.DELIVERY_FAILED] == []


def test_a_notice_that_cannot_be_written_does_not_make_the_failed_letter_leave_again(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = question(house)

    def broken(*_args: object, **_kwargs: object) -> None:
        raise ValueError("a template is broken")

    monkeypatch.setattr(house.app.office, "tell", broken)
    transport = FakeTransport(NO_SUCH_USER, DELIVERED)
    with capture_logs() as logs:
        deliver(house, transport)
    assert now_of(house, letter).status is LetterStatus.FAILED
    assert [line["action"] for line in logs].count("delivery.not_told") == 1


def test_a_null_sender_that_is_refused_is_replaced_at_once_and_for_good(house: TestHouse) -> None:
    question(house, verified=False)
    question(house, verified=False, sender="joao@example.com.br")
    transport = FakeTransport(SENDER_REFUSED, DELIVERED)
    assert deliver(house, transport, null_sender=True).sent == 4
    assert [one.sender for one in transport.envelopes][:2] == ["", MAILBOX]
    assert [one.sender for one in transport.envelopes].count("") == 1


def test_a_sender_refused_with_our_own_address_fails(house: TestHouse) -> None:
    letter = question(house)
    transport = FakeTransport(SENDER_REFUSED)
    deliver(house, transport)
    assert now_of(house, letter).status is LetterStatus.FAILED


# --- pace -------------------------------------------------------------------------------------------------------


def test_a_throttling_answer_slows_the_whole_mailbox_and_counts_for_no_letter(
    house: TestHouse,
) -> None:
    letter = question(house)
    transport = FakeTransport(TOO_FAST, DELIVERED)
    assert deliver(house, transport).sent == 0
    assert len(transport.envelopes) == 1
    assert now_of(house, letter).attempts == 0
    house.clock.advance(2 * _MINUTE)
    assert deliver(house, transport).sent == 2


@pytest.mark.parametrize(
    ("limit", "asked_in_a_day"),
    [(Throttle.RATE, range(80, 110)), (Throttle.HOURLY, range(20, 27)), (Throttle.DAILY, range(20, 25))],
)
def test_a_limit_that_lasts_is_asked_about_ever_less_and_fails_no_letter(
    house: TestHouse, limit: Throttle, asked_in_a_day: range
) -> None:
    letters = [question(house, sender=f"cliente.{number}@example.com.br") for number in range(5)]
    transport = FakeTransport(replace(TOO_FAST, code=550, throttled=limit))
    running = delivery(house, transport)

    async def a_day() -> None:
        for _ in range(24 * 60):
            await running._drain(DeliveryCount(), early=False)
            house.clock.advance(_MINUTE)

    asyncio.run(a_day())
    assert len(transport.envelopes) in asked_in_a_day
    assert {(now_of(house, one).status, now_of(house, one).attempts) for one in letters} == {
        (LetterStatus.RETRY, 0)
    }
    house.clock.advance(timedelta(hours=2))
    assert deliver(house, FakeTransport(DELIVERED)).sent == len(house.letters())


def test_a_limit_that_one_recipient_meets_delays_their_letter_alone(house: TestHouse) -> None:
    """Whoever writes one mail chooses the recipient of one letter, and often the server that answers."""
    theirs = question(house)
    transport = FakeTransport(LIMIT_AT_RCPT, DELIVERED)
    running = delivery(house, transport)
    asyncio.run(running._drain(DeliveryCount(), early=True))
    assert {one.status for one in house.letters() if one.message_id != theirs.message_id} == {LetterStatus.SENT}
    assert (now_of(house, theirs).status, now_of(house, theirs).attempts) == (LetterStatus.RETRY, 1)
    with house.app.storage.read() as work:
        assert work.house.troubles() == []


def test_a_limit_that_a_second_recipient_meets_too_stops_the_mailbox(house: TestHouse) -> None:
    for number in range(5):
        question(house, sender=f"cliente.{number}@example.com.br")
    transport = FakeTransport(LIMIT_AT_RCPT)
    running = delivery(house, transport)
    asyncio.run(running._drain(DeliveryCount(), early=True))
    assert len(transport.envelopes) == 2
    with house.app.storage.read() as work:
        assert [str(one.key) for one in work.house.troubles()] == ["limit:default"]


def test_a_letter_that_is_taken_ends_the_growing_of_pauses(house: TestHouse) -> None:
    for number in range(4):
        question(house, sender=f"cliente.{number}@example.com.br")
    transport = FakeTransport(TOO_FAST, TOO_FAST, TOO_FAST, DELIVERED, TOO_FAST, DELIVERED)
    running = delivery(house, transport)

    async def go() -> list[int]:
        asked = []
        for minute in range(30):
            before = len(transport.envelopes)
            await running._drain(DeliveryCount(), early=False)
            asked += [minute] * (len(transport.envelopes) - before)
            house.clock.advance(timedelta(minutes=1))
        return asked

    asked = asyncio.run(go())
    # One, two, and five minutes with jitter; after the letter that was taken it begins at one again.
    assert asked[0] == 0
    assert [after - before for before, after in pairwise(asked[:6])] == [2, 3, 6, 0, 2]


def test_a_limit_is_noted_for_the_administrator_and_struck_out_when_a_letter_is_taken(house: TestHouse) -> None:
    question(house)
    over_quota = Refused(
        code=550, response="5.4.5 quota of <maria@example.com.br>", permanent=False, throttled=Throttle.DAILY
    )
    deliver(house, FakeTransport(over_quota))
    with house.app.storage.read() as work:
        (trouble,) = work.house.troubles()
    assert (str(trouble.key), trouble.error, trouble.is_limit) == (
        "limit:default",
        "daily: 550 5.4.5 quota of <(address)>",
        True,
    )
    house.clock.advance(timedelta(hours=2))
    deliver(house, FakeTransport(AWAY))
    with house.app.storage.read() as work:
        assert {str(one.key) for one in work.house.troubles()} == {"limit:default", "smtp:default"}
    house.clock.advance(timedelta(hours=2))
    deliver(house, FakeTransport(DELIVERED), owner="another process")
    with house.app.storage.read() as work:
        assert work.house.troubles() == []


def test_a_provider_that_paces_us_is_no_news_until_it_goes_on(house: TestHouse) -> None:
    question(house)
    running = delivery(house, FakeTransport(TOO_FAST))
    noted = []
    for _ in range(3):
        asyncio.run(running._drain(DeliveryCount(), early=False))
        house.clock.advance(timedelta(hours=1))
        with house.app.storage.read() as work:
            noted.append(len(work.house.troubles()))
    assert noted == [0, 0, 1]


def test_no_minute_sees_more_letters_than_the_provider_allows(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Microsoft 365 takes thirty a minute: the first ones leave at once, a crowd is looked at once each."""
    for number in range(20):
        question(house, sender=f"cliente.{number}@example.com.br")
    transport = FakeTransport(DELIVERED)
    running = delivery(house, transport, max_per_minute=7)
    left: list[datetime] = []
    looked_at: list[int] = []
    take_turn = running._take_turn

    def counted(claimed: ClaimedLetter) -> LetterResult | None:
        looked_at.append(claimed.id)
        return take_turn(claimed)

    monkeypatch.setattr(running, "_take_turn", counted)

    async def go() -> None:
        for _ in range(400):
            before = len(transport.envelopes)
            await running._drain(DeliveryCount(), early=False)
            left.extend([house.clock.now()] * (len(transport.envelopes) - before))
            house.clock.advance(timedelta(seconds=1))

    asyncio.run(go())
    assert len(left) == 40
    assert left[6] == left[0]
    assert all(later - earlier >= _MINUTE for earlier, later in zip(left, left[7:], strict=False))
    assert left[-1] - left[0] <= 6 * _MINUTE
    assert len(looked_at) <= 2 * len(left)


def test_what_piled_up_in_a_pause_leaves_no_faster(house: TestHouse) -> None:
    for number in range(5):
        question(house, sender=f"cliente.{number}@example.com.br")
    transport = FakeTransport(DELIVERED, DELIVERED, AWAY, DELIVERED)
    running = delivery(house, transport, max_per_minute=3)

    async def drain() -> None:
        await running._drain(DeliveryCount(), early=False)

    asyncio.run(drain())
    assert len(transport.envelopes) == 3
    for expected in (6, 9):
        house.clock.advance(timedelta(hours=1))
        asyncio.run(drain())
        assert len(transport.envelopes) == expected


def test_a_single_round_waits_for_the_slots_of_its_letters(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        question(house, sender=f"cliente.{number}@example.com.br")
    running = delivery(house, FakeTransport(DELIVERED), max_per_minute=2)
    began = house.clock.now()

    async def time_passes(moment: datetime) -> None:
        house.clock.advance(moment - house.clock.now())
        if house.clock.now() - began == _MINUTE:
            waiting = [one for one in house.letters() if one.status is LetterStatus.RETRY]
            with house.app.storage.write() as work:
                work.outbox.cancel(waiting[-1].message_id)

    monkeypatch.setattr(running, "_sleep_until", time_passes)
    assert asyncio.run(running.deliver_all()).sent == 5
    assert 2 * _MINUTE <= house.clock.now() - began < 3 * _MINUTE


@pytest.mark.parametrize(("answer", "most"), [(AWAY, 12), (LOGIN_REFUSED, 8)])
def test_a_server_that_is_away_is_asked_ever_less_however_many_letters_wait(
    house: TestHouse, answer: NotReached, most: int
) -> None:
    for number in range(10):
        question(house, sender=f"cliente.{number}@example.com.br")
    transport = FakeTransport(answer)
    running = delivery(house, transport)

    async def half_an_hour() -> None:
        for _ in range(360):
            await running.deliver_all(early=False)
            house.clock.advance(timedelta(seconds=5))

    asyncio.run(half_an_hour())
    assert 5 <= len(transport.envelopes) <= most


def test_trouble_with_the_server_is_noted_and_struck_out_even_by_another_process(house: TestHouse) -> None:
    question(house)
    deliver(house, FakeTransport(AWAY))
    with house.app.storage.read() as work:
        [trouble] = work.house.troubles()
    assert (str(trouble.key), trouble.error) == ("smtp:default", "connection refused")
    house.clock.advance(_MINUTE)
    assert deliver(house, FakeTransport(DELIVERED)).sent == 2
    with house.app.storage.read() as work:
        assert work.house.troubles() == []


# --- misfortunes ------------------------------------------------------------------------------------------------


def test_a_letter_that_cannot_be_composed_stops_no_other(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = question(house), question(house, sender="joao@example.com.br")
    compose = Delivery._compose

    def breaking(self: Delivery, letter: OutboundLetter, *args: Any) -> Envelope:
        if letter.message_id == bad.message_id:
            raise KeyError("a defect of ours")
        return compose(self, letter, *args)

    monkeypatch.setattr(Delivery, "_compose", breaking)
    for _ in range(4):
        deliver(house, FakeTransport(DELIVERED))
        house.clock.advance(timedelta(hours=1))
    assert now_of(house, good).status is LetterStatus.SENT
    assert now_of(house, bad).status is LetterStatus.NEEDS_PERSON
    assert "KeyError" in now_of(house, bad).last_error


def test_a_file_that_is_gone_fails_its_letter_only(house: TestHouse) -> None:
    letter = question(house)
    digest = house.app.blobs.put(b"anexo")
    file = StoredFile(digest=digest, filename="a.pdf", media_type="application/pdf", size_bytes=5, sha256="")
    with house.app.storage.write() as work:
        work.outbox.add(
            replace(letter, message_id="x@example.com.br", handle="x", files=(file,)), handle_expires_at=None
        )
    house.app.blobs.path_of(digest).unlink()
    count = deliver(house, FakeTransport(DELIVERED))
    assert (count.failed, count.sent) == (1, 3)


@contextmanager
def storage_away(house: TestHouse, monkeypatch: pytest.MonkeyPatch, method: str, times: int) -> Iterator[None]:
    """The outbox's method fails so many times, as on a locked database."""
    from mailbot.adapters.storage.outbox_store import OutboxStore

    original = getattr(OutboxStore, method)
    left = [times]

    def failing(self: OutboxStore, *args: Any, **kwargs: Any) -> Any:
        if left[0] > 0:
            left[0] -= 1
            raise StorageUnavailable("database is locked")
        return original(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(OutboxStore, method, failing)
        patch.setattr("mailbot.flows.delivery._RECORD_AGAIN_SECONDS", 0.0)
        yield


def test_a_letter_that_left_is_recorded_when_the_database_is_back(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = question(house)
    transport = FakeTransport(DELIVERED)
    with storage_away(house, monkeypatch, "record", times=5):
        assert deliver(house, transport).sent == 2
    assert now_of(house, letter).status is LetterStatus.SENT
    assert [one.recipient for one in transport.envelopes].count(CUSTOMER) == 1


def test_a_mark_that_cannot_be_written_keeps_the_letter_here(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = question(house)
    with storage_away(house, monkeypatch, "mark_transmitting", times=1):
        assert deliver(house, FakeTransport(DELIVERED)).sent == 1
    waiting = now_of(house, letter)
    assert (waiting.status, waiting.attempts, waiting.unknown_outcomes) == (LetterStatus.RETRY, 0, 0)
    house.clock.advance(_MINUTE)
    assert deliver(house, FakeTransport(DELIVERED)).sent == 1


def test_one_loop_that_fails_lets_the_others_end(house: TestHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    letter = question(house)
    monkeypatch.setattr("mailbot.flows.delivery._RECORD_WITHIN_SECONDS", -1.0)
    transport = FakeTransport(DELIVERED)
    with storage_away(house, monkeypatch, "record", times=1), pytest.raises(StorageUnavailable):
        deliver(house, transport, max_connections=2)
    assert transport.closed
    assert len(transport.envelopes) == 2
    assert {now_of(house, one).status for one in house.letters()} == {
        LetterStatus.TRANSMITTING,
        LetterStatus.SENT,
    }
    assert letter.ticket_number


@contextmanager
def much_later(monkeypatch: pytest.MonkeyPatch) -> Iterator[datetime]:
    """Leases are renewed at a time at which those not renewed since are over."""
    moment = datetime.now(UTC) + 2 * LEASE_TIME

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Later:
            del tz
            return cls.fromtimestamp(moment.timestamp(), UTC)

    with monkeypatch.context() as patch:
        patch.setattr(leases, "datetime", Later)
        yield moment


def claimed_by_another(house: TestHouse, real_now: datetime) -> ClaimedLetter | None:
    with house.app.storage.write() as work:
        return work.outbox.claim(owner="another", now=house.clock.now(), real_now=real_now, early=True)


@pytest.mark.parametrize("lost", ["the first claim", "a result and the next claim"])
def test_a_letter_whose_claim_nobody_heard_of_is_free_when_its_lease_ends(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    question(house)
    running = delivery(house, FakeTransport(DELIVERED), owner=house.app.owner)
    running.in_hand = house.app.letters_in_hand
    monkeypatch.setattr("mailbot.flows.delivery._RECORD_AGAIN_SECONDS", 0.0)
    # Claim, mark, result.
    with answer_is_lost(monkeypatch, of_write=1 if lost == "the first claim" else 3), suppress(StorageUnavailable):
        asyncio.run(running.deliver_all())
    [lost_letter] = [letter for letter in house.letters() if letter.status is LetterStatus.SENDING]
    with much_later(monkeypatch) as moment:
        leases._renew_leases(house.app, [])
    taken = [claimed_by_another(house, moment) for _ in range(2)]
    assert lost_letter.message_id in {one.letter.message_id for one in taken if one is not None}


def test_a_letter_in_hand_stays_so_however_long_its_server_thinks(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    question(house)
    others: list[ClaimedLetter | None] = []

    class Slow(FakeTransport):
        async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> SendOutcome:
            outcome = await super().send(envelope, before_data)
            with much_later(monkeypatch) as moment:
                leases._renew_leases(house.app, [])
            # The one that waits for its turn is free to be taken; this one is not.
            others.extend(claimed_by_another(house, moment) for _ in range(3))
            return outcome

    running = delivery(house, Slow(DELIVERED), owner=house.app.owner)
    running.in_hand = house.app.letters_in_hand
    assert asyncio.run(running.deliver_all()).sent == 1
    assert [one is not None for one in others] == [True, False, False]
    assert house.app.letters_in_hand.ids() == frozenset()


def test_a_letter_of_a_mailbox_that_is_switched_off_waits(house: TestHouse) -> None:
    letter = question(house)
    with house.app.storage.write() as work:
        work.outbox.add(
            replace(letter, message_id="x@example.com.br", handle="x", mailbox="other"), handle_expires_at=None
        )
    assert deliver(house, FakeTransport(DELIVERED)).sent == 2
    with house.app.storage.read() as work:
        other = work.outbox.by_message_id("x@example.com.br")
    assert other is not None
    assert (other.status, other.attempts) == (LetterStatus.RETRY, 0)


def test_a_letter_in_hand_is_brought_to_its_end_when_the_daemon_stops(house: TestHouse) -> None:
    letter = question(house)

    class Slow(FakeTransport):
        async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> SendOutcome:
            stop.set()
            await asyncio.sleep(0.05)
            return await super().send(envelope, before_data)

    transport = Slow(DELIVERED)

    async def go() -> None:
        await asyncio.wait_for(delivery(house, transport).run(stop, asyncio.Event()), 60)

    stop = asyncio.Event()
    asyncio.run(go())
    assert now_of(house, letter).status is LetterStatus.SENT
    assert len(transport.envelopes) == 1, "claiming stops"


def test_a_letter_costs_two_commits_since_the_next_is_claimed_with_the_result(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        question(house, sender=f"cliente.{number}@example.com.br")
    commits = 0
    write = Database.write

    @contextmanager
    def counted(self: Database) -> Iterator[Connection]:
        nonlocal commits
        with write(self) as connection:
            yield connection
        commits += 1

    monkeypatch.setattr(Database, "write", counted)
    sent = deliver(house, FakeTransport(DELIVERED)).sent
    assert sent == 20
    # A mark and a result for each letter; the first claim of both loops; that the server is there, noted once.
    assert commits <= 2 * sent + 4


def read(envelope: Envelope) -> Any:
    return BytesParser(policy=SMTP).parsebytes(envelope.message)


def test_the_providers_own_limit_holds_where_the_administrator_says_none(house: TestHouse) -> None:
    mailbox = replace(house.app.mailboxes["default"], provider=provider_of("microsoft365", []))
    assert mailbox.max_per_minute == 30
    stricter = replace(mailbox, spec=mailbox.spec.model_copy(update={"max_per_minute": 5}))
    assert stricter.max_per_minute == 5
    assert house.app.mailboxes["default"].max_per_minute is None


@pytest.mark.parametrize("provider", ["microsoft365", "generic"])
def test_an_agents_word_counts_although_the_provider_gave_the_notice_another_id(
    house: TestHouse, provider: str
) -> None:
    """A reply from a telephone, without the quote: it has the references of the notice and its new id."""
    question(house)
    (notice,) = house.letters(Audience.STAFF)
    transport = FakeTransport(DELIVERED)
    running = delivery(house, transport)
    (outlet,) = running._outlets.values()
    mailbox = replace(outlet.mailbox, provider=provider_of(provider, []))
    running._outlets = {"default": replace(outlet, mailbox=mailbox)}
    asyncio.run(running.deliver_all())
    arrived = read(next(one for one in transport.envelopes if one.recipient == notice.recipient.address))
    given_id = "<CP5P284MB1234@CP5P284MB1234.BRAP284.PROD.OUTLOOK.COM>"
    reply = mail("#resolver Feito.", subject="Qualquer coisa", sender=notice.recipient.address)
    threading = f"In-Reply-To: {given_id}\nReferences: {arrived['References'] or ''} {given_id}\n"
    house.receive(threading.encode() + reply)
    (ticket, *others) = house.tickets()
    if provider == "microsoft365":
        assert (ticket.status, others) == (Status.RESOLVED, [])
    else:
        assert ticket.status is not Status.RESOLVED


class Counting(FakeTransport):
    """Keeps its letters until `crowd` of them are here (30 s at most) and a moment longer, and counts them."""

    def __init__(self, *answers: SendOutcome | Exception, crowd: int = 1) -> None:
        super().__init__(*answers)
        self.here = self.most_at_once = 0
        self._crowd = crowd
        self._crowded = asyncio.Event()

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> SendOutcome:
        self.here += 1
        self.most_at_once = max(self.most_at_once, self.here)
        if self.here == self._crowd:
            self._crowded.set()
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._crowded.wait(), 30)
            self._crowded.set()
            # Time for one too many to come; however little it is, nothing that is right fails by it.
            await asyncio.sleep(0.02)
            return await super().send(envelope, before_data)
        finally:
            self.here -= 1


@pytest.mark.parametrize("connections", [1, 3])
def test_a_server_is_given_no_more_letters_at_once_than_it_allows_connections(
    house: TestHouse, connections: int
) -> None:
    for number in range(5):
        question(house, sender=f"cliente.{number}@example.com.br")
    transport = Counting(DELIVERED, crowd=connections)
    assert deliver(house, transport, max_connections=connections).sent == 10
    assert transport.most_at_once == connections


def test_over_one_connection_letters_leave_in_the_order_in_which_they_were_due(house: TestHouse) -> None:
    for number in range(5):
        question(house, sender=f"cliente.{number}@example.com.br")
    transport = Counting(DELIVERED)
    deliver(house, transport)
    written = [letter.recipient.address for letter in house.letters()]
    assert sorted(written) != written
    left = [envelope.recipient for envelope in transport.envelopes]
    assert sorted(left) == sorted(written)
    # Where claims are made side by side, neighbours may change places.
    assert left == written or house.app.storage.writes_at_once > 1


def test_no_more_threads_write_than_the_database_takes_writes_at_once(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        question(house, sender=f"cliente.{number}@example.com.br")
    write, threads = Database.write, set()

    @contextmanager
    def noted(self: Database) -> Iterator[Connection]:
        threads.add(threading.current_thread().name)
        with write(self) as connection:
            yield connection

    monkeypatch.setattr(Database, "write", noted)
    assert deliver(house, FakeTransport(DELIVERED), max_connections=3).sent == len(house.letters())
    assert len(threads) <= house.app.storage.writes_at_once
