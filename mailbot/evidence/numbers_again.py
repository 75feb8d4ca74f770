"""Numbers of a picture, cut out to be read a second time: ``(picture, words) -> picture``.

A digit that OCR misread looks like any other, and an amount has no check digit. So what looks like an amount, a
day or a digitable line is cut out, brought to another size, and put one below the other: what is read alike twice
is believed, and what is not is for a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from mailbot.evidence.word_rows import Word

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIECES = 28

_LETTER_PIXELS = 34
_OTHER_LETTER_PIXELS = 44
_WIDEST_PIXELS = 1_800
_HIGHEST_PIXELS = 120
_MARGIN = 14
_MOST_GAP_HEIGHTS = 2.5
_MOST_WORDS_BETWEEN = 3

_DIGITS = re.compile(r"\d")
_AMOUNT = re.compile(r"(?<![\d,])(?!0,00(?!\d))\d[\d.]*,\s?\d{2}(?!\d)")
_DAY = re.compile(
    r"\d{1,2}\s?[/.\-]\s?\d{1,2}\s?[/.\-]\s?\d{2}|\d{1,2}\s?(?:de|/|[A-Za-z]{3})|(?:19|20)\d{2}(?!\d)"
)
_FEWEST_OF_A_LINE = 30


def numbers_again(picture: Image, words: Sequence[Word]) -> Image | None:
    """What is to be read again, dark on white in lines of one size; ``None`` where there is nothing.

    ``picture`` is the one in which ``words`` were found. At most :data:`MOST_PIECES` pieces, digitable lines
    first.
    """
    runs = sorted(_runs(words), key=_is_short)[:MOST_PIECES]
    if not runs:
        return None
    return _one_below_the_other([_cut_out(picture, run) for run in runs])


def _is_short(run: Sequence[Word]) -> bool:
    return len(_DIGITS.findall(_text(run))) < _FEWEST_OF_A_LINE


def _text(run: Sequence[Word]) -> str:
    return " ".join(word.text for word in run)


def _runs(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Amounts, days and digitable lines, each once, though it stand there more often."""
    lines: dict[tuple[int, int, int], list[Word]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word)
    seen = set()
    for line in lines.values():
        for run in _numbers(line):
            text = _text(run)
            if text not in seen and (_AMOUNT.search(text) or _DAY.search(text) or not _is_short(run)):
                seen.add(text)
                yield run


def _numbers(line: Sequence[Word]) -> Iterator[list[Word]]:
    """Words with digits, with the few that may stand between them: *20 de novembro de 2026*."""
    run: list[Word] = []
    between: list[Word] = []
    for before, word in [(None, line[0]), *pairwise(line)]:
        if before is not None and word.left - before.right > _MOST_GAP_HEIGHTS * max(word.height, before.height):
            yield from [run] if run else []
            run, between = [], []
        if _DIGITS.search(word.text):
            run, between = [*run, *between, word], []
        elif run:
            between.append(word)
            if len(between) > _MOST_WORDS_BETWEEN:
                yield run
                run, between = [], []
    if run:
        yield run


def _cut_out(picture: Image, run: Sequence[Word]) -> Image:
    from PIL import Image

    height = max(1, sorted(word.height for word in run)[len(run) // 2])
    margin = max(2, height // 4)
    left, top = _within(min(word.left for word in run) - margin, picture.width), min(word.top for word in run)
    right = max(word.right for word in run) + margin
    top, bottom = _within(top - margin, picture.height), max(word.bottom for word in run) + margin
    box = (left, top, min(picture.width, max(left + 1, right)), min(picture.height, max(top + 1, bottom)))
    piece = picture.crop(box)
    # Of the same size it would be misread the same way.
    wanted = _LETTER_PIXELS if abs(height - _LETTER_PIXELS) > _LETTER_PIXELS / 4 else _OTHER_LETTER_PIXELS
    scale = min(wanted / height, _WIDEST_PIXELS / piece.width, _HIGHEST_PIXELS / piece.height)
    size = (max(1, round(piece.width * scale)), max(1, round(piece.height * scale)))
    return piece.resize(size, Image.Resampling.BICUBIC)


def _within(place: int, length: int) -> int:
    return min(max(0, place), length - 1)


def _one_below_the_other(pieces: Sequence[Image]) -> Image:
    from PIL import Image

    width = max(piece.width for piece in pieces) + 2 * _MARGIN
    height = sum(piece.height + _MARGIN for piece in pieces) + _MARGIN
    paper = Image.new("L", (width, height), 255)
    y = _MARGIN
    for piece in pieces:
        paper.paste(piece, (_MARGIN, y))
        y += piece.height + _MARGIN
    return paper
