"""A PDF of which the rest was lost on its way says nothing that is certain (issue 4, *Bad input*: truncated)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.domain.evidence import DocumentKind, DocumentReading, PaymentStatus, Readability
from mailbot.evidence.ocr import MissingOcr
from mailbot.evidence.pdf_end import PdfEnd, end_of_pdf
from mailbot.evidence.reading import read_document
from tests.papers import BOLETO, RECEIPT
from tests.pdfs import text_pdf, text_pdf_with_its_end_first

SCHEDULED = (*RECEIPT, "Situação: AGENDADO", "Este pagamento foi agendado e será efetuado na data indicada.")
IN_ORDER = text_pdf(SCHEDULED)
END_FIRST = text_pdf_with_its_end_first([RECEIPT, SCHEDULED[len(RECEIPT) :]])
TO_BE_SHOWN_WHILE_LOADED = text_pdf_with_its_end_first([RECEIPT, SCHEDULED[len(RECEIPT) :]], says_its_length=True)
WHOLE = (IN_ORDER, END_FIRST, TO_BE_SHOWN_WHILE_LOADED)


def read(content: bytes) -> DocumentReading:
    return read_document("d", content, "application/pdf", "comprovante.pdf", ocr=MissingOcr(what="tesseract"))


def status(reading: DocumentReading) -> str | None:
    return next((fact.value for fact in reading.facts if fact.name == "status"), None)


@pytest.mark.parametrize("content", WHOLE, ids=["in order", "end first", "linearized"])
def test_the_whole_file_is_read(content: bytes) -> None:
    assert (read(content).kind, status(read(content))) == (DocumentKind.PAYMENT_RECEIPT, PaymentStatus.SCHEDULED)


@pytest.mark.parametrize("step", [1, 7, 16, 64, 256])
@pytest.mark.parametrize("content", WHOLE, ids=["in order", "end first", "linearized"])
def test_cut_after_every_so_many_bytes_nothing_is_certain(content: bytes, step: int) -> None:
    """Of the receipt with its end first, whoever mends it sees a paid one where its second half is lost."""
    mark = content.rindex(b"%%EOF")
    for length in range(0, mark, max(step, len(content) // 60 if step == 1 else step)):
        reading = read(content[:length])
        assert (reading.kind, reading.facts, reading.parts) == (DocumentKind.UNKNOWN, (), ()), length


@given(length=st.integers(0, len(END_FIRST)), tail=st.binary(max_size=40))
@settings(deadline=None, max_examples=60)
def test_whatever_stands_behind_the_cut_a_scheduled_payment_is_never_paid(length: int, tail: bytes) -> None:
    assert status(read(END_FIRST[:length] + tail)) != PaymentStatus.PAID


def test_what_the_rest_of_a_cut_file_says_is_for_a_person() -> None:
    reading = read(END_FIRST[: END_FIRST.rindex(b"stream\nBT")])
    assert "ends_early" in reading.reasons
    assert {fact.name for fact in reading.guesses} >= {"amount", "boleto_line"}
    assert [one.kind for one in reading.candidates][:1] == [DocumentKind.PAYMENT_RECEIPT]


def test_one_that_is_shorter_than_it_says_is_asked_for_again() -> None:
    reading = read(TO_BE_SHOWN_WHILE_LOADED[:-30])
    assert (reading.readability, reading.reasons) == (Readability.UNREADABLE, ("broken_pdf",))


@pytest.mark.parametrize("junk", [b"", b"\n\n", bytes(5_000), b"<!-- scanned by the gateway -->" * 200])
def test_what_a_gateway_adds_behind_the_end_does_no_harm(junk: bytes) -> None:
    assert end_of_pdf(text_pdf(BOLETO) + junk) is PdfEnd.WHOLE
    assert read(text_pdf(BOLETO) + junk).kind is DocumentKind.BOLETO


@given(content=st.binary(max_size=300))
def test_no_bytes_raise(content: bytes) -> None:
    end_of_pdf(b"%PDF-1.7 << /Linearized 1 /L " + content)


def test_a_megabyte_of_half_a_length_is_looked_at_in_no_time() -> None:
    assert end_of_pdf(b"/Linearized" * 100_000) is PdfEnd.MISSING
