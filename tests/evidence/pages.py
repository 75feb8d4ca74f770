"""Pages of text for tests, and what is read of them."""

from __future__ import annotations

from datetime import date

from mailbot.domain.evidence import DocumentReading, Readability
from mailbot.evidence.content import Code, FileContent, PageContent, TextSource
from mailbot.evidence.meaning import reading_of

TODAY = date(2026, 11, 22)


def page(text: str, *, number: int = 1, codes: tuple[Code, ...] = (), ocr: float | None = None) -> PageContent:
    """One page; ``ocr`` is the confidence with which it was recognized, ``None`` for a text layer."""
    source = TextSource.TEXT_LAYER if ocr is None else TextSource.OCR
    return PageContent(
        number=number, text=text, source=source, codes=codes, confidence=1.0 if ocr is None else ocr
    )


def read_pages(*pages: PageContent) -> DocumentReading:
    content = FileContent(pages=pages, page_count=len(pages), readability=Readability.READABLE)
    return reading_of("digest", content, today=TODAY)


def read(text: str, *, codes: tuple[Code, ...] = (), ocr: float | None = None) -> DocumentReading:
    return read_pages(page(text, codes=codes, ocr=ocr))


def facts(reading: DocumentReading) -> dict[str, str]:
    return {fact.name: fact.value for fact in reading.facts}
