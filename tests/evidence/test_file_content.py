"""Each page is read as cheaply as it can be: its layer, then codes, then OCR; what is hidden does not count."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest

from mailbot.domain.evidence import DocumentKind, Readability
from mailbot.evidence import file_content
from mailbot.evidence.content import FileContent, TextSource
from mailbot.evidence.file_content import MOST_LOOKED_AT_PAGES, Wanted, pdf_content, picture_content
from mailbot.evidence.looking import Deadline
from mailbot.evidence.ocr import MissingOcr, Tesseract, tesseract
from mailbot.evidence.pdf_text import MOST_PIXELS, OpenPdf, open_pdf
from mailbot.evidence.reading import read_document
from tests.evaluation import licences
from tests.evaluation.drawing import pdf
from tests.papers import (
    BARCODE,
    BOLETO,
    LINE,
    RECEIPT,
    page,
    photograph,
    picture_pdf,
    saved,
    scan,
    with_orientation,
)
from tests.pdfs import scanned_pdf, sized_pdf, text_pdf

pytestmark = pytest.mark.tesseract
PDF = "application/pdf"


def of_pdf(content: bytes, wanted: Wanted = Wanted.EVERYTHING) -> FileContent:
    return pdf_content(content, ocr=tesseract, judge=lambda _text: wanted)


def kind(content: bytes, media_type: str = "image/jpeg") -> DocumentKind:
    return read_document("digest", content, media_type, "x").kind


# --- which of the three ways ---------------------------------------------------------------------------------


def test_a_text_layer_that_is_enough_is_all_that_is_read() -> None:
    (read,) = of_pdf(text_pdf(RECEIPT), Wanted.NOTHING).pages
    assert (read.source, read.codes, read.confidence) == (TextSource.TEXT_LAYER, (), 1.0)
    assert read.text.splitlines()[:2] == ["BANCO EXEMPLO S.A.", "Comprovante de pagamento de boleto"]


def test_where_only_codes_are_wanted_nothing_is_recognized() -> None:
    (read,) = of_pdf(picture_pdf(scan(page(BOLETO, barcode=BARCODE))), Wanted.CODES).pages
    assert [code.text for code in read.codes] == [BARCODE]
    assert (read.text, read.source) == ("", TextSource.NONE)


def test_a_scan_is_recognized_and_its_bars_are_read() -> None:
    read = of_pdf(picture_pdf(scan(page(BOLETO, barcode=BARCODE)), scan(page(RECEIPT)))).pages
    assert [one.source for one in read] == [TextSource.OCR] * 2
    assert LINE in read[0].text
    assert [code.text for code in read[0].codes] == [BARCODE]
    assert "Valor pago: R$ 123,45" in read[1].text


def test_a_page_that_says_enough_itself_is_not_recognized() -> None:
    (read,) = of_pdf(text_pdf(["Manual do usuário do boleto"])).pages
    assert read.source is TextSource.TEXT_LAYER


def test_a_card_in_a_picture_beside_much_text_is_recognized(monkeypatch: pytest.MonkeyPatch) -> None:
    """The licence's PDF of the app: a picture on a fifth of the page, and a page of words about signatures."""
    # Else another day would stand on the card each day: what OCR reads of this one is shown, not of all there are.
    monkeypatch.setattr(licences, "TODAY", date(2026, 11, 22))
    holder = Random(5)
    made = licences.families()["app_pdf_card_size"](holder)
    reading = read_document("digest", pdf(*made.papers), PDF, "x")
    assert reading.kind is DocumentKind.DRIVER_LICENCE
    assert made.truth.items() >= {(fact.name, fact.value) for fact in reading.facts}
    assert {"tax_id", "birth_date", "valid_until"} <= {fact.name for fact in reading.facts}


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_photograph_may_lie_on_any_side(turn: int) -> None:
    assert kind(saved(photograph(page(RECEIPT)).rotate(turn, expand=True))) is DocumentKind.PAYMENT_RECEIPT


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_photograph_is_read_as_the_camera_was_held(orientation: int) -> None:
    assert kind(with_orientation(photograph(page(BOLETO)), orientation)) is DocumentKind.BOLETO


@pytest.mark.parametrize(
    ("name", "media_type"), [("HEIF", "image/heic"), ("WEBP", "image/webp"), ("TIFF", "image/tiff")]
)
def test_every_format_is_read(name: str, media_type: str) -> None:
    assert kind(saved(photograph(page(BOLETO)), name), media_type) is DocumentKind.BOLETO


@pytest.mark.parametrize("tilt", [-8, -3, 4, 9])
def test_a_photograph_that_stands_aslant_is_straightened(tilt: float) -> None:
    held = picture_content(saved(photograph(page(BOLETO), tilt_degrees=tilt)), ocr=tesseract)
    assert LINE in held.pages[0].text


def test_light_writing_on_a_dark_ground_is_read() -> None:
    from PIL import ImageOps

    assert kind(saved(ImageOps.invert(page(RECEIPT)))) is DocumentKind.PAYMENT_RECEIPT


def test_tesseract_is_loaded_only_where_a_page_must_be_looked_at() -> None:
    def unasked() -> MissingOcr:
        raise AssertionError("nothing on this page is a picture")

    (read,) = pdf_content(text_pdf(RECEIPT), ocr=unasked, judge=lambda _text: Wanted.CODES).pages
    assert read.source is TextSource.TEXT_LAYER
    broken = picture_content(b"\xff\xd8\xff\xe0 and no more", ocr=unasked)
    assert broken.readability is Readability.UNREADABLE


# --- what does not count, and what was not found ---------------------------------------------------------------


def test_text_that_nobody_sees_does_not_count() -> None:
    hidden = text_pdf(
        ["Comprovante de pagamento", "Valor pago 108,00", "Data do pagamento 20/11/2026"], hidden=True
    )
    held = of_pdf(hidden)
    assert "pago" not in held.pages[0].text
    assert kind(hidden, PDF) is DocumentKind.UNKNOWN


def test_without_ocr_a_scanners_own_layer_is_only_a_guess() -> None:
    held = pdf_content(
        text_pdf(["Comprovante de pagamento", "Valor pago 108,00"], hidden=True),
        ocr=lambda: MissingOcr(what="library"),
        judge=lambda _text: Wanted.EVERYTHING,
    )
    (read,) = held.pages
    assert (read.source, read.confidence) == (TextSource.OCR, 0.0)
    assert "no_ocr" in held.reasons


def test_a_picture_without_text_is_for_a_person() -> None:
    held = picture_content(saved(page(())), ocr=tesseract)
    assert (held.readability, held.reasons) == (Readability.NOT_CHECKED, ("no_text_found",))


def test_only_so_many_pages_are_looked_at_and_the_file_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_content, "MOST_LOOKED_AT_PAGES", 2)
    held = of_pdf(picture_pdf(*[scan(page((f"Folha número {n}",))) for n in range(4)]))
    assert [one.source for one in held.pages] == [TextSource.OCR] * 2 + [TextSource.NONE] * 2
    assert "pages_not_read" in held.reasons
    assert MOST_LOOKED_AT_PAGES >= 3


def test_when_the_time_is_over_what_was_read_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_content, "LOOKING_SECONDS", 0.0)
    held = of_pdf(picture_pdf(scan(page(BOLETO)), scan(page(RECEIPT))))
    assert [one.source for one in held.pages] == [TextSource.NONE] * 2
    assert held.reasons == ("pages_not_read", "no_text_found")
    assert Deadline(0).is_over


# --- pages of any size -------------------------------------------------------------------------------------------


def test_a_page_of_fifty_metres_is_drawn_within_limits() -> None:
    with open_pdf(sized_pdf(141_732, 141_732)) as pdf:
        assert isinstance(pdf, OpenPdf)
        picture = pdf.picture(0, dpi=230)
    assert picture is not None
    assert picture.width * picture.height <= MOST_PIXELS * 1.01


@pytest.mark.parametrize("size", [(1, 1), (1, 200_000), (0, 0), (-5, 10)], ids=str)
def test_a_page_of_a_senseless_size_does_no_harm(size: tuple[int, int]) -> None:
    assert of_pdf(sized_pdf(*size)).readability in (Readability.NOT_CHECKED, Readability.UNREADABLE)


def test_of_ten_thousand_pages_the_first_are_read() -> None:
    held = of_pdf(text_pdf(*[["Capa do processo"]] * 10_000))
    assert (len(held.pages), held.page_count) == (20, 10_000)
    assert held.reasons == ("pages_not_read",)


def test_an_empty_scan_costs_little() -> None:
    assert isinstance(tesseract(), Tesseract)
    assert of_pdf(scanned_pdf()).reasons == ("no_text_found",)
