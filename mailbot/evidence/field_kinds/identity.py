"""Numbers and names of people and companies: CPF, CNPJ, first and last name (DOMAIN C.6, R002-07 … R002-09)."""

from __future__ import annotations

import re
from collections.abc import Callable

from mailbot.catalogue.field_specs import PERSON_TYPES
from mailbot.catalogue.folding import fold_words
from mailbot.evidence.check_digits import compact, is_cnpj, is_cpf
from mailbot.evidence.field_kinds.checked import LONGEST_SHOWN, Checked

# Eleven digits, and twelve letters or digits with two digits, as people punctuate them.
_CPF_SHAPE = re.compile(r"(?<![\w.-])\d{3}[ .]?\d{3}[ .]?\d{3}[ \-–./]{0,3}\d{2}(?![\w-])", re.ASCII)
_CNPJ_SHAPE = re.compile(
    r"(?<![\w.-])[0-9A-Z]{2}[ .]?[0-9A-Z]{3}[ .]?[0-9A-Z]{3}[ /\\]{0,3}[0-9A-Z]{4}[ \-–.]{0,3}[0-9]{2}(?![\w-])",
    re.ASCII | re.IGNORECASE,
)
_DASH = re.compile(r"[–—\\]")
_NAME_CHARACTERS = re.compile(r"[^\W\d_]|[ '’.\-]")


def cpf(raw: str) -> Checked:
    """The CPF in ``raw``, as ``529.982.247-25``; ``not_a_cpf``, or ``cpf_check_digits`` where only these fail."""
    return _number(raw, _CPF_SHAPE, is_cpf, _punctuated_cpf, "cpf")


def cnpj(raw: str) -> Checked:
    """The CNPJ in ``raw``, letters too, as ``12.ABC.345/01DE-35``. ``not_a_cnpj`` or ``cnpj_check_digits``."""
    return _number(raw, _CNPJ_SHAPE, is_cnpj, _punctuated_cnpj, "cnpj")


def cpfs_in(text: str) -> tuple[str, ...]:
    """Every right CPF of ``text``, without doubles."""
    return _all_in(text, _CPF_SHAPE, is_cpf, _punctuated_cpf)


def cnpjs_in(text: str) -> tuple[str, ...]:
    """Every right CNPJ of ``text``, without doubles."""
    return _all_in(text, _CNPJ_SHAPE, is_cnpj, _punctuated_cnpj)


def person_type(raw: str) -> Checked:
    """*Pessoa física* or *Pessoa jurídica*, by its name, *PF*, *CNPJ* …; ``not_a_choice``."""
    words = fold_words(raw[:LONGEST_SHOWN])
    natural = bool(_NATURAL.search(words))
    if natural == bool(_LEGAL.search(words)):
        return Checked(raw, "not_a_choice")
    return Checked(PERSON_TYPES[0] if natural else PERSON_TYPES[1])


_NATURAL = re.compile(r"\b(?:fisica|pf|cpf|pessoa natural)\b")
_LEGAL = re.compile(r"\b(?:juridica|pj|cnpj|empresa|mei|ltda)\b")


def first_name(raw: str) -> Checked:
    """The first word of a name; ``not_a_name``."""
    name = _name(raw)
    return Checked(name.split()[0]) if name else Checked(raw, "not_a_name")


def last_name(raw: str) -> Checked:
    """A last name, all of it: *da Silva Souza*; ``not_a_name``."""
    name = _name(raw)
    return Checked(name) if name else Checked(raw, "not_a_name")


def name_parts(name: str) -> tuple[str, str]:
    """First name and the rest of a full name; empty where it is none: ``Maria``, ``da Silva Souza``."""
    first, _, rest = _name(name).partition(" ")
    return first, rest


def _name(raw: str) -> str:
    text = " ".join(raw[:LONGEST_SHOWN].split()).strip(" .,;-")
    letters = sum(ch.isalpha() for ch in text)
    return text if letters >= 2 and all(_NAME_CHARACTERS.fullmatch(ch) for ch in text) else ""


def _number(
    raw: str, shape: re.Pattern[str], is_right: Callable[[str], bool], punctuated: Callable[[str], str], kind: str
) -> Checked:
    """One number of a kind; several different ones are none."""
    text = _DASH.sub("-", raw[: 4 * LONGEST_SHOWN])
    right = list(dict.fromkeys(punctuated(one) for one in [text, *shape.findall(text)] if is_right(one)))
    if len(right) == 1:
        return Checked(right[0])
    if right:
        return Checked(raw, f"several_{kind}")
    return Checked(raw, f"{kind}_check_digits" if shape.search(text) else f"not_a_{kind}")


def _all_in(
    text: str, shape: re.Pattern[str], is_right: Callable[[str], bool], punctuated: Callable[[str], str]
) -> tuple[str, ...]:
    found = (_DASH.sub("-", match.group()) for match in shape.finditer(text))
    return tuple(dict.fromkeys(punctuated(one) for one in found if is_right(one)))


def _punctuated_cpf(text: str) -> str:
    digits = compact(text)
    return f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}"


def _punctuated_cnpj(text: str) -> str:
    number = compact(text)
    return f"{number[:2]}.{number[2:5]}.{number[5:8]}/{number[8:12]}-{number[12:]}"
