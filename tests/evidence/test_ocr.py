"""Tesseract reads Portuguese through its library, within a time; where it is missing the reading says so."""

from __future__ import annotations

import ctypes

import pytest

from mailbot.domain.evidence import DocumentKind, Readability
from mailbot.evidence import ocr
from mailbot.evidence.ocr import MissingOcr, Orientation, Tesseract, tesseract
from mailbot.evidence.reading import is_to_be_kept, read_document
from tests.papers import BARCODE, BOLETO, LINE, page, picture_pdf, saved, scan

needs_tesseract = pytest.mark.tesseract


@pytest.fixture
def reader() -> Tesseract:
    found = tesseract()
    assert isinstance(found, Tesseract)
    return found


@needs_tesseract
def test_a_clear_page_is_read_line_by_line_with_its_columns_apart(reader: Tesseract) -> None:
    recognized = reader.text(page(BOLETO), dpi=200, within_seconds=600)
    lines = recognized.text.splitlines()
    assert lines[0].endswith(f"  {LINE}")
    assert "PAGÁVEL EM QUALQUER BANCO ATÉ O VENCIMENTO" in lines[2]
    assert "CPF: 529.982.247-25" in lines[4]
    assert recognized.confidence > 0.85
    assert recognized.is_complete


@needs_tesseract
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_it_tells_how_a_page_must_be_turned(reader: Tesseract, turn: int) -> None:
    found = reader.orientation(page(BOLETO).rotate(turn, expand=True))
    assert isinstance(found, Orientation)
    assert found.turn_degrees == turn


@needs_tesseract
def test_of_an_empty_page_nothing_is_said(reader: Tesseract) -> None:
    empty = page(())
    assert reader.orientation(empty) is None
    assert reader.text(empty, dpi=200, within_seconds=600).text == ""


@needs_tesseract
def test_it_ends_when_its_time_is_over(reader: Tesseract) -> None:
    assert not reader.text(page(BOLETO * 3), dpi=200, within_seconds=0.001).is_complete
    assert reader.text(page(BOLETO), dpi=200, within_seconds=600).is_complete


# --- without Tesseract -------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [saved(page(BOLETO)), picture_pdf(scan(page(BOLETO)))], ids=["photo", "scan"])
def test_without_it_a_picture_is_for_a_person_and_read_again_another_time(content: bytes) -> None:
    media_type = "application/pdf" if content.startswith(b"%PDF") else "image/jpeg"
    reading = read_document("digest", content, media_type, "foto.jpg", ocr=MissingOcr(what="library"))
    assert (reading.kind, reading.readability) == (DocumentKind.UNKNOWN, Readability.NOT_CHECKED)
    assert reading.reasons[:2] == ("not_text", "no_ocr")
    assert not is_to_be_kept(reading)


def test_without_it_codes_are_still_read() -> None:
    from mailbot.evidence.reading import read_content

    held = read_content(saved(page(BOLETO, barcode=BARCODE)), "image/jpeg", ocr=MissingOcr(what="por"))
    assert held is not None
    assert [code.text for code in held.pages[0].codes] == [BARCODE]


def test_where_the_library_is_missing_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(name: str) -> ctypes.CDLL:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    assert tesseract.__wrapped__() == MissingOcr(what="library")


@needs_tesseract
def test_where_the_language_is_missing_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "LANGUAGE", "xyz")
    assert tesseract.__wrapped__() == MissingOcr(what="xyz")
