"""``{places}`` in words of the catalogue: which there are, and the words with values in them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLACE = re.compile(r"\{([^{}]*)\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")


def places_in(text: str) -> tuple[str, ...]:
    """The names in braces, in order."""
    return tuple(_PLACE.findall(text))


def stray_brackets(text: str) -> bool:
    """Whether a brace or bracket has no partner, or stands within another of its kind."""
    rest = _PLACE.sub("", _OPTIONAL.sub(r"\1", text))
    return any(mark in rest for mark in "{}[]")


def filled(text: str, values: Mapping[str, str]) -> str:
    """``text`` with ``values`` in its places; a part in square brackets is left out where one of its places has
    no value. What looks like a place in a value stays text."""
    kept = _OPTIONAL.sub(
        lambda part: part[1] if all(values.get(name) for name in places_in(part[1])) else "", text
    )
    return _PLACE.sub(lambda place: values.get(place[1], ""), kept)
