"""Files are read several at once, quick ones first; a mail that waits for its own lets others pass."""

from __future__ import annotations

import gc
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from mailbot.domain.evidence import DocumentReading
from mailbot.domain.ledger import MailOutcome
from mailbot.evidence.drawing import DrawnFile
from mailbot.evidence.isolation import IsolatedDocumentReader
from mailbot.evidence.reading import NOT_READ, not_read
from mailbot.flows import reading_desk
from mailbot.flows.pulse import STEP_SECONDS, Pulse
from mailbot.flows.reading_desk import (
    READER_SECONDS_A_MAIL,
    FileToRead,
    ReadAtOnce,
    ReadingDesk,
    ReadLater,
    WaitsForReading,
)
from tests.flows.house import LICENCE, RECEIPT, REPOSITORY, REQUEST, TestHouse, mail
from tests.peers.process import wait_until
from tests.pictures import jpeg

_WITHIN_SECONDS = 60.0
"""How long is waited for what is sure to come, also on a machine that stands still for a while."""

PHOTOS = [(f"IMG_{number}.jpg", jpeg(1200 + number, 1600)) for number in range(3)]


class SlowReader:
    """Reads when it is let; tells what it began, in order."""

    began: list[str]
    gate: threading.Event
    closed: int

    def __init__(self) -> None:
        self.began, self.gate, self.closed = [], threading.Event(), 0

    def read(self, digest: str, content: bytes, media_type: str, filename: str) -> DocumentReading:
        self.began.append(filename)
        if not self.gate.wait(_WITHIN_SECONDS):
            raise AssertionError("nobody let it go on")
        return not_read(digest)

    def draw(self, content: bytes, media_type: str) -> DrawnFile | None:
        raise AssertionError("nobody keeps pictures here")

    def close(self) -> None:
        self.closed += 1
        self.gate.set()


def file(name: str, *, quick: bool = False, content: Callable[[], bytes] = lambda: b"") -> FileToRead:
    return FileToRead(digest=name, media_type="image/jpeg", filename=name, is_quick=quick, content=content)


class Content:
    """The bytes of a file of the mail in hand."""

    def __call__(self) -> bytes:
        return b""


class Blobs:
    """Tells what is fetched."""

    def __init__(self, fetched: list[str]) -> None:
        self._fetched = fetched

    def put(self, content: bytes) -> str:
        raise AssertionError("nothing is to be stored")

    def put_many(self, contents: Sequence[bytes]) -> list[str]:
        raise AssertionError("nothing is to be stored")

    def get(self, digest: str) -> bytes:
        self._fetched.append(digest)
        return b""


@pytest.fixture
def reader() -> SlowReader:
    return SlowReader()


@pytest.fixture
def desk(reader: SlowReader) -> Iterator[ReadingDesk]:
    made = ReadingDesk(readers=2, make=lambda: reader)
    yield made
    made.close()


def test_so_many_files_are_read_at_once_and_no_more(desk: ReadingDesk, reader: SlowReader) -> None:
    batch = desk.take([file(name) for name in "abcd"])
    wait_until(lambda: len(reader.began) == 2, "two files to be begun")
    assert not desk.has_room
    assert not batch.wait(0.05)
    reader.gate.set()
    assert batch.wait(_WITHIN_SECONDS)
    assert [reading.digest for reading in batch.readings] == list("abcd")
    assert len(reader.began) == 4


def test_what_is_read_while_its_mail_is_in_hand_is_not_fetched_again(
    desk: ReadingDesk, reader: SlowReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_desk, "_MOMENT_SECONDS", _WITHIN_SECONDS)
    fetched: list[str] = []
    later = ReadLater(desk, Blobs(fetched))
    reader.gate.set()
    assert [reading.digest for reading in later.read_all([file("a"), file("b", quick=True)])] == ["a", "b"]
    assert fetched == []


def test_of_a_mail_that_is_parked_nothing_is_kept_in_memory(desk: ReadingDesk, reader: SlowReader) -> None:
    fetched: list[str] = []
    later = ReadLater(desk, Blobs(fetched))
    desk.take([file("x"), file("y")])
    wait_until(lambda: len(reader.began) == 2, "both readers to have something to do")
    content = Content()
    let_go = weakref.ref(content)
    with pytest.raises(WaitsForReading) as waiting:
        later.read_all([file("a", content=content)])
    batch = waiting.value.batch
    del waiting, content
    gc.collect()
    assert let_go() is None
    reader.gate.set()
    assert batch.wait(_WITHIN_SECONDS)
    assert fetched == ["a"]


def test_a_reader_that_hangs_breaks_a_promise_and_one_that_waits_for_work_does_not(
    reader: SlowReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse = Pulse()
    desk = ReadingDesk(readers=1, make=lambda: reader, pulse=pulse)
    batch = desk.take([file("a")])
    wait_until(lambda: len(reader.began) == 1, "the file to be begun")
    later = time.monotonic() + STEP_SECONDS + 1
    with monkeypatch.context() as patched:
        patched.setattr("mailbot.flows.pulse.time", SimpleNamespace(monotonic=lambda: later))
        (hanging,) = pulse.overdue()
    assert hanging.startswith("reader ")
    reader.gate.set()
    assert batch.wait(_WITHIN_SECONDS)
    with monkeypatch.context() as patched:
        patched.setattr("mailbot.flows.pulse.time", SimpleNamespace(monotonic=lambda: later + 10 * STEP_SECONDS))
        wait_until(lambda: pulse.overdue() == [], "the reader to wait for work")
    desk.close()


def test_quick_files_go_before_slow_ones_that_came_earlier(reader: SlowReader) -> None:
    desk = ReadingDesk(readers=1, make=lambda: reader)
    photos = desk.take([file("photo 1"), file("photo 2")])
    wait_until(lambda: len(reader.began) == 1, "the first file to be begun")
    pdf = desk.take([file("pdf", quick=True)])
    reader.gate.set()
    assert photos.wait(_WITHIN_SECONDS)
    assert pdf.wait(_WITHIN_SECONDS)
    assert reader.began == ["photo 1", "pdf", "photo 2"]
    desk.close()


def test_a_file_that_cannot_be_had_is_not_checked_and_the_others_are_read(
    desk: ReadingDesk, reader: SlowReader
) -> None:
    def gone() -> bytes:
        raise OSError("gone")

    reader.gate.set()
    batch = desk.take([file("gone", content=gone), file("there")])
    assert batch.wait(_WITHIN_SECONDS)
    assert reader.began == ["there"]
    assert [reading.reasons for reading in batch.readings] == [(NOT_READ,)] * 2


def test_the_time_of_a_mail_is_that_of_all_its_readers(
    monkeypatch: pytest.MonkeyPatch, reader: SlowReader
) -> None:
    now = iter(range(0, 10_000, int(READER_SECONDS_A_MAIL / 2)))
    monkeypatch.setattr("mailbot.flows.reading_desk.monotonic", lambda: next(now))
    reader.gate.set()
    desk = ReadingDesk(readers=1, make=lambda: reader)
    desk.take([file(name) for name in "abcdef"]).wait(_WITHIN_SECONDS)
    assert reader.began == ["a", "b"]
    desk.close()


def test_whoever_waits_for_a_desk_that_closes_goes_on(reader: SlowReader) -> None:
    desk = ReadingDesk(readers=1, make=lambda: reader)
    found: list[Sequence[DocumentReading]] = []
    waiting = threading.Thread(target=lambda: found.append(ReadAtOnce(desk).read_all([file("a"), file("b")])))
    waiting.start()
    wait_until(lambda: reader.began == ["a"], "the file to be begun")
    desk.close()
    waiting.join(_WITHIN_SECONDS)
    assert [reading.reasons for reading in found[0]] == [(NOT_READ,)] * 2
    assert desk.take([file("c")]).is_done


def test_readers_without_work_go_and_come_again(monkeypatch: pytest.MonkeyPatch, reader: SlowReader) -> None:
    monkeypatch.setattr("mailbot.flows.reading_desk._IDLE_SECONDS", 0.05)
    reader.gate.set()
    desk = ReadingDesk(readers=2, make=lambda: reader)
    for round_number in (1, 2):
        assert desk.take([file("a"), file("b")]).wait(_WITHIN_SECONDS)
        wait_until(lambda: reader.closed >= 1, f"a reader to go in round {round_number}")
    desk.close()


# --- mails that wait ---------------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as made:
        yield made


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """No file is read before it is set."""
    opened = threading.Event()

    def read(_: object, digest: str, *about: object) -> DocumentReading:
        opened.wait(_WITHIN_SECONDS)
        return not_read(digest)

    monkeypatch.setattr(IsolatedDocumentReader, "read", read)
    yield opened
    opened.set()


def photos_of(sender: str) -> bytes:
    return mail(REQUEST, sender=sender, files=PHOTOS)


def test_a_mail_that_waits_for_its_photographs_lets_others_pass(house: TestHouse, gate: threading.Event) -> None:
    intake = house.app.intake
    house.collect(photos_of("ana@example.com.br"))
    house.collect(mail("Bom dia, qual o horário?", sender="joao@example.com.br", subject="Dúvida"))
    assert intake.process_next() is MailOutcome.PENDING
    assert (intake.parked, house.tickets()) == (1, [])
    assert intake.process_next() is MailOutcome.TICKET
    assert [ticket.requester.address for ticket in house.tickets()] == ["joao@example.com.br"]
    assert intake.process_next() is None
    gate.set()
    intake.wait_for_readings(_WITHIN_SECONDS)
    assert intake.process_next() is MailOutcome.TICKET
    assert (intake.parked, len(house.tickets())) == (0, 2)


def test_a_second_mail_of_the_same_sender_waits_for_the_first(house: TestHouse, gate: threading.Event) -> None:
    intake = house.app.intake
    house.collect(photos_of("ana@example.com.br"))
    house.collect(mail("Mais uma coisa.", sender="ana@example.com.br", subject="Outra coisa"))
    assert intake.process_next() is MailOutcome.PENDING
    assert intake.process_next() is None
    gate.set()
    intake.wait_for_readings(_WITHIN_SECONDS)
    assert intake.process_next() is MailOutcome.TICKET
    assert intake.process_next() in (MailOutcome.TICKET, MailOutcome.MESSAGE)


def test_while_readers_have_enough_to_do_large_mails_stay_where_they_are(
    house: TestHouse, gate: threading.Event
) -> None:
    house.app.readers = 1
    intake = house.app.intake
    large = [("IMG.jpg", jpeg(1200, 1600, size_bytes=400_000))]
    for number in range(5):
        house.collect(mail(REQUEST, sender=f"cliente{number}@example.com.br", files=large))
    house.collect(mail("Bom dia, qual o horário?", sender="joao@example.com.br", subject="Dúvida"))
    assert [intake.process_next() for _ in range(2)] == [MailOutcome.PENDING] * 2
    assert intake.process_next() is MailOutcome.TICKET
    assert (intake.parked, intake.process_next()) == (2, None)
    gate.set()
    while len(house.tickets()) < 6:
        intake.wait_for_readings(_WITHIN_SECONDS)
        intake.process_next()


def test_quick_files_are_not_waited_for_in_two_steps(house: TestHouse) -> None:
    house.collect(mail(REQUEST, files=[RECEIPT, LICENCE]))
    began = time.monotonic()
    outcome = house.app.intake.process_next()
    # A machine under load may need longer than the moment that is waited for.
    assert outcome is MailOutcome.TICKET or time.monotonic() - began > 0.4


def test_a_photograph_of_which_little_is_to_be_said_is_not_waited_for_in_two_steps(
    house: TestHouse, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.set()
    monkeypatch.setattr(reading_desk, "_MOMENT_SECONDS", _WITHIN_SECONDS)
    house.collect(mail(REQUEST, files=[RECEIPT, *PHOTOS]))
    assert house.app.intake.process_next() is MailOutcome.TICKET


def test_a_mail_whose_files_are_asked_for_one_after_the_other_comes_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two types that take files of different sizes: each look at the mail asked for another file and forgot the
    one before, so that it was parked for ever, and with it whatever its sender wrote next."""
    monkeypatch.setattr(reading_desk, "_MOMENT_SECONDS", 0.0)
    monkeypatch.setattr(reading_desk, "_QUICK_SECONDS", 0.0)
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    change, refund = (
        config / "catalogue" / f"{key}.yaml" for key in ("inspection_location_change", "property_refund")
    )
    change.write_text(change.read_text("utf-8").replace("max_file_mb: 10", "max_file_mb: 0.1"), "utf-8")
    document = "\ndocuments:\n  - {key: payment_receipt, label: Comprovante}\n"
    refund.write_text(refund.read_text("utf-8") + document, "utf-8")
    files = [("a.jpg", jpeg(1200, 1600)), ("b.jpg", jpeg(1300, 1600, size_bytes=400_000))]
    with TestHouse(tmp_path, config_dir=config) as house:
        for subject in ("ALTERAÇÃO DE LOCAL", "SOLICITAÇÃO DE REEMBOLSO"):
            house.receive(mail("Bom dia.", subject=subject))
        house.collect(mail("Segue.", subject="SOLICITAÇÃO DE REEMBOLSO", files=files))
        intake = house.app.intake
        intake.process_next()
        for _ in range(4):
            intake.wait_for_readings(_WITHIN_SECONDS)
            intake.process_parked()
        assert intake.parked == 0
        assert house.mails()[-1].outcome is not MailOutcome.PENDING


def test_a_parked_mail_is_given_back_when_we_stop(house: TestHouse, gate: threading.Event) -> None:
    house.collect(photos_of("ana@example.com.br"))
    assert house.app.intake.process_next() is MailOutcome.PENDING
    house.app.intake.stop()
    gate.set()
    (row,) = house.mails()
    assert (row.outcome, row.attempts, row.deaths) == (MailOutcome.PENDING, 0, 0)
    assert house.process() is MailOutcome.TICKET


def test_the_death_of_the_daemon_does_not_count_against_a_parked_mail(
    house: TestHouse, gate: threading.Event
) -> None:
    house.collect(photos_of("ana@example.com.br"))
    assert house.app.intake.process_next() is MailOutcome.PENDING
    from datetime import UTC, datetime

    with house.app.storage.write() as work:
        work.mails.release(house.app.owner, real_now=datetime.now(UTC))
    gate.set()
    # It is in no hands any more: the one that held it learns so, and it is taken anew.
    house.app.intake.wait_for_readings(_WITHIN_SECONDS)
    assert house.app.intake.process_next() is MailOutcome.PENDING
    assert house.process() is MailOutcome.TICKET
    assert house.mails()[0].deaths == 0


def test_the_lease_of_a_parked_mail_is_kept(house: TestHouse, gate: threading.Event) -> None:
    from datetime import UTC, datetime, timedelta

    from mailbot.domain.ledger import LEASE_TIME

    house.collect(photos_of("ana@example.com.br"))
    assert house.app.intake.process_next() is MailOutcome.PENDING
    later = datetime.now(UTC) + timedelta(minutes=10)
    with house.app.storage.write() as work:
        assert work.mails.renew(house.app.owner, real_now=later, begun_after=later) == 1
    with house.app.storage.write() as work:
        taken = work.mails.claim(
            owner="other", mailboxes=house.app.mailboxes, now=later, real_now=later + LEASE_TIME / 2
        )
    assert taken is None


def test_a_mail_claimed_ahead_is_not_lost_when_another_one_goes_on(
    house: TestHouse, gate: threading.Event
) -> None:
    intake = house.app.intake
    house.collect(photos_of("ana@example.com.br"))
    for number in range(4):
        house.collect(mail("Qual o horário?", sender=f"joao{number}@example.com.br", subject="Dúvida"))
    assert intake.process_next() is MailOutcome.PENDING
    assert intake.process_next() is MailOutcome.TICKET
    gate.set()
    intake.wait_for_readings(_WITHIN_SECONDS)
    while intake.process_next() is not None:
        pass
    assert {row.outcome for row in house.mails()} == {MailOutcome.TICKET}
