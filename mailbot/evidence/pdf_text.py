"""PDFs: text layer and pages as pictures. The one module that knows pypdfium2 (untyped, not thread-safe, loaded
when needed)."""

from __future__ import annotations

import ctypes
import re
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

MOST_COLOUR_PIXELS = 4_500_000
"""Of a page as a picture for people; A3 at 150 dpi has 4.4 million."""

# Where each letter stands is asked letter by letter: of longer pages the text is taken as pdfium orders it.
_MOST_PLACED_CHARACTERS = 20_000
_MOST_OBJECTS = 5_000
_MOST_ANNOTATIONS = 100
_MOST_SIDE_PIXELS = 8_000
_POINTS_PER_INCH = 72
_LEVEL_RADIANS = 0.05
_DEPTH_OF_FORMS = 3
# The smallest codes have more corners than a form's frames on a plain page: bars of 44 digits have over 200.
_FEWEST_CORNERS_OF_A_CODE = 80
_LONGEST_FONT_NAME = 200
_FONT_OF_BARS = re.compile(rb"bar|2.?of.?5|i2?.?25|itf|3.?of.?9|code.?\d|qr", re.IGNORECASE)
_ANGLES_ASKED = 40

# What is neither a blank nor a letter that pdfium could not tell.
_WORD = re.compile(r"[^\s\0\ufffe\uffff]+")

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
    cover, 0 to 1. ``may_show_codes``: something on it is drawn that could be bars or a QR. ``is_stamped``:
    somebody laid a stamp or a note on it, which is no part of its text.
    """

    text: str
    is_hidden: bool
    pictures_share: float
    may_show_codes: bool
    is_stamped: bool


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
                drawn = _drawn(page)
                return PageLayer(
                    text=_text(page, most_characters, is_upright=drawn.is_upright),
                    is_hidden=drawn.hidden_texts > 0 and drawn.shown_texts == 0,
                    pictures_share=_share_of_page(page, drawn.pictures_area),
                    may_show_codes=drawn.may_be_codes,
                    is_stamped=drawn.is_stamped,
                )
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

    def colour_picture(self, number: int, *, dpi: int) -> Image | None:
        """A page as it looks, at ``dpi`` or as fine as the limits allow; ``None`` if it cannot be drawn."""
        import pypdfium2

        try:
            with self._page(number) as page:
                bitmap = page.render(scale=_scale(page.get_size(), dpi, most_pixels=MOST_COLOUR_PIXELS))
                drawn: Image = bitmap.to_pil()
                # What is in these colours is a copy already; what is not may be the memory of the bitmap.
                picture = drawn if drawn.mode == "RGB" else drawn.convert("RGB")
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


def _scale(size_points: tuple[float, float], dpi: int, *, most_pixels: int = MOST_PIXELS) -> float:
    """Pixels for a point. A page may claim to be 50 m wide (THREATS 26)."""
    wanted = dpi / _POINTS_PER_INCH
    width, height = (max(side, 1.0) for side in size_points)
    return float(min(wanted, (most_pixels / (width * height)) ** 0.5, _MOST_SIDE_PIXELS / max(width, height)))


@dataclass(slots=True, kw_only=True)
class _Drawn:
    """What is on a page besides its words; it grows while the page's objects are counted. ``is_upright``: all of
    its words are known to stand upright."""

    pictures_area: float = 0.0
    shown_texts: int = 0
    hidden_texts: int = 0
    corners: int = 0
    may_be_codes: bool = False
    is_stamped: bool = False
    is_upright: bool = True


def _drawn(page: Any) -> _Drawn:
    import pypdfium2.raw as raw

    laid_on = _annotations(page)
    drawn, fonts = _Drawn(may_be_codes=bool(laid_on), is_stamped=bool(laid_on & _stamps())), set[int]()
    width, height = page.get_size()
    count, matrix = 0, raw.FS_MATRIX()
    for thing in islice(page.get_objects(max_depth=_DEPTH_OF_FORMS), _MOST_OBJECTS):
        count += 1
        if thing.type == raw.FPDF_PAGEOBJ_TEXT:
            if raw.FPDFTextObj_GetTextRenderMode(thing.raw) == raw.FPDF_TEXTRENDERMODE_INVISIBLE:
                drawn.hidden_texts += 1
            else:
                drawn.shown_texts += 1
            drawn.may_be_codes = drawn.may_be_codes or _is_in_font_of_bars(thing.raw, fonts)
            drawn.is_upright = drawn.is_upright and _is_upright(thing.raw, matrix)
        elif thing.type == raw.FPDF_PAGEOBJ_PATH:
            drawn.corners += max(0, raw.FPDFPath_CountSegments(thing.raw))
        elif thing.type == raw.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = thing.get_bounds()
            drawn.pictures_area += max(0.0, min(right, width) - max(left, 0)) * max(
                0.0, min(top, height) - max(bottom, 0)
            )
            drawn.may_be_codes = True
        elif thing.type == raw.FPDF_PAGEOBJ_FORM and thing.level + 1 < _DEPTH_OF_FORMS:
            # It may turn what stands in it.
            drawn.is_upright = False
        else:
            # Shadings, and what lies deeper than is looked.
            drawn.may_be_codes = True
            drawn.is_upright = False
    if count >= _MOST_OBJECTS:
        drawn.is_upright = False
    if drawn.corners >= _FEWEST_CORNERS_OF_A_CODE or count >= _MOST_OBJECTS:
        drawn.may_be_codes = True
    return drawn


def _is_upright(text: Any, matrix: Any) -> bool:
    """Whether the letters of a text of the page itself are turned in no way; ``matrix`` is written over."""
    import pypdfium2.raw as raw

    is_known = raw.FPDFPageObj_GetMatrix(text, ctypes.byref(matrix))
    return bool(is_known and matrix.a > 0 and matrix.b == 0 and matrix.c == 0)


def _is_in_font_of_bars(text: Any, known: set[int]) -> bool:
    """Whether the letters of a text may be bars: their font is called so, or has no name, as one drawn in the file
    itself."""
    import pypdfium2.raw as raw

    font = raw.FPDFTextObj_GetFont(text)
    address = ctypes.cast(font, ctypes.c_void_p).value if font else None
    if address is None or address in known:
        return False
    known.add(address)
    name = ctypes.create_string_buffer(_LONGEST_FONT_NAME)
    length = raw.FPDFFont_GetBaseFontName(font, name, _LONGEST_FONT_NAME)
    return not 1 < length <= _LONGEST_FONT_NAME or _FONT_OF_BARS.search(name.value) is not None


def _annotations(page: Any) -> set[int]:
    """The sorts of what lies on the page, as a stamp, that is no link."""
    import pypdfium2.raw as raw

    found = set()
    for index in range(min(raw.FPDFPage_GetAnnotCount(page.raw), _MOST_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, index)
        found.add(int(raw.FPDFAnnot_GetSubtype(annotation)))
        raw.FPDFPage_CloseAnnot(annotation)
    return found - {raw.FPDF_ANNOT_LINK}


def _stamps() -> frozenset[int]:
    import pypdfium2.raw as raw

    return frozenset({raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_INK})


def _share_of_page(page: Any, area: float) -> float:
    width, height = page.get_size()
    return float(min(1.0, area / (width * height))) if width * height > 0 else 0.0


def _text(page: Any, most_characters: int, *, is_upright: bool) -> str:
    layer = page.get_textpage()
    try:
        count = min(layer.count_chars(), most_characters)
        if not count:
            return ""
        if count <= _MOST_PLACED_CHARACTERS and (is_upright or _is_level(layer, count)):
            segments, aslant = _segments(layer, count, is_upright=is_upright)
            return "\n".join(filter(None, (laid_out(segments), aslant)))[:most_characters]
        return str(layer.get_text_range(0, count)).replace("\r", "")[:most_characters]
    finally:
        layer.close()


def _is_level(layer: Any, count: int) -> bool:
    """Whether most letters stand upright on the page: only then do equal heights mean one line."""
    import pypdfium2.raw as raw

    asked = range(0, count, max(1, count // _ANGLES_ASKED))
    level: int = sum(abs(raw.FPDFText_GetCharAngle(layer.raw, index)) < _LEVEL_RADIANS for index in asked)
    return level * 2 > len(asked)


def _segments(layer: Any, count: int, *, is_upright: bool) -> tuple[Sequence[Segment], str]:
    """Letters that follow each other on one line and close together, in pdfium's order; and those that stand
    aslant, as a stamp's, by themselves: no letter is asked for that where all are known to stand upright."""
    import pypdfium2.raw as raw

    box = raw.FS_RECTF()
    at_box, handle = ctypes.byref(box), layer.raw
    angle_of, box_of = raw.FPDFText_GetCharAngle, raw.FPDFText_GetLooseCharBox
    segments: list[Segment] = []
    current: Segment | None = None
    space, aslant, last_aslant = False, "", -1
    text = str(layer.get_text_range(0, count))
    if len(text) != count:
        # One character of pdfium may be two of UTF-16 and none of Python's: only then are they asked one by one.
        text = "".join(_character(raw, handle, index) for index in range(count))
    for word in _WORD.finditer(text):
        space = space or word.start() > 0
        for index, character in enumerate(word.group(), word.start()):
            if not is_upright and abs(angle_of(handle, index)) >= _LEVEL_RADIANS:
                aslant += f" {character}" if space or index != last_aslant + 1 else character
                space, last_aslant = False, index
                continue
            if not box_of(handle, index, at_box):
                continue
            left, right = box.left, box.right
            if current is None or not current.goes_on_with(left, box.bottom, box.top):
                current = Segment(left=left, right=right, bottom=box.bottom, top=box.top)
                segments.append(current)
            elif space or current.is_blank_before(left):
                current.text += " "
            current.gap = 0.0 if space else left - current.right
            current.text += character
            if right > current.right:
                current.right = right
            space = False
    return segments, aslant.strip()


def _character(raw: Any, handle: Any, index: int) -> str:
    code = int(raw.FPDFText_GetUnicode(handle, index))
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " "
