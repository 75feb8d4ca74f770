"""One round (``run --once``) goes on to its end, whatever one mail, one file or one server does."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailbot import round as one_round
from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.events import LetterStatus
from mailbot.domain.ledger import MailOutcome
from mailbot.guarded_threads import DeliveryThread
from mailbot.round import run_once
from tests.flows.house import REPOSITORY, TestHouse, mail


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    (tmp_path / "Maildir" / "new").mkdir(parents=True)
    (tmp_path / "Maildir" / "cur").mkdir()
    (tmp_path / "Maildir" / "tmp").mkdir()
    with TestHouse(tmp_path) as opened:
        yield opened


def test_a_folder_in_the_place_of_one_stored_mail_does_not_stop_the_others(house: TestHouse) -> None:
    house.collect(mail("Qual o prazo?", subject="Dúvida", sender="ana@example.com.br"))
    path = house.app.blobs.path_of(house.mails()[0].raw_digest)
    path.unlink()
    path.mkdir()
    house.collect(mail("E aos sábados?", subject="Dúvida"))
    run_once(house.app)
    assert [row.outcome for row in house.mails()] == [MailOutcome.QUARANTINED, MailOutcome.TICKET]


_ROUND_WITH_A_READER_THAT_HANGS = """
import sys, time
from datetime import timedelta
from pathlib import Path
from mailbot import leases, round as one_round
from tests.flows.house import TestHouse

leases.WORK_LIMIT, leases.LEASE_RENEWAL_SECONDS = timedelta(seconds=0.2), 0.1
house = TestHouse(Path(sys.argv[1]))
house.app.reader.read = lambda raw: time.sleep(600)
one_round.run_once(house.app)
"""


def test_a_mail_that_hangs_ends_the_round_and_is_quarantined_after_three(house: TestHouse) -> None:
    house.collect(mail("Qual o prazo?", subject="Dúvida"))
    for attempts in (1, 2, 3):
        command = [sys.executable, "-c", _ROUND_WITH_A_READER_THAT_HANGS, str(house.folder)]
        ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False)
        assert ended.returncode == 1, ended.stderr
        assert "daemon.mail_hangs" in ended.stdout + ended.stderr
        assert house.mails()[0].attempts == attempts
    assert house.mails()[0].outcome is MailOutcome.QUARANTINED


def test_mail_of_a_mailbox_that_is_switched_off_waits_and_is_not_quarantined(house: TestHouse) -> None:
    house.collect(mail("Qual o prazo?", subject="Dúvida"), mailbox="another")
    house.collect(mail("E aos sábados?", subject="Dúvida", sender="ana@example.com.br"))
    for _ in range(3):
        run_once(house.app)
    assert [row.outcome for row in house.mails()] == [MailOutcome.PENDING, MailOutcome.TICKET]
    assert house.mails()[0].attempts == 0


def test_a_disk_that_does_not_take_part_does_not_keep_letters_from_being_tried(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.receive(mail("Qual o prazo?", subject="Dúvida"))
    house.collect(mail("E aos sábados?", subject="Dúvida"))

    def away(path: Path) -> bytes:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", away)
        with pytest.raises(StorageUnavailable):
            run_once(house.app)
    assert [row.attempts for row in house.mails()] == [0, 0]
    # Nobody listens where this house sends to: what counts is that each was tried.
    assert {letter.status for letter in house.letters()} == {LetterStatus.RETRY}


@pytest.mark.parametrize("helpers_left_all", [False, True])
def test_no_letter_leaves_before_a_small_round_is_through_its_mails(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch, *, helpers_left_all: bool
) -> None:
    """What a later mail of the round says may make a letter needless, or take it back."""
    if helpers_left_all:
        # What helpers gave back is worked off like everything else.
        monkeypatch.setattr(one_round, "_process_until_nothing_waits", lambda *_: None)
    for number in range(3):
        house.collect(mail("Qual o prazo?", subject="Dúvida", sender=f"ana{number}@example.com.br"))
    pending: list[bool] = []

    def noted(*arguments: Any) -> Any:
        with house.app.storage.read() as work:
            pending.append(work.mails.oldest_pending() is not None)
        return DeliveryThread(*arguments)

    monkeypatch.setattr(one_round, "DeliveryThread", noted)
    run_once(house.app)
    assert pending == [False]
    assert [row.outcome for row in house.mails()] == [MailOutcome.TICKET] * 3
