"""Which files are opened, and as what: ``(bytes, media type) -> bool``, without a library."""

from __future__ import annotations

from mailbot.evidence.picture_files import is_readable_picture

_PDF = "application/pdf"


def is_pdf(content: bytes, media_type: str) -> bool:
    """Whether a file is read as a PDF."""
    return media_type == _PDF or content[:5] == b"%PDF-"


def is_opened(content: bytes, media_type: str) -> bool:
    """Whether a file is opened by a library that hostile bytes can make slow or break."""
    return is_pdf(content, media_type) or is_readable_picture(media_type)


def is_quick(content: bytes, media_type: str) -> bool:
    """Whether a file is likely to be read in tenths of a second: a PDF most often has a text layer."""
    return is_pdf(content, media_type)
