"""A file's bytes become a reading; whatever they are, nothing raises."""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.domain.evidence import DocumentKind, DocumentReading, Readability
from mailbot.evidence.pdf_text import MOST_CHARACTERS, OpenPdf, open_pdf
from mailbot.evidence.reading import READER_VERSION, read_document
from tests.pdfs import annotated_pdf, encrypted_pdf, pdf_with_turned_form, scanned_pdf, stamped_pdf, text_pdf

BOLETO = ("Recibo do Pagador", "34191.10121 34567.880058 71234.570001 6 16670000012345", "Vencimento 20/11/2026")


def read(content: bytes, filename: str = "x.pdf", media_type: str = "application/pdf") -> DocumentReading:
    return read_document("digest", content, media_type, filename)


def pdf_text(content: bytes) -> str:
    with open_pdf(content) as pdf:
        assert isinstance(pdf, OpenPdf)
        layers = [pdf.layer(number, MOST_CHARACTERS) for number in range(pdf.page_count)]
    return "\n".join(layer.text for layer in layers if layer is not None)


def test_a_text_layer_tells_kind_pages_and_reasons() -> None:
    reading = read(text_pdf(BOLETO, ["Verso"]))
    assert (reading.kind, reading.readability, reading.pages) == (DocumentKind.BOLETO, Readability.READABLE, 2)
    assert "digitable_line" in reading.reasons
    assert (reading.digest, reading.reader_version) == ("digest", READER_VERSION)
    assert reading.confidence >= 0.6


def test_a_file_with_pages_of_several_kinds_names_them_and_is_none_of_them() -> None:
    receipt = ("Comprovante de pagamento", "Valor pago 108,00", "Data do pagamento 20/11/2026")
    licence = ("CARTEIRA NACIONAL DE HABILITAÇÃO", "Categoria B", "Filiação")
    reading = read(text_pdf(BOLETO, receipt, licence), "tudo.pdf")
    assert (reading.kind, reading.readability) == (DocumentKind.UNKNOWN, Readability.READABLE)
    assert [(part.kind, part.page) for part in reading.parts] == [
        (DocumentKind.BOLETO, 1),
        (DocumentKind.PAYMENT_RECEIPT, 2),
        (DocumentKind.DRIVER_LICENCE, 3),
    ]


def test_accents_in_the_text_layer_are_read() -> None:
    assert "vistoria é ótima" in pdf_text(text_pdf(["vistoria é ótima (sim)"]))


def test_a_scanned_pdf_is_left_to_a_person() -> None:
    reading = read(scanned_pdf(3), "CNH.pdf")
    assert (reading.kind, reading.readability, reading.pages) == (DocumentKind.UNKNOWN, Readability.NOT_CHECKED, 3)


def test_a_pdf_behind_a_password_is_encrypted() -> None:
    assert read(encrypted_pdf()).readability is Readability.ENCRYPTED


@pytest.mark.parametrize("content", [b"%PDF-1.4 broken", b"%PDF-", b"", text_pdf(BOLETO)[:200]])
def test_a_broken_pdf_is_unreadable(content: bytes) -> None:
    assert read(content).readability is Readability.UNREADABLE


@pytest.mark.parametrize("media_type", ["image/x-icon", "image/svg+xml", "application/msword"])
def test_what_is_not_opened_here_is_left_to_a_person(media_type: str) -> None:
    reading = read(b"\xff\xd8\xff", "CNH.jpg", media_type)
    assert (reading.kind, reading.readability) == (DocumentKind.UNKNOWN, Readability.NOT_CHECKED)
    assert reading.reasons == ("not_text",)


@pytest.mark.parametrize("media_type", ["application/zip", "application/x-msdownload", "video/mp4", "text/plain"])
def test_programs_and_archives_are_no_documents(media_type: str) -> None:
    assert read(b"PK\x03\x04", "boleto.pdf", media_type).readability is Readability.NOT_A_DOCUMENT


def test_only_the_first_pages_are_read() -> None:
    pages = [["Capa do processo de vistoria"]] * 20 + [list(BOLETO)]
    reading = read(text_pdf(*pages))
    assert (reading.kind, reading.pages) == (DocumentKind.UNKNOWN, 21)


def test_only_so_much_text_is_kept() -> None:
    page = ["x" * 1000] * 200
    assert len(pdf_text(text_pdf(page))) <= MOST_CHARACTERS


def test_a_compressed_page_of_endless_text_stays_within_its_caps() -> None:
    stream = zlib.compress(b"BT /F1 1 Tf " + b"(aaaaaaaaaa) Tj " * 100_000 + b"ET")
    plain = text_pdf(["@"])
    begin, end = plain.index(b"<< /Length"), plain.index(b"endobj", plain.index(b"endstream"))
    body = b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(stream) + stream + b"\nendstream\n"
    begun = time.thread_time()
    assert len(pdf_text(plain[:begin] + body + plain[end:])) <= MOST_CHARACTERS
    assert time.thread_time() - begun < 30


def test_threads_may_read_at_once() -> None:
    content = text_pdf(BOLETO)
    with ThreadPoolExecutor(8) as pool:
        kinds = {reading.kind for reading in pool.map(lambda _: read(content), range(64))}
    assert kinds == {DocumentKind.BOLETO}


@given(cut=st.integers(0, 900), place=st.integers(0, 900), noise=st.binary(max_size=20))
@settings(deadline=None)
def test_no_damaged_pdf_raises(cut: int, place: int, noise: bytes) -> None:
    content = text_pdf(BOLETO)
    read(content[: len(content) - cut])
    read(content[:place] + noise + content[place + len(noise) :])


def test_libraries_are_loaded_only_when_a_file_is_read() -> None:
    import subprocess

    heavy = "{'pypdfium2', 'PIL', 'zxingcpp', 'pillow_heif'}"
    imported = "import sys, mailbot.evidence.reading, mailbot.evidence.assess"
    program = f"{imported}; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("stamped_by", [stamped_pdf, pdf_with_turned_form])
@pytest.mark.parametrize("degrees", [0, 25, -35, 90])
def test_a_stamp_across_a_receipts_text_is_read(degrees: float, stamped_by: Callable[..., bytes]) -> None:
    """Its letters lie between those of the lines below it."""
    lines = ["Comprovante de pagamento de boleto", "Valor pago R$ 108,00", "Data do pagamento 20/11/2026"]
    lines += [f"Linha {number} com palavras que vão até o meio da folha" for number in range(20)]
    lines += ["Autenticação 1A2B3C4D5E6F"]
    plain = read(text_pdf(lines))
    assert {fact.name: fact.value for fact in plain.facts}["status"] == "paid"
    stamped = read(stamped_by(lines, "CANCELADO", degrees=degrees))
    assert {fact.name: fact.value for fact in stamped.facts}["status"] == "failed"


@pytest.mark.tesseract
def test_a_stamp_that_was_laid_on_a_receipt_is_looked_at() -> None:
    lines = ["Comprovante de pagamento de boleto", "Valor pago R$ 108,00", "Data do pagamento 20/11/2026"]
    lines += ["Autenticação 1A2B3C4D5E6F", "Conta debitada 1234", "Beneficiário VISTORIAS EXEMPLO LTDA"]
    stamped = read(annotated_pdf(lines, "ESTORNADO"))
    assert {fact.name: fact.value for fact in stamped.facts}["status"] == "failed"
