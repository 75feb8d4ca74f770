"""A grey picture of a page → its text and codes, cheapest first: orientation, straightening, codes, OCR.

``(Image, Looking) -> Seen``. How long it may take is the caller's; without Tesseract only codes are found.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mailbot.evidence.codes import codes_in
from mailbot.evidence.content import Code
from mailbot.evidence.numbers_again import numbers_again
from mailbot.evidence.ocr import MissingOcr, RecognizedText, Tesseract
from mailbot.evidence.photographs import evenly_lit, is_blank, straightened
from mailbot.evidence.unread_marks import has_unread_mark
from mailbot.evidence.word_rows import turn_to_level

if TYPE_CHECKING:
    from PIL.Image import Image

_A4_LONGER_SIDE_INCHES = 11.7
# Letters of a smaller picture are too few pixels high for Tesseract.
_FEWEST_SIDE_PIXELS = 1_400
_ORIENTATION_SIDE_PIXELS = 1_600
# Text that is upside down comes out as letters too, but with half the confidence.
_GOOD_CONFIDENCE = 0.65
_FEWEST_LETTERS = 25
# Whichever way it lies, text gives some letters: where there are none there is no text.
_LETTERS_OF_TEXT_ON_ITS_SIDE = 8
_QUARTERS = (0, 180, 90, 270)
_CODES_SECONDS = 0.8
_NUMBERS_DPI = 300


class Deadline:
    """What is left of the time for one file."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def seconds_left(self) -> float:
        """Never below zero."""
        return max(0.0, self._end - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether nothing new is to be begun."""
        return self.seconds_left <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was found on a picture. ``text`` is ``None`` where nothing could look for it; ``again`` are the numbers
    in it as they were read a second time. ``has_unread_mark`` as of a stamp among its words."""

    text: RecognizedText | None
    codes: tuple[Code, ...]
    again: str = ""
    has_unread_mark: bool = False


def look_at(picture: Image, ocr: Tesseract | MissingOcr, deadline: Deadline) -> Seen:
    """Text and codes of one grey picture, which may lie on its side and be unevenly lit."""
    if is_blank(picture):
        return Seen(text=RecognizedText(text="", confidence=0.0), codes=())
    codes = codes_in(picture, thoroughly=False)
    lit = evenly_lit(picture)
    if isinstance(ocr, MissingOcr):
        return Seen(text=None, codes=codes or codes_in(straightened(lit), thoroughly=True))
    straight, text = _recognized(_enlarged(lit), ocr, deadline)
    if not text.is_complete:
        # What was not reached may say the contrary.
        text = replace(text, confidence=0.0)
    if not codes and not deadline.is_over:
        codes = codes_in(straight, thoroughly=True, within_seconds=min(_CODES_SECONDS, deadline.seconds_left))
    return Seen(
        text=text,
        codes=codes,
        again=_numbers(straight, text, ocr, deadline),
        has_unread_mark=has_unread_mark(straight, text.words),
    )


def _numbers(straight: Image, text: RecognizedText, ocr: Tesseract, deadline: Deadline) -> str:
    """The numbers of the text, read a second time."""
    if deadline.is_over or _letters(text) < _FEWEST_LETTERS:
        return ""
    numbers = numbers_again(straight, text.words)
    if numbers is None:
        return ""
    return ocr.text(numbers, dpi=_NUMBERS_DPI, within_seconds=deadline.seconds_left, one_block=True).text


def _recognized(lit: Image, ocr: Tesseract, deadline: Deadline) -> tuple[Image, RecognizedText]:
    """The straightened picture and its text, turned as Tesseract says, else as the text comes out best."""
    # Straightened first: what stands aslant is easily taken for upside down.
    straight = straightened(lit)
    found = ocr.orientation(_smaller(straight))
    turn = 0 if found is None else found.turn_degrees
    upright, text = _read_level(straight, turn, ocr, deadline)
    if _is_good(text) or _letters(text) < _LETTERS_OF_TEXT_ON_ITS_SIDE:
        return upright, text
    others = (degrees for degrees in _QUARTERS if degrees != turn)
    better = _best_turn(straight, others, ocr, deadline, than=_worth(text))
    if better is None or deadline.is_over:
        return upright, text
    upright_again, again = _read_level(straight, better, ocr, deadline)
    return (upright_again, again) if _worth(again) > _worth(text) else (upright, text)


def _read_level(straight: Image, turn: int, ocr: Tesseract, deadline: Deadline) -> tuple[Image, RecognizedText]:
    """The picture turned and its text; once more turned where its lines turn out to run up or down."""
    upright = _turned(straight, turn)
    text = _read(upright, ocr, deadline)
    further = turn_to_level(text.words)
    if not further or deadline.is_over:
        return upright, text
    level = _turned(straight, (turn + further) % 360)
    return level, _read(level, ocr, deadline)


def _best_turn(
    straight: Image, turns: Iterable[int], ocr: Tesseract, deadline: Deadline, *, than: float
) -> int | None:
    """The first turn under which a smaller copy gives good text, else the best one that is worth more."""
    worths = {}
    for degrees, text in _tried(_smaller(straight), turns, ocr, deadline):
        if _is_good(text):
            return degrees
        worths[degrees] = _worth(text)
    best = max(worths, key=lambda degrees: worths[degrees], default=None)
    return best if best is not None and worths[best] > than else None


def _tried(
    small: Image, turns: Iterable[int], ocr: Tesseract, deadline: Deadline
) -> Iterator[tuple[int, RecognizedText]]:
    for degrees in turns:
        if deadline.is_over:
            return
        yield degrees, _read(_turned(small, degrees), ocr, deadline)


def _read(picture: Image, ocr: Tesseract, deadline: Deadline) -> RecognizedText:
    dpi = round(max(picture.size) / _A4_LONGER_SIDE_INCHES)
    return ocr.text(picture, dpi=dpi, within_seconds=deadline.seconds_left)


def _letters(text: RecognizedText) -> int:
    return sum(character.isalnum() for character in text.text)


def _is_good(text: RecognizedText) -> bool:
    return text.confidence >= _GOOD_CONFIDENCE and _letters(text) >= _FEWEST_LETTERS


def _worth(text: RecognizedText) -> float:
    return text.confidence**2 * _letters(text)


def _turned(picture: Image, degrees_clockwise: int) -> Image:
    return picture.rotate(-degrees_clockwise, expand=True) if degrees_clockwise else picture


def _smaller(picture: Image) -> Image:
    small = picture.copy()
    small.thumbnail((_ORIENTATION_SIDE_PIXELS, _ORIENTATION_SIDE_PIXELS))
    return small


def _enlarged(picture: Image) -> Image:
    from PIL import Image

    longer = max(picture.size)
    if longer >= _FEWEST_SIDE_PIXELS:
        return picture
    factor = min(3.0, _FEWEST_SIDE_PIXELS / max(longer, 1))
    size = (round(picture.width * factor), round(picture.height * factor))
    return picture.resize(size, Image.Resampling.BICUBIC)
