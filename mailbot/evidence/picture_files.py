"""A picture's bytes → grey pictures to read, or coloured ones to show, within limits: the one module that opens
files with Pillow.

JPEG, PNG, WebP, TIFF, HEIC, GIF, BMP and AVIF, upright as their camera noted (EXIF). What format it is, the
bytes say.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 40_000_000
"""A JPEG with more is scaled while it is decoded, any other picture with more is refused (WebP and AVIF with
16.5 million, one with an alpha channel with 30 million)."""

MOST_FRAMES = 20
WORKING_SIDE_PIXELS = 3_200
"""The longer side of what is read: a page of A4 at 270 dpi."""

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "GIF", "BMP", "AVIF")
_MEDIA_TYPES = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/tiff",
        "image/heic",
        "image/gif",
        "image/bmp",
        "image/avif",
    }
)
# Of a JPEG that is decoded in steps all coefficients stay in memory, however small it is wanted.
_MOST_JPEG_PIXELS = 400_000_000
_MOST_WEBP_PIXELS = 16_500_000
_MOST_SEE_THROUGH_PIXELS = 30_000_000
_SEE_THROUGH = ("RGBA", "LA", "PA")

# EXIF 2.32, 4.6.4 A: how the stored rows and columns stand to what was seen; Pillow's name for setting it right.
_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


class PictureState(StrEnum):
    """Why a picture could not be opened."""

    BROKEN = "broken"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPicture:
    """A picture file that could be opened, with so many frames (a TIFF may have several); its bytes are kept."""

    frame_count: int
    content: bytes

    def frames(self) -> Iterator[Image]:
        """The first frames: grey, upright, at most :data:`WORKING_SIDE_PIXELS` long; broken ones are left out."""
        for number in range(min(self.frame_count, MOST_FRAMES)):
            frame = _frame(self.content, number, "L", WORKING_SIDE_PIXELS)
            if frame is not None:
                yield frame

    def colour_frames(self, side_pixels: int) -> Iterator[Image | None]:
        """The first frames as people see them: upright, at most ``side_pixels`` long; ``None`` for broken ones."""
        for number in range(min(self.frame_count, MOST_FRAMES)):
            yield _frame(self.content, number, "RGB", side_pixels)


def is_readable_picture(media_type: str) -> bool:
    """Whether files of this type are opened here."""
    return media_type in _MEDIA_TYPES


def open_picture(content: bytes) -> OpenPicture | PictureState:
    """Look at the header; never raises but ``MemoryError``."""
    from PIL import Image

    try:
        with _opened(content) as picture:
            is_scalable = picture.format == "JPEG" and not picture.info.get("progressive")
            if picture.width * picture.height > (_MOST_JPEG_PIXELS if is_scalable else _most_pixels(picture)):
                return PictureState.TOO_LARGE
            frames = int(getattr(picture, "n_frames", 1)) if picture.format == "TIFF" else 1
            return OpenPicture(frame_count=frames, content=content)
    except Image.DecompressionBombError:
        return PictureState.TOO_LARGE
    except MemoryError:
        raise
    except Exception:
        # Decoders answer to broken files with errors of every type there is.
        return PictureState.BROKEN


def _most_pixels(picture: Image) -> int:
    """What can be decoded within 400 MB: some decoders keep several copies, and an alpha channel costs some."""
    if picture.format in ("WEBP", "AVIF"):
        return _MOST_WEBP_PIXELS
    return _MOST_SEE_THROUGH_PIXELS if picture.mode in _SEE_THROUGH else MOST_PIXELS


def _opened(content: bytes) -> Image:
    from PIL import Image
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False)
    Image.MAX_IMAGE_PIXELS = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(BytesIO(content), formats=_FORMATS)


def _frame(content: bytes, number: int, mode: str, side_pixels: int) -> Image | None:
    try:
        with _opened(content) as picture, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if number:
                picture.seek(number)
            if number and picture.width * picture.height > MOST_PIXELS:
                return None
            if picture.format == "JPEG":
                picture.draft(mode, (side_pixels, side_pixels))
            return _upright(picture, mode, side_pixels)
    except MemoryError:
        raise
    except Exception:
        return None


def _upright(picture: Image, mode: str, side_pixels: int) -> Image:
    from PIL import Image

    picture.load()
    orientation = picture.getexif().get(_ORIENTATION_TAG, 1)
    coarser = max(picture.size) // side_pixels
    if coarser > 1 and picture.mode in ("L", "LA", "RGB", "RGBA"):
        # Before anything else: each further copy of a large picture costs its size again.
        picture = picture.reduce(coarser)
    small = _on_white(picture).convert(mode)
    small.thumbnail((side_pixels, side_pixels), Image.Resampling.BOX)
    turn = _TURNS.get(orientation)
    return small if turn is None else small.transpose(Image.Transpose[turn])


def _on_white(picture: Image) -> Image:
    """What can be seen through is seen on white paper, and 16 bits a pixel as eight."""
    from PIL import Image

    if picture.mode in _SEE_THROUGH or "transparency" in picture.info:
        paper = Image.new("RGBA", picture.size, "white")
        paper.alpha_composite(picture.convert("RGBA"))
        return paper
    if picture.mode.startswith("I"):
        return picture.point(lambda value: value * (1 / 256))
    return picture
