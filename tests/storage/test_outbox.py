"""The outbox: letters are claimed one by one, and what is known of an attempt is never more than was committed."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import text

from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.domain.errors import LeaseLost
from mailbot.domain.events import Audience, LetterKind, LetterStatus, OutboundLetter
from mailbot.domain.ledger import LEASE_TIME
from mailbot.domain.mail import Address
from mailbot.domain.outbox import ClaimedLetter, HoldReason, LetterResult
from tests.storage.rows import (
    DAY,
    HOUR,
    ME,
    MINUTE,
    NOW,
    OTHER,
    SECOND,
    add_letters,
    claim_letter,
    letter,
    status_of,
)

SENT = LetterResult(status=LetterStatus.SENT, sent_at=NOW)
STALE = NOW + LEASE_TIME + SECOND


def claimed(storage: SqlStorage, **how: object) -> ClaimedLetter:
    found = claim_letter(storage, **how)  # type: ignore[arg-type]
    assert found is not None
    return found


def mark(storage: SqlStorage, in_hand: ClaimedLetter, owner: str = ME) -> None:
    with storage.write() as work:
        work.outbox.mark_transmitting(in_hand, owner=owner, real_now=NOW)


def record(storage: SqlStorage, in_hand: ClaimedLetter, result: LetterResult = SENT, owner: str = ME) -> None:
    with storage.write() as work:
        work.outbox.record(in_hand, result, owner=owner)


def test_a_letter_leaves_when_its_time_has_come_and_once(storage: SqlStorage) -> None:
    first, second = letter(), letter(not_before=NOW + MINUTE)
    add_letters(storage, first, second)
    assert claimed(storage).letter.message_id == first.message_id
    assert claim_letter(storage) is None
    assert claimed(storage, now=NOW + MINUTE).letter.message_id == second.message_id


def test_a_round_on_demand_takes_letters_before_their_time_but_not_before_a_retry(storage: SqlStorage) -> None:
    add_letters(storage, letter(not_before=NOW + HOUR))
    in_hand = claimed(storage, early=True)
    record(storage, in_hand, LetterResult(status=LetterStatus.RETRY, retry_at=NOW + HOUR))
    assert claim_letter(storage, early=True) is None
    assert claimed(storage, now=NOW + HOUR, early=True).letter.attempts == 1


def test_a_letter_comes_back_as_it_was_written(storage: SqlStorage) -> None:
    written = letter(references=("a@b", "c@d"), in_reply_to="c@d", mail_id=7, verified_recipient=True)
    add_letters(storage, written)
    assert claimed(storage).letter == written


def test_a_letter_that_was_only_claimed_is_given_back_freely(storage: SqlStorage) -> None:
    add_letters(storage, letter())
    claimed(storage)
    assert claim_letter(storage, owner=OTHER, real_now=NOW + LEASE_TIME) is None
    again = claimed(storage, owner=OTHER, real_now=STALE)
    assert (again.letter.unknown_outcomes, again.letter.attempts, again.fence) == (0, 0, 2)


def test_a_stale_transmitting_letter_is_an_unknown_outcome(storage: SqlStorage) -> None:
    add_letters(storage, letter())
    moment = NOW
    for times in range(3):
        in_hand = claimed(storage, real_now=moment)
        assert in_hand.letter.unknown_outcomes == times
        with storage.write() as work:
            work.outbox.mark_transmitting(in_hand, owner=ME, real_now=moment)
        moment += LEASE_TIME + SECOND


def test_what_a_dead_process_held_is_free_at_once(storage: SqlStorage) -> None:
    transmitting, sending = letter(), letter()
    add_letters(storage, transmitting, sending)
    mark(storage, claimed(storage))
    claimed(storage)
    with storage.write() as work:
        assert work.outbox.owners() == {ME}
        assert work.outbox.release(ME, real_now=NOW) == 2
    unknown = {}
    for _ in range(2):
        again = claimed(storage, owner=OTHER, real_now=NOW + SECOND)
        unknown[again.letter.message_id] = again.letter.unknown_outcomes
    assert unknown == {transmitting.message_id: 1, sending.message_id: 0}


def test_a_late_result_is_not_written(storage: SqlStorage) -> None:
    add_letters(storage, letter())
    late = claimed(storage)
    again = claimed(storage, owner=OTHER, real_now=STALE)
    with pytest.raises(LeaseLost):
        mark(storage, late)
    with pytest.raises(LeaseLost):
        record(storage, late)
    record(storage, again, owner=OTHER)
    assert status_of(storage, late.letter.message_id) is LetterStatus.SENT
    with pytest.raises(LeaseLost):
        record(storage, again, LetterResult(status=LetterStatus.FAILED), owner=OTHER)


def test_the_mark_may_be_made_twice(storage: SqlStorage) -> None:
    """A server that refuses the sender at DATA is asked again at once with another."""
    add_letters(storage, letter())
    in_hand = claimed(storage)
    mark(storage, in_hand)
    mark(storage, in_hand)
    record(storage, in_hand)
    assert status_of(storage, in_hand.letter.message_id) is LetterStatus.SENT


def test_a_lease_is_renewed_by_its_owner(storage: SqlStorage) -> None:
    add_letters(storage, letter())
    ours = claimed(storage).id
    with storage.write() as work:
        assert work.outbox.renew(OTHER, [ours], real_now=STALE) == 0
        assert work.outbox.renew(ME, [], real_now=STALE) == 0
        assert work.outbox.renew(ME, [ours], real_now=NOW + MINUTE) == 1
    assert claim_letter(storage, owner=OTHER, real_now=STALE) is None


@pytest.mark.parametrize("status", [LetterStatus.SENT, LetterStatus.FAILED, LetterStatus.NEEDS_PERSON])
def test_a_letter_that_is_done_with_is_never_claimed_again(storage: SqlStorage, status: LetterStatus) -> None:
    add_letters(storage, letter())
    record(storage, claimed(storage), LetterResult(status=status))
    assert claim_letter(storage, NOW + DAY, early=True) is None
    with storage.read() as work:
        assert work.outbox.oldest_waiting() is None


def test_a_newer_letter_replaces_unsent_ones_of_any_kind_that_it_names_and_none_where_it_names_none(
    storage: SqlStorage,
) -> None:
    kinds = (LetterKind.EVIDENCE_REQUESTED, LetterKind.EVIDENCE_COMPLETE, LetterKind.DECISION)
    those = [letter(letter=kind, not_before=NOW + MINUTE * (3 - at)) for at, kind in enumerate(kinds)]
    add_letters(storage, *those)
    with storage.write() as work:
        assert work.outbox.supersede("2026-000001", "maria@example.com.br", []) is None
        assert work.outbox.supersede("2026-000001", "maria@example.com.br", kinds[:2]) == NOW + MINUTE * 2
    assert [status_of(storage, one.message_id) for one in those] == [
        LetterStatus.CANCELLED,
        LetterStatus.CANCELLED,
        LetterStatus.QUEUED,
    ]


def test_a_newer_letter_replaces_unsent_ones_of_its_ticket_and_recipient(storage: SqlStorage) -> None:
    kind = LetterKind.EVIDENCE_REQUESTED
    old = letter(letter=kind, not_before=NOW + MINUTE)
    held = letter(letter=kind, status=LetterStatus.HELD, hold_reason="hold")
    others = [
        letter(letter=kind, ticket_number="2026-000002"),
        letter(letter=LetterKind.DECISION),
        letter(letter=kind, recipient=Address(address="joao@example.com.br")),
    ]
    in_hand = letter(letter=kind, not_before=NOW - MINUTE)
    add_letters(storage, in_hand, old, held, *others)
    assert claimed(storage).letter.message_id == in_hand.message_id
    with storage.write() as work:
        assert work.outbox.supersede("2026-000001", "maria@example.com.br", [kind]) == NOW + MINUTE
        assert work.outbox.supersede("2026-000001", "maria@example.com.br", [kind]) is None
    assert status_of(storage, old.message_id) is LetterStatus.CANCELLED
    assert status_of(storage, held.message_id) is LetterStatus.CANCELLED
    # What is on its way cannot be called back.
    assert status_of(storage, in_hand.message_id) is LetterStatus.SENDING
    assert {status_of(storage, one.message_id) for one in others} == {LetterStatus.QUEUED}


def test_held_letters_wait_for_their_release(storage: SqlStorage) -> None:
    mine = letter(status=LetterStatus.HELD, hold_reason="cap_hour")
    other = letter(status=LetterStatus.HELD, hold_reason="hold", ticket_number="2026-000002")
    add_letters(storage, mine, other)
    assert claim_letter(storage, NOW + DAY, early=True) is None
    with storage.write() as work:
        assert work.outbox.untold_held() == {"cap_hour": 1, "hold": 1}
        work.outbox.mark_held_told()
        assert work.outbox.untold_held() == {}
        assert work.outbox.release_held(now=NOW, ticket_number="2026-000001") == 1
    assert claimed(storage).letter.message_id == mine.message_id
    assert status_of(storage, other.message_id) is LetterStatus.HELD


def test_a_person_may_try_again_or_give_up(storage: SqlStorage) -> None:
    one = letter()
    add_letters(storage, one)
    record(storage, claimed(storage), LetterResult(status=LetterStatus.NEEDS_PERSON, outcome_unknown=True))
    with storage.write() as work:
        assert work.outbox.retry(one.message_id, now=NOW + DAY)
        assert not work.outbox.retry(one.message_id, now=NOW + DAY), "it is on its way already"
    again = claimed(storage, now=NOW + DAY)
    assert (again.letter.message_id, again.letter.attempts, again.letter.unknown_outcomes) == (
        one.message_id,
        0,
        0,
    )
    # Five days are counted from now on, or the first "not now" would be the last.
    assert again.letter.not_before == NOW + DAY
    with storage.write() as work:
        assert not work.outbox.cancel(one.message_id), "it is on its way"


def test_a_bounce_is_final_and_counts_once(storage: SqlStorage) -> None:
    one = letter()
    add_letters(storage, one)
    record(storage, claimed(storage))
    with storage.write() as work:
        assert work.outbox.mark_bounced(one.message_id, "550 no such user")
        assert not work.outbox.mark_bounced(one.message_id, "550 no such user")
    assert status_of(storage, one.message_id) is LetterStatus.FAILED
    assert claim_letter(storage, NOW + DAY) is None


def test_caps_count_automatic_letters_to_requesters_that_left_or_will(storage: SqlStorage) -> None:
    add_letters(
        storage,
        letter(),
        letter(verified_recipient=True, auto_submitted="auto-generated"),
        letter(created_at=NOW - 2 * HOUR),
        letter(created_at=NOW - 2 * DAY),
        letter(recipient=Address(address="joao@example.com.br"), ticket_number="2026-000002"),
        # None of these counts.
        letter(status=LetterStatus.HELD),
        letter(status=LetterStatus.CANCELLED),
        letter(automatic=False),
        letter(audience=Audience.STAFF),
    )
    with storage.read() as work:
        counts = work.outbox.counts(
            recipient="maria@example.com.br", ticket_number="2026-000001", now=NOW, cap=1000
        )
        assert (counts.to_address_last_hour, counts.to_address_last_day) == (2, 3)
        assert (counts.unverified_last_hour, counts.automatic_last_hour) == (2, 3)
        assert (counts.on_ticket_last_day, counts.acknowledgements_on_ticket) == (3, 3)
        capped = work.outbox.counts(recipient="", ticket_number=None, now=NOW, cap=2)
        assert (capped.automatic_last_hour, capped.on_ticket_last_day) == (2, 0)
        assert work.outbox.notices_last_hour("maria@example.com.br", now=NOW, cap=60) == 1


def test_a_letter_that_a_newer_version_wrote_waits_for_a_person_and_keeps_no_other_from_leaving(
    storage: SqlStorage, database: Database
) -> None:
    add_letters(storage, letter(), letter(), letter(not_before=NOW + MINUTE))
    with database.write() as connection:
        connection.execute(text("UPDATE outbox SET letter = 'satisfaction_survey' WHERE id = 1"))
    assert claimed(storage).id == 2
    assert claim_letter(storage) is None
    with storage.read() as work:
        assert work.outbox.count_status(LetterStatus.NEEDS_PERSON) == 1
        assert len(work.outbox.browse()) == 2, "the others can be looked at"


def alert(**changes: object) -> OutboundLetter:
    values = {"audience": Audience.ADMIN, "letter": LetterKind.ALERT_QUARANTINE, "created_at": NOW - HOUR}
    return letter(**values | changes)


@pytest.mark.parametrize(
    ("changes", "result", "is_told"),
    [
        ({}, None, True),
        ({}, LetterResult(status=LetterStatus.RETRY, retry_at=NOW + HOUR), True),
        ({}, LetterResult(status=LetterStatus.HELD, hold_reason=HoldReason.ALLOWLIST), True),
        ({}, LetterResult(status=LetterStatus.HELD, hold_reason=HoldReason.SEND_HOLD), False),
        ({}, LetterResult(status=LetterStatus.NEEDS_PERSON), True),
        ({}, LetterResult(status=LetterStatus.FAILED), True),
        ({"created_at": NOW - 2 * DAY}, LetterResult(status=LetterStatus.FAILED), False),
        ({}, SENT, False),
        ({"created_at": NOW - SECOND}, None, False),
        ({"audience": Audience.STAFF}, None, False),
    ],
)
def test_an_alert_that_should_have_left_by_now_is_known(
    storage: SqlStorage, changes: dict[str, object], result: LetterResult | None, is_told: bool
) -> None:
    add_letters(storage, alert(**changes))
    if result is not None:
        record(storage, claimed(storage), result)
    with storage.read() as work:
        found = work.outbox.alerts_not_sent(written_before=NOW - 10 * MINUTE, failed_since=NOW - DAY)
    assert found == ([LetterKind.ALERT_QUARANTINE] if is_told else [])


def test_a_decision_that_is_taken_back_does_not_leave_whatever_it_waits_for(storage: SqlStorage) -> None:
    decision = {"letter": LetterKind.DECISION, "ticket_number": "2026-000001"}
    overdue, waiting = letter(**decision, not_before=NOW - MINUTE), letter(**decision, not_before=NOW + HOUR)
    tried, doubtful, held = (letter(**decision) for _ in range(3))
    in_hand, on_the_wire, gone = (letter(**decision) for _ in range(3))
    others = letter(ticket_number="2026-000001")
    results = {
        tried: LetterResult(status=LetterStatus.RETRY, retry_at=NOW + HOUR, counts_as_attempt=False),
        doubtful: LetterResult(status=LetterStatus.RETRY, retry_at=NOW + MINUTE, outcome_unknown=True),
        held: LetterResult(status=LetterStatus.HELD, hold_reason="hold"),
        gone: SENT,
        in_hand: None,
        on_the_wire: None,
    }
    for one, result in results.items():
        add_letters(storage, one)
        taken = claimed(storage)
        assert taken.letter.message_id == one.message_id
        if one is on_the_wire:
            mark(storage, taken)
        if result is not None:
            record(storage, taken, result)
    add_letters(storage, overdue, waiting, others)
    with storage.write() as work:
        assert work.outbox.stop_waiting("2026-000001", overdue.recipient.address, [LetterKind.DECISION]) == 5
    statuses = {
        overdue: "cancelled", waiting: "cancelled", tried: "cancelled", held: "cancelled",
        doubtful: "needs_person", in_hand: "sending", on_the_wire: "transmitting", gone: "sent", others: "queued",
    }  # fmt: skip
    assert [status_of(storage, one.message_id) for one in statuses] == list(statuses.values())
    with storage.write() as work:
        # Nobody knows whether it left: the administrator hears of it.
        assert work.outbox.tell_of_stuck() == 1


def test_a_mailbox_of_which_nothing_leaves_is_known_and_one_letter_that_was_returned_makes_none(
    storage: SqlStorage,
) -> None:
    early, late = letter(not_before=NOW - 2 * HOUR), letter(not_before=NOW)
    add_letters(storage, early, late)

    def not_leaving(since: datetime) -> set[str]:
        with storage.read() as work:
            return work.outbox.not_leaving(since=since)

    assert not_leaving(NOW - 3 * HOUR) == set()
    assert not_leaving(NOW - HOUR) == {early.mailbox}
    record(storage, claimed(storage), LetterResult(status=LetterStatus.SENT, sent_at=NOW - 30 * MINUTE))
    assert not_leaving(NOW - HOUR) == set()
    assert not_leaving(NOW) == {late.mailbox}
    record(storage, claimed(storage), SENT)
    with storage.write() as work:
        assert work.outbox.send_again(early.message_id, at=NOW + HOUR)
    assert not_leaving(NOW) == set()
