"""The ledger of inbound mail: who may take which mail when, and what a claim is worth."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.domain.errors import LeaseLost
from mailbot.domain.ledger import LEASE_TIME, ClaimedMail, MailOutcome, MailResult
from tests.storage.rows import ME, MINUTE, NOW, OTHER, SECOND, add_mails, claim_mail, mail

DONE = MailResult(outcome=MailOutcome.TICKET, identity="i")


def claimed(storage: SqlStorage, **how: object) -> ClaimedMail:
    found = claim_mail(storage, **how)  # type: ignore[arg-type]
    assert found is not None
    return found


def finish(storage: SqlStorage, mail_in_hand: ClaimedMail, result: MailResult = DONE) -> None:
    with storage.write() as work:
        work.mails.finish(mail_in_hand, result, now=NOW)


def test_the_same_uid_is_written_once(storage: SqlStorage) -> None:
    one = mail(uid="77")
    assert len(add_mails(storage, one, mail(uid="77"))) == 1
    assert add_mails(storage, mail(uid="77")) == []
    assert len(add_mails(storage, mail(uid="77", uid_validity=8), mail(uid="77", folder="Junk"))) == 2


def test_known_uids_are_told_apart_by_folder_and_validity(storage: SqlStorage) -> None:
    add_mails(storage, *(mail(uid=str(uid)) for uid in range(1200)))
    with storage.read() as work:
        assert work.mails.known_uids("default", "INBOX", 7, [str(uid) for uid in range(600, 1800)]) == {
            str(uid) for uid in range(600, 1200)
        }
        assert work.mails.known_uids("default", "INBOX", 8, ["1"]) == set()
        assert work.mails.known_uids("default", "Junk", 7, ["1"]) == set()


def test_mails_come_in_the_order_of_their_arrival(storage: SqlStorage) -> None:
    ids = add_mails(storage, *(mail(f"p{n}@example.com.br") for n in range(4)))
    assert [claimed(storage).id for _ in ids] == ids
    assert claim_mail(storage) is None


def test_only_the_oldest_unfinished_mail_of_a_sender_can_be_taken(storage: SqlStorage) -> None:
    first, second, other = add_mails(storage, mail(), mail(), mail("joao@example.com.br"))
    in_hand = claimed(storage)
    assert in_hand.id == first
    assert claimed(storage).id == other
    assert claim_mail(storage) is None
    finish(storage, in_hand)
    assert claimed(storage).id == second


def test_a_mail_that_comes_while_the_sender_has_one_pending_waits(storage: SqlStorage) -> None:
    first = add_mails(storage, mail())[0]
    in_hand = claimed(storage)
    second = add_mails(storage, mail())[0]
    assert claim_mail(storage) is None
    finish(storage, in_hand)
    assert [first, second] == [in_hand.id, claimed(storage).id]


def test_a_mail_bomb_delays_nobody_else(storage: SqlStorage) -> None:
    add_mails(storage, *(mail("bomba@example.com.br") for _ in range(5000)))
    for _ in range(3):
        finish(storage, claimed(storage, now=NOW))
    late = add_mails(storage, mail("maria@example.com.br"), now=NOW + SECOND)[0]
    waited = 0
    while True:
        in_hand = claimed(storage, now=NOW + MINUTE)
        if in_hand.id == late:
            break
        waited += 1
        with storage.write() as work:
            work.mails.finish(in_hand, DONE, now=NOW + MINUTE)
    assert waited <= 1


def test_two_bombs_take_turns(storage: SqlStorage) -> None:
    add_mails(storage, *(mail(f"bomba{n % 2}@example.com.br") for n in range(20)))
    order = []
    for step in range(20):
        in_hand = claimed(storage, now=NOW + step * SECOND)
        order.append(in_hand.conversation_key)
        with storage.write() as work:
            work.mails.finish(in_hand, DONE, now=NOW + step * SECOND)
    assert order == ["bomba0@example.com.br", "bomba1@example.com.br"] * 10


def test_a_claimed_mail_is_nobody_elses_until_its_lease_is_over(storage: SqlStorage) -> None:
    add_mails(storage, mail())
    in_hand = claimed(storage)
    assert claim_mail(storage, owner=OTHER, real_now=NOW + LEASE_TIME) is None
    taken_over = claim_mail(storage, owner=OTHER, real_now=NOW + LEASE_TIME + SECOND)
    assert taken_over is not None
    assert (taken_over.id, taken_over.fence, taken_over.deaths, taken_over.attempts) == (in_hand.id, 2, 1, 0)


def test_a_late_result_is_not_written(storage: SqlStorage) -> None:
    add_mails(storage, mail())
    late = claimed(storage)
    taken_over = claimed(storage, owner=OTHER, real_now=NOW + LEASE_TIME + SECOND)
    with pytest.raises(LeaseLost):
        finish(storage, late)
    with storage.write() as work:
        assert not work.mails.give_back(late, ready_at=NOW, attempt=True)
    finish(storage, taken_over)
    with storage.read() as work:
        row = work.mails.get(late.id)
    assert row is not None
    assert (row.outcome, row.attempts) == (MailOutcome.TICKET, 0)


def test_a_finished_mail_is_not_given_back(storage: SqlStorage) -> None:
    """The commit was thought to have failed: giving the mail back would make a second ticket of it."""
    add_mails(storage, mail())
    in_hand = claimed(storage)
    finish(storage, in_hand)
    with storage.write() as work:
        assert not work.mails.give_back(in_hand, ready_at=NOW, attempt=True)
        work.mails.quarantine(in_hand, "cause", now=NOW)
        assert work.mails.give_back_all(ME, ready_at=NOW) == 0
    assert claim_mail(storage, NOW + MINUTE) is None
    with storage.read() as work:
        assert work.mails.count_quarantined() == 0


def test_a_lease_is_renewed_only_while_the_work_is_young(storage: SqlStorage) -> None:
    add_mails(storage, mail())
    claimed(storage)
    later = NOW + 50 * SECOND
    with storage.write() as work:
        assert work.mails.renew(ME, real_now=later, begun_after=later - MINUTE) == 1
        assert work.mails.renew(OTHER, real_now=later, begun_after=later - MINUTE) == 0
    assert claim_mail(storage, owner=OTHER, real_now=NOW + 90 * SECOND) is None
    with storage.write() as work:
        assert work.mails.renew(ME, real_now=later, begun_after=NOW) == 0
    assert claim_mail(storage, owner=OTHER, real_now=later + LEASE_TIME + SECOND) is not None


def test_what_a_dead_process_held_is_free_at_once_and_counts_as_a_death(storage: SqlStorage) -> None:
    add_mails(storage, mail())
    claimed(storage)
    with storage.write() as work:
        assert work.mails.owners() == {ME}
        assert work.mails.release(ME, real_now=NOW) == 1
        assert work.mails.owners() == set()
    again = claimed(storage, owner=OTHER, real_now=NOW + SECOND)
    assert (again.deaths, again.attempts) == (1, 0)


def test_what_is_given_back_politely_counts_nothing(storage: SqlStorage) -> None:
    add_mails(storage, mail())
    claimed(storage)
    with storage.write() as work:
        assert work.mails.give_back_all(ME, ready_at=NOW) == 1
    again = claimed(storage)
    assert (again.deaths, again.attempts) == (0, 0)


def test_an_attempt_counts_and_puts_off(storage: SqlStorage) -> None:
    add_mails(storage, mail())
    in_hand = claimed(storage)
    with storage.write() as work:
        assert work.mails.give_back(in_hand, ready_at=NOW + MINUTE, attempt=True, reason="ValueError")
    assert claim_mail(storage, NOW + 59 * SECOND) is None
    again = claimed(storage, now=NOW + MINUTE)
    assert (again.attempts, again.deaths) == (1, 0)


def test_quarantine_lets_the_senders_next_mail_come_forward(storage: SqlStorage) -> None:
    first, second = add_mails(storage, mail(), mail())
    in_hand = claimed(storage)
    with storage.write() as work:
        work.mails.give_back(in_hand, ready_at=NOW, attempt=True, reason="cause")
        work.mails.quarantine(in_hand, "cause", now=NOW)
    assert claimed(storage).id == second
    with storage.read() as work:
        assert [row.id for row in work.mails.untold_quarantines()] == [first]


def test_a_quarantine_is_told_once(storage: SqlStorage) -> None:
    add_mails(storage, mail(suspect="uidvalidity_changed"))
    with storage.read() as work:
        assert work.mails.suspects_pending(["default"])
    finish(storage, claimed(storage), MailResult(outcome=MailOutcome.QUARANTINED, reason="x"))
    with storage.write() as work:
        assert not work.mails.suspects_pending(["default"])
        work.mails.mark_told([row.id for row in work.mails.untold_quarantines()])
        assert work.mails.untold_quarantines() == []
        assert work.mails.count_quarantined() == 1


def test_a_released_mail_is_taken_again_with_a_clean_sheet(storage: SqlStorage) -> None:
    add_mails(storage, mail(suspect="junk_folder"))
    finish(storage, claimed(storage), MailResult(outcome=MailOutcome.QUARANTINED, reason="junk_folder"))
    with storage.write() as work:
        assert work.mails.reopen(1, now=NOW, released=True)
        assert not work.mails.reopen(1, now=NOW, released=True), "it is pending already"
    again = claimed(storage)
    assert (again.released, again.attempts, again.deaths) == (True, 0, 0)


def test_a_mail_of_the_same_content_is_known_on_its_ticket_under_whatever_id(storage: SqlStorage) -> None:
    add_mails(storage, mail("a@example.com.br", message_id="x@y"), mail("b@example.com.br", message_id="z@y"))
    first = claimed(storage)
    result = MailResult(outcome=MailOutcome.MESSAGE, message_id="x@y", identity="i1", ticket_number="2026-000001")
    finish(storage, first, result)
    with storage.read() as work:
        assert work.mails.is_on_ticket("2026-000001", "i1", mail_id=2)
        assert not work.mails.is_on_ticket("2026-000001", "i1", mail_id=first.id), "itself"
        assert not work.mails.is_on_ticket("2026-000001", "i2", mail_id=2)
        assert not work.mails.is_on_ticket("2026-000002", "i1", mail_id=2)
        assert not work.mails.is_on_ticket("2026-000001", "", mail_id=2)


def test_the_same_mail_is_known_again_by_id_and_content_together(storage: SqlStorage) -> None:
    add_mails(storage, mail("a@example.com.br", message_id="x@y"), mail("b@example.com.br", message_id="x@y"))
    first = claimed(storage)
    finish(storage, first, MailResult(outcome=MailOutcome.TICKET, message_id="x@y", identity="i1"))
    with storage.read() as work:
        assert work.mails.seen_before("x@y", "i1", mail_id=2) == first.id
        assert work.mails.seen_before("x@y", "i2", mail_id=2) is None
        assert work.mails.seen_before("z@y", "i1", mail_id=2) is None
        assert work.mails.seen_before("x@y", "i1", mail_id=first.id) is None
        assert work.mails.same_id_other_content("x@y", "i2", mail_id=2)


def test_a_discarded_mail_makes_none_that_comes_later_a_second_copy(storage: SqlStorage) -> None:
    add_mails(storage, mail("a@example.com.br", message_id="x@y"), mail("b@example.com.br", message_id="x@y"))
    result = MailResult(outcome=MailOutcome.DISCARDED, reason="automatic_reply", message_id="x@y", identity="i1")
    finish(storage, claimed(storage), result)
    with storage.read() as work:
        assert work.mails.seen_before("x@y", "i1", mail_id=2) is None


def test_nul_long_text_and_broken_surrogates_do_not_stop_collecting(storage: SqlStorage) -> None:
    hostile = "a\x00b" + "ç" * 100_000 + "\udcff\ud800"
    ids = add_mails(
        storage,
        mail(hostile, subject=hostile, message_id=hostile, from_address=hostile),
        mail("maria@example.com.br"),
    )
    assert len(ids) == 2
    with storage.read() as work:
        row = work.mails.get(ids[0])
    assert row is not None
    assert "\x00" not in row.subject
    assert row.subject.startswith("abç")
    in_hand = claimed(storage)
    with storage.write() as work:
        work.mails.give_back(in_hand, ready_at=NOW, attempt=True, reason=hostile)
    in_hand = claimed(storage, now=NOW + timedelta(minutes=1))
    finish(
        storage,
        in_hand,
        MailResult(outcome=MailOutcome.DISCARDED, reason=hostile, message_id=hostile, identity="i"),
    )
