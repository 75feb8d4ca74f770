"""What stands behind a label → a checked :class:`FieldValue`, by the field's kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.units import UnitTable
from mailbot.domain.evidence import FieldOrigin, FieldValue
from mailbot.evidence.field_kinds import amounts, closed, contact, days, identity, places, time_windows, written
from mailbot.evidence.field_kinds.checked import LONGEST_SHOWN, Checked


def checked_value(spec: FieldSpec, raw: str, units: UnitTable, origin: FieldOrigin, *, today: date) -> FieldValue:
    """``raw`` in the form in which it is kept; not valid, with a reason, where it is none of its kind.

    ``today`` is what *amanhã* is counted from. Reasons are ``code`` or ``code:detail``; the functions in
    ``field_kinds`` name them.
    """
    value, reason = _checked(spec, raw.strip(), units, today)
    shown = value if not reason else raw.strip()[:LONGEST_SHOWN]
    return FieldValue(key=spec.key, value=shown, valid=not reason, reason=reason, origin=origin)


def _checked(spec: FieldSpec, raw: str, units: UnitTable, today: date) -> Checked:
    if spec.kind is FieldKind.UNIT:
        return places.unit(raw, units)
    if spec.kind is FieldKind.DATE:
        return days.day(spec, raw, today)
    if spec.kind in _BY_WORDS:
        return _BY_WORDS[spec.kind](raw)
    return _BY_SPEC[spec.kind](spec, raw)


_BY_WORDS: Mapping[FieldKind, Callable[[str], Checked]] = {
    FieldKind.CPF: identity.cpf,
    FieldKind.CNPJ: identity.cnpj,
    FieldKind.PERSON_TYPE: identity.person_type,
    FieldKind.FIRST_NAME: identity.first_name,
    FieldKind.LAST_NAME: identity.last_name,
    FieldKind.PHONE: contact.phone,
    FieldKind.EMAIL: contact.email,
    FieldKind.ADDRESS: written.address,
    FieldKind.CONTRACT: written.contract,
    FieldKind.YES_NO: closed.yes_no,
    FieldKind.STATE: closed.state,
    FieldKind.TIME_WINDOWS: time_windows.time_windows,
}
_BY_SPEC: Mapping[FieldKind, Callable[[FieldSpec, str], Checked]] = {
    FieldKind.TEXT: written.text,
    FieldKind.SERIALS: written.serials,
    FieldKind.CHOICE: closed.choice,
    FieldKind.NUMBER: amounts.number,
    FieldKind.MONEY: amounts.money,
}
