"""Texts of a request type by language: read in letters, understood in forms (R003-17)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mailbot.catalogue.load import load_catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.mail import Address
from mailbot.domain.ticket import Status
from mailbot.evidence.fields import extract_fields

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
    kind = CATALOGUE.in_language("en").type(TYPE)

    assert kind.label_for("phone") == CATALOGUE.type(TYPE).label_for("phone")


@pytest.mark.parametrize(
    "form", ["Present location: Rio Verde\nNew location: Jataí\n", "Lugar actual: Rio Verde\nNuevo lugar: Jataí\n"]
)
def test_a_form_filled_in_in_another_language_is_understood(form: str) -> None:
    sender = Address(address="ann@example.com.br")

    found = extract_fields(
        CATALOGUE.type(TYPE), form, "x", sender, CATALOGUE.units, first_mail=False, today=date(2026, 11, 23)
    )

    stated = {one.key: one.value for one in found}
    assert (stated["origin_unit"], stated["destination_unit"]) == ("Rio Verde", "Jataí")


def test_a_text_for_nothing_that_the_type_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"en\.questions: there is no 'colour'"):
        RequestType.model_validate(
            {"key": "x", "name": "X", "queue": "q", "en": {"questions": {"colour": "Which colour?"}}}
        )
