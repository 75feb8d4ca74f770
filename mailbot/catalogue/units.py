"""The units between which requests move: names, coordinates and the roads between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from mailbot.catalogue.entries import Entry, Key, Text
from mailbot.catalogue.folding import fold_words

Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class Unit(Entry):
    """A place of work; coordinates in degrees (WGS 84)."""

    key: Key
    name: Text
    city: Text
    aliases: tuple[Text, ...] = ()
    latitude: Latitude
    longitude: Longitude


class RoadDistance(Entry):
    """Length of the road between two units, in kilometres; the order of the two does not matter."""

    between: tuple[Key, Key]
    km: Annotated[float, Field(gt=0, le=10_000)]


class UnitsFile(Entry):
    """``units.yaml``."""

    units: tuple[Unit, ...] = ()
    road_km: tuple[RoadDistance, ...] = ()


# Longest text that can be a unit's name; anything longer is prose and not worth folding.
_LONGEST_UNIT_NAME = 120


class UnitTable:
    """All units, found by exact name or alias and in no other way: a near miss is asked for, and so is a city or
    alias that several have."""

    __slots__ = ("_bearers", "_by_key", "_by_name", "_longest_words", "_road_km", "units")

    def __init__(self, units: tuple[Unit, ...] = (), road_km: tuple[RoadDistance, ...] = ()) -> None:
        self.units = units
        self._by_key = {unit.key: unit for unit in units}
        self._bearers: dict[str, tuple[Unit, ...]] = {}
        for unit in units:
            for name in names_of_unit(unit):
                self._bearers[name] = (*self._bearers.get(name, ()), unit)
        self._by_name = {name: bearers[0] for name, bearers in self._bearers.items() if len(bearers) == 1}
        self._longest_words = max((name.count(" ") + 1 for name in self._by_name), default=0)
        self._road_km = {frozenset(pair.between): pair.km for pair in road_km}

    def get(self, key: str) -> Unit | None:
        """The unit with this key."""
        return self._by_key.get(key)

    def find(self, text: str) -> Unit | None:
        """The unit that ``text`` names: exact or an alias after folding, a trailing ``- GO`` ignored."""
        named = self.all_named(text)
        return named[0] if len(named) == 1 else None

    def all_named(self, text: str) -> tuple[Unit, ...]:
        """Every unit that goes by ``text``, as :meth:`find` compares: several where a city has several."""
        if not text or len(text) > _LONGEST_UNIT_NAME:
            return ()
        folded = fold_words(text)
        bearers = self._bearers
        return bearers.get(folded) or bearers.get(folded.removesuffix(" go").removesuffix(" goias")) or ()

    def at(self, words: Sequence[str], start: int) -> tuple[Unit, int] | None:
        """The unit whose longest name begins at ``words[start]``, and where it ends; words are folded."""
        for end in range(min(start + self._longest_words, len(words)), start, -1):
            unit = self._by_name.get(" ".join(words[start:end]))
            if unit is not None:
                return unit, end
        return None

    def before(self, words: Sequence[str], end: int) -> Unit | None:
        """The unit whose longest name ends just before ``words[end]``; words are folded."""
        for start in range(max(0, end - self._longest_words), end):
            unit = self._by_name.get(" ".join(words[start:end]))
            if unit is not None:
                return unit
        return None

    def road_km(self, one: Unit, other: Unit) -> float | None:
        """Length of the road in kilometres where the file states it."""
        return self._road_km.get(frozenset((one.key, other.key)))


def names_of_unit(unit: Unit) -> tuple[str, ...]:
    """All folded names that find ``unit``, without doubles."""
    return tuple(dict.fromkeys(fold_words(name) for name in (unit.name, unit.city, *unit.aliases)))
