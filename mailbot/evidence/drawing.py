"""A file's bytes → its pages as JPEGs of ours: ``(bytes, media type) -> DrawnFile``, within limits.

For an agent's eyes: PDFs at 150 dpi, photographs upright and no larger than such a page, in colour, each also
small. Runs where files are read, in the process that has limits of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from mailbot.evidence.opened_types import is_pdf
from mailbot.evidence.pdf_text import PdfState, open_pdf
from mailbot.evidence.picture_files import PictureState, is_readable_picture, open_picture

if TYPE_CHECKING:
    from PIL.Image import Image

DRAWING_DPI = 150
MOST_DRAWN_PAGES = 20
MOST_PAGE_BYTES = 400_000
MOST_FILE_BYTES = 4_500_000
"""All pages of one file together."""

THUMBNAIL_SIDES = (320, 440)
MOST_THUMBNAIL_BYTES = 24_000

_DRAWING_SECONDS = 10.0
# The longer side of A4 at 150 dpi.
_PICTURE_SIDE_PIXELS = 1_754
_QUALITIES = (75, 60, 45, 30)
_THUMBNAIL_QUALITIES = (60, 40, 20)
_HALVINGS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Jpeg:
    """A picture as it is sent."""

    content: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPagePictures:
    """One page, numbered from 1."""

    number: int
    page: Jpeg
    thumbnail: Jpeg


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnFile:
    """The pages that could be drawn; ``page_count`` is 0 where the file cannot be opened."""

    page_count: int
    pages: tuple[DrawnPagePictures, ...] = ()


def draw_pages(content: bytes, media_type: str) -> DrawnFile:
    """Draw a file's first pages. Raises nothing but ``MemoryError``; what cannot be drawn is left out."""
    if is_pdf(content, media_type):
        return _pdf(content)
    return _picture(content) if is_readable_picture(media_type) else DrawnFile(page_count=0)


def _pdf(content: bytes) -> DrawnFile:
    with open_pdf(content) as pdf:
        if isinstance(pdf, PdfState):
            return DrawnFile(page_count=0)
        numbers = range(min(pdf.page_count, MOST_DRAWN_PAGES))
        pictures = ((number + 1, pdf.colour_picture(number, dpi=DRAWING_DPI)) for number in numbers)
        return DrawnFile(page_count=pdf.page_count, pages=tuple(_drawn(pictures)))


def _picture(content: bytes) -> DrawnFile:
    picture = open_picture(content)
    if isinstance(picture, PictureState):
        return DrawnFile(page_count=0)
    frames = enumerate(picture.colour_frames(_PICTURE_SIDE_PIXELS), start=1)
    return DrawnFile(page_count=picture.frame_count, pages=tuple(_drawn(frames)))


def _drawn(pictures: Iterator[tuple[int, Image | None]]) -> Iterator[DrawnPagePictures]:
    """The pages for which there is time and room."""
    end, left = time.monotonic() + _DRAWING_SECONDS, MOST_FILE_BYTES
    for number, picture in pictures:
        if picture is not None:
            page = _jpeg(picture, _QUALITIES, min(MOST_PAGE_BYTES, left))
            picture.thumbnail(THUMBNAIL_SIDES)
            thumbnail = _jpeg(picture, _THUMBNAIL_QUALITIES, MOST_THUMBNAIL_BYTES)
            if page is None or thumbnail is None:
                return
            yield DrawnPagePictures(number=number, page=page, thumbnail=thumbnail)
            left -= len(page.content)
        if time.monotonic() > end:
            return


def _jpeg(picture: Image, qualities: tuple[int, ...], most_bytes: int) -> Jpeg | None:
    """The best that fits, coarser where nothing else helps (noise); ``None`` where there is no room."""
    for _ in range(_HALVINGS):
        for quality in qualities:
            stream = BytesIO()
            picture.save(stream, "JPEG", quality=quality, optimize=True)
            if stream.tell() <= most_bytes:
                return Jpeg(content=stream.getvalue(), width=picture.width, height=picture.height)
        picture = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)))
    return None
