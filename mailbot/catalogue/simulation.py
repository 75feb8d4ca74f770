"""Sample requests for a table of rules, with what should come of each, as a YAML file states them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mailbot.catalogue.config_files import KeyPath, Reading, did_you_mean
from mailbot.catalogue.entries import Entry, Key, Text
from mailbot.catalogue.facts.functions import FactSpec
from mailbot.catalogue.facts.values import FactKind, FactScalar
from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.errors import ConfigurationError, Problem
from mailbot.domain.guidance import RulingAction

Stated = bool | int | float | str


class Expected(Entry):
    """What should come of a case; what is not stated may be anything. ``guidance`` is that which the requester
    gets or, with ``action: suggest``, the one proposed."""

    action: RulingAction | None = None
    guidance: Key | None = None
    rule: Annotated[int, Field(ge=1)] | None = None
    opens: Key | None = None
    asks: tuple[Key, ...] | None = None
    not_needed: tuple[Key, ...] | None = None


class Case(Entry):
    """One sample request.

    ``fields`` are what the sender states, ``documents`` those that were accepted. ``facts`` are taken as stated
    here instead of being computed; null is an unknown one. ``unsure`` are facts that are not certain.
    """

    name: Text
    fields: Mapping[Key, Stated] = Field(default_factory=dict)
    documents: tuple[Key, ...] = ()
    facts: Mapping[Key, Stated | None] = Field(default_factory=dict)
    unsure: tuple[Key, ...] = ()
    requester: str = ""
    expect: Expected = Expected()


class Simulation(Entry):
    """A file of ``catalogue simulate``. ``today`` is the day on which the requests come; unstated it is today."""

    request_type: Key
    today: date | None = None
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]


def read_simulation(file: Path, catalogue: Catalogue) -> Simulation:
    """The file, held against the catalogue; :class:`ConfigurationError` carries every problem found in it."""
    if not file.is_file():
        raise ConfigurationError([Problem(source=str(file), message="there is no such file")])
    reading = Reading(file.parent)
    simulation = reading.file(file.name, Simulation)
    if simulation is not None:
        for path, message in _mistakes(simulation, catalogue):
            reading.complain(file.name, message, path=path)
    if simulation is None or reading.problems:
        raise ConfigurationError(reading.problems)
    return simulation


def _mistakes(simulation: Simulation, catalogue: Catalogue) -> Iterator[tuple[KeyPath, str]]:
    if not catalogue.has_type(simulation.request_type):
        hint = did_you_mean(simulation.request_type, catalogue.request_types)
        yield ("request_type",), f"no request type {simulation.request_type!r}{hint}"
        return
    kind = catalogue.type(simulation.request_type)
    if not kind.rules:
        yield ("request_type",), f"{kind.key} has no rules"
    known = {
        "fields": [field.key for field in kind.fields],
        "documents": [str(document.key) for document in kind.documents],
        "facts": list(kind.facts),
        "unsure": list(kind.facts),
    }
    for index, case in enumerate(simulation.cases):
        for part, names in known.items():
            for name in getattr(case, part):
                if name not in names:
                    yield ("cases", index, part), f"no {part.rstrip('s')} {name!r}{did_you_mean(name, names)}"
        yield from _wrong_values(index, case, kind)
        expected = case.expect.guidance
        if expected is not None and expected not in kind.guidance:
            yield (
                ("cases", index, "expect", "guidance"),
                (f"no guidance {expected!r}{did_you_mean(expected, kind.guidance)}"),
            )


def _wrong_values(index: int, case: Case, kind: RequestType) -> Iterator[tuple[KeyPath, str]]:
    for name, value in case.facts.items():
        spec = kind.facts.get(name)
        if spec is not None and value is not None and as_fact(spec, value) is None:
            yield ("cases", index, "facts", name), f"{value!r} is no {spec.kind}"


def as_fact(spec: FactSpec, value: Stated) -> FactScalar | None:
    """``value`` of the file as the fact has it; ``None`` where it is none of its kind."""
    if spec.kind is FactKind.BOOLEAN:
        return value if isinstance(value, bool) else None
    if spec.kind is FactKind.NUMBER:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return Decimal(str(value)) if is_number else None
    if spec.kind is FactKind.CHOICE:
        return str(value) if value in spec.choices else None
    return value if isinstance(value, str) else None
