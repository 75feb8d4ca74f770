"""Files made to hurt: they cost a reading, never the daemon, another mail or the sender's ticket."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mailbot.domain.evidence import DocumentKind, DocumentReading, Verdict
from mailbot.domain.ledger import MailOutcome
from mailbot.evidence.isolation import TIME_LIMIT_SECONDS, IsolatedDocumentReader
from mailbot.evidence.reading import NOT_READ, READER_VERSION, not_read, read_document
from mailbot.flows.reading_desk import READER_SECONDS_A_MAIL
from mailbot.flows.readings import MOST_FILES
from mailbot.flows.reprocess import tasks_for
from tests.cli.command import drop_request_type
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REPOSITORY, REQUEST, TestHouse, mail
from tests.pdfs import bomb_pdf, text_pdf

ALL_PAPERS = (BOLETO, RECEIPT, LICENCE)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as made:
        yield made


class WatchedReader:
    """Reads as always, and tells what was read; ``seconds`` pass with each file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, seconds: float = 0, broken: bool = False) -> None:
        self.files: list[str] = []
        self._broken = broken
        self._seconds = seconds
        self._now = 0.0
        monkeypatch.setattr(IsolatedDocumentReader, "read", lambda _, *arguments: self._read(*arguments))
        monkeypatch.setattr("mailbot.flows.reading_desk.monotonic", lambda: self._now)

    def _read(self, digest: str, content: bytes, media_type: str, filename: str) -> DocumentReading:
        self.files.append(filename)
        self._now += self._seconds
        return not_read(digest) if self._broken else read_document(digest, content, media_type, filename)


def many(count: int) -> Sequence[tuple[str, bytes]]:
    return [(f"{number}.pdf", text_pdf([f"Folha {number}"])) for number in range(count)]


def kept(house: TestHouse, digests: Sequence[str]) -> set[str]:
    with house.app.storage.read() as work:
        return {reading.digest for reading in work.house.readings(digests, READER_VERSION)}


def test_a_pdf_bomb_is_for_a_person_and_the_other_files_of_its_mail_are_read(house: TestHouse) -> None:
    began = time.monotonic()
    outcome = house.receive(mail(REQUEST, files=[("boleto.pdf", bomb_pdf()), RECEIPT, LICENCE]))
    assert outcome is MailOutcome.TICKET
    assert time.monotonic() - began < 4 * TIME_LIMIT_SECONDS
    (ticket,) = house.tickets()
    assert ticket.missing == ()
    bomb = next(finding for finding in ticket.documents if finding.filename == "boleto.pdf")
    assert (bomb.verdict, bomb.for_a_person, bomb.reasons) == (Verdict.NOT_CHECKED, True, (NOT_READ,))
    assert {one.kind for one in ticket.documents} == {
        DocumentKind.UNKNOWN,
        DocumentKind.PAYMENT_RECEIPT,
        DocumentKind.DRIVER_LICENCE,
    }


def test_what_was_not_read_is_not_kept_so_that_reprocessing_reads_it(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    WatchedReader(monkeypatch, broken=True)
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    (ticket,) = house.tickets()
    digests = [finding.digest for finding in ticket.documents]
    assert (ticket.missing, kept(house, digests)) == ((), set())
    monkeypatch.undo()
    (result,) = [house.app.reprocess().do(task, quiet=False, dry_run=False) for task in tasks_for(house.mails())]
    assert result.changed
    (ticket,) = house.tickets()
    assert [(finding.verdict, finding.for_a_person) for finding in ticket.documents] == [
        (Verdict.ACCEPTED, False)
    ] * 3
    assert kept(house, digests) == set(digests)


def test_only_so_many_pdfs_of_a_mail_are_read(house: TestHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = WatchedReader(monkeypatch)
    files = many(MOST_FILES + 5)
    house.receive(mail(REQUEST, files=files))
    assert sorted(watched.files) == sorted(name for name, _ in files[:MOST_FILES])
    assert house.mails()[0].outcome is MailOutcome.TICKET


def test_no_file_of_a_mail_is_begun_when_its_time_is_over(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.app.readers = 1
    watched = WatchedReader(monkeypatch, seconds=READER_SECONDS_A_MAIL / 2)
    house.receive(mail(REQUEST, files=[*many(5), ("cnh.gif", b"GIF89a" + bytes(20_000))]))
    assert watched.files == ["0.pdf", "1.pdf"]
    (ticket,) = house.tickets()
    assert ticket.missing == ()


def test_every_mail_has_a_budget_of_its_own(house: TestHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    house.app.readers = 1
    watched = WatchedReader(monkeypatch, seconds=READER_SECONDS_A_MAIL / 2)
    house.receive(mail(REQUEST, files=many(5)))
    house.receive(mail(REQUEST, sender="joao@example.com.br", files=[BOLETO]))
    assert watched.files[-1] == "boleto.pdf"


def test_a_file_that_is_refused_for_its_size_is_not_opened(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = WatchedReader(monkeypatch)
    monkeypatch.setattr(IsolatedDocumentReader, "draw", lambda *_: watched.files.append("drawn"))
    large = BOLETO[1] + bytes(house.app.catalogue.largest_file_bytes)
    house.receive(mail(REQUEST, files=[("boleto.pdf", large)]))
    assert watched.files == []
    (finding,) = house.tickets()[0].documents
    assert (finding.verdict, finding.reasons) == (Verdict.REFUSED_SIZE, ("file_too_large:10 MB",))


def test_a_file_over_the_smaller_limit_of_its_type_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other types of the same house take larger ones."""
    copied = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", copied)
    entry = copied / "catalogue" / "inspection_location_change.yaml"
    entry.write_text(entry.read_text("utf-8").replace("max_file_mb: 10", "max_file_mb: 1"), "utf-8")
    watched = WatchedReader(monkeypatch)
    monkeypatch.setattr(IsolatedDocumentReader, "draw", lambda *_: watched.files.append("drawn"))
    with TestHouse(tmp_path, config_dir=copied) as house:
        assert house.app.catalogue.largest_file_bytes > 2_000_000
        large = BOLETO[1] + bytes(1_500_000)
        house.receive(mail(REQUEST, files=[("boleto.pdf", large), RECEIPT]))
        found = {one.filename: (one.verdict, one.reasons[:1]) for one in house.tickets()[0].documents}
        house.receive(mail(REQUEST, files=[("boleto.pdf", large), BOLETO, RECEIPT, LICENCE]))
        house.app.notice_pages.complete_all()
    assert sorted(watched.files) == ["boleto.pdf", "cnh.pdf", "comprovante.pdf", *["drawn"] * 3]
    assert found["boleto.pdf"] == (Verdict.REFUSED_SIZE, ("file_too_large:1 MB",))
    assert found["comprovante.pdf"][0] is Verdict.ACCEPTED


# --- when nothing asks for documents ----------------------------------------------------------------------


def test_nothing_is_read_for_a_request_that_asks_for_no_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = WatchedReader(monkeypatch)
    with TestHouse(tmp_path, config_dir=config_without_documents(tmp_path)) as house:
        house.receive(mail("Socorro.", subject="Outro assunto", files=ALL_PAPERS))
    assert watched.files == []


def test_nothing_is_read_again_where_the_subject_decides(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = WatchedReader(monkeypatch)
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    assert sorted(watched.files) == sorted(name for name, _ in ALL_PAPERS)


def test_a_mail_whose_files_are_not_opened_needs_no_reading_to_be_classified(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = WatchedReader(monkeypatch)
    house.receive(
        mail("Socorro.", subject="Outro assunto", files=[("foto.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")])
    )
    assert watched.files == []


def test_papers_under_a_wrong_subject_still_tell_what_is_asked_for(house: TestHouse) -> None:
    house.receive(mail("Seguem.", subject="Documentos", files=ALL_PAPERS))
    (ticket,) = house.tickets()
    assert ticket.request_type == "inspection_location_change"


def config_without_documents(folder: Path) -> Path:
    """The sample configuration without the one type that asks for documents."""
    copied = folder / "config"
    shutil.copytree(REPOSITORY / "config", copied)
    drop_request_type(copied, "inspection_location_change")
    return copied
