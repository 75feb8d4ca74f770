"""The machine readable zone of a document (ICAO 9303, TD1: three lines of 30): ``text -> Mrz``.

Only what has its check digit right is taken; fillers that OCR took for letters do no harm to dates and numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_ROW = re.compile(r"[A-Z0-9<]{28,32}")
_SECOND = re.compile(r"(\d{6})(\d)[MFX<](\d{6})(\d)([A-Z]{3})")
_DIGITS = str.maketrans("OQDILSBZG", "001115826")
_CENTURY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Mrz:
    """What the zone says. ``names`` are its words in the order in which they stand there."""

    birth_date: date
    valid_until: date
    names: str = ""


def check_digit(characters: str) -> int:
    """ICAO 9303-3 §4.9: weights 7, 3, 1; letters count from 10, the filler 0."""
    total = 0
    for index, ch in enumerate(characters):
        value = 0 if ch == "<" else int(ch, 36)
        total += value * (7, 3, 1)[index % 3]
    return total % 10


def find_mrz(text: str, *, today: date) -> Mrz | None:
    """The zone in ``text``, if its dates have their check digits right."""
    rows = [_row(line) for line in text.split("\n")]
    for index, row in enumerate(rows):
        found = _dates(row, today)
        if found is None:
            continue
        names = rows[index + 1] if index + 1 < len(rows) else ""
        return Mrz(birth_date=found[0], valid_until=found[1], names=_names(names))
    return None


def _row(line: str) -> str:
    packed = re.sub(r"\s+", "", line).upper().replace("«", "<<").replace("‹", "<")
    return packed if _ROW.fullmatch(packed) else ""


def _dates(row: str, today: date) -> tuple[date, date] | None:
    if len(row) < 18:
        return None
    fixed = row[:7].translate(_DIGITS) + row[7] + row[8:15].translate(_DIGITS) + row[15:]
    match = _SECOND.match(fixed)
    if match is None or check_digit(match[1]) != int(match[2]) or check_digit(match[3]) != int(match[4]):
        return None
    born, until = _day(match[1]), _day(match[3])
    if born is None or until is None:
        return None
    if born >= today:
        born = born.replace(year=born.year - _CENTURY)
    return born, until


def _day(yymmdd: str) -> date | None:
    try:
        return date(2000 + int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:]))
    except ValueError:
        return None


def _names(row: str) -> str:
    if "<" not in row or any(ch.isdigit() for ch in row):
        return ""
    return " ".join(row.rstrip("<KCE").replace("<", " ").split()) if row.endswith("<") else ""
