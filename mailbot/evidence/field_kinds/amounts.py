"""Numbers and money: ``1.234,50`` as Brazilians write it → ``"1234.50"``, within the field's bounds."""

from __future__ import annotations

import re
from decimal import Decimal

from mailbot.catalogue.field_specs import FieldSpec
from mailbot.catalogue.folding import fold_words
from mailbot.evidence.field_kinds.checked import LONGEST_SHOWN, Checked

_NUMBER = re.compile(r"(?<![\w,.])-?(?:\d{1,3}(?:\.\d{3}){1,5}(?:,\d{1,6})?|\d{1,15}(?:[.,]\d{1,6})?)(?![\w])")
_THOUSANDS = re.compile(r"-?\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_MONEY = re.compile(
    r"(?:R\s?\$|RS|BRL)?\s*(-?\d{1,3}(?:\.\d{3}){1,5}(?:,\d{2})?|-?\d{1,12}(?:[.,]\d{1,2})?)(?![\w.,]\d|\w)",
    re.IGNORECASE,
)
# What people write out rather than in figures: *somos duas máquinas*.
_WORDS = {
    "um": 1, "uma": 1, "dois": 2, "duas": 2, "tres": 3, "quatro": 4, "cinco": 5, "seis": 6, "sete": 7, "oito": 8,
    "nove": 9, "dez": 10, "onze": 11, "doze": 12, "treze": 13, "quatorze": 14, "catorze": 14, "quinze": 15,
    "vinte": 20, "trinta": 30,
}  # fmt: skip


def number(spec: FieldSpec, raw: str) -> Checked:
    """The one number in ``raw``, in figures or in words up to *trinta*.

    ``not_a_number``, ``several_numbers``, ``too_small:1`` or ``too_large:5``.
    """
    text = raw[:LONGEST_SHOWN]
    found = list(dict.fromkeys(_plain(match.group()) for match in _NUMBER.finditer(text)))
    if not found:
        found = list(dict.fromkeys(str(_WORDS[word]) for word in fold_words(text).split() if word in _WORDS))
    if len(found) != 1:
        return Checked(raw, "several_numbers" if found else "not_a_number")
    reason = _out_of_bounds(spec, Decimal(found[0]))
    return Checked(raw, reason) if reason else Checked(found[0])


def money(spec: FieldSpec, raw: str) -> Checked:
    """The one amount in ``raw``, as ``"108.00"``; ``not_an_amount``, ``too_small:10`` or ``too_large:500``."""
    found = list(dict.fromkeys(_plain(match[1]) for match in _MONEY.finditer(raw[:LONGEST_SHOWN])))
    if len(found) != 1:
        return Checked(raw, "not_an_amount")
    amount = Decimal(found[0]).quantize(Decimal("0.01"))
    reason = _out_of_bounds(spec, amount) or ("not_an_amount" if amount < 0 else "")
    return Checked(raw, reason) if reason else Checked(str(amount))


def out_of_bounds(spec: FieldSpec, count: int) -> str:
    """Why a count of things is not within the field's bounds; empty where it is."""
    return _out_of_bounds(spec, Decimal(count))


def written_number(words: str) -> int | None:
    """The whole number that one folded word is, in figures or written out."""
    if words.isascii() and words.isdigit() and len(words) <= 6:
        return int(words)
    return _WORDS.get(words)


def _plain(text: str) -> str:
    if _THOUSANDS.fullmatch(text):
        text = text.replace(".", "")
    plain = Decimal(text.replace(",", "."))
    return format(plain, "f")


def _out_of_bounds(spec: FieldSpec, amount: Decimal) -> str:
    if spec.minimum is not None and amount < Decimal(str(spec.minimum)):
        return f"too_small:{_shown(spec.minimum)}"
    if spec.maximum is not None and amount > Decimal(str(spec.maximum)):
        return f"too_large:{_shown(spec.maximum)}"
    return ""


def _shown(bound: float) -> str:
    return f"{bound:g}".replace(".", ",") if abs(bound) < 1_000_000 else format(Decimal(str(bound)), "f")
