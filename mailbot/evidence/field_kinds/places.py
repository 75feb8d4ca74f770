"""The one unit that words name (R000-18), never a guessed one."""

from __future__ import annotations

import re

from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.units import Unit, UnitTable
from mailbot.evidence.field_kinds.checked import LONGEST_SHOWN, Checked

_UNIT_END = re.compile(r"[,;.(\n]|\s[-–—]\s|\s/\s")
_UNIT_LEAD = re.compile(
    r"^(?:(?:a|o|em|de|da|do|na|no|cidade|unidade|posto|vistoria|local|para)\s+)+", re.IGNORECASE
)


def unit(raw: str, units: UnitTable) -> Checked:
    """The name of the unit; ``not_a_unit``, or ``several_units:Norte, Sul`` for a name that several have."""
    found = unit_in(raw, units)
    if found is not None:
        return Checked(found.name)
    bearers = next((named for piece in _pieces(raw) if (named := units.all_named(piece))), ())
    if len(bearers) > 1:
        return Checked(raw, f"several_units:{', '.join(one.name for one in bearers)}")
    return Checked(raw, "not_a_unit")


def unit_in(raw: str, units: UnitTable) -> Unit | None:
    """The one unit that ``raw`` names: whole, or before the first mark; never where two are named."""
    text = raw[:LONGEST_SHOWN]
    for piece in (text, *_UNIT_END.split(text, maxsplit=1)[:1]):
        found = units.find(piece) or units.find(_UNIT_LEAD.sub("", piece.strip()))
        if found is not None:
            return None if _names_another(text[len(piece) :], found, units) else found
    return None


def _pieces(raw: str) -> tuple[str, ...]:
    text = raw[:LONGEST_SHOWN]
    pieces = (text, *_UNIT_END.split(text, maxsplit=1)[:1])
    return (*pieces, *(_UNIT_LEAD.sub("", piece.strip()) for piece in pieces))


def _names_another(rest: str, found: Unit, units: UnitTable) -> bool:
    words = fold_words(rest).split()
    hits = (units.at(words, start) for start in range(len(words)))
    return any(hit is not None and hit[0] != found for hit in hits)
