"""Units named in running text: ``de Rio Verde para Jataí`` and titles such as ``Alteração de X para Y`` (R000-18).

Both sides must be units, exactly or by alias; ``de 20/11 para 25/11`` and ``alteração de data para …`` name none.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mailbot.catalogue.field_specs import FieldKind
from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.units import Unit, UnitTable

_TOWARDS = frozenset({"para", "pra", "pro", "p", "ate"})
_FROM = frozenset({"de", "do", "da"})
# Words that may stand between a preposition and the place's name.
_FILLERS = frozenset(
    {"a", "o", "as", "os", "de", "do", "da", "em", "cidade", "unidade", "local", "posto", "municipio"}
)
_MOST_FILLERS = 3
_MOST_WORDS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleReading:
    """What a title names, by field, and the words that follow it."""

    units: Mapping[str, Unit]
    rest: tuple[str, ...]


def read_title(request_type: RequestType, words: Sequence[str], units: UnitTable) -> TitleReading | None:
    """Read ``words`` (folded) as the request type's own title; ``None`` unless every placeholder is a unit.

    Only titles that name at least two units are readable: with fewer any sentence would do.
    """
    parts = _parts(request_type)
    if parts is None:
        return None
    found: dict[str, Unit] = {}
    position = 0
    for literal, name in parts:
        for wanted in literal:
            if position >= len(words) or not _same_word(words[position], wanted):
                return None
            position += 1
        if name is not None:
            reading = _unit_after(words, position, units)
            if reading is None:
                return None
            found[name], position = reading
    return TitleReading(units=found, rest=tuple(words[position:]))


def _parts(request_type: RequestType) -> Sequence[tuple[Sequence[str], str | None]] | None:
    """The title as folded words before each placeholder; ``None`` if it is not made of units."""
    if len(request_type.title_fields) < 2:
        return None
    parts = _folded_parts(request_type.title)
    if not parts[0][0]:
        return None
    specs = (request_type.field(name) for name in request_type.title_fields)
    return parts if all(spec is not None and spec.kind is FieldKind.UNIT for spec in specs) else None


@lru_cache(maxsize=256)
def _folded_parts(title: str) -> Sequence[tuple[Sequence[str], str | None]]:
    return [(fold_words(literal).split(), name) for literal, name, _, _ in string.Formatter().parse(title)]


def _same_word(word: str, wanted: str) -> bool:
    if word == wanted:
        return True
    return any(word in group and wanted in group for group in (_TOWARDS, _FROM))


def _unit_after(words: Sequence[str], position: int, units: UnitTable) -> tuple[Unit, int] | None:
    for start in range(position, min(position + 1 + _MOST_FILLERS, len(words))):
        found = units.at(words, start)
        if found is not None:
            return found
        if words[start] not in _FILLERS:
            return None
    return None


def route_in(words: Sequence[str], units: UnitTable) -> tuple[Unit, Unit] | None:
    """Origin and destination of the one ``X para Y`` in ``words`` (folded); ``None`` if there are two different.

    ``de`` before the origin may be missing: ``mudar Rio Verde para Jataí``.
    """
    routes = []
    words = words[:_MOST_WORDS]
    for index, word in enumerate(words):
        if word not in _TOWARDS or index == 0:
            continue
        origin = units.before(words, index)
        destination = _unit_after(words, index + 1, units) if origin is not None else None
        if origin is not None and destination is not None and (origin, destination[0]) not in routes:
            routes.append((origin, destination[0]))
    return routes[0] if len(routes) == 1 else None
