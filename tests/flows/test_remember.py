"""The questions about one mail are answered at one look, which is over before anything takes long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from mailbot.adapters.blobs import FileBlobs
from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.events import Audience
from mailbot.domain.ledger import MailOutcome
from mailbot.flows import reading_desk
from mailbot.flows.handle_mail import MailHandler
from mailbot.flows.ports import UnitOfWork
from mailbot.flows.reading_desk import ReadingDesk
from mailbot.flows.remember import KnowledgeForOneMail
from tests.flows.house import BOLETO, RECEIPT, REQUEST, TestHouse, mail


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


class Looks:
    """Reading transactions of a house: how many were begun, and how many are open."""

    def __init__(self, house: TestHouse, patch: pytest.MonkeyPatch) -> None:
        self.begun = self.open = 0
        read = house.app.storage.read

        @contextmanager
        def counted() -> Iterator[UnitOfWork]:
            self.begun += 1
            self.open += 1
            try:
                with read() as work:
                    yield work
            finally:
                self.open -= 1

        patch.setattr(house.app.storage, "read", counted)


@pytest.fixture
def looks(house: TestHouse, monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(house, monkeypatch)


def test_all_questions_of_a_look_share_one_transaction(house: TestHouse, looks: Looks) -> None:
    with KnowledgeForOneMail(house.app.storage) as known:
        assert looks.begun == 0
        known.ticket("2026-000001")
        known.open_requests("maria@example.com.br", "default")
        assert (looks.begun, looks.open) == (1, 1)
    assert looks.open == 0


def test_a_rest_ends_the_transaction_and_the_next_question_begins_another(house: TestHouse, looks: Looks) -> None:
    house.receive(mail(REQUEST, message_id="first"))
    begun = looks.begun
    with KnowledgeForOneMail(house.app.storage) as known:
        assert known.ticket("2026-000002") is None
        known.close_for_now()
        assert looks.open == 0
        house.receive(mail(REQUEST, sender="ana@example.com.br"))
        assert known.ticket("2026-000002") is not None
    assert looks.open == 0
    assert looks.begun > begun + 2


def test_no_transaction_is_open_while_files_are_read(
    house: TestHouse, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_at_reading = []
    take = ReadingDesk.take

    def noting(desk: ReadingDesk, *given: object, **options: object) -> object:
        open_at_reading.append(looks.open)
        return take(desk, *given, **options)  # type: ignore[arg-type]  # passed on as they come

    monkeypatch.setattr(ReadingDesk, "take", noting)
    assert house.receive(mail(REQUEST, files=[BOLETO])) is MailOutcome.TICKET
    assert open_at_reading == [0]
    house.receive(mail("Segue.", subject="Segunda via do boleto", sender="outra@cliente.example", files=[RECEIPT]))
    assert open_at_reading == [0]
    # Of a ticket of another type that asks for papers.
    house.requester_reply(house.letters(Audience.REQUESTER)[-1], "TIPO: alteração de local")
    assert open_at_reading == [0, 0]


@pytest.fixture
def looks_a_mail(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many looks each mail took."""
    begun = []
    handle = MailHandler.handle

    def counting(handler: MailHandler, *given: object, **options: object) -> object:
        before = looks.begun
        try:
            return handle(handler, *given, **options)  # type: ignore[arg-type]  # passed on as they come
        finally:
            begun.append(looks.begun - before)

    monkeypatch.setattr(MailHandler, "handle", counting)
    return begun


def test_all_that_is_asked_about_a_mail_before_its_commit_is_asked_at_one_look(
    house: TestHouse, looks_a_mail: list[int]
) -> None:
    assert house.receive(mail(REQUEST)) is MailOutcome.TICKET
    house.requester_reply(house.letters()[0], "Segue a justificativa: o carro está em outra cidade.")
    assert looks_a_mail == [1, 1]


def test_no_look_lasts_while_files_are_stored_or_read(
    house: TestHouse, looks: Looks, looks_a_mail: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_at_storing = []
    put = FileBlobs.put_many

    def noting(blobs: FileBlobs, contents: Sequence[bytes]) -> list[str]:
        open_at_storing.append(looks.open)
        return put(blobs, contents)

    monkeypatch.setattr(FileBlobs, "put_many", noting)
    # A mail that is parked is looked at again.
    monkeypatch.setattr(reading_desk, "_QUICK_SECONDS", 60.0)
    assert house.receive(mail(REQUEST, files=[BOLETO])) is MailOutcome.TICKET
    assert set(open_at_storing) == {0}
    assert looks_a_mail == [3]


def test_no_look_lasts_while_a_ticket_is_written(
    house: TestHouse, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_at_writing = []
    write = house.app.storage.write

    def noting() -> AbstractContextManager[UnitOfWork]:
        open_at_writing.append(looks.open)
        return write()

    monkeypatch.setattr(house.app.storage, "write", noting)
    for sent in (mail(REQUEST, message_id="first"), mail(REQUEST, message_id="first"), mail("Meus chamados")):
        house.receive(sent)
    assert len(open_at_writing) >= 3
    assert set(open_at_writing) == {0}


def test_a_database_that_fails_within_a_look_is_told_as_one(house: TestHouse) -> None:
    with pytest.raises(StorageUnavailable), KnowledgeForOneMail(house.app.storage) as known:
        known.ticket("2026-000001")
        with house.app.database.engine.begin() as other:
            other.execute(text("ALTER TABLE tickets RENAME TO gone"))
        known.close_for_now()
        known.ticket("2026-000001")
