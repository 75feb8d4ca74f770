"""Whether a large mark lies on a paper that nobody read, such as a stamp across it: ``(picture, words) -> bool``.

*CANCELADO* aslant over a receipt, or in pale letters behind it, is no row of text, so that OCR does not see it;
what it says may be the contrary of all the rest. A mark is ink that belongs to no recognized word, is much larger
than the paper's letters, and long: icons, codes to scan and faces are about as high as broad, rules are thin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt
from statistics import median
from typing import TYPE_CHECKING

from mailbot.evidence.word_rows import Word

if TYPE_CHECKING:
    from PIL.Image import Image

_READ_CONFIDENCE = 0.5
_FEWEST_WORDS = 8
_PAD_HEIGHTS = 0.3
# So far around the text a mark is looked for.
_BESIDE_HEIGHTS, _ABOVE_HEIGHTS, _BELOW_HEIGHTS = 2, 4, 25
_WHITE = 255
_INK = 225
# The picture is made so small that a letter is ten pixels high, and a cell a half of it.
_LETTER_PIXELS, _CELL_PIXELS, _THINNEST_PIXELS = 10, 5, 3
_CELLS_A_LETTER = _LETTER_PIXELS / _CELL_PIXELS
_INKED_SHARE = 0.25
_FEWEST_CELLS = 10
_SHORTEST, _LONGEST = 6.0, 40.0
_NARROWEST, _BROADEST = 1.2, 14.0
_ELONGATION = 1.7
_MOST_CELLS = 60_000

# The words that it covers lie between its pieces.
_NEAR = range(-4, 5)

_Cell = tuple[int, int]


def has_unread_mark(straight: Image, words: Sequence[Word]) -> bool:
    """Whether such a mark lies among the ``words`` that were recognized on the level, evenly lit picture."""
    read = [word for word in words if word.confidence >= _READ_CONFIDENCE and any(map(str.isalnum, word.text))]
    if len(read) < _FEWEST_WORDS:
        return False
    height = max(1.0, median(word.height for word in read))
    return any(_is_mark(blot) for blot in _blots(_inked(straight, read, height)))


def _inked(straight: Image, read: Sequence[Word], height: float) -> set[_Cell]:
    """The cells, each half a letter high, with thick strokes on them that belong to no word."""
    from PIL import Image, ImageDraw, ImageFilter

    left, top = min(word.left for word in read), min(word.top for word in read)
    right, bottom = max(word.right for word in read), max(word.bottom for word in read)
    around = (left - _BESIDE_HEIGHTS * height, top - _ABOVE_HEIGHTS * height)
    beyond = (right + _BESIDE_HEIGHTS * height, bottom + _BELOW_HEIGHTS * height)
    left, top = (max(0, round(place)) for place in around)
    right, bottom = min(straight.width, round(beyond[0])), min(straight.height, round(beyond[1]))
    paper = straight.crop((left, top, right, bottom))
    pen, pad = ImageDraw.Draw(paper), _PAD_HEIGHTS * height
    for word in read:
        place = (word.left - left - pad, word.top - top - pad, word.right - left + pad, word.bottom - top + pad)
        pen.rectangle(place, fill=_WHITE)
    scale = _LETTER_PIXELS / height
    small = (round(paper.width * scale), round(paper.height * scale))
    columns, rows = (side // _CELL_PIXELS for side in small)
    if not 0 < columns * rows <= _MOST_CELLS:
        return set()
    ink = paper.resize(small, Image.Resampling.BOX).point([255 if shade < _INK else 0 for shade in range(256)])
    # Rules, dots and small letters are thinner than a stamp's strokes.
    thick = ink.filter(ImageFilter.MinFilter(_THINNEST_PIXELS))
    shares = thick.resize((columns, rows), Image.Resampling.BOX).tobytes()
    return {(at % columns, at // columns) for at, share in enumerate(shares) if share >= _INKED_SHARE * 255}


def _blots(inked: set[_Cell]) -> Iterator[list[_Cell]]:
    """Cells that touch each other, or nearly: the letters of a stamp stand a little apart."""
    left = set(inked)
    while left:
        blot = [left.pop()]
        for x, y in blot:
            near = {(x + dx, y + dy) for dx in _NEAR for dy in _NEAR} & left
            left -= near
            blot.extend(near)
        yield blot


def _is_mark(blot: Sequence[_Cell]) -> bool:
    """Whether it is large and long, whichever way it lies."""
    count = len(blot)
    if count < _FEWEST_CELLS:
        return False
    middle_x, middle_y = sum(x for x, _ in blot) / count, sum(y for _, y in blot) / count
    xx = sum((x - middle_x) ** 2 for x, _ in blot) / count
    yy = sum((y - middle_y) ** 2 for _, y in blot) / count
    xy = sum((x - middle_x) * (y - middle_y) for x, y in blot) / count
    spread = sqrt(((xx - yy) / 2) ** 2 + xy**2)
    # Of an even bar so long, the standard deviation is its length by the root of twelve.
    length, breadth = (sqrt(12 * max(0.0, (xx + yy) / 2 + sign * spread)) / _CELLS_A_LETTER for sign in (1, -1))
    is_large = _SHORTEST <= length <= _LONGEST and _NARROWEST <= breadth <= _BROADEST
    return is_large and length >= _ELONGATION * breadth
