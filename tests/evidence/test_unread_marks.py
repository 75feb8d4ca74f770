"""A stamp across a paper that OCR does not read: what it says may be the contrary of all the rest."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFont

from mailbot.domain.evidence import DocumentKind
from mailbot.evidence.ocr import Tesseract, tesseract
from mailbot.evidence.reading import read_document
from mailbot.evidence.unread_marks import has_unread_mark
from mailbot.evidence.word_rows import Word
from tests.papers import RECEIPT, page, saved

_LETTER = 20


def paper() -> tuple[Image.Image, list[Word]]:
    """A white paper and the places of its words, six rows of four."""
    words = [
        Word(
            line=(1, 1, row),
            left=60 + 160 * column,
            top=80 + 50 * row,
            right=60 + 160 * column + 120,
            bottom=80 + 50 * row + _LETTER,
            confidence=0.9,
            text="palavra",
        )
        for row in range(6)
        for column in range(4)
    ]
    picture = Image.new("L", (800, 800), 255)
    for word in words:
        ImageDraw.Draw(picture).rectangle((word.left, word.top, word.right, word.bottom), outline=0, width=3)
    return picture, words


def stamped(
    picture: Image.Image, *, degrees: float, at: tuple[int, int], shade: int, word: str = "CANCELADO"
) -> None:
    font = ImageFont.load_default(size=3 * _LETTER)
    left, top, right, bottom = (round(side) for side in font.getbbox(word, stroke_width=2))
    stamp = Image.new("L", (right - left + 20, bottom - top + 20), 0)
    ImageDraw.Draw(stamp).text((10 - left, 10 - top), word, fill=255, font=font, stroke_width=2)
    turned = stamp.rotate(degrees, expand=True, resample=Image.Resampling.BICUBIC)
    picture.paste(shade, (at[0], at[1], at[0] + turned.width, at[1] + turned.height), turned)


@pytest.mark.parametrize("degrees", [0, 12, 35, -28])
@pytest.mark.parametrize("shade", [60, 190])
def test_a_stamp_below_the_text_is_a_mark(degrees: float, shade: int) -> None:
    picture, words = paper()
    stamped(picture, degrees=degrees, at=(150, 450), shade=shade)
    assert has_unread_mark(picture, words)


@pytest.mark.parametrize("degrees", [0, 12, -28])
def test_a_stamp_across_words_that_are_read_all_the_same_is_a_mark(degrees: float) -> None:
    picture, words = paper()
    stamped(picture, degrees=degrees, at=(150, 130), shade=60)
    assert has_unread_mark(picture, words)


def test_a_paper_of_which_all_was_read_has_none() -> None:
    picture, words = paper()
    assert not has_unread_mark(picture, words)


def test_rules_icons_and_codes_are_no_marks() -> None:
    picture, words = paper()
    pen = ImageDraw.Draw(picture)
    for y in (65, 420, 425):
        pen.line((40, y, 760, y), fill=0, width=3)
    pen.ellipse((300, 450, 400, 550), fill=40)
    for x in range(500, 700, 10):
        for y in range(450, 650, 10):
            if (x * y) % 3:
                pen.rectangle((x, y, x + 9, y + 9), fill=0)
    assert not has_unread_mark(picture, words)


def test_a_stamp_that_was_read_is_text_and_no_mark() -> None:
    picture, words = paper()
    stamped(picture, degrees=0, at=(150, 450), shade=60)
    read = Word(line=(2, 1, 1), left=150, top=450, right=700, bottom=530, confidence=0.9, text="CANCELADO")
    assert not has_unread_mark(picture, [*words, read])


def test_a_picture_with_hardly_a_word_has_none() -> None:
    picture, words = paper()
    stamped(picture, degrees=30, at=(150, 130), shade=60)
    assert not has_unread_mark(picture, words[:5])


@pytest.mark.tesseract
def test_a_receipt_with_a_stamp_that_ocr_does_not_see_is_not_paid() -> None:
    """R000-08: *paid* needs more than that nothing else was read."""
    assert isinstance(tesseract(), Tesseract)
    clean = page(RECEIPT)
    over = clean.copy()
    stamped(over, degrees=32, at=(250, 400), shade=120, word="ESTORNADO")
    said = []
    for picture in (clean, over):
        reading = read_document("digest", saved(picture, "PNG"), "image/png", "x")
        assert reading.kind is DocumentKind.PAYMENT_RECEIPT
        said.append({fact.name: fact.value for fact in reading.facts}["status"])
    assert said == ["paid", "unknown"]
