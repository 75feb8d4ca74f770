"""The text layer of a PDF: the one module that knows pypdfium2 (untyped, not thread-safe, loaded when needed)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MOST_PAGES = 20
MOST_CHARACTERS = 200_000

_PDFIUM = threading.Lock()


class PdfState(StrEnum):
    """How far a PDF could be opened."""

    OPEN = "open"
    ENCRYPTED = "encrypted"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfText:
    """``pages`` counts all; ``page_texts`` are those of the first 20, at most 200,000 characters together."""

    state: PdfState
    pages: int = 0
    page_texts: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All pages, one below the other."""
        return "\n".join(self.page_texts)


def pdf_text(content: bytes) -> PdfText:
    """Text of the PDF ``content``; never raises. Memory and time beyond the caps are pdfium's own limits."""
    import pypdfium2
    import pypdfium2.raw as raw

    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            encrypted = error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
            return PdfText(state=PdfState.ENCRYPTED if encrypted else PdfState.BROKEN)
        try:
            return _read(document)
        finally:
            document.close()


def _read(document: Any) -> PdfText:
    pages = len(document)
    if pages == 0:
        return PdfText(state=PdfState.BROKEN)
    return PdfText(state=PdfState.OPEN, pages=pages, page_texts=tuple(_texts(document, min(pages, MOST_PAGES))))


def _texts(document: Any, pages: int) -> Iterator[str]:
    """Page by page until the cap; a page that cannot be read is skipped, the others still count."""
    import pypdfium2

    room = MOST_CHARACTERS
    for number in range(pages):
        if room <= 0:
            return
        try:
            text = _page_text(document, number, room)
        except pypdfium2.PdfiumError:
            continue
        room -= len(text)
        yield text


def _page_text(document: Any, number: int, most_characters: int) -> str:
    page = document[number]
    try:
        layer = page.get_textpage()
        try:
            count = min(layer.count_chars(), most_characters)
            return str(layer.get_text_range(0, count)).replace("\r", "")[:most_characters] if count else ""
        finally:
            layer.close()
    finally:
        page.close()
