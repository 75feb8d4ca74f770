"""Numbers that OCR read once are cut out and read again; what it then reads otherwise is not certain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mailbot.evidence.numbers_again import MOST_PIECES, numbers_again
from mailbot.evidence.ocr import Tesseract, tesseract
from mailbot.evidence.word_rows import Word
from tests.papers import RECEIPT, page


@pytest.mark.tesseract
def test_amounts_days_and_lines_are_read_again_and_names_are_not() -> None:
    reader = tesseract()
    assert isinstance(reader, Tesseract)
    paper = page(RECEIPT)
    first = reader.text(paper, dpi=200, within_seconds=600)
    numbers = numbers_again(paper, first.words)
    assert numbers is not None
    again = reader.text(numbers, dpi=300, within_seconds=600, one_block=True).text
    assert "20/11/2026" in again
    assert "123,45" in again
    assert "34191.10121 34567.880058 71234.570001 6 16670000012345" in again
    assert "VISTORIAS" not in again


def test_a_page_without_numbers_has_none_to_read_again() -> None:
    assert numbers_again(Image.new("L", (400, 400), 255), [_word("Comprovante", 10, 10)]) is None


def _word(text: str, left: int, top: int, *, line: int = 1) -> Word:
    right, bottom = left + 9 * len(text), top + 18
    return Word(line=(1, 1, line), left=left, top=top, right=right, bottom=bottom, confidence=0.9, text=text)


words = st.builds(
    _word,
    st.sampled_from(["108,00", "20/11/2026", "Valor", "1" * 47, "de", "E1", "0,00"]),
    st.integers(-100, 5000),
    st.integers(-100, 5000),
    line=st.integers(0, 200),
)


@given(st.lists(words, max_size=200))
def test_the_cut_out_numbers_are_a_picture_of_bounded_size_wherever_they_stand(found: list[Word]) -> None:
    numbers = numbers_again(Image.new("L", (900, 700), 255), found)
    if numbers is not None:
        assert numbers.width <= 2_500
        assert numbers.height <= MOST_PIECES * 200
