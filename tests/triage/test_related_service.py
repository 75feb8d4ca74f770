"""Which of a known customer's services is meant (R004-04): exactly one that is named, by the record's own name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.catalogue.load import load_catalogue
from mailbot.domain.evidence import EvidenceReport, FieldOrigin, FieldValue
from mailbot.triage.related_service import with_service
from tests.flows.house import REPOSITORY

KIND = load_catalogue(REPOSITORY / "config").type("agency_support")
SERVICES = ("Hospedagem de site", "Mídia paga", "Mídia paga - Rede de pesquisa", "Redes sociais")
NOTHING = EvidenceReport()


def service(text: str, *, stated: str = "", services: tuple[str, ...] = SERVICES) -> str:
    fields = (FieldValue(key="related_service", value=stated, origin=FieldOrigin.LABEL),) if stated else ()
    report = with_service(replace(NOTHING, fields=fields), KIND, services, text)
    return next((one.value for one in report.fields if one.key == "related_service"), "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("O relatório de midia paga não chegou", "Mídia paga"),
        ("HOSPEDAGEM DE SITE: o certificado venceu", "Hospedagem de site"),
        # Of names inside of each other the longer one is meant.
        ("Sobre Mídia paga - Rede de pesquisa", "Mídia paga - Rede de pesquisa"),
        # Two that have nothing to do with each other: nobody guesses.
        ("Mídia paga e redes sociais", ""),
        ("Preciso de ajuda com o site", ""),
        # Inside of another word it is no name.
        ("As redes sociaisinhas", ""),
        ("", ""),
    ],
)
def test_r004_04_the_only_service_that_a_mail_names_is_taken_by_the_records_name(text: str, expected: str) -> None:
    assert service(text) == expected


def test_r004_04_what_the_sender_stated_is_brought_to_the_records_name_or_kept() -> None:
    assert service("Sobre redes sociais", stated="midia paga") == "Mídia paga"
    assert service("Sobre redes sociais", stated="Consultoria") == "Consultoria"


def test_r004_04_of_nobodys_services_nothing_is_told() -> None:
    assert service("O relatório de mídia paga não chegou", services=()) == ""


def test_a_type_without_such_a_field_has_no_service() -> None:
    other = load_catalogue(REPOSITORY / "config").type("post_sales_technical")
    assert with_service(NOTHING, other, SERVICES, "Mídia paga") is NOTHING


@given(text=st.text(max_size=300), services=st.lists(st.text(max_size=40), max_size=6))
def test_whatever_is_written_only_a_service_of_the_record_is_taken(text: str, services: list[str]) -> None:
    found = service(text, services=tuple(services))
    assert found == "" or found in services
