"""Fields so far + request type → which fields still lack: conditions, groups of which one is enough, and what is
never asked (R002-09, R001-06)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mailbot.catalogue.field_groups import field_groups
from mailbot.catalogue.field_specs import FieldSpec
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.evidence import FieldValue


def missing_fields(request_type: RequestType, fields: Sequence[FieldValue]) -> tuple[str, ...]:
    """Keys of the fields to ask for, in the catalogue's order.

    What was misunderstood twice is no longer asked for. Of a group of which one is enough all are named, unless
    one of them is required by itself. A condition on a field that is not known yet
    asks for nothing but what was stated and is not valid.
    """
    known = {value.key: value for value in fields}
    done = {key for key, value in known.items() if (value.valid and value.value) or value.for_a_person}
    asked = [spec for spec in request_type.fields if spec.is_asked and spec.key not in done]
    needed = {spec.key for spec in asked if _is_required(spec, known)}
    for members in field_groups(request_type).values():
        keys = {member.key for member in members}
        if not keys & done and not keys & needed:
            needed |= {spec.key for spec in asked if spec.key in keys}
    return tuple(spec.key for spec in asked if spec.key in needed)


def _is_required(spec: FieldSpec, known: Mapping[str, FieldValue]) -> bool:
    """Whether a field is needed by itself; a member of a group only where its condition says so."""
    if spec.required_when is not None:
        other = known.get(spec.required_when.field)
        if other is None:
            # Who states it badly means it: a company's number with a wrong digit is asked for again.
            own = known.get(spec.key)
            return own is not None and not own.valid
        return other.valid and spec.required_when.holds(other.value)
    return spec.required and spec.one_of is None
