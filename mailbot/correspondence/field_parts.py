"""Fields of a ticket as letters show them: the form to fill in, what was read, what to confirm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from mailbot.catalogue.customer_needs import CONTRACT_KEY, CUSTOMER_KEY
from mailbot.catalogue.field_groups import alternatives
from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.request_types import RequestType
from mailbot.correspondence.context import FieldRow, FormLine
from mailbot.correspondence.words import Phrase
from mailbot.domain.evidence import FieldOrigin, FieldValue, contradictions
from mailbot.domain.identification import IdentityState
from mailbot.domain.ticket import Priority, Ticket
from mailbot.domain.ticket_change import TicketChange


def form_lines(ticket: Ticket, kind: RequestType) -> tuple[FormLine, ...]:
    """The fields that are asked for, as lines to fill in, each with what is wrong with the value that came."""
    stated = {value.key: value for value in ticket.fields}
    asked = kind.customer if CUSTOMER_KEY in ticket.missing else None
    whose = (FormLine(label=asked.label, question=asked.question),) if asked is not None else ()
    lines = (
        _form_line(spec, stated.get(spec.key), kind, ticket) for spec in kind.fields if spec.key in ticket.missing
    )
    return (*whose, *lines)


def asked_lines(ticket: Ticket, kind: RequestType, asks: Sequence[str]) -> tuple[FormLine, ...]:
    """The fields that an agent asked for, as lines to fill in."""
    return tuple(
        _form_line(spec, None, kind, ticket)
        for spec in kind.fields
        if spec.key in asks and spec.key in ticket.missing
    )


def _form_line(spec: FieldSpec, value: FieldValue | None, kind: RequestType, ticket: Ticket) -> FormLine:
    others = alternatives(kind, spec.key, ticket.missing)
    refused = value if value is not None and value.reason else None
    return FormLine(
        label=spec.label,
        question=spec.question,
        choices="; ".join(spec.answers or (_own_contracts(ticket) if spec.key == CONTRACT_KEY else ())),
        alternatives="; ".join(kind.label_for(key) for key in others),
        received_value=refused.value if refused else "",
        reason=_reason(refused, spec) if refused else None,
    )


def _own_contracts(ticket: Ticket) -> tuple[str, ...]:
    """The contracts among which the requester may choose: only who wrote from the record's own verified address
    is told their numbers (R002-14)."""
    customer = ticket.customer
    tells = customer.state is IdentityState.KNOWN and customer.of_own_address
    return customer.contracts[:_MOST_CONTRACTS] if tells else ()


_MOST_CONTRACTS = 20


def field_rows(ticket: Ticket, kind: RequestType) -> tuple[FieldRow, ...]:
    """The fields as read, in the catalogue's order."""
    stated = {value.key: value for value in ticket.fields}
    return tuple(
        _priority_row(spec, stated[spec.key], ticket) if spec.key == _PRIORITY else _row(spec, stated[spec.key])
        for spec in kind.fields
        if spec.key in stated
    )


_PRIORITY = "priority"
_PRIORITY_NAMES = {Priority.HIGH: "alta", Priority.MEDIUM: "media", Priority.LOW: "baixa"}


def _priority_row(spec: FieldSpec, value: FieldValue, ticket: Ticket) -> FieldRow:
    """The priority that the ticket has, beside the one that was asked for where that is another (R004-06)."""
    wanted = _PRIORITY_NAMES[ticket.priority]
    name = next((one.name for one in spec.choices if wanted in one.all_names), value.value)
    stated = shown_value(spec, value.value)
    asked = value.valid and value.origin is not FieldOrigin.DEFAULT and stated != name
    note = Phrase(code="priority_asked", values=(("asked", stated),)) if asked else None
    return FieldRow(label=spec.label, value=name, note=note)


def shown_to_requester(ticket: Ticket, kind: RequestType) -> tuple[FieldRow, ...]:
    """The same without what only the house works with."""
    inside = {spec.key for spec in kind.fields if spec.staff_only}
    return field_rows(replace(ticket, fields=tuple(one for one in ticket.fields if one.key not in inside)), kind)


def rows_to_confirm(ticket: Ticket, kind: RequestType) -> tuple[FieldRow, ...]:
    """What the requester should read again before anybody works on it: times of the week, as they were
    understood (R002-18), and what a person will read because we did not understand it."""
    stated = {value.key: value for value in ticket.fields}
    return tuple(
        _row(spec, stated[spec.key])
        for spec in kind.fields
        if spec.key in stated and (spec.kind is FieldKind.TIME_WINDOWS or stated[spec.key].for_a_person)
    )


def rows_to_answer(ticket: Ticket, kind: RequestType) -> tuple[FieldRow, ...]:
    """The fields that a question that is still open asks to confirm (R001-09), as they are known."""
    stated = {value.key: value for value in ticket.fields if value.valid and value.value}
    asked = [spec for spec in kind.fields if spec.key in ticket.missing and spec.confirms]
    return tuple(
        _row(spec, stated[spec.key])
        for spec in kind.fields
        if spec.key in stated and any(spec.key in question.confirms for question in asked)
    )


def contradicted_rows(change: TicketChange, kind: RequestType) -> tuple[FieldRow, ...]:
    """The fields of which this mail says something else than an earlier one: the newer counts, both are shown."""
    before = change.before.fields if change.before else ()
    told = {value.key: value for value in contradictions(before, change.after.fields)}
    return tuple(_row(spec, told[spec.key]) for spec in kind.fields if spec.key in told)


def _row(spec: FieldSpec, value: FieldValue) -> FieldRow:
    return FieldRow(
        label=spec.label,
        value=shown_value(spec, value.value) if value.valid else value.value,
        note=_reason(value, spec) if value.reason else None,
        earlier=shown_value(spec, value.earlier) if value.earlier else "",
        for_a_person=value.for_a_person,
    )


def shown_value(spec: FieldSpec, value: str) -> str:
    """A value as people write it: days as ``24/11/2026``, money as ``R$ 1.234,50``, an answer in the reader's
    language; what is none stays."""
    if spec.choices:
        return next((one.name for one in spec.choices if fold_words(value) in one.all_names), value)
    try:
        if spec.kind is FieldKind.DATE:
            return f"{date.fromisoformat(value):%d/%m/%Y}"
        if spec.kind is FieldKind.MONEY:
            return "R$ " + f"{Decimal(value):,.2f}".translate(str.maketrans(",.", ".,"))
    except (ValueError, ArithmeticError):
        return value
    return value


def _reason(value: FieldValue, spec: FieldSpec) -> Phrase:
    """The sentence for ``code`` or ``code:detail``."""
    code, _, detail = value.reason.partition(":")
    values = {"detail": detail, "choices": "; ".join(spec.answers)}
    return Phrase(code=code, values=tuple((name, text) for name, text in values.items() if text))
