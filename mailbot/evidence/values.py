"""What stands behind a label → a checked :class:`FieldValue`, by the field's kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.units import Unit, UnitTable
from mailbot.domain.evidence import FieldOrigin, FieldValue
from mailbot.evidence.check_digits import compact, is_cnpj, is_cpf

_LONGEST_SHOWN = 200

# Area codes in use (Anatel, Plano Geral de Códigos Nacionais); none ends in zero (DOMAIN C.6).
_UNUSED_AREA_CODES = frozenset({23, 25, 26, 29, 36, 39, 52, 56, 57, 58, 59, 72, 76, 78})
AREA_CODES = frozenset(str(code) for code in range(11, 100) if code % 10 and code not in _UNUSED_AREA_CODES)
_PHONE_RUN = re.compile(r"(?<![\w.,$/@-])\+?\(?\d[\d ().\-–]{6,22}\d(?![\w@]|[.,/-]\d)")
_EMAIL = re.compile(r"(?<![\w.+%-])([A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w-])")
_DATE = re.compile(r"(?<!\d)(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?!\d)|(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_NUMBER = re.compile(r"(?<![\w,.])-?\d{1,15}(?:[.,]\d{1,6})?(?![\w])")
_UNIT_END = re.compile(r"[,;.(\n]|\s[-–—]\s|\s/\s")
_UNIT_LEAD = re.compile(
    r"^(?:(?:a|o|em|de|da|do|na|no|cidade|unidade|posto|vistoria|local|para)\s+)+", re.IGNORECASE
)

_Checked = tuple[str, str]
"""A value as it is kept, and why it is not valid (empty if it is)."""


def checked_value(spec: FieldSpec, raw: str, units: UnitTable, origin: FieldOrigin) -> FieldValue:
    """``raw`` in the form in which it is kept; not valid, with a reason, where it is none of its kind.

    Reasons: ``not_a_unit``, ``not_a_cpf``, ``not_a_cnpj``, ``not_a_phone``, ``no_area_code``, ``not_an_email``,
    ``not_a_choice``, ``not_a_number``, ``not_a_date``, ``too_short``.
    """
    value, reason = _check(spec, raw.strip(), units)
    shown = value if not reason else raw.strip()[:_LONGEST_SHOWN]
    return FieldValue(key=spec.key, value=shown, valid=not reason, reason=reason, origin=origin)


def _check(spec: FieldSpec, raw: str, units: UnitTable) -> _Checked:
    if spec.kind is FieldKind.UNIT:
        unit = unit_in(raw, units)
        return (raw, "not_a_unit") if unit is None else (unit.name, "")
    if spec.kind is FieldKind.CHOICE:
        chosen = [choice for choice in spec.choices if fold_words(choice) == fold_words(raw)]
        return (chosen[0], "") if chosen else (raw, "not_a_choice")
    if spec.kind is FieldKind.TEXT:
        return _text(raw, spec.max_characters)
    return _CHECKS[spec.kind](raw)


def _text(raw: str, max_characters: int) -> _Checked:
    text = re.sub(r"[ \t]+", " ", re.sub(r"\n{3,}", "\n\n", re.sub(r"_{2,}", " ", raw))).strip()
    letters = sum(ch.isalpha() for ch in text[:100])
    return (text[:max_characters].rstrip(), "") if letters >= 2 else (text, "too_short")


def unit_in(raw: str, units: UnitTable) -> Unit | None:
    """The one unit that ``raw`` names: whole, or before the first mark; never where two are named."""
    text = raw[:_LONGEST_SHOWN]
    pieces = [text, *_UNIT_END.split(text, maxsplit=1)[:1]]
    for piece in pieces:
        found = units.find(piece) or units.find(_UNIT_LEAD.sub("", piece.strip()))
        if found is not None:
            return None if _names_another(text[len(piece) :], found, units) else found
    return None


def _names_another(rest: str, found: Unit, units: UnitTable) -> bool:
    words = fold_words(rest).split()
    hits = (units.at(words, start) for start in range(len(words)))
    return any(hit is not None and hit[0] != found for hit in hits)


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


def _phone_value(raw: str) -> _Checked:
    phones = phones_in(raw)
    if phones:
        return phones[0], ""
    digits = re.sub(r"\D", "", raw[:_LONGEST_SHOWN])
    local = (len(digits) == 9 and digits[0] == "9") or (len(digits) == 8 and digits[0] in "2345")
    return raw, "no_area_code" if local else "not_a_phone"


def _email_value(raw: str) -> _Checked:
    match = _EMAIL.search(raw[: _LONGEST_SHOWN * 2])
    if match is None:
        return raw, "not_an_email"
    local, _, domain = match[1].rpartition("@")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return raw, "not_an_email"
    return f"{local}@{domain.lower()}", ""


def _cpf_value(raw: str) -> _Checked:
    digits = compact(raw)
    return (f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}", "") if is_cpf(raw) else (raw, "not_a_cpf")


def _cnpj_value(raw: str) -> _Checked:
    number = compact(raw)
    if not is_cnpj(raw):
        return raw, "not_a_cnpj"
    return f"{number[:2]}.{number[2:5]}.{number[5:8]}/{number[8:12]}-{number[12:]}", ""


def _number_value(raw: str) -> _Checked:
    match = _NUMBER.search(raw[:_LONGEST_SHOWN])
    return (raw, "not_a_number") if match is None else (match.group().replace(",", "."), "")


def _date_value(raw: str) -> _Checked:
    match = _DATE.search(raw[:_LONGEST_SHOWN])
    if match is None:
        return raw, "not_a_date"
    if match[4]:
        year, month, day = int(match[4]), int(match[5]), int(match[6])
    else:
        year, month, day = int(match[3]), int(match[2]), int(match[1])
        year += 2000 if year < 100 else 0
    try:
        return date(year, month, day).isoformat(), ""
    except ValueError:
        return raw, "not_a_date"


_CHECKS: dict[FieldKind, Callable[[str], _Checked]] = {
    FieldKind.PHONE: _phone_value,
    FieldKind.EMAIL: _email_value,
    FieldKind.CPF: _cpf_value,
    FieldKind.CNPJ: _cnpj_value,
    FieldKind.NUMBER: _number_value,
    FieldKind.DATE: _date_value,
}
