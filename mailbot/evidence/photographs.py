"""A picture as it was taken → one that can be read: grey, evenly lit, dark on light, straight.

Only grey pictures of Pillow come in and go out; nothing here knows files.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from mailbot.evidence.coloured_grounds import turned_over

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_TILT_DEGREES = 10.0

_WHITE = 255
_LEAST_CONTRAST = 24
_DARK_MEAN = 105
_LIGHT_MAP_SHARE = 16
_TILT_SIDE_PIXELS = 500
_COARSE_DEGREES, _FINE_DEGREES = 1.0, 0.25
_LEAST_TILT_DEGREES = 0.3
# Turning costs sharpness: the straightened picture must have lines that stand out clearly better.
_LEAST_GAIN = 1.08


def is_blank(grey: Image) -> bool:
    """Whether all of it is of about one brightness, so that nothing can stand on it."""
    from PIL import ImageStat

    darkest, brightest = ImageStat.Stat(grey).extrema[0]
    return brightest - darkest < _LEAST_CONTRAST


def evenly_lit(grey: Image) -> Image:
    """Dark writing on white, without a photograph's shadows; light writing on a dark ground is turned over."""
    from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat

    if ImageStat.Stat(grey).median[0] < _DARK_MEAN:
        grey = ImageOps.invert(grey)
    grey = turned_over(grey)
    small = (max(1, grey.width // _LIGHT_MAP_SHARE), max(1, grey.height // _LIGHT_MAP_SHARE))
    light = grey.resize(small, Image.Resampling.BOX)
    light = light.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.GaussianBlur(3))
    shade = light.resize(grey.size, Image.Resampling.BILINEAR)
    return ImageOps.autocontrast(ImageOps.invert(ImageChops.subtract(shade, grey)))


def straightened(lit: Image) -> Image:
    """``lit`` turned so that its lines of text run level, if they clearly run aslant by ten degrees at most."""
    from PIL import Image

    tilt = tilt_degrees(lit)
    if tilt == 0:
        return lit
    return lit.rotate(tilt, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=_WHITE)


def tilt_degrees(lit: Image) -> float:
    """Degrees by which ``lit`` must be turned against the clock to be level; 0 where it is, or nobody can say."""
    small = lit.copy()
    small.thumbnail((_TILT_SIDE_PIXELS, _TILT_SIDE_PIXELS))
    steps = round(MOST_TILT_DEGREES / _COARSE_DEGREES)
    coarse = max((step * _COARSE_DEGREES for step in range(-steps, steps + 1)), key=lambda d: _levelness(small, d))
    fine = (coarse + step * _FINE_DEGREES for step in range(-3, 4))
    best = max(fine, key=lambda degrees: _levelness(small, degrees))
    if abs(best) < _LEAST_TILT_DEGREES or _levelness(small, best) < _LEAST_GAIN * _levelness(small, 0):
        return 0.0
    return best


def _levelness(small: Image, degrees: float) -> float:
    """How sharply rows with text and rows without follow each other if ``small`` is turned."""
    from PIL import Image

    turned = small.rotate(degrees, resample=Image.Resampling.BILINEAR, fillcolor=_WHITE) if degrees else small
    rows = turned.resize((1, turned.height), Image.Resampling.BOX).tobytes()
    return float(sum((above - below) ** 2 for above, below in pairwise(rows)))
