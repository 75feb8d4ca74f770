"""Copies that the Sent folder lacks, and the Message-IDs that providers give to our letters."""

from __future__ import annotations

from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.domain.ledger import FolderMemory
from mailbot.domain.mailbox import SENT_FOLDER
from mailbot.domain.outbox import FailedCopies
from tests.storage.rows import (
    DAY,
    MINUTE,
    NOW,
    SECOND,
    add_letters,
    add_mails,
    claim_letter,
    claim_mail,
    letter,
    mail,
)


def ask_for(storage: SqlStorage, count: int, *, mailbox: str = "default") -> list[int]:
    """As many letters that left, each a second after the one before; their ids."""
    ids = []
    for number in range(count):
        add_letters(storage, letter(mailbox=mailbox))
        claimed = claim_letter(storage)
        assert claimed is not None
        ids.append(claimed.id)
        with storage.write() as work:
            work.sent.ask_for_copy(claimed.id, mailbox, due_at=NOW + number * SECOND)
    return ids


def due(storage: SqlStorage, mailbox: str = "default", *, limit: int = 50) -> list[int]:
    with storage.read() as work:
        return [copy.letter_id for copy in work.sent.due_copies(mailbox, now=NOW + MINUTE, limit=limit)]


def test_copies_come_due_in_the_order_in_which_letters_left(storage: SqlStorage) -> None:
    ids = ask_for(storage, 3)
    others = ask_for(storage, 1, mailbox="vendas")
    assert (due(storage), due(storage, limit=2), due(storage, "vendas")) == (ids, ids[:2], others)
    with storage.read() as work:
        assert [copy.letter_id for copy in work.sent.due_copies("default", now=NOW, limit=9)] == ids[:1]
        [copy] = work.sent.due_copies("vendas", now=NOW, limit=9)
    assert (copy.letter.mailbox, copy.attempts) == ("vendas", 0)


def test_a_copy_that_is_asked_for_twice_is_due_once_and_gone_when_it_is_there(storage: SqlStorage) -> None:
    ids = ask_for(storage, 2)
    with storage.write() as work:
        work.sent.ask_for_copy(ids[0], "default", due_at=NOW)
    assert due(storage) == ids
    with storage.write() as work:
        work.sent.copies_are_there([ids[0]])
    assert due(storage) == ids[1:]


def test_a_refused_copy_waits_and_then_counts_as_failed_until_that_is_old(storage: SqlStorage) -> None:
    first, second = ask_for(storage, 2)
    with storage.write() as work:
        work.sent.copy_refused(first, "full", retry_at=NOW + MINUTE)
        work.sent.copy_refused(second, "no such folder", retry_at=None)
    with storage.read() as work:
        assert work.sent.failed_copies("default") == FailedCopies(count=1, last_error="no such folder")
        assert work.sent.failed_copies("vendas") == FailedCopies(count=0, last_error="")
        [copy] = work.sent.due_copies("default", now=NOW + MINUTE, limit=9)
    assert (copy.letter_id, copy.attempts) == (first, 1)
    with storage.write() as work:
        assert work.sent.give_up_copies("default", "switched off") == 1
        assert work.sent.failed_copies("default").count == 2
        # Not yet sent, as far as this row says: nothing is old.
        work.sent.forget_failed_copies("default", sent_before=NOW + DAY)
        assert work.sent.failed_copies("default").count == 2


def test_what_waits_for_a_mailbox_without_sent_folder_is_forgotten(storage: SqlStorage) -> None:
    ask_for(storage, 2)
    others = ask_for(storage, 1, mailbox="vendas")
    with storage.write() as work:
        assert work.sent.forget_copies("default") == 2
    assert (due(storage), due(storage, "vendas")) == ([], others)


def test_another_message_id_of_a_letter_is_learnt_once_and_leads_to_its_ticket(storage: SqlStorage) -> None:
    one, other = letter(handle="one"), letter(handle="other", ticket_number="2026-000002")
    add_letters(storage, one, other)
    with storage.write() as work:
        assert work.sent.learn_message_id("one", "x@prod.outlook.example")
        assert not work.sent.learn_message_id("one", "x@prod.outlook.example")
        # Whoever comes second under a known id changes nothing.
        assert not work.sent.learn_message_id("other", "x@prod.outlook.example")
        assert not work.sent.learn_message_id("one", one.message_id)
        assert not work.sent.learn_message_id("nobody", "y@prod.outlook.example")
    with storage.read() as work:
        [known] = work.sent.other_message_ids(["x@prod.outlook.example", "y@prod.outlook.example", one.message_id])
        assert work.sent.other_message_ids([]) == []
    assert (known.ticket_number, known.recipient) == ("2026-000001", "maria@example.com.br")


def test_a_mail_that_is_not_finished_is_found_by_its_message_id(storage: SqlStorage) -> None:
    add_mails(storage, mail(message_id="waits@example.com.br"))
    with storage.read() as work:
        assert work.mails.any_pending(["other@example.com.br", "waits@example.com.br"])
        assert not work.mails.any_pending(["other@example.com.br"])
        assert not work.mails.any_pending([])
    claimed = claim_mail(storage)
    assert claimed is not None
    with storage.write() as work:
        work.mails.give_back(claimed, ready_at=NOW, attempt=True)
        work.mails.quarantine(claimed, "poison", now=NOW)
        assert not work.mails.any_pending(["waits@example.com.br"])


def test_a_folder_that_is_gone_is_forgotten_alone(storage: SqlStorage) -> None:
    with storage.write() as work:
        for name in ("INBOX", SENT_FOLDER):
            memory = FolderMemory(mailbox="default", folder=name, uid_validity=1, first_uid=1, floor_at=None)
            work.house.remember_folder(memory)
        work.house.forget_folder("default", SENT_FOLDER)
        work.house.forget_folder("vendas", "INBOX")
        assert [memory.folder for memory in work.house.folders()] == ["INBOX"]
