"""Rows of a receipt → a paper: as columns, stacked, at both sides or in a typewriter's letters, light or dark.

Screens of apps may be dark, and begin with a bar in the bank's colour on which title and amount stand in white.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.evaluation.drawing import Paper
from tests.evaluation.receipt_case import Row

_COLOURS = ((0.93, 0.44, 0.0), (0.0, 0.36, 0.66), (0.8, 0.04, 0.18), (0.51, 0.04, 0.82), (0.13, 0.6, 0.3))
_OF_A_BAR = ("title", "big")
_DARK_SHARE, _BAR_SHARE = 0.25, 0.3


@dataclass(frozen=True, slots=True)
class _Look:
    style: str
    font: str
    size: float
    left: float
    column: float
    right: float


def is_screen(style: str) -> bool:
    """Whether it is what a telephone shows."""
    return style in ("stacked", "sides")


def receipt_paper(rng: Random, rows: Sequence[Row], style: str) -> Paper:
    """The rows on paper, or as an app shows them."""
    narrow = is_screen(style)
    dark = narrow and rng.random() < _DARK_SHARE
    paper = Paper(
        width=380.0 if narrow else 595.0,
        height=760.0 if narrow else 842.0,
        shade=0.07 if dark else 1.0,
        is_dark=dark,
    )
    font = "mono" if style == "mono" else rng.choice(("sans", "sans", "serif"))
    left, right = rng.uniform(30, 50), paper.width - rng.uniform(30, 45)
    size, column = rng.uniform(9.5, 11.0), left + (right - left) * rng.uniform(0.42, 0.5)
    look = _Look(style, font, size, left, column, right)
    has_bar = narrow and rng.random() < _BAR_SHARE
    y = _bar(paper, rows, look, rng.choice(_COLOURS)) if has_bar else 50.0
    for row in rows:
        if not (has_bar and row[0] in _OF_A_BAR):
            y = _row(paper, row, look, y)
    return paper


def _bar(paper: Paper, rows: Sequence[Row], look: _Look, colour: tuple[float, float, float]) -> float:
    """Title and amount in white on a coloured bar across the top; where the rest begins."""
    above = [row for row in rows if row[0] in _OF_A_BAR]
    paper.bar(0, 0, paper.width, 50.0 + 36 * len(above), colour)
    y = 46.0
    for row in above:
        larger = 10 if row[0] == "big" else 4
        paper.text(look.left, y, row[1], size=look.size + larger, font=f"{look.font}-bold", grey=1.0, as_is=True)
        y += 36
    return y + 36


def _row(paper: Paper, row: Row, look: _Look, y: float) -> float:
    sort, words, size = row[0], row[1] if len(row) > 1 else "", look.size
    large = {"title": (6, 4, 30), "big": (8, 10, 34), "head": (6, 1, 24)}.get(sort)
    if large is not None:
        paper.text(look.left, y + large[0], words, size=size + large[1], font=f"{look.font}-bold")
        return y + large[2]
    if sort == "rule":
        paper.rule(look.left, y - 4, look.right - look.left)
        return y + 8
    if sort == "note":
        return _wrapped(paper, look, y, words)
    if look.style == "stacked":
        paper.text(look.left, y, words, size=size - 1, font=look.font, grey=0.35)
        paper.text(look.left, y + size + 4, row[2], size=size, font=look.font)
        return y + 2 * size + 14
    paper.text(look.left, y, words, size=size, font=look.font)
    if look.style == "sides":
        paper.right(look.right, y, row[2], size=size, font=look.font)
    elif len(row[2]) * size * 0.6 < look.right - look.column:
        x = max(look.column, look.left + len(words) * size * 0.58 + 8)
        paper.text(x, y, row[2], size=size, font=look.font)
    else:
        paper.text(look.left + 12, y + size + 4, row[2], size=size, font=look.font)
        y += size + 4
    return y + size + 6


def _wrapped(paper: Paper, look: _Look, y: float, words: str) -> float:
    room = int((look.right - look.left) / (look.size * (0.6 if look.font == "mono" else 0.52)))
    while words:
        cut = words if len(words) <= room else words[:room].rpartition(" ")[0] or words[:room]
        paper.text(look.left, y, cut, size=look.size, font=look.font)
        words, y = words[len(cut) :].strip(), y + look.size + 5
    return y
