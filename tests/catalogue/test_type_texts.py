"""Texts of a request type by language: read in letters, understood in forms (R003-17)."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from mailbot.catalogue.load import load_catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.correspondence.field_parts import shown_value
from mailbot.domain.mail import Address
from mailbot.domain.ticket import Status
from mailbot.evidence.fields import extract_fields, mail_text

_PLACE = re.compile(r"[\[\]]|\{\w+\}")
CATALOGUE = load_catalogue(Path(__file__).parents[2] / "config")
TYPE = "inspection_location_change"


@pytest.mark.parametrize(
    ("language", "name", "label", "status"),
    [
        ("en", "Change of inspection location", "New location", "Being looked into"),
        ("es", "Cambio de lugar de la inspección", "Nuevo lugar", "En análisis"),
        ("pt-BR", "Alteração de local da vistoria", "Novo local", "Em análise"),
    ],
)
def test_a_type_is_named_labelled_and_told_in_the_customers_language(
    language: str, name: str, label: str, status: str
) -> None:
    kind = CATALOGUE.in_language(language).type(TYPE)

    assert (kind.name, kind.label_for("destination_unit"), kind.label_of(Status.OPEN)) == (name, label, status)


def test_what_is_not_given_in_a_language_is_read_in_portuguese() -> None:
    ours = RequestType.model_validate({"key": "x", "name": "Pedido", "queue": "q", "en": {"name": "Request"}})
    kind = ours.in_language("en")

    assert (kind.name, ours.in_language("es").name) == ("Request", "Pedido")
    assert kind.received_note == ours.received_note


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("key", sorted(CATALOGUE.request_types))
def test_every_type_of_the_sample_is_worded_in_every_language(key: str, language: str) -> None:
    kind = CATALOGUE.type(key)
    texts = {"en": kind.en, "es": kind.es}[language]
    asked = {one.key for one in kind.fields if not (one.staff_only or one.stays_empty)}

    assert texts.name
    assert asked <= texts.labels.keys()
    assert {one.key for one in kind.fields if one.key in asked and one.question} <= texts.questions.keys()
    assert {str(one.key) for one in kind.documents} <= texts.labels.keys()
    assert {str(one.key) for one in kind.documents if one.hint} <= texts.hints.keys()
    assert texts.guidance.keys() == kind.guidance.keys()
    assert (texts.customer is None) == (kind.customer is None)
    for ours, theirs in ((kind.received_note, texts.received_note), (kind.resolved_note, texts.resolved_note)):
        assert bool(ours) == bool(theirs)
    assert bool(kind.closing_line) == bool(texts.closing_line)
    assert all(getattr(choice, language) for field in kind.fields for choice in field.choices)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("key", sorted(CATALOGUE.request_types))
def test_a_text_has_the_places_of_the_portuguese_one(key: str, language: str) -> None:
    kind, worded = CATALOGUE.type(key), CATALOGUE.in_language(language).type(key)

    for name, guidance in kind.guidance.items():
        for one, other in (
            (guidance.title, worded.guidance[name].title),
            (guidance.text, worded.guidance[name].text),
        ):
            assert sorted(_PLACE.findall(one)) == sorted(_PLACE.findall(other)), name
    assert sorted(_PLACE.findall(kind.resolved_note)) == sorted(_PLACE.findall(worded.resolved_note))


@pytest.mark.parametrize(
    ("language", "answers", "shown"),
    [
        ("en", "High; Medium; Low", "High"),
        ("es", "Alta; Media; Baja", "Alta"),
        ("pt-BR", "Alta; Média; Baixa", "Alta"),
    ],
)
def test_answers_are_shown_in_the_customers_language_and_kept_in_the_houses(
    language: str, answers: str, shown: str
) -> None:
    spec = CATALOGUE.in_language(language).type("property_maintenance").field("priority")
    assert spec is not None
    assert "; ".join(spec.answers) == answers
    assert shown_value(spec, "Alta") == shown

    found = extract_fields(
        CATALOGUE.type("property_maintenance"),
        mail_text(f"{spec.label}: {shown}\n"),
        "x",
        Address(address="ann@example.com.br"),
        CATALOGUE.units,
        first_mail=False,
        today=date(2026, 11, 23),
    )
    assert {one.key: one.value for one in found}["priority"] == "Alta"


@pytest.mark.parametrize(
    "form", ["Present location: Rio Verde\nNew location: Jataí\n", "Lugar actual: Rio Verde\nNuevo lugar: Jataí\n"]
)
def test_a_form_filled_in_in_another_language_is_understood(form: str) -> None:
    sender = Address(address="ann@example.com.br")

    found = extract_fields(
        CATALOGUE.type(TYPE),
        mail_text(form),
        "x",
        sender,
        CATALOGUE.units,
        first_mail=False,
        today=date(2026, 11, 23),
    )

    stated = {one.key: one.value for one in found}
    assert (stated["origin_unit"], stated["destination_unit"]) == ("Rio Verde", "Jataí")


def test_a_text_for_nothing_that_the_type_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"en\.questions: there is no 'colour'"):
        RequestType.model_validate(
            {"key": "x", "name": "X", "queue": "q", "en": {"questions": {"colour": "Which colour?"}}}
        )
