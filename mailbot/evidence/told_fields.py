"""Fields that other fields tell: ``(RequestType, fields) -> fields`` with what their phrases mean (R001-05).

*ECF inoperante* is *Manutenção on site*. What is denied, in doubt, or could be two things tells nothing: a person
fills it in then. What somebody of the house said stays.
"""

from __future__ import annotations

from mailbot.catalogue.facts.phrases import Spotted, clauses_of, spot
from mailbot.catalogue.field_specs import FieldSpec
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.evidence import FieldOrigin, FieldValue


def with_told(kind: RequestType, fields: tuple[FieldValue, ...]) -> tuple[FieldValue, ...]:
    """``fields`` with those that are told by others worked out anew."""
    told_by_others = [spec for spec in kind.fields if spec.told_by is not None]
    if not told_by_others:
        return fields
    by_people = {value.key for value in fields if value.origin is FieldOrigin.AGENT}
    open_to = {spec.key for spec in told_by_others} - by_people
    kept = tuple(value for value in fields if value.key not in open_to)
    stated = {value.key: value.value for value in kept if value.valid}
    told = ((spec.key, _told(spec, stated)) for spec in told_by_others if spec.key in open_to)
    found = (FieldValue(key=key, value=value, origin=FieldOrigin.DEFAULT) for key, value in told if value)
    return (*kept, *found)


def _told(spec: FieldSpec, stated: dict[str, str]) -> str:
    assert spec.told_by is not None
    clauses = clauses_of(stated.get(spec.told_by.field, ""))
    found = {one.answer: spot(clauses, one.phrases) for one in spec.told_by.answers}
    meant = [answer for answer, spotted in found.items() if spotted in (Spotted.SAID, Spotted.PERHAPS)]
    return meant[0] if len(meant) == 1 and found[meant[0]] is Spotted.SAID else ""
