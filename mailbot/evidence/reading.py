"""A file's bytes → :class:`DocumentReading`: what it is and how far it could be opened.

Here only a PDF's text layer and the file's name are read; pictures are left to a person. ``isolation.py`` has
PDFs read in a process with limits of its own.
"""

from __future__ import annotations

from mailbot.domain.evidence import DocumentKind, DocumentReading, Fact, Readability
from mailbot.evidence.documents import CERTAIN_SCORE, certain_kind, kind_scores
from mailbot.evidence.pdf_text import PdfState, PdfText, pdf_text

READER_VERSION = 1
"""Grows with every change of what is read, so that kept readings are made anew."""

CONTAINS = "contains"
"""Name of the fact that lists, apart by commas, the kinds of documents that one file holds on different pages."""

NOT_READ = "not_read"
"""Reason where the reading was not ended or never begun, for lack of time or memory: nothing is known of the
file, and another try may succeed."""

_PDF = "application/pdf"
# Could hold a scanned document; only a person can tell.
_FOR_A_PERSON = (
    "image/",
    "application/msword",
    "application/vnd.ms-",
    "application/vnd.openxmlformats-officedocument.",
    "application/vnd.oasis.opendocument.",
    "application/rtf",
)


def read_document(digest: str, content: bytes, media_type: str, filename: str) -> DocumentReading:
    """Read one file. ``media_type`` is what its magic bytes say; ``digest`` only names the result.

    Never raises. ``kind`` is ``UNKNOWN`` unless the text layer makes it certain; pages
    of different kinds make it ``UNKNOWN`` with the fact ``contains``.
    """
    if is_pdf(content, media_type):
        return _read_pdf(digest, content, filename)
    if media_type.startswith(_FOR_A_PERSON):
        return _unread(digest, Readability.NOT_CHECKED, "not_text", pages=1)
    return _unread(digest, Readability.NOT_A_DOCUMENT, "not_a_document")


def is_pdf(content: bytes, media_type: str) -> bool:
    """Whether a file is read as a PDF, by a library that hostile bytes can make slow or break."""
    return media_type == _PDF or content[:5] == b"%PDF-"


def not_read(digest: str) -> DocumentReading:
    """The reading of a file that was not read: for a person, and not to be kept."""
    return _unread(digest, Readability.NOT_CHECKED, NOT_READ)


def is_to_be_kept(reading: DocumentReading) -> bool:
    """Whether a reading says something of the file, so that it need not be read again."""
    return NOT_READ not in reading.reasons


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


def _read_pdf(digest: str, content: bytes, filename: str) -> DocumentReading:
    pdf = pdf_text(content)
    if pdf.state is PdfState.ENCRYPTED:
        return _unread(digest, Readability.ENCRYPTED, "encrypted")
    if pdf.state is PdfState.BROKEN:
        return _unread(digest, Readability.UNREADABLE, "broken_pdf")
    return _told_by_text(digest, pdf, filename)


def _told_by_text(digest: str, pdf: PdfText, filename: str) -> DocumentReading:
    several = _kinds_of_pages(pdf)
    if len(several) > 1:
        return _several_documents(digest, pdf, several)
    text = pdf.text
    scores = kind_scores(text, filename)
    certain = certain_kind(scores, text)
    has_text = any(ch.isalnum() for ch in text)
    return DocumentReading(
        digest=digest,
        reader_version=READER_VERSION,
        kind=DocumentKind.UNKNOWN if certain is None else certain.kind,
        confidence=scores[0].score,
        readability=Readability.READABLE if has_text else Readability.NOT_CHECKED,
        pages=pdf.pages,
        reasons=scores[0].reasons if has_text else ("no_text_layer", *scores[0].reasons),
    )


def _kinds_of_pages(pdf: PdfText) -> tuple[DocumentKind, ...]:
    """The different kinds of which single pages certainly are, in order."""
    if len(pdf.page_texts) < 2:
        return ()
    certain = (certain_kind(kind_scores(text, ""), text) for text in pdf.page_texts)
    return tuple(dict.fromkeys(score.kind for score in certain if score is not None))


def _several_documents(digest: str, pdf: PdfText, kinds: tuple[DocumentKind, ...]) -> DocumentReading:
    """People put all their papers into one file: the file is of no kind, the fact ``contains`` names them."""
    return DocumentReading(
        digest=digest,
        reader_version=READER_VERSION,
        kind=DocumentKind.UNKNOWN,
        confidence=CERTAIN_SCORE,
        readability=Readability.READABLE,
        pages=pdf.pages,
        facts=(Fact(name=CONTAINS, value=",".join(kinds)),),
        reasons=("several_documents",),
    )
