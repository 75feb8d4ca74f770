"""What people write in words of their own: texts, postal addresses, contract and serial numbers."""

from __future__ import annotations

import re

from mailbot.catalogue.field_specs import FieldSpec
from mailbot.catalogue.folding import fold_words
from mailbot.evidence.field_kinds.amounts import out_of_bounds
from mailbot.evidence.field_kinds.checked import LONGEST_SHOWN, Checked

_MOST_SERIALS = 200
_LONGEST_LIST = 8000
_LONGEST_ADDRESS = 300

# A hyphen or slash inside stays; at least one digit, so that no word of a sentence is a number of something.
_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9]|[./-](?=[A-Z0-9])){2,29}", re.IGNORECASE | re.ASCII)
_CODE_LABEL = re.compile(
    r"\b(?:contrato|n[uú]mero|n[ºo°]\.?|nro|num|s[eé]ries?|serial|seriais|sn|s/n|de|do|da|[eé]|s[aã]o)\b[\s:.#ºo°]*",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"\b(?:rua|r|avenida|av|alameda|al|travessa|tv|praca|pc|rodovia|rod|br|go|estrada|quadra|qd|q|lote|lt|conjunto|"
    r"setor|st|bairro|vila|condominio|fazenda|chacara|viela|largo|via|sqn|sqs|qnm|qi|ql|bloco)\b"
)
_CEP = re.compile(r"(?<!\d)\d{5}-?\d{3}(?!\d)")


def text(spec: FieldSpec, raw: str) -> Checked:
    """Words, at least two letters and the field's ``min_characters`` (R003-06), cut at its ``max_characters``.

    ``too_short``, with the length that is wanted behind the colon where the field has one.
    """
    plain = re.sub(r"[ \t]+", " ", re.sub(r"\n{3,}", "\n\n", re.sub(r"_{2,}", " ", raw))).strip()
    if sum(map(str.isalpha, plain[:100])) < 2:
        return Checked(plain, "too_short")
    if spec.min_characters is not None and len(" ".join(plain.split())) < spec.min_characters:
        return Checked(plain, f"too_short:{spec.min_characters}")
    return Checked(plain[: spec.max_characters].rstrip())


def address(raw: str) -> Checked:
    """A postal address on one line: a street (or the like) or a CEP, and a number or *s/n*; ``not_an_address``."""
    plain = ", ".join(part.strip(" ,;") for part in raw[:_LONGEST_ADDRESS].split("\n") if part.strip(" ,;"))
    plain = re.sub(r"\s{2,}", " ", plain)
    words = fold_words(plain)
    has_street = bool(_STREET.search(words)) or bool(_CEP.search(plain))
    has_number = any(ch.isdigit() for ch in plain) or bool(re.search(r"\bs ?n\b", words))
    letters = sum(ch.isalpha() for ch in plain)
    if has_street and has_number and letters >= 4 and len(words.split()) >= 3:
        return Checked(plain)
    return Checked(raw, "not_an_address")


def contract(raw: str) -> Checked:
    """The number of one contract, in capitals, as it is written; ``not_a_contract`` or ``several_contracts``."""
    found = codes_in(raw[:LONGEST_SHOWN], shortest=3)
    if len(found) == 1:
        return Checked(found[0])
    return Checked(raw, "several_contracts" if found else "not_a_contract")


def serials(spec: FieldSpec, raw: str) -> Checked:
    """Serial numbers, in capitals, without doubles, with commas between: ``ABC-123, 4567``.

    ``not_a_serial``, ``too_small:1``, ``too_large:5`` by how many there are.
    """
    found = codes_in(raw[:_LONGEST_LIST], shortest=4)
    if not found or len(found) > _MOST_SERIALS:
        return Checked(raw, "not_a_serial" if not found else f"too_large:{_MOST_SERIALS}")
    reason = out_of_bounds(spec, len(found))
    return Checked(raw, reason) if reason else Checked(", ".join(found))


def codes_in(raw: str, *, shortest: int = 3) -> list[str]:
    """Numbers of things, letters among the digits allowed, in order and without doubles."""
    plain = _CODE_LABEL.sub(" ", raw)
    found = (match.group().upper() for match in _CODE.finditer(plain))
    return list(dict.fromkeys(one for one in found if any(ch.isdigit() for ch in one) and len(one) >= shortest))
