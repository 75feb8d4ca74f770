"""Files known as a sender's logo never count; what may be a document does, however often it comes (issue 4, 1)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from mailbot.domain.events import Audience
from mailbot.domain.evidence import DocumentKind, DocumentReading, KindCandidate, Readability
from mailbot.domain.mail import Attachment
from mailbot.domain.ticket import Ticket
from mailbot.domain.traces import PICTURE_ATTACHED, PICTURE_IN_TEXT, OtherUse
from mailbot.evidence.assess import FileToAssess
from mailbot.evidence.known_pictures import owner_of, picture_traces, with_known_logos
from mailbot.flows.reprocess import tasks_for
from tests.flows.house import BOLETO, RECEIPT, REQUEST, TestHouse, mail, reply_to

LICENCE = "driver_licence"
JOAO = "joao@example.com.br"


def picture(width: int, height: int, seed: int = 1) -> bytes:
    """Of many colours, as large as logos and photographs are; nothing can be read on it."""
    grain = Image.frombytes("RGB", (40, 40), random.Random(seed).randbytes(40 * 40 * 3))
    stream = BytesIO()
    grain.resize((width, height), Image.Resampling.BICUBIC).save(stream, "PNG")
    assert len(stream.getvalue()) > 10_000
    return stream.getvalue()


LOGO = picture(360, 180)
PHOTO = picture(900, 640)


def with_picture_in_text(raw: bytes, content: bytes, name: str = "image001.png") -> bytes:
    """The mail with an HTML text in which the picture stands, as Outlook writes it."""
    message = BytesParser(EmailMessage, policy=default).parsebytes(raw)
    body = message.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    html = body.get_content().replace("\n", "<br>")
    body.add_alternative(f"<p>{html}</p><img src='cid:{name}@01DA'>", subtype="html")
    part = body.get_payload(1)
    assert isinstance(part, EmailMessage)
    part.add_related(content, "image", "png", cid=f"<{name}@01DA>", filename=name, disposition="inline")
    return bytes(message)


def request(content: bytes, *, sender: str = "maria@example.com.br", name: str = "image001.png") -> bytes:
    """Everything but the licence, and a picture in the text."""
    return with_picture_in_text(mail(REQUEST, sender=sender, files=[BOLETO, RECEIPT]), content, name)


def attached(content: bytes, *, sender: str = "maria@example.com.br", name: str = "image001.png") -> bytes:
    """Everything but the licence, and an attached picture."""
    return mail(REQUEST, sender=sender, files=[BOLETO, RECEIPT, (name, content)])


def names(ticket: Ticket) -> set[str]:
    return {finding.filename for finding in ticket.documents}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as made:
        yield made


@pytest.mark.parametrize("sender", ["maria@example.com.br", JOAO], ids=["same sender", "same firm"])
@pytest.mark.parametrize("second", [request, attached], ids=["in the text", "attached"])
def test_a_logo_that_stood_in_the_text_of_another_request_is_no_document(
    house: TestHouse, sender: str, second: object
) -> None:
    house.receive(request(LOGO))
    assert callable(second)
    house.receive(second(LOGO, sender=sender))
    first, later = house.tickets()
    assert first.missing == ()
    assert (later.missing, names(later)) == ((LICENCE,), {"boleto.pdf", "comprovante.pdf"})
    (letter,) = house.letters(Audience.REQUESTER, ticket=later.number)
    assert "image001" not in letter.text + letter.html


def test_a_small_picture_that_is_attached_to_a_third_request_is_known_as_a_logo(house: TestHouse) -> None:
    for _ in range(3):
        house.receive(attached(LOGO))
    assert [ticket.missing for ticket in house.tickets()] == [(), (), (LICENCE,)]


@pytest.mark.parametrize("send", [request, attached], ids=["in the text", "attached"])
def test_a_photograph_that_serves_two_requests_counts_in_both(house: TestHouse, send: object) -> None:
    """An iPhone puts what is attached into the text."""
    assert callable(send)
    house.receive(send(PHOTO))
    house.receive(send(PHOTO))
    first, second = house.tickets()
    assert (first.missing, second.missing) == ((), ())
    assert "image001.png" in names(second)


def test_a_small_picture_that_is_named_as_a_document_counts_again(house: TestHouse) -> None:
    house.receive(request(LOGO, name="cnh.png"))
    house.receive(request(LOGO, name="cnh.png"))
    assert [ticket.missing for ticket in house.tickets()] == [(), ()]


def test_a_logo_that_is_quoted_within_the_same_request_stays_what_it_was(house: TestHouse) -> None:
    house.receive(with_picture_in_text(mail(REQUEST, files=[BOLETO]), LOGO))
    (asked,) = house.letters(Audience.REQUESTER)
    before = house.tickets()[0]
    house.receive(with_picture_in_text(reply_to(asked, "Qual o horário de atendimento?"), LOGO))
    (after,) = house.tickets()
    assert after.documents == before.documents
    assert len(house.letters(Audience.REQUESTER)) == 1


def test_a_stranger_with_the_same_picture_is_not_touched_by_it(house: TestHouse) -> None:
    house.receive(request(LOGO))
    house.receive(request(LOGO, sender="ana@gmail.com"))
    house.receive(request(LOGO, sender="rui@gmail.com"))
    assert [ticket.missing for ticket in house.tickets()] == [(), (), ()]


def test_reprocessing_changes_nothing_of_either_request(house: TestHouse) -> None:
    house.receive(request(LOGO))
    house.receive(request(LOGO))
    results = [house.app.reprocess().do(task) for task in tasks_for(house.mails())]
    assert [one.changed for one in results] == [False, False]


# --- the rule alone -----------------------------------------------------------------------------------------


def keyed(content: bytes) -> str:
    return content.decode()


def a_file(content: bytes, reading: DocumentReading | None, name: str = "image001.png") -> FileToAssess:
    attachment = Attachment(
        filename=name, declared_type="image/png", media_type="image/png", content=content, sha256="s"
    )
    return FileToAssess(attachment=attachment, digest="d", reading=reading)


def reading(**values: object) -> DocumentReading:
    base: dict[str, object] = {
        "digest": "d",
        "reader_version": 1,
        "kind": DocumentKind.UNKNOWN,
        "confidence": 0.0,
        "readability": Readability.NOT_CHECKED,
        "pages": 1,
        "reasons": ("not_text", "no_text_found"),
    }
    return DocumentReading(**(base | values))  # type: ignore[arg-type]  # a test's short way to say what differs


def is_logo(file: FileToAssess, *, in_text: int = 0, attached_to: int = 0) -> bool:
    digests = {trace.fact: trace.digest for trace in picture_traces(file.attachment, "firma.example", keyed)}
    uses = [OtherUse(digest=digests[PICTURE_IN_TEXT], ticket_number=f"t{n}") for n in range(in_text)]
    uses += [OtherUse(digest=digests[PICTURE_ATTACHED], ticket_number=f"a{n}") for n in range(attached_to)]
    (marked,) = with_known_logos([file], uses, "firma.example", keyed)
    return marked.is_known_logo


@pytest.mark.parametrize(
    ("file", "in_text", "attached_to", "expected"),
    [
        (a_file(LOGO, reading()), 0, 0, False),
        (a_file(LOGO, reading()), 1, 0, True),
        (a_file(LOGO, reading()), 0, 1, False),
        (a_file(LOGO, reading()), 0, 2, True),
        (a_file(LOGO, None), 1, 0, True),
        (a_file(LOGO, reading(kind=DocumentKind.DRIVER_LICENCE)), 9, 9, False),
        (a_file(LOGO, reading(), "minha cnh.png"), 9, 9, False),
        (a_file(PHOTO, reading()), 1, 9, False),
        (a_file(PHOTO, reading()), 2, 0, True),
        (a_file(PHOTO, None), 9, 9, False),
        (a_file(PHOTO, reading(reasons=("no_ocr",))), 9, 9, False),
        (
            a_file(PHOTO, reading(candidates=(KindCandidate(kind=DocumentKind.BOLETO, score=0.1),))),
            9,
            9,
            False,
        ),
    ],
)
def test_what_is_known_as_a_logo(file: FileToAssess, in_text: int, attached_to: int, expected: bool) -> None:
    assert is_logo(file, in_text=in_text, attached_to=attached_to) is expected


def test_logos_belong_to_a_firm_and_at_a_public_provider_to_an_address() -> None:
    assert owner_of("Ana@Firma.example") == "firma.example"
    assert owner_of("Ana@gmail.com") == "ana@gmail.com"
