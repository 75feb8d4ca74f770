"""What a file holds, whatever it means: text and codes page by page, and how far it could be opened.

The seam of this stage: ``reading.py`` makes these from bytes, ``documents/`` tells by them what a file is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailbot.domain.evidence import Readability


class TextSource(StrEnum):
    """Where the text of a page comes from."""

    TEXT_LAYER = "text_layer"
    OCR = "ocr"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A barcode or QR on a page; ``format`` as zxing-cpp names it: ``ITF``, ``QRCode``, ``Code128`` …"""

    format: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContent:
    """One page, ``number`` from 1.

    ``text``: lines apart by ``\\n``, in reading order, columns apart by two spaces or more where they are known.
    ``confidence``: of the OCR, 0 to 1; 1 for a text layer. ``again``: numbers in the text as OCR read them a
    second time, a line each. ``has_unread_mark``: something large is drawn among the words, as a stamp, of which
    OCR read nothing.
    """

    number: int
    text: str
    source: TextSource
    codes: tuple[Code, ...] = ()
    confidence: float = 1.0
    again: str = ""
    has_unread_mark: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent:
    """A file: the pages that were read. ``page_count`` is the file's, which may be more."""

    pages: tuple[PageContent, ...]
    page_count: int
    readability: Readability
    reasons: tuple[str, ...] = ()
