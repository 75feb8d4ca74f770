"""New text, subject and sender of a mail + request type → the fields of the request as the sender states them.

Labelled values first, then sentences (*de Rio Verde para Jataí*), then the subject, then what the From line
says. A unit that is not known exactly or by alias is not valid and is asked for, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.folding import fold_words, visible_text
from mailbot.catalogue.places import route_in
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.units import UnitTable
from mailbot.domain.evidence import FieldOrigin, FieldValue
from mailbot.domain.mail import Address
from mailbot.evidence.labels import LONG_TEXT_CHARACTERS, LabelledText, labelled_text
from mailbot.evidence.prose import name_in, phone_in, reason_in
from mailbot.evidence.values import checked_value

_LONGEST_TEXT = 100_000
_LONGEST_SUBJECT = 2000
_SAME_UNIT = "same_unit"

_RANK = {
    FieldOrigin.HEADER: 0,
    FieldOrigin.SUBJECT: 1,
    FieldOrigin.SENTENCE: 2,
    FieldOrigin.LABEL: 3,
    FieldOrigin.AGENT: 4,
}
"""Whose word counts more."""


def extract_fields(
    request_type: RequestType,
    new_text: str,
    subject: str,
    sender: Address,
    units: UnitTable,
    *,
    first_mail: bool = True,
) -> tuple[FieldValue, ...]:
    """The fields that one mail states, in the catalogue's order; those it does not state are left out.

    Free prose counts as the reason only in the ``first_mail`` of a ticket. Never raises; of a hostile text at
    most 100,000 characters are read.
    """
    text = visible_text(new_text[:_LONGEST_TEXT])
    labelled = labelled_text(request_type, text)
    found = [
        *_labelled(labelled, units),
        *_from_sentences(request_type, labelled, text, units, first_mail=first_mail),
        *_route(request_type, visible_text(subject[:_LONGEST_SUBJECT]), units, FieldOrigin.SUBJECT),
        *_from_header(request_type, sender, units),
    ]
    return tuple(
        best for spec in request_type.fields if (best := _best(value for value in found if value.key == spec.key))
    )


def merge_fields(old: tuple[FieldValue, ...], new: tuple[FieldValue, ...]) -> tuple[FieldValue, ...]:
    """What is known after another mail: a valid value replaces an older one of at most its own rank.

    An invalid value never replaces a valid one; an agent's word beats a label, a label beats a sentence, a
    sentence the subject, and that the From line. What an unverified mail says changes nothing valid that a
    verified one said (THREATS 12). Order: as before, new keys after.
    """
    merged = {value.key: value for value in old}
    for value in new:
        known = merged.get(value.key)
        if known is None or _replaces(value, known):
            merged[value.key] = value
    return tuple(merged.values())


def check_places(request_type: RequestType, fields: tuple[FieldValue, ...]) -> tuple[FieldValue, ...]:
    """``fields`` with the destination not valid (``same_unit``) while it is the unit that the origin is, too.

    For a type whose title names two units (R000-18). What was not valid for that reason alone becomes valid
    again as soon as another origin is known.
    """
    of_units = _route_specs(request_type)
    if len(of_units) != 2:
        return fields
    origin, destination = (next((one for one in fields if one.key == spec.key), None) for spec in of_units)
    if origin is None or destination is None or not (destination.valid or destination.reason == _SAME_UNIT):
        return fields
    same = origin.valid and origin.value == destination.value
    checked = replace(destination, valid=not same, reason=_SAME_UNIT if same else "")
    return tuple(checked if value is destination else value for value in fields)


def _replaces(value: FieldValue, known: FieldValue) -> bool:
    if value.valid != known.valid:
        return value.valid
    if known.valid and value.unverified and not known.unverified:
        return False
    return _RANK[value.origin] >= _RANK[known.origin]


def _best(values: Iterable[FieldValue]) -> FieldValue | None:
    """The first of the best: valid before invalid, then by origin."""
    return max(values, key=lambda value: (value.valid, _RANK[value.origin]), default=None)


# --- labels -------------------------------------------------------------------------------------------------


def _labelled(labelled: LabelledText, units: UnitTable) -> list[FieldValue]:
    checked = [
        value
        for found in labelled.values
        if (value := checked_value(found.spec, found.raw, units, FieldOrigin.LABEL)).valid or found.sure
    ]
    contradicted = _contradicted(checked, {found.spec.key: found.spec for found in labelled.values})
    return [value for value in checked if value.key not in contradicted] + list(contradicted.values())


def _contradicted(checked: list[FieldValue], specs: dict[str, FieldSpec]) -> dict[str, FieldValue]:
    """Units stated twice and differently: neither is taken, the sender is asked."""
    contradicted = {}
    for key, spec in specs.items():
        stated = list(dict.fromkeys(value.value for value in checked if value.key == key and value.valid))
        if spec.kind is FieldKind.UNIT and len(stated) > 1:
            contradicted[key] = FieldValue(
                key=key,
                value=" / ".join(stated[:3]),
                valid=False,
                reason="contradictory",
                origin=FieldOrigin.LABEL,
            )
    return contradicted


# --- sentences, subject, header ------------------------------------------------------------------------------


def _from_sentences(
    request_type: RequestType, labelled: LabelledText, text: str, units: UnitTable, *, first_mail: bool
) -> Iterator[FieldValue]:
    yield from _route(request_type, text, units, FieldOrigin.SENTENCE)
    for spec in request_type.fields:
        stated = ""
        if spec.kind is FieldKind.PHONE:
            stated = phone_in(labelled.other_lines)
        elif spec.kind is FieldKind.TEXT and spec.default == "sender_name":
            stated = name_in(text)
        elif first_mail and spec is prose_field(request_type):
            stated = reason_in(request_type, labelled.other_lines, units)
        if stated:
            yield checked_value(spec, stated, units, FieldOrigin.SENTENCE)


def prose_field(request_type: RequestType) -> FieldSpec | None:
    """The field that free prose answers: the first long text that must be given."""
    for spec in request_type.fields:
        if spec.kind is FieldKind.TEXT and spec.required and spec.max_characters >= LONG_TEXT_CHARACTERS:
            return spec
    return None


def _route(request_type: RequestType, text: str, units: UnitTable, origin: FieldOrigin) -> Iterator[FieldValue]:
    """Both places of *de X para Y*, for a type whose title names two of them (R000-18)."""
    of_units = _route_specs(request_type)
    route = route_in(fold_words(text).split(), units) if len(of_units) == 2 else None
    if route is not None:
        for spec, unit in zip(of_units, route, strict=True):
            yield FieldValue(key=spec.key, value=unit.name, origin=origin)


def _route_specs(request_type: RequestType) -> list[FieldSpec]:
    """The units that the title names, in its order: where from, where to."""
    specs = [request_type.field(key) for key in request_type.title_fields]
    return [spec for spec in specs if spec is not None and spec.kind is FieldKind.UNIT]


def _from_header(request_type: RequestType, sender: Address, units: UnitTable) -> Iterator[FieldValue]:
    for spec in request_type.fields:
        stated = {"sender_address": sender.address, "sender_name": sender.name}.get(spec.default or "", "")
        if stated and not (spec.default == "sender_name" and "@" in stated):
            value = checked_value(spec, visible_text(stated), units, FieldOrigin.HEADER)
            if value.valid:
                yield value
