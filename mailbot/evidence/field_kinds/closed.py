"""Answers out of a closed list: choices with their synonyms, yes or no, the states of Brazil."""

from __future__ import annotations

import re

from mailbot.catalogue.field_specs import NO, YES, FieldSpec
from mailbot.catalogue.folding import fold_words
from mailbot.evidence.field_kinds.checked import LONGEST_SHOWN, Checked

_NUMBERED = re.compile(r"^\s*\(?(\d{1,2})\s*(?:[).:\-–]|$)\s*")
_YES = re.compile(r"\b(?:sim|s|yes|si|claro|com certeza|isso|confirmo|correto|positivo|ok|tem|tenho|esta|quero)\b")
_NO = re.compile(r"\b(?:nao|n|no|nunca|nenhum|nenhuma|negativo|jamais|sem)\b")

STATES = {
    "AC": "Acre", "AL": "Alagoas", "AP": "Amapá", "AM": "Amazonas", "BA": "Bahia", "CE": "Ceará",
    "DF": "Distrito Federal", "ES": "Espírito Santo", "GO": "Goiás", "MA": "Maranhão", "MT": "Mato Grosso",
    "MS": "Mato Grosso do Sul", "MG": "Minas Gerais", "PA": "Pará", "PB": "Paraíba", "PR": "Paraná",
    "PE": "Pernambuco", "PI": "Piauí", "RJ": "Rio de Janeiro", "RN": "Rio Grande do Norte",
    "RS": "Rio Grande do Sul", "RO": "Rondônia", "RR": "Roraima", "SC": "Santa Catarina", "SP": "São Paulo",
    "SE": "Sergipe", "TO": "Tocantins",
}  # fmt: skip
"""The 26 states and the Federal District by their abbreviation (IBGE)."""

_STATE_NAMES = {fold_words(name): code for code, name in STATES.items()}


def choice(spec: FieldSpec, raw: str) -> Checked:
    """The choice that ``raw`` names, wholly or by the only name in it, or by its number in the list.

    ``not_a_choice``, ``several_choices``. Of names that contain each other the longest counts.
    """
    text = raw[:LONGEST_SHOWN]
    numbered = _NUMBERED.match(text)
    rest = text[numbered.end() :] if numbered else text
    whole = [one.name for one in spec.choices if fold_words(rest) in one.all_names]
    if not whole and numbered and not fold_words(rest) and 1 <= int(numbered[1]) <= len(spec.choices):
        return Checked(spec.choices[int(numbered[1]) - 1].name)
    named = whole or _named_in(spec, fold_words(rest))
    if len(named) == 1:
        return Checked(named[0])
    return Checked(raw, "several_choices" if named else "not_a_choice")


def _named_in(spec: FieldSpec, words: str) -> list[str]:
    """The choices whose names stand in ``words`` (folded), but for names inside of longer ones."""
    if re.search(r"\bnao\b|\bnem\b|\bexceto\b", words):
        return []
    rest = f" {words} "
    found: list[str] = []
    for name, chosen in sorted(
        ((name, one.name) for one in spec.choices for name in one.all_names), key=lambda pair: -len(pair[0])
    ):
        if name and f" {name} " in rest:
            rest = rest.replace(f" {name} ", " | ")
            found.append(chosen)
    return list(dict.fromkeys(found))


def yes_no(raw: str) -> Checked:
    """``sim`` or ``não`` by the first word that says either; ``not_yes_or_no``."""
    words = fold_words(raw[:LONGEST_SHOWN])
    if words in ("x", "v"):
        return Checked(raw, "not_yes_or_no")
    yes, no = _YES.search(words), _NO.search(words)
    if no is not None and (yes is None or no.start() < yes.start()):
        return Checked(NO)
    return Checked(YES) if yes is not None else Checked(raw, "not_yes_or_no")


def state(raw: str) -> Checked:
    """A state of Brazil by name or abbreviation, as ``GO``; ``not_a_state``."""
    words = fold_words(raw[:LONGEST_SHOWN])
    if words in _STATE_NAMES:
        return Checked(_STATE_NAMES[words])
    codes = re.findall(r"(?<![A-Za-z])[A-Z]{2}(?![A-Za-z])", raw[:LONGEST_SHOWN])
    found = {code for code in (*codes, words.upper()) if code in STATES}
    found |= {_STATE_NAMES[name] for name in _STATE_NAMES if f" {name} " in f" {words} "} if not found else set()
    # *Mato Grosso* stands in *Mato Grosso do Sul*.
    if found == {"MT", "MS"}:
        found = {"MS"}
    return Checked(found.pop()) if len(found) == 1 else Checked(raw, "not_a_state")
