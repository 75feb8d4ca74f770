"""Notices show a requester's files as pictures that we drew (issue 4, point 6), and requesters never get them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import BytesIO
from pathlib import Path
from shutil import copytree

import pytest
from PIL import Image

from mailbot.adapters.storage.backup import named_files
from mailbot.bootstrap import build_offline_app
from mailbot.domain.drawings import PAGE_PICTURE_MARK
from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.exchange import Envelope
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.notice_pages import MOST_PAGES_BYTES
from mailbot.evidence.isolation import IsolatedDocumentReader
from mailbot.flows.compositor import Compositor
from mailbot.flows.reprocess import tasks_for
from mailbot.settings import load_settings
from tests.flows.house import BOLETO, LICENCE, NOON, RECEIPT, REPOSITORY, REQUEST, TestHouse, mail
from tests.pdfs import encrypted_pdf, text_pdf
from tests.pictures import jpeg

ALL_PAPERS = (BOLETO, RECEIPT, LICENCE)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as made:
        yield made


def config_with(folder: Path, attach: str) -> Path:
    """The sample configuration with this for the queue ``sau``."""
    config = folder / "config"
    copytree(REPOSITORY / "config", config)
    staff = config / "staff.yaml"
    text = staff.read_text("utf-8")
    wanted = text.replace("{key: sau, name: SAU,", f"{{key: sau, name: SAU, staff_notice_attachments: {attach},")
    assert wanted != text
    staff.write_text(wanted, "utf-8")
    return config


def composed(house: TestHouse, letter: OutboundLetter) -> Envelope:
    compositor = Compositor(blobs=house.app.blobs, secret_key=house.app.settings.require_secret_key())
    return compositor.compose(letter, house.app.mailboxes["default"], now=NOON)


def message(house: TestHouse, letter: OutboundLetter) -> EmailMessage:
    made = message_from_bytes(composed(house, letter).message, policy=default)
    assert isinstance(made, EmailMessage)
    return made


def notice(house: TestHouse, kind: LetterKind = LetterKind.TICKET_READY) -> OutboundLetter:
    """The newest notice of this kind as it leaves."""
    house.app.notice_pages.complete_all()
    return [letter for letter in house.letters(Audience.STAFF) if letter.letter is kind][-1]


def html_of(made: EmailMessage) -> str:
    part = made.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def attached(made: EmailMessage) -> list[str]:
    return [part.get_filename() or "" for part in made.walk() if part.get_content_disposition() == "attachment"]


def shown(made: EmailMessage) -> dict[str, bytes]:
    """The pictures of the HTML by their Content-IDs."""
    return {
        str(part["Content-ID"]).strip("<>"): part.get_content()
        for part in made.walk()
        if part.get_content_disposition() == "inline"
    }


def without_pages(made: EmailMessage) -> int:
    """Bytes of the letter beside the attached pages."""
    pages = sum(len(part.as_bytes()) for part in made.walk() if part.get_content_disposition() == "attachment")
    return len(made.as_bytes()) - pages


def test_a_notice_shows_every_page_small_and_attaches_it_as_it_is_read(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    made = message(house, notice(house))
    assert attached(made) == ["1-boleto-p1.jpg", "2-comprovante-p1.jpg", "3-cnh-p1.jpg"]
    for part in made.iter_attachments():
        assert part.get_content_type() == "image/jpeg"
        assert max(Image.open(BytesIO(part.get_content())).size) == pytest.approx(1754, abs=2)
    pictures = shown(made)
    assert set(re.findall(r'src="cid:([^"]+)"', html_of(made))) == set(pictures)
    assert len(pictures) == 3
    assert all(content.startswith(b"\xff\xd8\xff") for content in pictures.values())
    assert "não é preciso abrir os arquivos do cliente" in notice(house).text


def test_pictures_of_the_html_are_no_attachments_to_mail_programs(house: TestHouse) -> None:
    """RFC 2387: mixed(alternative(plain, related(html, pictures)), pages)."""
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    made = message(house, notice(house))
    alternative = next(made.iter_parts())
    assert made.get_content_type() == "multipart/mixed"
    assert alternative.get_content_type() == "multipart/alternative"
    plain, related = alternative.iter_parts()
    assert (plain.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    assert [part.get_content_type() for part in related.iter_parts()] == ["text/html", *["image/jpeg"] * 3]


def test_a_letter_that_is_sent_again_is_the_same_to_the_last_byte(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    letter = notice(house)
    first = composed(house, letter)
    house.reopen()
    assert composed(house, notice(house)) == first


def test_the_outbox_holds_names_and_no_pictures(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    letter = notice(house)
    assert len(letter.html.encode()) < 80_000
    assert sum(len(repr(file)) for file in letter.files) < 4_000


def test_no_letter_to_a_requester_carries_pages(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO]))
    house.receive(mail("Segue.", files=[RECEIPT, LICENCE]))
    requester = house.letters(Audience.REQUESTER)
    assert requester
    assert all(letter.files == () and "cid:" not in letter.html for letter in requester)
    # Also of papers that came with an earlier mail.
    assert len(attached(message(house, notice(house)))) == 3


def test_photographs_are_shown_and_of_what_was_refused_only_the_verdict_is_said(house: TestHouse) -> None:
    house.receive(
        mail(REQUEST, files=[BOLETO, RECEIPT, ("cnh.jpg", jpeg(1200, 1600)), ("x.pdf", encrypted_pdf())])
    )
    letter = notice(house)
    assert attached(message(house, letter))[2:] == ["3-cnh-p1.jpg"]
    assert "senha" in letter.text
    assert "não puderam ser mostradas" not in letter.text


def test_a_file_whose_drawing_takes_too_much_is_read_all_the_same(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IsolatedDocumentReader, "draw", lambda *_: None)
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    letter = notice(house)
    assert house.tickets()[0].missing == ()
    assert attached(message(house, letter)) == []
    assert letter.text.count("não puderam ser mostradas") == 3


def test_what_was_not_drawn_is_drawn_when_it_comes_again(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IsolatedDocumentReader, "draw", lambda *_: None)
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    notice(house)
    monkeypatch.undo()
    house.receive(mail(REQUEST, sender="joao@example.com.br", files=ALL_PAPERS))
    assert len(attached(message(house, notice(house)))) == 3


def test_a_broken_disk_costs_the_pictures_and_not_the_ticket(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise OSError("no")

    monkeypatch.setattr("mailbot.flows.reading_desk.kept_drawing", broken)
    assert house.receive(mail(REQUEST, files=ALL_PAPERS)) is MailOutcome.TICKET
    assert attached(message(house, notice(house))) == []


def test_a_long_file_says_how_many_pages_are_not_shown_and_the_letter_stays_small(house: TestHouse) -> None:
    long = text_pdf(*[[f"Folha {number}", *["palavra " * 8] * 60] for number in range(30)])
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE, ("processo.pdf", long)]))
    letter = notice(house)
    made = message(house, letter)
    assert without_pages(made) < 400_000
    assert len(made.as_bytes()) - without_pages(made) <= MOST_PAGES_BYTES
    names = [name for name in attached(made) if "processo" in name]
    assert names[:2] == ["4-processo-p1.jpg", "4-processo-p2.jpg"]
    assert f"Páginas não mostradas: {30 - len(names)}." in letter.text


@pytest.mark.parametrize(
    ("attach", "files"),
    [
        ("thumbnails", []),
        ("pages", ["1-boleto-p1.jpg", "2-comprovante-p1.jpg", "3-cnh-p1.jpg"]),
        ("originals", ["boleto.pdf", "comprovante.pdf", "cnh.pdf"]),
    ],
)
def test_a_queue_says_what_its_notices_carry(tmp_path: Path, attach: str, files: list[str]) -> None:
    with TestHouse(tmp_path, config_dir=config_with(tmp_path, attach)) as house:
        house.receive(mail(REQUEST, files=ALL_PAPERS))
        made = message(house, notice(house))
        assert attached(made) == files
        assert len(shown(made)) == 3


def test_programs_are_never_passed_on_as_originals(tmp_path: Path) -> None:
    with TestHouse(tmp_path, config_dir=config_with(tmp_path, "originals")) as house:
        bad = [("fotos.exe", b"MZ" + bytes(900)), ("fotos.zip", b"PK\x03\x04" + bytes(900))]
        house.receive(mail(REQUEST, files=[*ALL_PAPERS, *bad, ("segredo.pdf", encrypted_pdf())]))
        assert attached(message(house, notice(house))) == ["boleto.pdf", "comprovante.pdf", "cnh.pdf"]


def test_the_requesters_later_files_are_shown_with_their_message(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    opened = house.letters(Audience.REQUESTER)[0]
    house.requester_reply(opened, "Mando também esta foto, serve?", files=[("foto.jpg", jpeg(900, 1200))])
    made = message(house, notice(house, LetterKind.REQUESTER_REPLIED))
    assert attached(made) == ["1-foto-p1.jpg"]
    assert len(shown(made)) == 1


def test_files_of_a_request_that_asks_for_none_are_shown_too(house: TestHouse) -> None:
    house.receive(mail("Minha parede está assim.", subject="Infiltração", files=[("foto.jpg", jpeg(900, 1200))]))
    assert attached(message(house, notice(house))) == ["1-foto-p1.jpg"]


def test_logos_are_not_shown(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[*ALL_PAPERS, ("logo.png", jpeg(40, 40, size_bytes=900))]))
    assert len(attached(message(house, notice(house)))) == 3


def test_an_agents_reply_that_quotes_the_pictures_brings_none_to_the_requester(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    letter = notice(house)
    pictures = [(file.filename, house.app.blobs.get(file.digest)) for file in letter.files if file.content_id]
    assert all(PAGE_PICTURE_MARK in name for name, _ in pictures)
    # As large as a mail program may make them when it writes them anew.
    grown = [(name, content + bytes(60_000)) for name, content in pictures]
    house.agent_reply(letter, "Está tudo certo.", files=grown)
    answer = house.letters(Audience.REQUESTER)[-1]
    assert (answer.letter, answer.files) == (LetterKind.AGENT_ANSWER, ())


# --- where they are kept ------------------------------------------------------------------------------------


def test_a_backup_names_every_picture(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    notice(house)
    with house.app.storage.read() as work:
        drawings = work.papers.drawings([one.digest for one in house.tickets()[0].documents])
    assert len(drawings) == 3
    with house.app.database.read() as connection:
        named = named_files(connection)
    assert {picture.digest for one in drawings for picture in one.pictures} <= named


def test_a_file_is_drawn_once_however_often_it_comes(house: TestHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    notice(house)
    monkeypatch.setattr(IsolatedDocumentReader, "draw", lambda *_: pytest.fail("drawn again"))
    house.receive(mail(REQUEST, sender="joao@example.com.br", files=ALL_PAPERS))
    assert len(attached(message(house, notice(house)))) == 3


def test_explaining_a_mail_draws_and_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailbot.flows.explain import Explainer

    monkeypatch.setattr(IsolatedDocumentReader, "draw", lambda *_: pytest.fail("drawn"))
    settings = load_settings(
        {
            "MAILBOT_CONFIG_DIR": str(REPOSITORY / "config"),
            "MAILBOT_TEMPLATES_DIR": str(REPOSITORY / "templates"),
            "MAILBOT_DATA_DIR": str(tmp_path / "var"),
        },
        dotenv=tmp_path / "no.env",
    )
    app = build_offline_app(settings)
    explainer = Explainer(reader=app.reader, parts=app.examination, office=app.office, calendar=app.calendar)
    told = explainer.explain(mail(REQUEST, files=ALL_PAPERS), next(iter(app.mailboxes.values())))
    app.close()
    assert told.ticket is not None
    assert all(letter.files == () for letter in told.letters)
    assert not (tmp_path / "var").exists()


def test_reprocessing_writes_no_notice_twice_because_of_pictures(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    before = len(house.letters())
    results = [house.app.reprocess().do(task) for task in tasks_for(house.mails())]
    assert [one.changed for one in results] == [False]
    assert len(house.letters()) == before
