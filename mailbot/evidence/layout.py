"""Pieces of text with their places on a page → lines from top to bottom, columns below each other.

Two blanks at least part columns, one parts words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

_SAME_LINE_SHARE = 0.5
_GOES_ON_HEIGHTS = 0.9
_COLUMN_GAP_HEIGHTS = 0.8
_WORD_GAP_HEIGHTS = 0.15
# Narrow, as before an A: a blank if it is much wider than the gap before.
_KERNED_GAP_HEIGHTS = 0.12
_KERNED_TIMES = 4
# Letters so many times larger are none of the same text.
_OTHER_SIZE = 2.2
_NARROW = 0.75
_MOST_BLANKS = 120


@dataclass(slots=True, kw_only=True)
class Segment:
    """Text that is written in one go; places in points, y upwards. It grows in its line, letter by letter."""

    left: float
    right: float
    bottom: float
    top: float
    text: str = ""
    gap: float = 0.0
    """Between its last two letters."""
    height: float = field(init=False)
    """Of its line of text."""
    middle: float = field(init=False)
    """Where its line lies."""

    def __post_init__(self) -> None:
        self.height = max(self.top - self.bottom, 0.1)
        self.middle = (self.top + self.bottom) / 2

    def goes_on_with(self, left: float, bottom: float, top: float) -> bool:
        """Whether a letter at that place belongs to it."""
        gap, height = left - self.right, self.height
        # A stamp's letters lie over small print.
        if not 1 / _OTHER_SIZE < (top - bottom) / height < _OTHER_SIZE:
            return False
        close = -height < gap < _GOES_ON_HEIGHTS * height
        return close and abs((top + bottom) / 2 - self.middle) < _SAME_LINE_SHARE * height

    def is_blank_before(self, left: float) -> bool:
        """Whether between it and a letter at that place stands a blank that nothing but the gap tells."""
        gap = left - self.right
        return gap > _KERNED_TIMES * abs(self.gap) and gap > _KERNED_GAP_HEIGHTS * self.height


def laid_out(segments: Sequence[Segment]) -> str:
    """All segments as lines."""
    lines: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda one: -one.middle):
        if lines and _is_on_line(segment, lines[-1]):
            lines[-1].append(segment)
        else:
            lines.append([segment])
    ordered = [sorted(line, key=lambda one: one.left) for line in lines]
    left, width = min((one.left for one in segments), default=0.0), _letter_width(segments)
    return "\n".join(_joined(line, left, width) for line in ordered)


def _letter_width(segments: Sequence[Segment]) -> float:
    """Of a narrow letter: what stands in the same place has so many of them before it in every line."""
    widths = sorted((one.right - one.left) / len(one.text) for one in segments if len(one.text) > 1)
    return max(_NARROW * widths[len(widths) // 2], 0.1) if widths else 1.0


def _is_on_line(segment: Segment, line: Sequence[Segment]) -> bool:
    """Its middle is that of the line, by the smaller of both heights: a large title beside is no reason."""
    first = line[0]
    return abs(first.middle - segment.middle) < _SAME_LINE_SHARE * min(first.height, segment.height)


def _joined(line: Sequence[Segment], left: float, width: float) -> str:
    text = ""
    before: Segment | None = None
    for segment in line:
        blanks = min(_MOST_BLANKS, round((segment.left - left) / width) - len(text))
        if before is None:
            text = " " * blanks
        else:
            gap = (segment.left - before.right) / min(before.height, segment.height)
            is_apart = gap > _COLUMN_GAP_HEIGHTS
            text += " " * max(2, blanks) if is_apart else " " if gap > _WORD_GAP_HEIGHTS else ""
        text += segment.text
        before = segment
    return text
