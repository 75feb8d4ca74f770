"""Pages are drawn before a notice leaves and never while a mail is worked on; nothing else waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from mailbot.correspondence.openings import closed
from mailbot.correspondence.render import LetterRenderer
from mailbot.domain.errors import LetterError
from mailbot.domain.events import Audience, LetterKind, LetterStatus, OutboundLetter
from mailbot.evidence.drawing import DrawnFile
from mailbot.evidence.isolation import IsolatedDocumentReader
from mailbot.flows import notice_pages
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail
from tests.flows.test_delivery import DELIVERED, FakeTransport, deliver
from tests.pdfs import text_pdf

_WITHIN_SECONDS = 60.0
"""How long is waited for what is sure to come, also on a machine that stands still for a while."""

ALL_PAPERS = (BOLETO, RECEIPT, LICENCE)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path, quiet_seconds="0", undo_minutes="0") as made:
        yield made


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is drawn; every file comes to nothing."""
    files: list[bytes] = []

    def draw(_reader: IsolatedDocumentReader, content: bytes, _media_type: str) -> DrawnFile:
        files.append(content)
        return DrawnFile(page_count=1)

    monkeypatch.setattr(IsolatedDocumentReader, "draw", draw)
    return files


def notices(house: TestHouse) -> list[OutboundLetter]:
    return [letter for letter in house.letters(Audience.STAFF) if letter.letter is LetterKind.TICKET_READY]


def test_a_mail_is_worked_on_without_drawing_anything(house: TestHouse, drawn: list[bytes]) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    assert drawn == []
    assert notices(house)[0].awaits_pages


def test_other_letters_leave_while_a_notice_waits_for_its_pages(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    transport = FakeTransport(DELIVERED)
    deliver(house, transport)
    assert [one.recipient for one in transport.envelopes] == ["maria@example.com.br"]
    house.app.notice_pages.complete_all()
    deliver(house, transport)
    assert b"Content-ID: <mbpage-" in transport.envelopes[-1].message
    assert {letter.status for letter in house.letters()} == {LetterStatus.SENT}


def test_no_mark_of_ours_stays_in_what_leaves(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    [before] = notices(house)
    assert "document-1" in before.text
    assert "document-1" in before.html
    house.app.notice_pages.complete_all()
    [after] = notices(house)
    for body in (after.text, after.html, closed(before).text, closed(before).html):
        assert "document-" not in body
        assert "<!--" not in body
    assert after.text.count(after.handle) == before.text.count(before.handle) - 4


def test_two_notices_of_the_same_files_share_one_drawing(house: TestHouse, drawn: list[bytes]) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    house.receive(mail(REQUEST, sender="joao@example.com.br", files=ALL_PAPERS))
    assert len(notices(house)) == 2
    house.app.notice_pages.complete_all()
    assert len(drawn) == 3
    assert not any(letter.awaits_pages for letter in notices(house))


def test_a_notice_that_is_held_is_drawn_when_it_is_released(tmp_path: Path, drawn: list[bytes]) -> None:
    with TestHouse(tmp_path, send="hold") as house:
        house.receive(mail(REQUEST, files=ALL_PAPERS))
        house.app.notice_pages.complete_all()
        assert drawn == []
        with house.app.storage.write() as work:
            work.outbox.release_held(now=house.clock.now())
        house.app.notice_pages.complete_all()
        assert len(drawn) == 3


def test_a_drawing_without_end_costs_the_pictures_and_holds_up_no_other_notice(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = threading.Event()
    monkeypatch.setattr(notice_pages, "LETTER_SECONDS", 0.0)

    def draw(_reader: IsolatedDocumentReader, content: bytes, _media_type: str) -> DrawnFile | None:
        if content == BOLETO[1]:
            hangs.wait(_WITHIN_SECONDS)
        return None

    monkeypatch.setattr(IsolatedDocumentReader, "draw", draw)
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    try:
        house.app.notice_pages.complete_all()
        [notice] = notices(house)
        assert not hangs.is_set()
    finally:
        hangs.set()
    assert notice.text.count("não puderam ser mostradas") == 3
    assert notice.files == ()


def test_a_rush_of_notices_is_no_loop_that_hangs(
    house: TestHouse, drawn: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While notices came without end for ten minutes nothing was heard of the loop, and the watchdog restarted
    a daemon at work, at the cost of a death for each mail in its hands."""
    for number in range(3):
        house.receive(mail(REQUEST, sender=f"c{number}@cliente.example", files=ALL_PAPERS))
    pages, stop = house.app.notice_pages, threading.Event()
    heard: list[str] = []
    monkeypatch.setattr(house.app.pulse, "renew", heard.append)
    completed = threading.Semaphore(0)
    pages.on_completed = completed.release
    running = threading.Thread(target=pages.run, args=[stop])
    running.start()
    try:
        assert all(completed.acquire(timeout=_WITHIN_SECONDS) for _ in range(3))
    finally:
        stop.set()
        running.join(_WITHIN_SECONDS)
    assert heard.count("pages") >= 3


def test_what_a_round_draws_meanwhile_is_brought_to_its_end(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    enough, begun = threading.Event(), threading.Event()

    def draw(_reader: IsolatedDocumentReader, _content: bytes, _media_type: str) -> DrawnFile:
        begun.set()
        enough.wait(_WITHIN_SECONDS)
        # So that whoever is to leave off has time to.
        time.sleep(0.2)
        return DrawnFile(page_count=1)

    monkeypatch.setattr(IsolatedDocumentReader, "draw", draw)
    monkeypatch.setattr(notice_pages, "_LOOK_SECONDS", 0.01)
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    running = threading.Thread(
        target=partial(house.app.notice_pages.run_meanwhile, enough, left_off=threading.Event())
    )
    running.start()
    assert begun.wait(_WITHIN_SECONDS)
    enough.set()
    running.join(_WITHIN_SECONDS)
    assert not notices(house)[0].awaits_pages


def test_broken_templates_cost_the_pictures_and_not_the_notice(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> object:
        raise LetterError("_pages.html:3: no")

    house.receive(mail(REQUEST, files=ALL_PAPERS))
    monkeypatch.setattr(LetterRenderer, "in_opening", broken)
    house.app.notice_pages.complete_all()
    [notice] = notices(house)
    assert not notice.awaits_pages
    assert "document-" not in notice.text
    assert "DOCUMENTOS" in notice.text


def test_what_a_killed_process_was_drawing_is_drawn_by_the_next(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    with house.app.storage.write() as work:
        dead = work.notices.claim(owner="dead", now=house.clock.now(), real_now=datetime.now(UTC), early=True)
    assert dead is not None
    house.app.notice_pages.complete_all()
    assert notices(house)[0].awaits_pages
    with house.app.storage.write() as work:
        work.outbox.release("dead", real_now=datetime.now(UTC))
    house.app.notice_pages.complete_all()
    assert not notices(house)[0].awaits_pages
    assert len(notices(house)[0].files) == 6


def test_what_a_sender_writes_opens_nothing(house: TestHouse) -> None:
    """A mark needs the letter's own handle, which nobody knows before it is written."""
    house.receive(mail(REQUEST + "\n[mb-aaaaaaaaaaaaaaaaaaaa] document-1\n", files=ALL_PAPERS))
    house.app.notice_pages.complete_all()
    [notice] = notices(house)
    theirs = replace(notice, handle="aaaaaaaaaaaaaaaaaaaa", awaits_pages=True)
    assert closed(theirs).html == notice.html


def test_a_round_ends_with_every_notice_completed(house: TestHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailbot.round import run_once

    transport = FakeTransport(DELIVERED)
    monkeypatch.setattr("mailbot.adapters.smtp.SmtpTransport", lambda *_args, **_how: transport)
    for name in ("cur", "new", "tmp"):
        (house.folder / "Maildir" / name).mkdir(parents=True)
    house.collect(mail(REQUEST, files=ALL_PAPERS))
    count = run_once(house.app)
    # The morning's digests may be among them.
    assert (count.letters_sent, count.letters_failed) == (len(house.letters()), 0)
    assert {letter.status for letter in house.letters()} == {LetterStatus.SENT}
    assert sum(b"1-boleto-p1.jpg" in one.message for one in transport.envelopes) == 1


def test_a_notice_of_many_pages_and_many_words_stays_within_its_size(house: TestHouse) -> None:
    """INTERFACE *Mails that we send*: HTML of at most 80 kB, whatever comes into its openings."""
    words = "\n\n".join(f"Parágrafo {number} com palavras & sinais < que > crescem." for number in range(3_000))
    files = [
        (f"{'&' * 100} {number}.pdf", text_pdf(*[[f"Folha {page} de {number}"] for page in range(10)]))
        for number in range(6)
    ]
    house.receive(mail(f"{REQUEST}\n{words}", files=[*ALL_PAPERS, *files]))
    house.app.notice_pages.complete_all()
    [notice] = notices(house)
    assert 40_000 < len(notice.html.encode()) <= 80_000
    assert notice.html.count('src="cid:') in (20, 40)
    assert "Páginas só no anexo" in notice.text
    assert len([file for file in notice.files if not file.content_id]) == 63
