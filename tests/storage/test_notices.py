"""Letters that await pages: nobody delivers them before, and one makes them whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.domain.errors import LeaseLost
from mailbot.domain.events import LetterStatus, OutboundLetter, StoredFile
from mailbot.domain.ledger import LEASE_TIME
from mailbot.domain.notice_pages import NoticeAttachments, Opening, PagesToDraw, Paper
from mailbot.domain.outbox import ClaimedLetter
from tests.storage.rows import ME, MINUTE, NOW, OTHER, SECOND, add_letters, claim_letter, letter

FILE = StoredFile(
    digest="f" * 64, filename="boleto.pdf", media_type="application/pdf", size_bytes=9, sha256="5" * 64
)
PICTURE = replace(FILE, digest="e" * 64, filename="1-boleto-p1.jpg", media_type="image/jpeg")
PAGES = PagesToDraw(
    papers=(Paper(file=FILE, is_refused=True), Paper(file=PICTURE, is_drawn=False)),
    openings=(Opening(name="document-1", digest=FILE.digest, first=2, others_begin=(1, 4)),),
    attach=NoticeAttachments.ORIGINALS,
    language="pt-BR",
    shows_thumbnails=False,
    most_bytes=77,
    wording="w",
)


def notice(**changes: object) -> OutboundLetter:
    return replace(letter(), pages=PAGES, awaits_pages=True, **changes)  # type: ignore[arg-type]


def claim(storage: SqlStorage, *, owner: str = ME, **when: object) -> ClaimedLetter | None:
    times = {"now": NOW, "real_now": NOW, "early": False, **when}
    with storage.read() as work:
        waits = work.notices.waits(**times)  # type: ignore[arg-type]
    with storage.write() as work:
        found = work.notices.claim(owner=owner, **times)  # type: ignore[arg-type]
    assert (found is not None) is waits
    return found


def claimed(storage: SqlStorage, **how: object) -> ClaimedLetter:
    found = claim(storage, **how)  # type: ignore[arg-type]
    assert found is not None
    return found


def complete(storage: SqlStorage, in_hand: ClaimedLetter, *, owner: str = ME) -> OutboundLetter:
    whole = replace(in_hand.letter, text="whole", html="<p>whole</p>", files=(PICTURE,), awaits_pages=False)
    with storage.write() as work:
        work.notices.complete(in_hand, whole, owner=owner)
    return whole


def test_a_letter_that_awaits_pages_is_passed_over_until_it_is_whole(storage: SqlStorage) -> None:
    waiting, plain = notice(), letter()
    add_letters(storage, waiting, plain)
    first = claim_letter(storage)
    assert first is not None
    assert first.letter.message_id == plain.message_id
    assert claim_letter(storage) is None
    in_hand = claimed(storage)
    assert in_hand.letter.pages == PAGES
    assert in_hand.letter.status is LetterStatus.QUEUED
    complete(storage, in_hand)
    leaves = claim_letter(storage)
    assert leaves is not None
    assert (leaves.letter.text, leaves.letter.html, leaves.letter.files) == ("whole", "<p>whole</p>", (PICTURE,))
    assert leaves.letter.pages == PAGES
    assert not leaves.letter.awaits_pages
    assert claim(storage) is None


def test_only_one_makes_it_whole(storage: SqlStorage) -> None:
    add_letters(storage, notice())
    late = claimed(storage)
    assert claim(storage, owner=OTHER) is None
    again = claimed(storage, owner=OTHER, real_now=NOW + LEASE_TIME + SECOND)
    with pytest.raises(LeaseLost):
        complete(storage, late)
    complete(storage, again, owner=OTHER)


def test_what_a_dead_process_had_in_hand_is_drawn_by_another(storage: SqlStorage) -> None:
    add_letters(storage, notice())
    claimed(storage)
    with storage.write() as work:
        assert work.outbox.owners() == {ME}
        work.outbox.release(ME, real_now=NOW)
    assert claimed(storage, owner=OTHER, real_now=NOW + SECOND).letter.pages == PAGES


def test_it_is_drawn_when_it_is_due_and_early_in_a_round(storage: SqlStorage) -> None:
    add_letters(storage, notice(not_before=NOW + MINUTE))
    assert claim(storage) is None
    assert claim(storage, early=True) is not None


def test_a_letter_that_is_held_or_cancelled_is_not_drawn(storage: SqlStorage) -> None:
    held, cancelled = notice(status=LetterStatus.HELD), notice()
    add_letters(storage, held, cancelled)
    with storage.write() as work:
        work.outbox.cancel(cancelled.message_id)
    assert claim(storage, early=True) is None
    with storage.write() as work:
        work.outbox.release_held(now=NOW)
    assert claimed(storage).letter.message_id == held.message_id


def test_one_that_is_cancelled_while_it_is_drawn_does_not_leave(storage: SqlStorage) -> None:
    add_letters(storage, notice())
    in_hand = claimed(storage)
    with storage.write() as work:
        work.outbox.cancel(in_hand.letter.message_id)
    complete(storage, in_hand)
    assert claim_letter(storage, early=True) is None
