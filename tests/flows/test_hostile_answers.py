"""What an agent's mail carries to the customer: her words and her files, never the notice that she answers."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from tests.flows.house import BOLETO, LICENCE, MAILBOX, RECEIPT, REQUEST, TestHouse, mail
from tests.pictures import png


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def complete(house: TestHouse) -> OutboundLetter:
    """The notice to Ana about a complete request."""
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    (notice,) = house.letters(Audience.STAFF)
    return notice


def answer_to(notice: OutboundLetter, text: str) -> EmailMessage:
    raw = mail(
        text, subject=f"RES: {notice.subject}", sender=notice.recipient.address, in_reply_to=notice.message_id
    )
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def original(notice: OutboundLetter) -> EmailMessage:
    """The notice as a mail program attaches it."""
    message = EmailMessage()
    message["From"] = MAILBOX
    message["To"] = notice.recipient.address
    message["Subject"] = notice.subject
    message["Message-ID"] = f"<{notice.message_id}>"
    message.set_content(notice.text)
    return message


# --- files ----------------------------------------------------------------------------------------------------


def test_a_notice_that_is_attached_to_an_answer_does_not_reach_the_customer(house: TestHouse) -> None:
    notice = complete(house)
    message = answer_to(notice, "Falta só a assinatura.")
    message.add_attachment(original(notice))
    message.add_attachment(LICENCE[1], maintype="application", subtype="pdf", filename="modelo.pdf")
    house.receive(message.as_bytes())
    answer = house.letters(Audience.REQUESTER)[-1]
    assert answer.letter is LetterKind.AGENT_ANSWER
    assert [file.filename for file in answer.files] == ["modelo.pdf"]


def test_what_a_mail_program_adds_to_an_answer_does_not_reach_the_customer(house: TestHouse) -> None:
    notice = complete(house)
    message = answer_to(notice, "Pode vir.")
    message.add_attachment(
        b"\x78\x9f\x3e\x22" + bytes(50), maintype="application", subtype="ms-tnef", filename="winmail.dat"
    )
    message.add_attachment(bytes(20), maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    message.add_attachment("BEGIN:VCARD", subtype="vcard", filename="ana.vcf")
    message.add_attachment(png(200, 60, size_bytes=4000), "image", "png", filename="image001.png", cid="<logo>")
    house.receive(message.as_bytes())
    answer = house.letters(Audience.REQUESTER)[-1]
    assert (answer.letter, answer.files) == (LetterKind.AGENT_ANSWER, ())


def test_an_answer_with_a_copy_of_the_notice_as_a_web_page_is_refused(house: TestHouse) -> None:
    notice = complete(house)
    message = answer_to(notice, "Pode vir.")
    message.add_attachment(notice.html, subtype="html", filename="mensagem.html")
    house.receive(message.as_bytes())
    assert house.letters(Audience.REQUESTER)[-1].letter is LetterKind.TICKET_OPENED
    assert "traz junto o texto do nosso aviso" in house.letters(Audience.STAFF)[-1].text


def test_a_note_keeps_the_mail_that_an_agent_attached_to_it(house: TestHouse) -> None:
    notice = complete(house)
    message = answer_to(notice, "#nota O cliente me escreveu direto.")
    message.add_attachment(original(notice))
    house.receive(message.as_bytes())
    with house.app.storage.read() as work:
        note = work.tickets.messages(house.tickets()[0].number)[-1]
    assert [file.media_type for file in note.files] == ["message/rfc822"]


# --- words ----------------------------------------------------------------------------------------------------


def head_of(notice: OutboundLetter) -> list[str]:
    """The notice without its end, where the reference stands."""
    lines = notice.text.splitlines()
    return lines[: next(at for at, line in enumerate(lines) if "mb-" in line) - 2]


def under(head: str, lines: list[str], mark: str = "") -> str:
    return "\n".join(["Pode vir na terça.", "", head, "", *(mark + line for line in lines)])


@pytest.mark.parametrize(
    ("head", "mark"),
    [
        ("", ""),
        ("", "\t"),
        ("", "| "),
        ("---------- Mensagem encaminhada ---------\nDe: Central\nDate: seg., 23 de nov. de 2026", ""),
        ("---------- Forwarded message ---------\nFrom: Central", ""),
        ("De: Central\nEnviado: segunda-feira\nPara: Ana\nAssunto: y", ""),
        ("________________________________\nFrom: Central\nSent: Monday\nTo: Ana\nSubject: y", ""),
    ],
)
def test_a_notice_without_its_end_never_reaches_the_customer(house: TestHouse, head: str, mark: str) -> None:
    notice = complete(house)
    house.receive(answer_to(notice, under(head, head_of(notice), mark)).as_bytes())
    assert [letter.letter for letter in house.letters(Audience.REQUESTER)] == [LetterKind.TICKET_OPENED]
    assert "traz junto o texto do nosso aviso" in house.letters(Audience.STAFF)[-1].text


def test_a_notice_in_html_without_any_mark_of_a_quote_never_reaches_the_customer(house: TestHouse) -> None:
    notice = complete(house)
    message = answer_to(notice, "")
    page = notice.html.replace(f"[mb-{notice.handle}]", "")
    message.set_content(f"<div>Pode vir na terça.</div><table>{page}</table>", subtype="html")
    house.receive(message.as_bytes())
    assert [letter.letter for letter in house.letters(Audience.REQUESTER)] == [LetterKind.TICKET_OPENED]


def test_an_answer_that_quotes_one_line_of_the_notice_goes_out(house: TestHouse) -> None:
    house.receive(
        mail(f"{REQUEST}\nPosso levar o carro já na próxima terça-feira?", files=[BOLETO, RECEIPT, LICENCE])
    )
    (notice,) = house.letters(Audience.STAFF)
    house.receive(
        answer_to(notice, "Posso levar o carro já na próxima terça-feira?\nPode, das 8 às 17 h.").as_bytes()
    )
    answer = house.letters(Audience.REQUESTER)[-1]
    assert answer.letter is LetterKind.AGENT_ANSWER
    assert "das 8 às 17 h" in answer.text


def test_a_note_may_hold_the_notice(house: TestHouse) -> None:
    notice = complete(house)
    house.receive(answer_to(notice, "#nota ver abaixo\n" + "\n".join(head_of(notice))).as_bytes())
    assert len(house.letters(Audience.STAFF)) == 1
