"""Fields in letters: the form, what was read, what to read again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.request_types import RequestType
from mailbot.correspondence.field_parts import field_rows, form_lines, rows_to_confirm, shown_value
from mailbot.domain.evidence import FieldValue
from mailbot.domain.mail import Address
from mailbot.domain.ticket import Status, Ticket

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


def spec(key: str, kind: FieldKind, label: str, **options: Any) -> FieldSpec:
    return FieldSpec(key=key, kind=kind, label=label, question=f"{label}?", **options)


KIND = RequestType(
    key="t",
    name="T",
    queue="q",
    fields=(
        spec("email", FieldKind.EMAIL, "E-mail", one_of="contact"),
        spec("mobile", FieldKind.PHONE, "Celular", one_of="contact"),
        spec("priority", FieldKind.CHOICE, "Prioridade", choices=("Alta", "Baixa")),
        spec("times", FieldKind.TIME_WINDOWS, "Restrição de horário"),
        spec("contract", FieldKind.CONTRACT, "Contrato"),
    ),
)
TICKET = Ticket(
    number="2026-000001",
    mailbox="default",
    request_type="t",
    requester=Address(address="ana@example.com.br"),
    subject="s",
    title="t",
    status=Status.AWAITING_REQUESTER,
    opened_at=NOW,
    updated_at=NOW,
    missing=("email", "mobile", "priority"),
    fields=(
        FieldValue(key="priority", value="urgente", valid=False, reason="not_a_choice", misunderstood=1),
        FieldValue(key="times", value="não pode: sábado", earlier="não pode: domingo"),
        FieldValue(key="contract", value="o de cima", valid=False, reason="not_a_contract", misunderstood=2),
    ),
)


def test_the_form_lists_choices_and_fields_of_which_one_is_enough() -> None:
    lines = {line.label: line for line in form_lines(TICKET, KIND)}
    assert list(lines) == ["E-mail", "Celular", "Prioridade"]
    assert lines["E-mail"].alternatives == lines["Celular"].alternatives == "E-mail; Celular"
    assert (lines["Prioridade"].choices, lines["Prioridade"].received_value) == ("Alta; Baixa", "urgente")
    reason = lines["Prioridade"].reason
    assert reason is not None
    assert (reason.code, dict(reason.values)) == ("not_a_choice", {"choices": "Alta; Baixa"})


def test_a_field_alone_of_its_group_is_simply_asked_for() -> None:
    (line,) = form_lines(replace(TICKET, missing=("email",)), KIND)
    assert line.alternatives == ""


def test_a_reason_with_a_detail_is_a_sentence_with_it() -> None:
    value = FieldValue(key="priority", value="x", valid=False, reason="too_short:20")
    (line,) = form_lines(replace(TICKET, missing=("priority",), fields=(value,)), KIND)
    assert line.reason is not None
    assert (line.reason.code, dict(line.reason.values)["detail"]) == ("too_short", "20")


def test_r002_18_times_are_told_back_and_so_is_what_a_person_reads() -> None:
    rows = rows_to_confirm(TICKET, KIND)
    assert [(row.label, row.value, row.for_a_person) for row in rows] == [
        ("Restrição de horário", "não pode: sábado", False),
        ("Contrato", "o de cima", True),
    ]
    assert [row.earlier for row in field_rows(TICKET, KIND)] == ["", "não pode: domingo", ""]


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (FieldKind.DATE, "2026-12-03", "03/12/2026"),
        (FieldKind.MONEY, "1234.50", "R$ 1.234,50"),
        (FieldKind.DATE, "logo", "logo"),
        (FieldKind.MONEY, "muito", "muito"),
        (FieldKind.TEXT, "2026-12-03", "2026-12-03"),
    ],
)
def test_values_are_shown_as_people_write_them(kind: FieldKind, value: str, shown: str) -> None:
    assert shown_value(spec("x", kind, "X"), value) == shown
