"""Groups of fields of which one is enough (R002-09): who belongs together, and how much is asked for in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mailbot.catalogue.field_specs import FieldSpec
from mailbot.catalogue.request_types import RequestType


def field_groups(request_type: RequestType) -> Mapping[str, tuple[FieldSpec, ...]]:
    """The groups of a request type by name, members in the catalogue's order."""
    groups: dict[str, tuple[FieldSpec, ...]] = {}
    for spec in request_type.fields:
        if spec.one_of:
            groups[spec.one_of] = (*groups.get(spec.one_of, ()), spec)
    return groups


def alternatives(request_type: RequestType, key: str, missing: Sequence[str]) -> tuple[str, ...]:
    """Keys of all fields of which, with ``key``, one is enough, as far as ``missing`` asks for them; empty where
    the field is needed by itself."""
    spec = request_type.field(key)
    if spec is None or not spec.one_of:
        return ()
    keys = tuple(one.key for one in field_groups(request_type)[spec.one_of] if one.key in missing)
    return keys if len(keys) > 1 else ()


def count_missing(request_type: RequestType, missing: Sequence[str]) -> int:
    """How many things are missing; a group of which one is enough counts once."""
    return len({alternatives(request_type, key, missing) or (key,) for key in missing})
