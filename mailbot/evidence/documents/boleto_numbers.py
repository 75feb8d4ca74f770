"""Bar codes and digitable lines on a page, whatever it is: ``PageText -> barcodes`` with right check digits.

From the codes themselves first, then from text, also where OCR took digits for letters or a line's end cuts the
digitable line in two. Only right check digits count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from mailbot.evidence.check_digits import barcode_of_line, is_barcode, lines_in
from mailbot.evidence.documents.page_text import PageText

_MISREAD = str.maketrans("OoQDIlL|!iSsBZzGgqT", "0000111111558226997")
_MAYBE_DIGITS = re.compile(r"[0-9OoQDIlL|!iSsBZzGgqT]")
_GROUPS = re.compile(r"[0-9OoQDIlL|!iSsBZzGgqT]{1,48}(?:[ .\-_,:;]{1,3}[0-9OoQDIlL|!iSsBZzGgqT]{1,48}){0,14}")
_MISREAD_DOT = re.compile(r"(?<=\d{5})[/,:;](?=\d{5})")
_FEWEST_DIGITS = 44
_RUN = re.compile(r"\d[\d .\-]*")
_GAP = re.compile(r"[ \t]{2,}")
_FEWEST_OF_A_BEGINNING = 10
_MOST_LINES_BELOW = 3


def barcodes_in(page: PageText) -> tuple[str, ...]:
    """The 44-digit bar codes of the page, each once: scanned codes, then lines in the text."""
    return tuple(dict.fromkeys((*scanned_barcodes(page), *printed_barcodes(page))))


@lru_cache(maxsize=8)
def scanned_barcodes(page: PageText) -> tuple[str, ...]:
    """Bar codes that were scanned as such."""
    digits = (re.sub(r"\D", "", code.text) for code in page.codes if len(code.text) <= 60)
    return tuple(dict.fromkeys(code for code in digits if is_barcode(code)))


@lru_cache(maxsize=8)
def printed_barcodes(page: PageText) -> tuple[str, ...]:
    """Bar codes of the lines that stand in the text."""
    found = list(lines_in(page.raw)) or list(lines_in("\n".join(page.again)))
    if not found:
        # Printed with wide gaps between its groups.
        found = [line for line in lines_in(_GAP.sub(" ", page.raw)) if barcode_of_line(line)]
    if not found:
        found = list(_over_line_ends(page.raw)) or list(_over_line_ends("\n".join(page.again)))
    if not found and page.is_ocr:
        found = list(_misread(page.raw)) or list(_misread("\n".join(page.again)))
    if not found and page.is_ocr:
        # A dot misread, in a line that goes on below.
        found = list(_over_line_ends(_MISREAD_DOT.sub(".", page.raw)))
    codes = (barcode_of_line(line) or line for line in found)
    return tuple(dict.fromkeys(code for code in codes if is_barcode(code)))


def _over_line_ends(raw: str) -> Iterator[str]:
    """Digitable lines that go on below, beside a label that may go on too."""
    runs = [max(_RUN.findall(line), key=len, default="") for line in raw.split("\n") if line.strip()]
    for index, run in enumerate(runs):
        if _digits(run) < _FEWEST_OF_A_BEGINNING:
            continue
        for lower in runs[index + 1 : index + 1 + _MOST_LINES_BELOW]:
            run = f"{run} {lower}"
            # A bar code has one check digit only: any pieces of numbers may have it right by chance.
            found = [line for line in lines_in(run) if barcode_of_line(line)] if lower else []
            if found:
                yield from found
                break


def _digits(text: str) -> int:
    return sum(ch.isdigit() for ch in text)


def _misread(raw: str) -> Iterator[str]:
    for line in raw.split("\n"):
        for run in _GROUPS.findall(line[:400]):
            digits = "".join(ch for ch in run if _MAYBE_DIGITS.match(ch)).translate(_MISREAD)
            if not _FEWEST_DIGITS <= len(digits) <= 60 or sum(ch.isdigit() for ch in run) < 30:
                continue
            for length in (48, 47, 44):
                for start in range(len(digits) - length + 1):
                    piece = digits[start : start + length]
                    if barcode_of_line(piece) or (length == 44 and is_barcode(piece) and len(digits) == 44):
                        yield piece
