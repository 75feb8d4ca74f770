"""A file's bytes → :class:`DocumentReading`: what it is and how far it could be opened.

``file_content.py`` finds out what stands in it, ``documents/`` what that means. ``isolation.py`` has both done
in a process with limits of its own.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.domain.evidence import DocumentKind, DocumentReading, Readability
from mailbot.evidence.content import FileContent, PageContent, TextSource
from mailbot.evidence.file_content import ENDS_EARLY, NO_OCR, Wanted, pdf_content, picture_content
from mailbot.evidence.meaning import reading_of, settled_kind, uncertain
from mailbot.evidence.ocr import MissingOcr, Tesseract, tesseract
from mailbot.evidence.opened_types import is_pdf
from mailbot.evidence.picture_files import is_readable_picture
from mailbot.evidence.reader_version import READER_VERSION as READER_VERSION

NOT_READ = "not_read"
"""Reason where the reading was not ended or never begun, for lack of time or memory: nothing is known of the
file, and another try may succeed."""

# Could hold a scanned document; only a person can tell.
_FOR_A_PERSON = (
    "image/",
    "application/msword",
    "application/vnd.ms-",
    "application/vnd.openxmlformats-officedocument.",
    "application/vnd.oasis.opendocument.",
    "application/rtf",
)


def read_document(
    digest: str,
    content: bytes,
    media_type: str,
    filename: str,
    *,
    ocr: Tesseract | MissingOcr | None = None,
) -> DocumentReading:
    """Read one file. ``media_type`` is what its magic bytes say; ``digest`` only names the result.

    Raises nothing but ``MemoryError``. ``kind`` is ``UNKNOWN`` unless it is certain; a file of several documents
    has them as ``parts``. ``ocr`` is Tesseract as it is installed, unless it is given.
    """
    return read_thoroughly(digest, content, media_type, filename, ocr=ocr)[0]


def read_thoroughly(
    digest: str,
    content: bytes,
    media_type: str,
    filename: str,
    *,
    ocr: Tesseract | MissingOcr | None = None,
) -> tuple[DocumentReading, FileContent | None]:
    """As :func:`read_document`, with what stands in the file, for a person who wants to know why."""
    held = read_content(content, media_type, ocr=ocr)
    if held is not None:
        return _meaning(digest, held, filename), held
    if media_type.startswith(_FOR_A_PERSON):
        return _unread(digest, Readability.NOT_CHECKED, "not_text", pages=1), None
    return _unread(digest, Readability.NOT_A_DOCUMENT, "not_a_document"), None


def read_content(
    content: bytes, media_type: str, *, ocr: Tesseract | MissingOcr | None = None
) -> FileContent | None:
    """What stands in a file; ``None`` for what is not opened here. Raises nothing but ``MemoryError``."""
    when_needed = tesseract if ocr is None else lambda: ocr
    if is_pdf(content, media_type):
        return pdf_content(content, ocr=when_needed, judge=_wanted)
    if is_readable_picture(media_type):
        return picture_content(content, ocr=when_needed)
    return None


def not_read(digest: str) -> DocumentReading:
    """The reading of a file that was not read: for a person, and not to be kept."""
    return _unread(digest, Readability.NOT_CHECKED, NOT_READ)


def is_to_be_kept(reading: DocumentReading) -> bool:
    """Whether a reading says all that can be said of the file, so that it need not be read again."""
    return NOT_READ not in reading.reasons and NO_OCR not in reading.reasons


def _unread(digest: str, readability: Readability, reason: str, *, pages: int = 0) -> DocumentReading:
    return DocumentReading(
        digest=digest,
        reader_version=READER_VERSION,
        kind=DocumentKind.UNKNOWN,
        confidence=0.0,
        readability=readability,
        pages=pages,
        reasons=(reason,),
    )


def _wanted(page: PageContent) -> Wanted:
    """A boleto's bars confirm its line, or tell that it was tampered with; of all else that is certain by its text
    nothing more is wanted."""
    kind = settled_kind(page)
    if kind is None:
        return Wanted.EVERYTHING
    return Wanted.CONFIRMATION if kind is DocumentKind.BOLETO else Wanted.NOTHING


def _meaning(digest: str, held: FileContent, filename: str) -> DocumentReading:
    if not held.pages:
        return _unread(digest, held.readability, held.reasons[0])
    reading = reading_of(digest, held, filename=filename)
    if ENDS_EARLY in held.reasons:
        reading = uncertain(reading)
    is_picture = any(page.source is not TextSource.TEXT_LAYER for page in held.pages)
    if is_picture and reading.kind is DocumentKind.UNKNOWN and not reading.parts:
        return replace(reading, reasons=("not_text", *reading.reasons))
    return reading
