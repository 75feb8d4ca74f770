"""Pieces of text with their places on a page → lines from top to bottom, columns apart by two spaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_SAME_LINE_SHARE = 0.5
_GOES_ON_HEIGHTS = 0.9
_COLUMN_GAP_HEIGHTS = 0.8
_WORD_GAP_HEIGHTS = 0.15


@dataclass(slots=True, kw_only=True)
class Segment:
    """Text that is written in one go; places in points, y upwards. It grows while letters are added."""

    left: float
    right: float
    bottom: float
    top: float
    text: str = ""

    @property
    def height(self) -> float:
        """Of its line of text."""
        return max(self.top - self.bottom, 0.1)

    @property
    def middle(self) -> float:
        """Where its line lies."""
        return (self.top + self.bottom) / 2

    def goes_on_with(self, left: float, bottom: float, top: float) -> bool:
        """Whether a letter at that place belongs to it."""
        gap = left - self.right
        close = -self.height < gap < _GOES_ON_HEIGHTS * self.height
        return close and abs((top + bottom) / 2 - self.middle) < _SAME_LINE_SHARE * self.height


def laid_out(segments: Sequence[Segment]) -> str:
    """All segments as lines."""
    lines: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda one: -one.middle):
        if lines and _is_on_line(segment, lines[-1]):
            lines[-1].append(segment)
        else:
            lines.append([segment])
    return "\n".join(_joined(sorted(line, key=lambda one: one.left)) for line in lines)


def _is_on_line(segment: Segment, line: Sequence[Segment]) -> bool:
    """Its middle is that of the line, by the smaller of both heights: a large title beside is no reason."""
    first = line[0]
    return abs(first.middle - segment.middle) < _SAME_LINE_SHARE * min(first.height, segment.height)


def _joined(line: Sequence[Segment]) -> str:
    text = line[0].text
    for before, segment in pairwise(line):
        gap = (segment.left - before.right) / min(before.height, segment.height)
        text += ("  " if gap > _COLUMN_GAP_HEIGHTS else " " if gap > _WORD_GAP_HEIGHTS else "") + segment.text
    return text
