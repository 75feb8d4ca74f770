"""A page of a PDF is drawn to look for codes only where something on it may be one, and always there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from mailbot.domain.evidence import DocumentKind
from mailbot.evidence import meaning
from mailbot.evidence.documents import KindReading, kind_readings
from mailbot.evidence.documents.page_text import PageText
from mailbot.evidence.pdf_text import OpenPdf, open_pdf
from mailbot.evidence.reading import read_document, read_thoroughly
from tests.evaluation.drawing import Paper, pdf
from tests.papers import BARCODE, BOLETO, LINE, RECEIPT, page, picture_pdf
from tests.pdfs import text_pdf

PDF = "application/pdf"
OTHER_BARCODE = "99997165500000108000000012345670000112233445"


def of_paper(lines: tuple[str, ...], bars: str = "", rules: int = 0) -> bytes:
    """A born-digital page: its text, boxes as forms have them, and the bars."""
    paper = Paper()
    for number in range(rules):
        paper.rule(40, 300 + 10 * number, 500)
    for number, line in enumerate(lines):
        paper.text(40, 60 + 18 * number, line)
    if bars:
        paper.bars(44, 500, bars)
    return pdf(paper)


def may_show_codes(content: bytes) -> bool:
    with open_pdf(content) as opened:
        assert isinstance(opened, OpenPdf)
        layer = opened.layer(0, 10_000)
    assert layer is not None
    return layer.may_show_codes


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pages that are drawn."""
    pages: list[int] = []
    draw: Callable[..., object] = OpenPdf.picture

    def noted(self: OpenPdf, number: int, *, dpi: int) -> object:
        pages.append(number)
        return draw(self, number, dpi=dpi)

    monkeypatch.setattr(OpenPdf, "picture", noted)
    return pages


@pytest.mark.parametrize("lines", [BOLETO, RECEIPT])
def test_a_page_of_nothing_but_words_is_not_drawn(lines: tuple[str, ...], drawn: list[int]) -> None:
    reading = read_document("digest", text_pdf(lines), PDF, "x")
    assert reading.kind is not DocumentKind.UNKNOWN
    assert drawn == []


def test_a_few_rules_and_boxes_are_no_code() -> None:
    assert not may_show_codes(of_paper(BOLETO, rules=12))


def test_bars_of_a_boleto_may_be_a_code() -> None:
    assert may_show_codes(of_paper((), BARCODE))


def test_a_picture_however_small_may_be_a_code() -> None:
    paper = Paper()
    paper.jpeg(40, 40, b"\xff\xd8\xff\xd9", (1, 1), width=30, height=30)
    assert may_show_codes(pdf(paper))


@pytest.mark.parametrize("name", [b"IDAutomationHI25L", b"Interleaved2of5-Text", b"BarCode39"])
def test_letters_of_a_font_of_bars_may_be_a_code(name: bytes) -> None:
    assert may_show_codes(with_font(name))


@pytest.mark.parametrize("name", [b"Arial", b"ABCDEF+Calibri-Bold"])
def test_letters_of_another_font_are_words(name: bytes) -> None:
    assert not may_show_codes(with_font(name))


def test_letters_that_are_drawn_in_the_file_itself_may_be_a_code() -> None:
    font = b"/Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding"
    drawings = b"/FontBBox [0 0 9 9] /FontMatrix [0.1 0 0 0.1 0 0] /CharProcs << >> /FirstChar 49 /LastChar 49"
    drawn = b"/Subtype /Type3 %s /Widths [9] /Encoding << /Differences [49 /one] >>" % drawings
    assert may_show_codes(text_pdf(["1111"]).replace(font, drawn))


def test_a_stamp_that_lies_on_the_page_may_be_a_code_and_a_link_is_none() -> None:
    assert may_show_codes(with_annotation(b"Stamp"))
    assert not may_show_codes(with_annotation(b"Link"))


def test_bars_that_say_something_else_than_the_line_are_noticed() -> None:
    reading = read_document("digest", of_paper(BOLETO, OTHER_BARCODE), PDF, "x")
    assert "code_and_line_differ" in reading.reasons
    assert "digitable_line" not in {fact.name for fact in reading.facts}


def test_bars_that_say_the_same_as_the_line_confirm_it() -> None:
    reading, held = read_thoroughly("digest", of_paper(BOLETO, BARCODE), PDF, "x")
    assert held is not None
    assert [code.text for code in held.pages[0].codes] == [BARCODE]
    assert "code_and_line_differ" not in reading.reasons


@pytest.mark.parametrize("make", [of_paper, lambda lines, bars: picture_pdf(page(lines, barcode=bars))])
def test_a_line_that_stands_only_in_the_bars_is_read(make: Callable[[tuple[str, ...], str], bytes]) -> None:
    lines = tuple(line.replace(LINE, "") for line in BOLETO)
    reading = read_document("digest", make(lines, BARCODE), PDF, "x")
    assert {fact.name: fact.value for fact in reading.facts}["barcode"] == BARCODE


@pytest.mark.parametrize("pages", [[BOLETO], [BOLETO, ("Uma folha", "Outras palavras"), ("Mais uma", "Fim")]])
def test_a_page_that_says_all_by_its_words_is_understood_once(
    monkeypatch: pytest.MonkeyPatch, pages: list[tuple[str, ...]]
) -> None:
    asked: list[str] = []
    understand = kind_readings

    def counted(one: PageText, *, today: date) -> tuple[KindReading, ...]:
        asked.append(one.raw)
        return understand(one, today=today)

    monkeypatch.setattr(meaning, "kind_readings", counted)
    meaning._remembered_readings.cache_clear()
    read_document("digest", text_pdf(*pages), PDF, "x")
    assert len(set(asked)) >= len(pages)
    assert len(set(asked)) == len(asked)


def with_font(name: bytes) -> bytes:
    """A page in a font of that name."""
    helvetica = b"/BaseFont /Helvetica"
    content = text_pdf(["1234567890"])
    assert helvetica in content
    return content.replace(helvetica, b"/BaseFont /" + name)


def with_annotation(subtype: bytes) -> bytes:
    """A page with something on it."""
    annotation = b"/Annots [<< /Type /Annot /Subtype /%s /Rect [0 0 90 90] >>] /MediaBox" % subtype
    return text_pdf(["Aviso"]).replace(b"/MediaBox", annotation)
