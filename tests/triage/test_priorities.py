"""How urgent a request is, by who may say so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.catalogue.request_types import RequestType
from mailbot.domain.evidence import FieldOrigin, FieldValue
from mailbot.domain.ticket import Priority
from mailbot.triage.priorities import Urgency, urgency_of

HIGH, MEDIUM, LOW = Priority.HIGH, Priority.MEDIUM, Priority.LOW


def kind(who: str) -> RequestType:
    return RequestType.model_validate(
        {"key": "x", "name": "X", "queue": "q", "priority": who, "urgent_words": ["site fora do ar"]}
    )


@pytest.mark.parametrize(
    ("who", "text", "priority", "asked"),
    [
        ("automatic", "Prioridade: Alta", MEDIUM, None),
        ("automatic", "O site fora do ar", HIGH, None),
        ("requester", "Prioridade: Alta", HIGH, None),
        ("requester", "PRIORIDADE - baixa", LOW, None),
        ("requester", "nada", MEDIUM, None),
        ("requester", "site fora do ar", MEDIUM, HIGH),
        ("requester", "Prioridade: Alta, Média ou Baixa?", MEDIUM, None),
        ("requester", "A prioridade: Alta é nossa meta", MEDIUM, None),
        ("default_medium", "Prioridade: 1 - Alta", MEDIUM, HIGH),
        ("default_medium", "Prioridade: alta\nSite fora do ar!", HIGH, None),
        ("default_medium", "Site fora do ar!", MEDIUM, HIGH),
        ("default_medium", "Prioridade: baixa\nSite fora do ar", LOW, None),
    ],
)
def test_r004_05_and_06_who_may_say_how_urgent_it_is(
    who: str, text: str, priority: Priority, asked: Priority | None
) -> None:
    assert urgency_of(kind(who), (), text) == Urgency(priority=priority, asked=asked)


def test_a_field_of_the_form_counts_before_a_line_of_the_text() -> None:
    field = FieldValue(key="priority", value="Baixa", origin=FieldOrigin.AGENT)
    assert urgency_of(kind("requester"), (field,), "Prioridade: Alta").priority is LOW


def test_what_is_usual_nobody_has_asked_for() -> None:
    usual = FieldValue(key="priority", value="Média", origin=FieldOrigin.DEFAULT)
    assert urgency_of(kind("default_medium"), (usual,), "site fora do ar").asked is HIGH
    assert urgency_of(kind("default_medium"), (usual,), "Prioridade: Alta").asked is HIGH


@given(st.text(max_size=300))
def test_no_text_makes_an_automatic_priority_anything_that_the_words_do_not(text: str) -> None:
    urgency = urgency_of(kind("automatic"), (), f"Prioridade: {text}")
    assert urgency.asked is None
    assert urgency.priority is MEDIUM or "fora do ar" in text.lower()
