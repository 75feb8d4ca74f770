"""Facts: each small function, what it needs, and when it does not know (R000-03, R000-04, R001-19)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from mailbot.catalogue.facts.distance import straight_km
from mailbot.catalogue.facts.functions import FactSpec
from mailbot.catalogue.facts.values import FactScalar, FactSources, KnownFact
from mailbot.catalogue.load import load_catalogue
from mailbot.catalogue.units import RoadDistance, Unit, UnitTable
from mailbot.domain.evidence import DocumentKind, Fact, FieldOrigin, FieldValue, Finding, Verdict

CONFIG = Path(__file__).parents[3] / "config"
UNITS = load_catalogue(CONFIG).units
_SPEC: TypeAdapter[Any] = TypeAdapter(FactSpec)


def sources(documents: tuple[Finding, ...] = (), requester: str = "", **fields: str | FieldValue) -> FactSources:
    known = {
        key: value if isinstance(value, FieldValue) else FieldValue(key=key, value=value)
        for key, value in fields.items()
    }
    return FactSources(
        fields=known, units=UNITS, today=date(2026, 11, 23), documents=documents, requester=requester
    )


def fact(given: FactSources, **spec: Any) -> KnownFact | None:
    found: KnownFact | None = _SPEC.validate_python({"from": spec.pop("source"), **spec}).compute(given)
    return found


def value(given: FactSources, **spec: Any) -> FactScalar | None:
    found = fact(given, **spec)
    return None if found is None else found.value


BETWEEN = ("origin", "destination")


def test_the_distance_is_the_roads_where_it_is_known() -> None:
    given = sources(origin="Rio Verde", destination="Anápolis")
    assert value(given, source="distance_km", between=BETWEEN) == 265
    assert value(given, source="distance_by_road", between=BETWEEN) is True


def test_the_distance_is_the_straight_line_where_no_road_is_known() -> None:
    given = sources(origin="Rio Verde", destination="Jataí")
    km = value(given, source="distance_km", between=BETWEEN)
    assert isinstance(km, Decimal)
    assert 85 < km < 86
    assert value(given, source="distance_by_road", between=BETWEEN) is False


def test_a_distance_just_below_the_limit_is_never_rounded_up_to_it() -> None:
    pair = UnitTable(UNITS.units, (RoadDistance(between=("uruacu", "ceres"), km=99.96),))
    given = FactSources(
        fields={
            key: FieldValue(key=key, value=name) for key, name in zip(BETWEEN, ("Uruaçu", "Ceres"), strict=True)
        },
        units=pair,
        today=date(2026, 11, 23),
    )
    assert value(given, source="distance_km", between=BETWEEN) == Decimal("99.96")


@pytest.mark.parametrize("destination", ["Anapolândia", "", "Rio"])
def test_a_unit_that_is_not_known_exactly_leaves_the_distance_unknown(destination: str) -> None:
    given = sources(origin="Rio Verde", destination=destination)
    for name in ("distance_km", "distance_by_road", "same_city", "same_unit"):
        assert fact(given, source=name, between=BETWEEN) is None
    assert fact(sources(origin="Rio Verde"), source="distance_km", between=BETWEEN) is None


def test_one_unit_stated_twice_is_one_unit_although_the_field_is_not_valid() -> None:
    """R000-04: Goiânia to Goiânia is a change within a city."""
    twice = FieldValue(key="destination", value="Goiânia", valid=False, reason="same_unit")
    given = sources(origin="Goiânia", destination=twice)
    cities = ("Goiânia", "Aparecida de Goiânia")
    assert value(given, source="both_in_cities", between=BETWEEN, cities=cities) is True
    assert value(given, source="same_unit", between=BETWEEN) is True
    not_known = FieldValue(key="destination", value="Goiânia", valid=False, reason="contradictory")
    assert fact(sources(origin="Goiânia", destination=not_known), source="same_unit", between=BETWEEN) is None


def test_both_units_have_to_be_in_the_cities() -> None:
    cities = ("goiania", "Aparecida de Goiânia")
    both = sources(origin="Goiânia", destination="Aparecida")
    assert value(both, source="both_in_cities", between=BETWEEN, cities=cities) is True
    one = sources(origin="Goiânia", destination="Anápolis")
    assert value(one, source="both_in_cities", between=BETWEEN, cities=cities) is False
    assert value(both, source="same_city", between=BETWEEN) is False


def test_the_geodesic_agrees_with_known_lengths() -> None:
    """Vincenty's own example, and one degree of the equator and of a meridian."""

    def unit(latitude: float, longitude: float) -> Unit:
        return Unit(key="one", name="One", city="One", latitude=latitude, longitude=longitude)

    flinders, buninyong = unit(-37.951033, 144.424868), unit(-37.652821, 143.926496)
    assert straight_km(flinders, buninyong) == pytest.approx(54.972, abs=0.01)
    assert straight_km(unit(0, 0), unit(0, 1)) == pytest.approx(111.3195, abs=0.01)
    assert straight_km(unit(0, 0), unit(1, 0)) == pytest.approx(110.5744, abs=0.01)
    assert straight_km(unit(5, 5), unit(5, 5)) == 0
    assert straight_km(unit(90, 0), unit(-90, 0)) > 19_000


@pytest.mark.parametrize(
    ("text", "count"),
    [("SN1, SN2; SN3", 3), ("A1\nA2\nA2", 2), ("A1 / A2 e A3", 3), ("1, 2, 3, 4, 5, 6", 6)],
)
def test_things_listed_are_counted_once_each(text: str, count: int) -> None:
    assert value(sources(serials=text), source="items_listed", field="serials") == count


def test_fields_as_numbers_words_and_yes_or_no() -> None:
    given = sources(count="6", client="Cliente Viação", paid="Sim", perhaps="talvez", day="2026-11-30")
    assert value(given, source="field_number", field="count") == 6
    assert value(given, source="field_text", field="client") == "Cliente Viação"
    assert value(given, source="field_in_list", field="client", values=["SODEXO", "CLIENTE VIAÇÃO"]) is True
    assert value(given, source="field_yes_no", field="paid") is True
    assert fact(given, source="field_yes_no", field="perhaps") is None
    assert value(given, source="days_until", field="day") == 7
    assert fact(given, source="field_number", field="client") is None
    for name in ("field_number", "field_text", "field_yes_no", "items_listed", "days_until"):
        assert fact(given, source=name, field="absent") is None


@pytest.mark.parametrize("hostile", ["nan", "Infinity", "1e999999", "--1", "１２"])
def test_no_number_is_too_strange(hostile: str) -> None:
    found = value(sources(count=hostile), source="field_number", field="count")
    assert found is None or (isinstance(found, Decimal) and found.is_finite())


def test_what_was_understood_from_a_sentence_is_not_certain() -> None:
    said = FieldValue(key="paid", value="sim", origin=FieldOrigin.SENTENCE)
    found = fact(sources(paid=said), source="field_yes_no", field="paid")
    assert found == KnownFact(value=True, certain=False)


def _finding(verdict: Verdict, *, for_a_person: bool = False, amount: str = "108.00") -> Finding:
    return Finding(
        digest="d",
        sha256="s",
        filename="f.pdf",
        media_type="application/pdf",
        size_bytes=1,
        kind=DocumentKind.PAYMENT_RECEIPT,
        confidence=1,
        verdict=verdict,
        requirement="payment_receipt",
        for_a_person=for_a_person,
        facts=(Fact(name="amount", value=amount),),
    )


def test_a_document_is_received_only_when_it_is_accepted_and_unknown_for_a_person() -> None:
    spec = {"source": "document_received", "document": "payment_receipt"}
    assert value(sources((_finding(Verdict.ACCEPTED),)), **spec) is True
    assert value(sources((_finding(Verdict.SCHEDULED),)), **spec) is False
    assert value(sources(), **spec) is False
    assert fact(sources((_finding(Verdict.NOT_CHECKED, for_a_person=True),)), **spec) is None


def test_documents_that_contradict_each_other_tell_no_number() -> None:
    spec = {"source": "document_number", "document": "payment_receipt", "name": "amount"}
    one, other = _finding(Verdict.ACCEPTED), _finding(Verdict.ACCEPTED, amount="99.00")
    assert value(sources((one,)), **spec) == Decimal("108.00")
    assert fact(sources((one, other)), **spec) is None
    assert fact(sources(), **spec) is None


def test_the_requester_is_known_by_address_or_domain() -> None:
    spec = {"source": "requester_in", "addresses": ["@frota.example", "ana@example.com.br"]}
    assert value(sources(requester="joao@frota.example"), **spec) is True
    assert value(sources(requester="Ana@example.com.br"), **spec) is True
    assert value(sources(requester="x@evilfrota.example"), **spec) is False
