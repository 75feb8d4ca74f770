"""Telephone numbers and mail addresses (DOMAIN C.6)."""

from __future__ import annotations

import re

from mailbot.evidence.check_digits import is_cpf
from mailbot.evidence.field_kinds.checked import LONGEST_SHOWN, Checked

# Area codes in use (Anatel, Plano Geral de Códigos Nacionais); none ends in zero (DOMAIN C.6).
_UNUSED_AREA_CODES = frozenset({23, 25, 26, 29, 36, 39, 52, 56, 57, 58, 59, 72, 76, 78})
AREA_CODES = frozenset(str(code) for code in range(11, 100) if code % 10 and code not in _UNUSED_AREA_CODES)
_PHONE_RUN = re.compile(r"(?<![\w.,$/@-])\+?\(?\d[\d ().\-–]{6,22}\d(?![\w@]|[.,/-]\d)")
_EMAIL = re.compile(r"(?<![\w.+%-])([A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w-])")


def phones_in(text: str) -> tuple[str, ...]:
    """Every Brazilian telephone number with an area code in ``text``, as ``(62) 99999-8888``, without doubles.

    Mobile numbers have nine digits beginning with 9, land lines eight beginning with 2 to 5 (DOMAIN C.6);
    +55 and a trunk zero may stand before. Eleven bare digits that are a right CPF are none.
    """
    found = (_phone(match.group()) for match in _PHONE_RUN.finditer(text))
    return tuple(dict.fromkeys(phone for phone in found if phone))


def _phone(run: str) -> str:
    digits = re.sub(r"\D", "", run)
    if run.strip().isdigit() and is_cpf(digits):
        return ""
    if len(digits) > 11:
        digits = digits.removeprefix("0").removeprefix("055").removeprefix("55")
    digits = digits.removeprefix("0")
    area, number = digits[:2], digits[2:]
    mobile = len(number) == 9 and number[0] == "9"
    land_line = len(number) == 8 and number[0] in "2345"
    if area not in AREA_CODES or not (mobile or land_line) or len(set(number)) == 1:
        return ""
    return f"({area}) {number[:-4]}-{number[-4:]}"


def phone(raw: str) -> Checked:
    """The first telephone number of ``raw``; ``no_area_code`` or ``not_a_phone``."""
    phones = phones_in(raw)
    if phones:
        return Checked(phones[0])
    digits = re.sub(r"\D", "", raw[:LONGEST_SHOWN])
    local = (len(digits) == 9 and digits[0] == "9") or (len(digits) == 8 and digits[0] in "2345")
    return Checked(raw, "no_area_code" if local else "not_a_phone")


def email(raw: str) -> Checked:
    """The first mail address of ``raw``, its domain in lower case; ``not_an_email``."""
    match = _EMAIL.search(raw[: LONGEST_SHOWN * 2])
    if match is None:
        return Checked(raw, "not_an_email")
    local, _, domain = match[1].rpartition("@")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return Checked(raw, "not_an_email")
    return Checked(f"{local}@{domain.lower()}")


def emails_in(text: str) -> tuple[str, ...]:
    """Every mail address of ``text``, without doubles."""
    found = (email(match[1]) for match in _EMAIL.finditer(text))
    return tuple(dict.fromkeys(one.value for one in found if not one.reason))
