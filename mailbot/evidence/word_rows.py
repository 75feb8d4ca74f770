"""Words with their places on a picture → rows of text as they stand on the paper: ``words -> str``.

Tesseract gives blocks one after another: all labels of a form, then all its values. Here what stands on one height
is one row again, also where the paper is seen a little aslant, and blanks keep the columns below each other.
Papers side by side are read one after the other, each begun by :data:`NEXT_PAPER`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

NEXT_PAPER = "\f"
"""Before the first row of each further paper that lies beside others in one picture."""

# Words that stand further apart than so many heights of their line are in different columns.
_COLUMN_GAP_HEIGHTS = 1.2
_SAME_ROW_SHARE = 0.65
_ROWS_TO_COMPARE = 4
# Slopes of up to 3 degrees are tried, at the top and at the bottom of the paper.
_SLOPE_STEPS, _SLOPE_STEP = 8, 0.0065
_BIN_SHARE = 0.4
_OTHER_BINS = 1_000_000
_MOST_PIECES_ASKED = 160
_MOST_BLANKS = 120
_NARROW = 0.75

# Two papers: a picture broader than high, and between its halves a lane in which nothing stands.
_LANDSCAPE = 1.15
_LANE_SHARE = 0.025
_LANE_BEGINS, _LANE_ENDS = 0.25, 0.75
_FEWEST_PIECES_OF_A_PAPER = 8
_MOST_COMMON_ROWS = 0.65
_COMMON_ROW_SHARE = 0.3

# Text that runs down or up the picture: words of so many letters that are higher than broad.
_FEWEST_LETTERS_OF_A_WORD = 4
_FEWEST_WORDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A recognized word. ``line`` names the line that Tesseract took it for; places in pixels, y downwards."""

    line: tuple[int, int, int]
    left: int
    top: int
    right: int
    bottom: int
    confidence: float
    text: str

    @property
    def height(self) -> int:
        """Of its box."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Words that are written in one go; ``middle`` is its height on the paper at ``centre``."""

    text: str
    left: float
    right: float
    middle: float
    height: float

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2


def in_rows(words: Sequence[Word]) -> str:
    """The words as rows from top to bottom; columns are two blanks apart at least, and stand below each other."""
    pieces = [_piece(run) for run in _runs(words)]
    if not pieces:
        return ""
    return f"\n{NEXT_PAPER}".join("\n".join(_rows_of_text(paper)) for paper in _papers(pieces))


def turn_to_level(words: Sequence[Word]) -> int:
    """By how many degrees clockwise the picture must be turned for its lines to run to the right: 0, 90 or 270.

    Tesseract reads blocks that lie on their side too; what stands on one height is no row then.
    """
    long = [word for word in words if len(word.text) >= _FEWEST_LETTERS_OF_A_WORD]
    upright = sum(word.height > word.right - word.left for word in long)
    if len(long) < _FEWEST_WORDS or 2 * upright <= len(long):
        return 0
    steps = [two.top - one.top for one, two in pairwise(words) if one.line == two.line]
    return 270 if sum(step > 0 for step in steps) * 2 >= len(steps) else 90


def _runs(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The words of each line of Tesseract's, cut where a column ends."""
    lines: dict[tuple[int, int, int], list[Word]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word)
    for line in lines.values():
        height = _height(line)
        run = [line[0]]
        for before, word in pairwise(line):
            if word.left - before.right > _COLUMN_GAP_HEIGHTS * height:
                yield run
                run = []
            run.append(word)
        yield run


def _height(words: Sequence[Word]) -> float:
    return sorted(word.height for word in words)[len(words) // 2]


def _piece(run: Sequence[Word]) -> _Piece:
    height = max(1.0, _height(run))
    # A comma or a dash alone says little of where its line lies.
    telling = [word for word in run if word.height >= height / 2] or list(run)
    return _Piece(
        text=" ".join(word.text for word in run),
        left=float(run[0].left),
        right=float(max(word.right for word in run)),
        middle=median((word.top + word.bottom) / 2 for word in telling),
        height=height,
    )


# --- rows ----------------------------------------------------------------------------------------------------


def _rows_of_text(pieces: Sequence[_Piece]) -> list[str]:
    rows = _rows(pieces)
    left = min(piece.left for piece in pieces)
    widths = sorted((piece.right - piece.left) / len(piece.text) for piece in pieces if len(piece.text) > 2)
    width = max(1.0, _NARROW * (widths[len(widths) // 2] if widths else pieces[0].height / 2))
    return [_text(row, left, width) for row in rows]


def _rows(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Pieces on one height: each is moved along the paper's slope to one place, and compared there."""
    level = _levels(pieces)
    rows: list[tuple[list[float], list[_Piece]]] = []
    for piece, height in sorted(zip(pieces, level, strict=True), key=lambda one: one[1]):
        near = [one for one in rows[-_ROWS_TO_COMPARE:] if _is_on(piece, height, one)]
        row = min(near, key=lambda one: abs(median(one[0]) - height), default=None)
        if row is None:
            rows.append(([height], [piece]))
        else:
            row[0].append(height)
            row[1].append(piece)
    ordered = sorted(rows, key=lambda row: median(row[0]))
    return [sorted(row, key=lambda piece: piece.left) for _, row in ordered]


def _is_on(piece: _Piece, height: float, row: tuple[list[float], list[_Piece]]) -> bool:
    heights, others = row
    smaller = min(piece.height, *(one.height for one in others))
    if abs(height - median(heights)) >= _SAME_ROW_SHARE * smaller:
        return False
    # Nothing stands on the same place twice.
    return all(piece.right <= one.left + smaller or piece.left >= one.right - smaller for one in others)


def _levels(pieces: Sequence[_Piece]) -> list[float]:
    """The heights of all pieces as they would be at one place from left to right.

    Seen aslant, rows above fall otherwise than rows below: the slope changes evenly with the height. Which slopes
    they are is told by the pieces themselves: under the right ones most of them come to lie on common heights.
    """
    middle = median(one.centre for one in pieces)
    top, bottom = min(one.middle for one in pieces), max(one.middle for one in pieces)
    reach, height = max(1.0, bottom - top), median(one.height for one in pieces)
    places = [(one.middle, middle - one.centre, (one.middle - top) / reach) for one in pieces[:_MOST_PIECES_ASKED]]

    def gathered(slopes: tuple[float, float]) -> tuple[int, float]:
        bins: dict[int, int] = {}
        for y, aside, down in places:
            place = (y + (slopes[0] + (slopes[1] - slopes[0]) * down) * aside) / (_BIN_SHARE * height)
            for one in (round(place), round(place + 0.5) + _OTHER_BINS):
                bins[one] = bins.get(one, 0) + 1
        # Of equally good ones the levelest.
        return sum(count * count for count in bins.values()), -abs(slopes[0]) - abs(slopes[1])

    best, step = (0.0, 0.0), _SLOPE_STEP
    for steps, finer in ((_SLOPE_STEPS, 4), (3, 1)):
        around = [step * one for one in range(-steps, steps + 1)]
        candidates = [(best[0] + one, best[1] + two) for one in around for two in around]
        best = max(candidates, key=gathered)
        step /= finer
    return [
        one.middle + (best[0] + (best[1] - best[0]) * (one.middle - top) / reach) * (middle - one.centre)
        for one in pieces
    ]


def _text(row: Sequence[_Piece], left: float, width: float) -> str:
    text = ""
    for piece in row:
        blanks = round((piece.left - left) / width) - len(text)
        text += " " * min(_MOST_BLANKS, max(2 if text else 0, blanks)) + piece.text
    return text


# --- papers --------------------------------------------------------------------------------------------------


def _papers(pieces: Sequence[_Piece]) -> Iterator[Sequence[_Piece]]:
    lane = _lane(pieces)
    if lane is None:
        yield pieces
        return
    # More than two may lie in a row.
    yield from _papers([piece for piece in pieces if piece.centre < lane])
    yield from _papers([piece for piece in pieces if piece.centre >= lane])


def _lane(pieces: Sequence[_Piece]) -> float | None:
    """The middle of the empty lane between two papers that lie side by side, if there is one."""
    left, right = min(one.left for one in pieces), max(one.right for one in pieces)
    top, bottom = min(one.middle for one in pieces), max(one.middle for one in pieces)
    width = right - left
    if width < _LANDSCAPE * (bottom - top):
        return None
    end, best = left, (0.0, 0.0)
    for piece in sorted(pieces, key=lambda one: one.left):
        place = (end + piece.left) / 2
        if _LANE_BEGINS < (place - left) / width < _LANE_ENDS:
            best = max(best, (piece.left - end, place))
        end = max(end, piece.right)
    gap, lane = best
    if gap < _LANE_SHARE * width:
        return None
    return lane if _are_two_papers(pieces, lane) else None


def _are_two_papers(pieces: Sequence[_Piece], lane: float) -> bool:
    """Whether much stands on both sides of the lane, and not in common rows as labels and their values do."""
    # Beside one paper there may lie two: the nearer of them is asked.
    reach = min(lane - min(one.left for one in pieces), max(one.right for one in pieces) - lane)
    heights: tuple[list[float], list[float]] = ([], [])
    for piece, height in zip(pieces, _levels(pieces), strict=True):
        if abs(piece.centre - lane) <= reach:
            heights[piece.centre >= lane].append(height)
    fewer, more = (sorted(one) for one in sorted(heights, key=len))
    if len(fewer) < _FEWEST_PIECES_OF_A_PAPER:
        return False
    # Labels and values may be set a little apart, but all of them alike.
    asked = fewer[:_MOST_PIECES_ASKED]
    apart = [min((other - one for other in more[:_MOST_PIECES_ASKED]), key=abs) for one in asked]
    usual, near = median(apart), _COMMON_ROW_SHARE * median(piece.height for piece in pieces)
    return sum(abs(one - usual) < near for one in apart) < _MOST_COMMON_ROWS * len(asked)
