"""``mailbot import``: kept mails through the same intake, each once, and letters only on demand."""

from __future__ import annotations

import mailbox
import random
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.events import LetterKind
from mailbot.domain.ledger import MailOutcome
from mailbot.flows.importing import Importer
from tests.cli.conftest import Cli
from tests.flows.house import BOLETO, CUSTOMER, LICENCE, RECEIPT, REQUEST, TestHouse, mail


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder with three mails: a request, the missing papers, and a question of somebody else."""
    folder = tmp_path / "kept"
    folder.mkdir()
    first = mail(REQUEST, message_id="first", files=[BOLETO])
    second = mail("Seguem.", message_id="second", in_reply_to="first@example.com.br", files=[RECEIPT, LICENCE])
    other = mail("Socorro", subject="Socorro", sender="joao@example.com.br", message_id="third")
    for name, raw in (("1.eml", first), ("2.eml", second), ("3.eml", other)):
        (folder / name).write_bytes(raw)
    return folder


def counts(imported: int, duplicates: int, processed: int, quarantined: int, tickets: int) -> dict[str, int]:
    return {
        "imported": imported,
        "duplicates": duplicates,
        "processed": processed,
        "quarantined": quarantined,
        "tickets_opened": tickets,
    }


def test_kept_mails_become_tickets_and_no_letter_leaves(house: TestHouse, cli: Cli, kept: Path) -> None:
    ran = cli("import", str(kept), "--json")
    assert (ran.exit_code, ran.json) == (0, counts(3, 0, 3, 0, 2))
    ticket, other = sorted(house.tickets(), key=lambda one: one.requester.address, reverse=True)
    assert (ticket.missing, ticket.requester.address, other.request_type) == ((), CUSTOMER, "general")
    assert house.letters() == []


def test_with_answer_letters_leave(house: TestHouse, cli: Cli, kept: Path) -> None:
    cli("import", str(kept / "1.eml"), "--answer")
    assert [letter.letter for letter in house.letters()] == [LetterKind.EVIDENCE_REQUESTED]


def test_nobody_is_reminded_of_what_was_imported_without_answer(house: TestHouse, cli: Cli, kept: Path) -> None:
    cli("import", str(kept / "1.eml"))
    house.clock.advance(timedelta(days=4))
    house.app.upkeep.tick()
    assert house.letters() == []


def test_to_import_again_finds_only_duplicates(house: TestHouse, cli: Cli, kept: Path) -> None:
    cli("import", str(kept))
    assert cli("import", str(kept), "--json").json == counts(0, 3, 0, 0, 0)
    assert cli("import", str(kept / "1.eml"), str(kept / "1.eml"), "--json").json == counts(0, 2, 0, 0, 0)
    assert len(house.mails()) == 3


def test_a_mail_that_the_mailbox_had_is_a_duplicate(house: TestHouse, cli: Cli, kept: Path) -> None:
    house.receive((kept / "1.eml").read_bytes())
    # Another delivery of it: other trace headers, line ends of the wire.
    again = b"Received: from elsewhere\n" + (kept / "1.eml").read_bytes()
    (kept / "1.eml").write_bytes(again.replace(b"\n", b"\r\n"))
    assert cli("import", str(kept / "1.eml"), "--json").json == counts(0, 1, 1, 0, 0)
    assert len(house.tickets()) == 1


def test_an_mbox_and_a_maildir_come_in_like_files(house: TestHouse, cli: Cli, kept: Path, tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "Inbox")
    maildir = mailbox.Maildir(tmp_path / "dir")
    for name in ("1.eml", "2.eml"):
        box.add((kept / name).read_bytes())
    maildir.add((kept / "3.eml").read_bytes())
    box.close()
    maildir.close()
    assert cli("import", str(tmp_path / "Inbox"), str(tmp_path / "dir"), "--json").json == counts(3, 0, 3, 0, 2)
    # The very bytes: what was quoted for the mbox is the mail again.
    assert cli("import", str(kept), "--json").json == counts(0, 3, 0, 0, 0)


def test_a_broken_file_never_stops_the_rest(house: TestHouse, cli: Cli, kept: Path) -> None:
    (kept / "0.eml").write_bytes(b"")
    (kept / "1b.eml").write_bytes(random.Random(0).randbytes(5000))
    (kept / "2b.eml").mkdir()
    ran = cli("import", str(kept), "--json")
    assert ran.exit_code == 1
    assert ran.json["imported"] == 4
    assert ran.json["processed"] == 4
    assert f"mailbot: {kept / '0.eml'}: is empty" in ran.stderr
    assert len(house.tickets()) >= 2


def test_an_interrupted_import_goes_on_when_repeated(house: TestHouse, cli: Cli, kept: Path) -> None:
    with patch.object(Importer, "process", side_effect=StorageUnavailable("the disk is full")):
        ran = cli("import", str(kept))
    assert ran.exit_code == 3
    assert "the disk is full" in ran.stderr
    assert {row.outcome for row in house.mails()} == {MailOutcome.PENDING}
    house.process()
    assert cli("import", str(kept), "--json").json == counts(0, 1, 2, 0, 1)
    assert len(house.tickets()) == 2


def test_a_mail_that_cannot_be_processed_needs_a_look(house: TestHouse, cli: Cli, kept: Path) -> None:
    with patch("mailbot.flows.subject.read_subject_line", side_effect=RuntimeError("a bug")):
        ran = cli("import", str(kept / "1.eml"), "--json")
    assert (ran.exit_code, ran.json) == (1, counts(1, 0, 1, 1, 0))


def test_a_mail_larger_than_allowed_is_refused_by_its_header(house: TestHouse, cli: Cli, tmp_path: Path) -> None:
    large = tmp_path / "large.eml"
    large.write_bytes(mail("x" * 60 + "\n") + b"y\n" * 27_000_000)
    assert cli("import", str(large), "--json").json == counts(1, 0, 1, 0, 0)
    (row,) = house.mails()
    assert (row.outcome, row.reason) == (MailOutcome.DISCARDED, "too_large")
    assert row.size_bytes < 10_000


def test_wrong_usage_is_a_plain_sentence(cli: Cli, tmp_path: Path) -> None:
    ran = cli("import", str(tmp_path / "nowhere"))
    assert (ran.exit_code, ran.stderr) == (2, f"mailbot: there is no {tmp_path / 'nowhere'}\n")
    ran = cli("import", str(tmp_path), "--mailbox", "sales")
    assert (ran.exit_code, ran.stderr) == (2, "mailbot: no mailbox 'sales' is switched on; there is default\n")
