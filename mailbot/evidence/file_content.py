"""A file's bytes → :class:`FileContent`: its text and codes, cheapest first, within a time.

A PDF's text layer, then codes, then OCR of the page as a picture; whoever asks says after each page's layer
whether more is wanted. Pictures have codes and OCR only. Never raises but ``MemoryError``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import StrEnum

from mailbot.domain.evidence import Readability
from mailbot.evidence.codes import bars_in, codes_in
from mailbot.evidence.content import Code, FileContent, PageContent, TextSource
from mailbot.evidence.looking import Deadline, Seen, look_at
from mailbot.evidence.ocr import MissingOcr, Tesseract
from mailbot.evidence.pdf_end import PdfEnd, end_of_pdf
from mailbot.evidence.pdf_text import MOST_CHARACTERS, MOST_PAGES, OpenPdf, PageLayer, PdfState, open_pdf
from mailbot.evidence.picture_files import OpenPicture, PictureState, open_picture

LOOKING_SECONDS = 20.0
"""After so long no further page is looked at as a picture."""

MOST_LOOKED_AT_PAGES = 10

NO_OCR = "no_ocr"
"""Reason where only Tesseract could have said more, and it is not installed here."""

PAGES_NOT_READ = "pages_not_read"
"""Reason where a file has more pages than were read."""

ENDS_EARLY = "ends_early"
"""Reason where nothing says that a file ends where it does, so that a part of it may be lost."""

PICTURE_TOO_LARGE = "picture_too_large"
NO_TEXT_FOUND = "no_text_found"
BROKEN_PDF = "broken_pdf"
BROKEN_PICTURE = "broken_picture"
ENCRYPTED = "encrypted"

_OCR_DPI = 230
# A card on a page of paper has smaller letters than the page.
_SMALL_PICTURES_DPI = 300
_CODES_DPI = 180
# A page whose layer says so much, and that is no picture, is what its layer says.
_ENOUGH_LETTERS = 200
_LARGE_PICTURES_SHARE = 0.3
# A card beside the text that explains it: what was asked for may be the picture.
_TELLING_PICTURES_SHARE = 0.08
# Where nearly nothing else is on the page, a little text is all there is.
_SOME_LETTERS = 3
_SMALL_PICTURES_SHARE = 0.05
_FEWEST_LETTERS = 10


class Wanted(StrEnum):
    """What is still to be found out about a page of which the text layer is known."""

    NOTHING = "nothing"
    CONFIRMATION = "confirmation"
    """The text says all that matters: whether a boleto's bars say the same."""
    CODES = "codes"
    EVERYTHING = "everything"


OcrWhenNeeded = Callable[[], Tesseract | MissingOcr]
"""Gives Tesseract, which takes a tenth of a second to load: most PDFs are read without."""

Judge = Callable[[PageContent], Wanted]
"""From a page as its layer says it to what else is wanted of the page."""


def pdf_content(content: bytes, *, ocr: OcrWhenNeeded, judge: Judge) -> FileContent:
    """What stands in a PDF, at most :data:`MOST_PAGES` pages of it; one that was cut short is broken."""
    end = end_of_pdf(content)
    if end is PdfEnd.CUT:
        return _closed(Readability.UNREADABLE, BROKEN_PDF)
    with open_pdf(content) as pdf:
        if pdf is PdfState.ENCRYPTED:
            return _closed(Readability.ENCRYPTED, ENCRYPTED)
        if pdf is PdfState.BROKEN:
            return _closed(Readability.UNREADABLE, BROKEN_PDF)
        held = _PdfReader(pdf, ocr, judge).read()
        return held if end is PdfEnd.WHOLE else replace(held, reasons=(*held.reasons, ENDS_EARLY))


def picture_content(content: bytes, *, ocr: OcrWhenNeeded) -> FileContent:
    """What stands on a photograph, a scan or a screenshot."""
    picture = open_picture(content)
    if picture is PictureState.TOO_LARGE:
        return _closed(Readability.NOT_CHECKED, PICTURE_TOO_LARGE)
    if picture is PictureState.BROKEN:
        return _closed(Readability.UNREADABLE, BROKEN_PICTURE)
    recognizer = ocr()
    pages = tuple(_looked_at(picture, recognizer, Deadline(LOOKING_SECONDS)))
    if not pages:
        return _closed(Readability.UNREADABLE, BROKEN_PICTURE)
    return _opened(pages, picture.frame_count, ocr_missed=isinstance(recognizer, MissingOcr))


def _looked_at(picture: OpenPicture, ocr: Tesseract | MissingOcr, deadline: Deadline) -> Iterator[PageContent]:
    for number, frame in enumerate(picture.frames(), start=1):
        if number > MOST_LOOKED_AT_PAGES or deadline.is_over:
            return
        yield _page(number, None, look_at(frame, ocr, deadline))


class _PdfReader:
    """Reads the pages of one PDF."""

    def __init__(self, pdf: OpenPdf, ocr: OcrWhenNeeded, judge: Judge) -> None:
        self._pdf = pdf
        self._ocr = ocr
        self._judge = judge
        self._deadline = Deadline(LOOKING_SECONDS)
        self._may_look_at = MOST_LOOKED_AT_PAGES
        self._ocr_missed = False
        self._left_out = 0

    def read(self) -> FileContent:
        room, pages = MOST_CHARACTERS, []
        for number in range(min(self._pdf.page_count, MOST_PAGES)):
            layer = self._pdf.layer(number, room) if room > 0 else None
            if layer is None:
                self._left_out += 1
                continue
            page = self._completed(number, layer)
            room -= len(page.text)
            pages.append(page)
        page_count = self._pdf.page_count
        return _opened(tuple(pages), page_count, ocr_missed=self._ocr_missed, is_partly_read=self._left_out > 0)

    def _completed(self, number: int, layer: PageLayer) -> PageContent:
        """The page with all that is wanted of it."""
        # Text that nobody sees may say anything, and be what a scanner's program guessed: what is seen counts.
        text = "" if layer.is_hidden else layer.text
        page = _page(number + 1, text, None)
        # A stamp that somebody laid on the page is no text of it.
        wanted = Wanted.EVERYTHING if layer.is_stamped else self._judge(page)
        if wanted is Wanted.EVERYTHING and not layer.is_stamped and _says_itself(text, layer):
            wanted = Wanted.CODES
        if wanted is Wanted.EVERYTHING:
            return self._seen(number, text, layer)
        if wanted is Wanted.NOTHING or not layer.may_show_codes or self._deadline.is_over:
            return page
        is_upright = wanted is Wanted.CONFIRMATION and layer.pictures_share < _LARGE_PICTURES_SHARE
        return _page(number + 1, text, None, codes=self._codes(number, is_upright=is_upright))

    def _codes(self, number: int, *, is_upright: bool) -> tuple[Code, ...]:
        picture = self._pdf.picture(number, dpi=_CODES_DPI)
        if picture is None:
            return ()
        return bars_in(picture) if is_upright else codes_in(picture, thoroughly=False)

    def _seen(self, number: int, text: str, layer: PageLayer) -> PageContent:
        if self._may_look_at <= 0 or self._deadline.is_over:
            self._left_out += 1
            return _page(number + 1, text, None)
        self._may_look_at -= 1
        is_small = 0 < layer.pictures_share < _LARGE_PICTURES_SHARE
        picture = self._pdf.picture(number, dpi=_SMALL_PICTURES_DPI if is_small else _OCR_DPI)
        if picture is None:
            return _page(number + 1, text, None)
        seen = look_at(picture, self._ocr(), self._deadline)
        if seen.text is None:
            self._ocr_missed = True
            # Better than nothing, for a person to see: by its source it counts as guessed.
            return _page(number + 1, text, None, codes=seen.codes, guessed=layer.text if layer.is_hidden else "")
        return _page(number + 1, text, seen)


def _says_itself(text: str, layer: PageLayer) -> bool:
    letters, pictures = _letters(text), layer.pictures_share
    if letters >= _ENOUGH_LETTERS:
        return pictures < _TELLING_PICTURES_SHARE
    return letters >= _SOME_LETTERS and pictures < _SMALL_PICTURES_SHARE


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _page(
    number: int, layer: str | None, seen: Seen | None, *, codes: tuple[Code, ...] = (), guessed: str = ""
) -> PageContent:
    """One page from its layer and from what was seen on its picture.

    Where letters were recognized the page counts as recognized: what the layer says stands first, exact."""
    layer = layer or ""
    if seen is not None and seen.text is not None and seen.text.text:
        return PageContent(
            number=number,
            text=f"{layer}\n{seen.text.text}" if layer else seen.text.text,
            source=TextSource.OCR,
            codes=seen.codes,
            confidence=seen.text.confidence,
            again=seen.again,
            has_unread_mark=seen.has_unread_mark,
        )
    if guessed and not layer:
        return PageContent(number=number, text=guessed, source=TextSource.OCR, codes=codes, confidence=0.0)
    return PageContent(
        number=number,
        text=layer,
        source=TextSource.TEXT_LAYER if layer else TextSource.NONE,
        codes=codes if seen is None else seen.codes,
    )


def _opened(
    pages: tuple[PageContent, ...], page_count: int, *, ocr_missed: bool, is_partly_read: bool = False
) -> FileContent:
    says_something = any(_letters(page.text) >= _FEWEST_LETTERS for page in pages)
    reasons = [NO_OCR] if ocr_missed else []
    if page_count > len(pages) or is_partly_read:
        reasons.append(PAGES_NOT_READ)
    if not says_something and not ocr_missed:
        reasons.append(NO_TEXT_FOUND)
    return FileContent(
        pages=pages,
        page_count=page_count,
        readability=Readability.READABLE if says_something else Readability.NOT_CHECKED,
        reasons=tuple(reasons),
    )


def _closed(readability: Readability, reason: str) -> FileContent:
    return FileContent(pages=(), page_count=0, readability=readability, reasons=(reason,))
