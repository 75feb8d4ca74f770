"""Who pays and who is paid: ``PageText, label -> Party``. A name and a tax number behind or below a label."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailbot.catalogue.folding import plain_lines
from mailbot.evidence.documents.page_text import PageText, compiled
from mailbot.evidence.documents.printed import masked_cpfs_in, name_in, tax_ids_in

_LINES_BELOW = 5
_BEFORE_A_NAME = re.compile(r"^\s*(?:de|para)\s+(?=[A-ZÀ-Ý])")
_DIGITS_OF_A_BOLETO = 40
_NAME_LABEL = (
    r"(?:nome/razao social|nome ou razao social|nome completo|nome fantasia|razao social|nome|cliente)"
    r"(?: (?:d[oae] )?(?:pagador|recebedor|favorecido|beneficiario|destinatario|cliente|titular|empresa))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A person or company; empty where unknown. ``tax_id`` may be masked (``***.123.456-**``)."""

    name: str = ""
    tax_id: str = ""


def party_at(page: PageText, labels: Sequence[str], others: str) -> Party:
    """The party at the first sort of label with a name; as :func:`party_near`."""
    found = [party_near(page, label, others) for label in labels]
    best = next((one for one in found if one.name), found[0])
    if best.tax_id:
        return best
    same = next((one.tax_id for one in found if one.tax_id and one.name in ("", best.name)), "")
    return Party(name=best.name, tax_id=same)


def party_near(page: PageText, label: str, others: str) -> Party:
    """The party that stands at ``label``; what belongs to a label of ``others`` is not its own.

    The first label with a name and a tax number gives both: a stub that repeats a label may stand beside anything.
    Else the first with a name gives the name, the first with a tax number before the next party's label that one.
    """
    found = []
    for block in page.below(label, lines=_LINES_BELOW):
        own = _own(block, others)
        found.append(Party(name=_name(own), tax_id=_tax_id(own)))
    whole = next((one for one in found if one.name and one.tax_id), None)
    if whole is not None:
        return whole
    name = next((one.name for one in found if one.name), "")
    return Party(name=name, tax_id=next((one.tax_id for one in found if one.tax_id), ""))


def _own(block: Sequence[str], others: str) -> list[str]:
    """The lines up to the next party's label."""
    pattern = compiled(others)
    own = [block[0]]
    for line in block[1:]:
        if pattern.match(_folded(line)):
            break
        own.append(line)
    return own


def _name(lines: Sequence[str]) -> str:
    # *de Maria*, *para Detran*: the word before the name is none of it.
    lines = [_BEFORE_A_NAME.sub("", line) for line in lines]
    labelled = compiled(_NAME_LABEL)
    for index, line in enumerate(lines):
        match = labelled.match(_folded(line))
        if match:
            behind = line[match.end() :].strip(" :.-\t")
            found = name_in(behind) or (
                name_in(lines[index + 1]) if index + 1 < len(lines) and not behind else None
            )
            if found:
                return found
    # Without a label of its own a name stands first.
    return next((found for line in lines[:3] if line and (found := name_in(line))), "")


def _tax_id(lines: Sequence[str]) -> str:
    for line in lines:
        if sum(ch.isdigit() for ch in line) >= _DIGITS_OF_A_BOLETO:
            # Pieces of a digitable line may by chance have the check digits of a CPF.
            continue
        found = tax_ids_in(line) or masked_cpfs_in(line)
        if found:
            return found[0]
    return ""


def _folded(line: str) -> str:
    return plain_lines(line).lstrip(" :.-")
