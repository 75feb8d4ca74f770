"""Light writing on dark or coloured bars → dark writing on white: ``grey picture -> grey picture``.

Receipts of banks' apps begin with a bar in the bank's colour, and on it stands *Pix enviado* and how much.
What stands on dark grounds is told from shadows and grey boxes by its own writing: lighter than what it stands on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE_PIXELS = 640
_CELL_PIXELS = 4
_WHITE_SHARE = 0.9
_DARKER = 0.86
_LEAST_CONTRAST = 36
_FAR = 0.5
_FEWEST_CELLS = 24
_ONE_GROUND = 40
_FEWEST_VOTES = 4
_MOST_GROUNDS = 6
_WRITING_SHARE = 0.98
_BARE, _FEWEST_BARE = 0.45, 0.25
_LARGEST_HOLE_SHARE = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Map:
    """Brightness in cells, row by row: of all, of the lightest, of the darkest."""

    width: int
    height: int
    mean: bytes
    lightest: bytes
    darkest: bytes

    def around(self, cell: int) -> Iterator[int]:
        """The four neighbours."""
        x = cell % self.width
        if x:
            yield cell - 1
        if x < self.width - 1:
            yield cell + 1
        if cell >= self.width:
            yield cell - self.width
        if cell < self.width * (self.height - 1):
            yield cell + self.width


def turned_over(grey: Image) -> Image:
    """``grey`` with the grounds on which light writing stands made white, and the writing dark."""
    from PIL import Image

    cells = _map(grey)
    white = sorted(cells.mean)[round(_WHITE_SHARE * (len(cells.mean) - 1))]
    grounds = [one for one in _grounds(cells, round(_DARKER * white)) if _has_light_writing(cells, one)]
    for ground in sorted(grounds, key=len, reverse=True)[:_MOST_GROUNDS]:
        mask = Image.new("L", (cells.width, cells.height))
        for cell in _filled(cells, ground):
            mask.putpixel((cell % cells.width, cell // cells.width), 255)
        level = _level(cells, ground)
        scale = 255 / max(1, _writing(cells, ground) - level)
        turned = grey.point([255 - min(255, max(0, round((value - level) * scale))) for value in range(256)])
        grey = Image.composite(turned, grey, mask.resize(grey.size))
    return grey


def _level(cells: _Map, ground: list[int]) -> int:
    """How bright the ground itself is."""
    return sorted(cells.mean[cell] for cell in ground)[len(ground) // 2]


def _writing(cells: _Map, ground: list[int]) -> int:
    """How bright the writing on it is."""
    return sorted(cells.lightest[cell] for cell in ground)[round(_WRITING_SHARE * (len(ground) - 1))]


def _filled(cells: _Map, ground: list[int]) -> set[int]:
    """The ground with its small holes: large letters are as bright as paper. A paper on a table is no hole."""
    filled = set(ground)
    seen = set(ground)
    for cell in ground:
        for beside in cells.around(cell):
            if beside in seen:
                continue
            hole = [beside]
            seen.add(beside)
            for one in hole:
                found = [other for other in cells.around(one) if other not in seen]
                seen.update(found)
                hole.extend(found)
            if len(hole) <= _LARGEST_HOLE_SHARE * len(ground):
                filled.update(hole)
    return filled


def _map(grey: Image) -> _Map:
    from PIL import Image, ImageFilter

    small = grey.reduce(max(1, round(max(grey.size) / _SIDE_PIXELS)))
    size = (max(1, small.width // _CELL_PIXELS), max(1, small.height // _CELL_PIXELS))
    extremes = []
    for extreme in (ImageFilter.MaxFilter, ImageFilter.MinFilter):
        found = small.filter(extreme(3))
        found = found.resize((size[0] * 2, size[1] * 2), Image.Resampling.NEAREST).filter(extreme(3))
        extremes.append(found.resize(size, Image.Resampling.NEAREST).tobytes())
    mean = small.resize(size, Image.Resampling.BOX).tobytes()
    return _Map(width=size[0], height=size[1], mean=mean, lightest=extremes[0], darkest=extremes[1])


def _grounds(cells: _Map, darker_than: int) -> Iterator[list[int]]:
    """Cells that lie together, are darker than the paper, and are of about one brightness."""
    left = {cell for cell, mean in enumerate(cells.mean) if mean < darker_than}
    # The barest first: what stands on a ground is not mistaken for it.
    for seed in sorted(left, key=lambda cell: (cells.lightest[cell] - cells.darkest[cell], cell)):
        if seed not in left:
            continue
        left.discard(seed)
        ground, level = [seed], cells.mean[seed]
        for cell in ground:
            found = [
                one for one in cells.around(cell) if one in left and abs(cells.mean[one] - level) <= _ONE_GROUND
            ]
            left.difference_update(found)
            ground.extend(found)
        if len(ground) >= _FEWEST_CELLS:
            yield ground


def _has_light_writing(cells: _Map, ground: list[int]) -> bool:
    """Whether inside, away from the paper around it, what stands out is lighter than the rest."""
    inside = set(ground)
    within = [cell for cell in ground if all(one in inside for one in cells.around(cell))]
    if not within:
        return False
    level, writing = _level(cells, ground), _writing(cells, ground)
    above = sorted(cells.lightest[cell] - level for cell in within)
    below = sorted(level - cells.darkest[cell] for cell in within)
    # Far more than the noise that every photograph has on both sides.
    far = max(_LEAST_CONTRAST, _FAR * above[-1], _FAR * below[-1])
    light, dark = sum(one >= far for one in above), sum(one >= far for one in below)
    # A bold line of text is a dark place too, but none of it is without writing.
    bare = sum(cells.lightest[cell] - level < _BARE * (writing - level) for cell in ground)
    return light >= _FEWEST_VOTES and light > 2 * dark and bare >= _FEWEST_BARE * len(ground)
