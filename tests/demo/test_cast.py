"""The sample mails say what they are meant to say, read by the standard library and by the bot's own readers."""

from __future__ import annotations

import re
from datetime import date
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path

import pypdfium2
import pytest

from mailbot.demo import cast, documents
from mailbot.demo.cast import MailProgram
from mailbot.demo.documents import Holder
from mailbot.evidence.check_digits import barcode_of_line, is_cnpj, is_cpf
from mailbot.mime.parse import parse_mail

HOLDER = Holder(
    name="Ana (Exemplo)", tax_id="390.533.447-05", licence_number="02650306461", birth_date="01/01/1990"
)
TOKEN = "[mb-abcdefghijklmnopqrst]"


def parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=default)


def filenames(raw: bytes) -> list[str | None]:
    return [part.get_filename() for part in parsed(raw).iter_attachments()]


def letter(text: str = f"Olá, João!\n\nFalta a CNH.\n\nRef.: {TOKEN}\n") -> bytes:
    """A letter of the bot's kind."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"Central de Atendimento <{cast.MAILBOX}>"
    mail["To"] = cast.JOAO.addr_spec
    mail["Reply-To"] = "atendimento+t.abc@example.com.br"
    mail["Subject"] = "[Chamado #2026-000123] Alteração de local"
    mail["Date"] = "Sat, 21 Nov 2026 12:12:00 -0300"
    mail["Message-ID"] = "<mb.abcdefghijklmnopqrst@example.com.br>"
    mail["References"] = "<first@cliente.example> <second@cliente.example>"
    mail.set_content(text)
    mail.add_alternative("<p>Falta a CNH</p>", subtype="html")
    return bytes(mail)


ALL_MAILS = (
    cast.complete_request,
    cast.incomplete_request,
    cast.photos_with_a_typo_in_the_subject,
    cast.request_with_a_locked_pdf,
    cast.request_with_raw_latin1_headers,
    cast.plain_question,
    cast.out_of_office,
    cast.newsletter,
)


@pytest.mark.parametrize("make", ALL_MAILS)
def test_every_mail_has_one_sender_of_the_cast_and_goes_to_the_mailbox(make: object) -> None:
    raw = make()  # type: ignore[operator]
    mail = parse_mail(raw)
    assert mail.sender.address in {one.addr_spec for one in cast.CUSTOMERS}
    assert [one.address for one in mail.to] == [cast.MAILBOX]
    assert mail.message_id
    assert mail.sent_at is not None
    assert b"\r\n\r\n" in raw


def test_two_mails_of_a_kind_are_two_mails() -> None:
    assert parsed(cast.newsletter())["Message-ID"] != parsed(cast.newsletter())["Message-ID"]


def test_the_complete_request_brings_three_papers() -> None:
    raw = cast.complete_request()
    assert parsed(raw)["Subject"] == "ALTERAÇÃO DE LOCAL"
    assert filenames(raw) == ["boleto.pdf", "comprovante_pagamento.pdf", "CNH Maria.pdf"]
    assert all(part.get_content().startswith(b"%PDF-") for part in parsed(raw).iter_attachments())


def test_the_incomplete_request_lacks_licence_place_and_telephone() -> None:
    raw = cast.incomplete_request()
    assert filenames(raw) == ["boleto_vistoria.pdf", "comprovante.pdf"]
    text = cast.text_of(parsed(raw))
    assert "Motivo:" in text
    assert "Novo local" not in text
    assert "Telefone" not in text


def test_photos_come_from_a_telephone_with_a_typo_in_the_subject() -> None:
    raw = cast.photos_with_a_typo_in_the_subject()
    assert parsed(raw)["Subject"] == "RES: Aleração de Local"
    assert filenames(raw) == ["IMG_4021.jpg", "IMG_4022.jpg", "IMG_4023.jpg"]
    files = parse_mail(raw).attachments
    assert {file.media_type for file in files} == {"image/jpeg"}
    assert len({file.sha256 for file in files}) == 3


def test_the_raw_latin1_mail_declares_nothing_and_is_read_all_the_same() -> None:
    raw = cast.request_with_raw_latin1_headers()
    assert "Subject: ALTERAÇÃO DE LOCAL\r\n".encode("latin-1") in raw
    assert b"charset" not in raw
    mail = parse_mail(raw)
    assert mail.subject == "ALTERAÇÃO DE LOCAL"
    assert mail.sender.name == "Sebastião Conceição"
    assert "sou novo nisso" in mail.new_text


def test_machines_say_that_they_are_machines() -> None:
    assert parsed(cast.out_of_office())["Auto-Submitted"] == "auto-replied"
    assert parsed(cast.newsletter())["List-Id"] is not None


def test_the_forged_decision_claims_to_be_ana_and_checked() -> None:
    raw = cast.forged_decision("[Chamado #2026-000001]")
    assert parsed(raw)["From"].addresses[0].addr_spec == "ana@example.com.br"
    assert "auth=pass" in parsed(raw)["Authentication-Results"]
    assert cast.text_of(parsed(raw)).startswith("#autorizar")
    assert "[Chamado #2026-000001]" in parsed(raw)["Subject"]


# --- replies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", list(MailProgram))
def test_a_reply_is_threaded_and_goes_to_the_reply_address(program: MailProgram) -> None:
    reply = parsed(cast.reply_to(letter(), from_=cast.JOAO, text="Segue.", program=program))
    assert reply["To"] == "atendimento+t.abc@example.com.br"
    assert reply["In-Reply-To"] == "<mb.abcdefghijklmnopqrst@example.com.br>"
    assert str(reply["References"]).split() == [
        "<first@cliente.example>",
        "<second@cliente.example>",
        "<mb.abcdefghijklmnopqrst@example.com.br>",
    ]
    prefix = {MailProgram.GMAIL: "Re", MailProgram.OUTLOOK: "RES"}[program]
    assert reply["Subject"] == f"{prefix}: [Chamado #2026-000123] Alteração de local"


@pytest.mark.parametrize("program", list(MailProgram))
def test_a_reply_quotes_the_letter_with_its_reference_and_the_quote_is_cut_off_again(program: MailProgram) -> None:
    raw = cast.reply_to(letter(), from_=cast.JOAO, text="Segue a CNH.", program=program)
    text = cast.text_of(parsed(raw))
    assert TOKEN in text
    mark = {
        MailProgram.GMAIL: "> Falta a CNH.",
        MailProgram.OUTLOOK: "Enviada em: sábado, 21 de novembro de 2026 12:12",
    }
    assert mark[program] in text
    assert parse_mail(raw).new_text == "Segue a CNH."


def test_gmail_introduces_the_quote_as_gmail_does() -> None:
    text = cast.text_of(parsed(cast.reply_to(letter(), from_=cast.JOAO, text="Oi")))
    wanted = (
        "Em sáb., 21 de nov. de 2026 às 12:12, Central de Atendimento <atendimento@example.com.br>\nescreveu:\n"
    )
    assert wanted in text


def test_a_subject_gets_one_prefix_only() -> None:
    once = cast.reply_to(letter(), from_=cast.JOAO, text="um", program=MailProgram.OUTLOOK)
    twice = cast.reply_to(once, from_=cast.ANA, text="dois")
    assert parsed(twice)["Subject"] == parsed(once)["Subject"]
    assert parsed(twice)["To"] == str(cast.JOAO)


def test_a_reply_carries_files() -> None:
    raw = cast.reply_with_what_was_missing(letter())
    assert filenames(raw) == ["cnh.pdf"]
    assert parse_mail(raw).new_text.startswith("Desculpe, esqueci! Segue a CNH.")


# --- papers ------------------------------------------------------------------------------------------------


def pdf_text(content: bytes, password: str | None = None) -> str:
    document = pypdfium2.PdfDocument(content, password=password)
    try:
        page = document[0]
        text_page = page.get_textpage()
        text = str(text_page.get_text_range())
        text_page.close()
        page.close()
        return text
    finally:
        document.close()


@pytest.mark.parametrize("due", [date(2025, 2, 22), date(2026, 12, 1), date(2027, 1, 31)])
def test_the_digitable_line_has_right_check_digits(due: date) -> None:
    line = documents.digitable_line(due)
    assert barcode_of_line(line) is not None
    broken = line.replace("10800", "10801")
    assert broken != line
    assert barcode_of_line(broken) is None


def test_the_line_of_a_boleto_tells_date_and_amount() -> None:
    # Factor 1000 stands for 2025-02-22 (DOMAIN C.2).
    assert documents.digitable_line(date(2025, 2, 23)).split()[-1] == "10010000010800"


def test_every_paper_has_a_text_layer_with_its_marks() -> None:
    due = date(2026, 12, 1)
    boleto = pdf_text(documents.boleto(HOLDER, unit="Rio Verde", due=due))
    receipt = pdf_text(documents.payment_receipt(HOLDER, due=due, paid=date(2026, 11, 20)))
    licence = pdf_text(documents.driver_licence(HOLDER))
    assert documents.digitable_line(due) in boleto
    assert documents.digitable_line(due) in receipt
    assert "COMPROVANTE DE PAGAMENTO DE BOLETO" in receipt
    assert "CARTEIRA NACIONAL DE HABILITAÇÃO" in licence
    assert all("Ana (Exemplo)".lower() in text.lower() for text in (boleto, receipt, licence))


def test_the_locked_boleto_opens_with_its_password_only() -> None:
    locked = documents.locked_boleto(HOLDER, unit="Rio Verde", due=date(2026, 12, 1), password="1234")
    with pytest.raises(pypdfium2.PdfiumError, match="password"):
        pypdfium2.PdfDocument(locked)
    assert "BOLETO DE COBRANÇA" in pdf_text(locked, "1234")


def test_numbers_of_people_and_companies_have_right_check_digits() -> None:
    holders = (cast._MARIAS_PAPERS, cast._JOAOS_PAPERS, cast._ROBERTOS_PAPERS)
    assert all(is_cpf(holder.tax_id) for holder in holders)
    assert is_cnpj(documents.BENEFICIARY_TAX_ID)


@pytest.mark.parametrize(("width", "height"), [(8, 8), (13, 9), (1200, 1600)])
def test_the_photo_is_a_whole_jpeg(width: int, height: int) -> None:
    photo = documents.grey_photo(width, height)
    assert photo.startswith(b"\xff\xd8\xff\xe0")
    assert photo.endswith(b"\xff\xd9")
    # No marker within the picture's data, which would end it early.
    data = photo[photo.index(b"\xff\xda") + 10 : -2]
    assert len(data) == -(-(2 * -(-width // 8) * -(-height // 8)) // 8)
    assert b"\xff" not in data


def test_no_address_of_the_cast_belongs_to_anybody() -> None:
    domains = {one.domain for one in (*cast.CUSTOMERS, *cast.STAFF)}
    domains |= set(re.findall(r"[\w.+-]@([\w.-]+)", Path(cast.__file__).read_text(encoding="utf-8")))
    assert domains == {"cliente.example", "example.com.br"}
