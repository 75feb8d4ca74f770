"""Whether a PDF is all there: ``bytes → PdfEnd`` (ISO 32000-1, 7.5.5 and annex F).

A library that mends files also opens the front of one of which the rest was lost on its way. What such a page says
may be half of it: of *comprovante de agendamento* the first word.
"""

from __future__ import annotations

import re
from enum import StrEnum

_END = b"%%EOF"
_HEAD_BYTES = 2_048
# A file that is made to be shown while it is loaded says in its first object how long it is.
_LENGTH = re.compile(rb"/Linearized\b[^>]{0,400}?/L\s{0,8}(\d{1,12})\b")
# Behind the last end mark of a whole file may stand what a gateway added, but nothing of a PDF.
_GOES_ON = re.compile(rb"\d\s{1,4}obj\b|endobj|endstream|startxref")


class PdfEnd(StrEnum):
    """How a PDF ends."""

    WHOLE = "whole"
    MISSING = "missing"
    """No mark says that it ends where it does: a part may be lost, or a careless program wrote it."""
    CUT = "cut"
    """It is shorter than it says itself."""


def end_of_pdf(content: bytes) -> PdfEnd:
    """How the PDF ends; never raises."""
    said = _LENGTH.search(content[:_HEAD_BYTES])
    if said is not None and int(said[1]) > len(content):
        return PdfEnd.CUT
    end = content.rfind(_END)
    return PdfEnd.MISSING if end < 0 or _GOES_ON.search(content, end) else PdfEnd.WHOLE
