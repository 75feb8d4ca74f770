"""PDFs: text layer and pages as pictures. The one module that knows pypdfium2 (untyped, not thread-safe, loaded
when needed)."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any

from mailbot.evidence.layout import Segment, laid_out

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PAGES = 20
MOST_CHARACTERS = 200_000
MOST_PIXELS = 9_000_000
"""Of a page as a picture; A4 at 300 dpi has 8.7 million."""

# Where each letter stands is asked letter by letter: of longer pages the text is taken as pdfium orders it.
_MOST_PLACED_CHARACTERS = 20_000
_MOST_OBJECTS = 5_000
_MOST_SIDE_PIXELS = 8_000
_POINTS_PER_INCH = 72
_LEVEL_RADIANS = 0.05
_ANGLES_ASKED = 40

_PDFIUM = threading.Lock()


class PdfState(StrEnum):
    """Why a PDF could not be opened."""

    ENCRYPTED = "encrypted"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLayer:
    """What a page says without being looked at.

    ``text`` as in :class:`mailbot.evidence.content.PageContent`. ``is_hidden``: no letter of it is drawn, as in
    the layer that a scanner's program puts behind a picture. ``pictures_share``: how much of the page pictures
    cover, 0 to 1.
    """

    text: str
    is_hidden: bool
    pictures_share: float


class OpenPdf:
    """A PDF that could be opened; pages are numbered from 0."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self.page_count = len(document)

    def layer(self, number: int, most_characters: int) -> PageLayer | None:
        """Text and pictures of a page; ``None`` where it cannot be read."""
        import pypdfium2

        try:
            with self._page(number) as page:
                share, is_hidden = _pictures_and_hidden_text(page)
                return PageLayer(text=_text(page, most_characters), is_hidden=is_hidden, pictures_share=share)
        except pypdfium2.PdfiumError:
            return None

    def picture(self, number: int, *, dpi: int) -> Image | None:
        """A page in grey, at ``dpi`` or as fine as :data:`MOST_PIXELS` allow; ``None`` if it cannot be drawn."""
        import pypdfium2

        try:
            with self._page(number) as page:
                bitmap = page.render(scale=_scale(page.get_size(), dpi), grayscale=True)
                picture: Image = bitmap.to_pil().convert("L")
                bitmap.close()
                return picture
        except (pypdfium2.PdfiumError, ValueError, MemoryError):
            return None

    @contextmanager
    def _page(self, number: int) -> Iterator[Any]:
        page = self._document[number]
        try:
            yield page
        finally:
            page.close()


@contextmanager
def open_pdf(content: bytes) -> Iterator[OpenPdf | PdfState]:
    """The PDF ``content``, or why it cannot be opened. Memory and time beyond the caps are pdfium's own limits."""
    import pypdfium2
    import pypdfium2.raw as raw

    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            is_locked = error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
            yield PdfState.ENCRYPTED if is_locked else PdfState.BROKEN
            return
        try:
            yield OpenPdf(document) if len(document) else PdfState.BROKEN
        finally:
            document.close()


def _scale(size_points: tuple[float, float], dpi: int) -> float:
    """Pixels for a point. A page may claim to be 50 m wide (THREATS 26)."""
    wanted = dpi / _POINTS_PER_INCH
    width, height = (max(side, 1.0) for side in size_points)
    return float(min(wanted, (MOST_PIXELS / (width * height)) ** 0.5, _MOST_SIDE_PIXELS / max(width, height)))


def _pictures_and_hidden_text(page: Any) -> tuple[float, bool]:
    import pypdfium2.raw as raw

    wanted = (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_TEXT)
    width, height = page.get_size()
    area, shown, hidden = 0.0, 0, 0
    for thing in islice(page.get_objects(filter=wanted, max_depth=3), _MOST_OBJECTS):
        if thing.type == raw.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = thing.get_bounds()
            area += max(0.0, min(right, width) - max(left, 0)) * max(0.0, min(top, height) - max(bottom, 0))
        elif raw.FPDFTextObj_GetTextRenderMode(thing.raw) == raw.FPDF_TEXTRENDERMODE_INVISIBLE:
            hidden += 1
        else:
            shown += 1
    share = min(1.0, area / (width * height)) if width * height > 0 else 0.0
    return share, hidden > 0 and shown == 0


def _text(page: Any, most_characters: int) -> str:
    layer = page.get_textpage()
    try:
        count = min(layer.count_chars(), most_characters)
        if not count:
            return ""
        if count <= _MOST_PLACED_CHARACTERS and _is_level(layer, count):
            return laid_out(_segments(layer, count))[:most_characters]
        return str(layer.get_text_range(0, count)).replace("\r", "")[:most_characters]
    finally:
        layer.close()


def _is_level(layer: Any, count: int) -> bool:
    """Whether most letters stand upright on the page: only then do equal heights mean one line."""
    import pypdfium2.raw as raw

    asked = range(0, count, max(1, count // _ANGLES_ASKED))
    level: int = sum(abs(raw.FPDFText_GetCharAngle(layer.raw, index)) < _LEVEL_RADIANS for index in asked)
    return level * 2 > len(asked)


def _segments(layer: Any, count: int) -> Sequence[Segment]:
    """Letters that follow each other on one line and close together, in pdfium's order."""
    import pypdfium2.raw as raw

    box = raw.FS_RECTF()
    at_box, handle = ctypes.byref(box), layer.raw
    segments: list[Segment] = []
    current: Segment | None = None
    space = False
    text = str(layer.get_text_range(0, count))
    # One character of pdfium may be two of UTF-16 and none of Python's: only then are they asked one by one.
    characters = text if len(text) == count else [_character(raw, handle, index) for index in range(count)]
    for index, character in enumerate(characters):
        if character.isspace() or character in "\0\ufffe\uffff":
            space = True
            continue
        if not raw.FPDFText_GetLooseCharBox(handle, index, at_box):
            continue
        if current is None or not current.goes_on_with(box.left, box.bottom, box.top):
            current = Segment(left=box.left, right=box.right, bottom=box.bottom, top=box.top)
            segments.append(current)
        elif space:
            current.text += " "
        current.text += character
        current.right = max(current.right, box.right)
        space = False
    return segments


def _character(raw: Any, handle: Any, index: int) -> str:
    code = int(raw.FPDFText_GetUnicode(handle, index))
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " "
