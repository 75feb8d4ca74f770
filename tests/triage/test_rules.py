"""The table: first row wins, unknown is neither true nor false, replies rest on certain facts only."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.catalogue.facts.values import Facts, FactSources, KnownFact
from mailbot.catalogue.load import load_catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.evidence import EvidenceReport, FieldValue, Mismatch
from mailbot.domain.guidance import Ruling, RulingAction
from mailbot.triage.rules import as_suggestion, facts_of, rule_on, with_ruling

CATALOGUE = load_catalogue(Path(__file__).parents[2] / "config")
CHANGE = CATALOGUE.type("inspection_location_change")


def ruling(reason: str | None = "mudei de cidade", **units: str) -> Ruling:
    """The ruling on a location change, its units as ``start``, ``end`` and ``rejected``."""
    named = {"start": "origin_unit", "end": "destination_unit", "rejected": "rejection_unit"}
    fields = {named[key]: FieldValue(key=named[key], value=name) for key, name in units.items()}
    if reason is not None:
        fields["reason"] = FieldValue(key="reason", value=reason)
    sources = FactSources(fields=fields, units=CATALOGUE.units, today=date(2026, 11, 23))
    found = rule_on(CHANGE, facts_of(CHANGE, sources), fields)
    assert found is not None
    return found


# --- process 000 ---------------------------------------------------------------------------------------------


def test_r000_06_a_long_way_by_road_proceeds() -> None:
    found = ruling(start="Rio Verde", end="Anápolis")
    assert (found.action, found.given) == (RulingAction.PROCEED, "")
    assert ("distance_km", "265") in [(one.name, one.value) for one in found.facts]


@pytest.mark.parametrize("reason", ["Boleto não pago", "O boleto ainda não foi pago", "não paguei o boleto"])
def test_r000_02_an_unpaid_boleto_is_answered_without_asking_for_a_receipt(reason: str) -> None:
    found = ruling(reason, start="Rio Verde", end="Anápolis")
    assert (found.action, found.given) == (RulingAction.REPLY, "unpaid_boleto")
    assert found.opens == "boleto_cancellation"
    assert "payment_receipt" in found.not_needed


def test_r000_02_an_unpaid_boleto_needs_no_units_to_be_answered() -> None:
    assert ruling("boleto não pago").given == "unpaid_boleto"


@pytest.mark.parametrize(
    "reason",
    [
        "Não sei se o boleto não foi pago",
        "O boleto não foi pago? achei que sim",
        "não paguei o boleto errado, paguei o boleto certo",
        "boleto não pago e vistoria reprovada em outra unidade",
    ],
)
def test_a_reason_that_is_not_plain_is_only_suggested(reason: str) -> None:
    found = ruling(reason, start="Rio Verde", end="Anápolis")
    assert found.action is RulingAction.SUGGEST
    assert found.doubts == ("motive",)
    assert (found.given, found.opens) == ("", "")


def test_r000_03_less_than_100_km_by_road_is_refused() -> None:
    found = ruling(start="Goiânia", end="Anápolis")
    assert found.given == "under_minimum_distance"
    assert ("distance_km", "55") in [(one.name, one.value) for one in found.facts]


@pytest.mark.parametrize(("km", "refused"), [(99.9, True), (99.96, True), (100, False)])
def test_r000_03_the_limit_is_strict(km: float, *, refused: bool) -> None:
    facts = Facts(
        known={
            **{name: KnownFact(value=False) for name in CHANGE.facts},
            "motive": KnownFact(value="other"),
            "distance_km": KnownFact(value=Decimal(str(km))),
            "distance_by_road": KnownFact(value=True),
        }
    )
    found = rule_on(CHANGE, facts)
    assert found is not None
    assert (found.given == "under_minimum_distance") is refused


def test_r000_03_between_70_and_100_km_in_a_straight_line_an_agent_decides() -> None:
    found = ruling(start="Rio Verde", end="Jataí")
    assert (found.action, found.guidance, found.given) == (RulingAction.SUGGEST, "under_minimum_distance", "")


def test_r000_03_below_70_km_in_a_straight_line_no_road_is_needed() -> None:
    assert ruling(start="Trindade", end="Inhumas").given == "under_minimum_distance"


@pytest.mark.parametrize(("start", "end"), [("Goiânia", "Aparecida de Goiânia"), ("Aparecida", "Goiânia")])
def test_r000_04_self_service_cities_come_before_the_distance(start: str, end: str) -> None:
    assert ruling(start=start, end=end).given == "self_service_city"


def test_r000_05_rejected_elsewhere_asks_for_the_unit_first_and_then_refuses() -> None:
    asked = ruling("vistoria reprovada em outra unidade", start="Rio Verde", end="Anápolis")
    assert (asked.action, asked.asks, asked.asks_first) == (RulingAction.ASK, ("rejection_unit",), True)
    told = ruling("vistoria reprovada em outra unidade", start="Rio Verde", end="Anápolis", rejected="Jataí")
    assert (told.action, told.given) == (RulingAction.REPLY, "failed_elsewhere")


def test_r000_05_rejected_in_the_very_destination_is_for_a_person() -> None:
    found = ruling("vistoria reprovada em outra unidade", start="Rio Verde", end="Jataí", rejected="Jataí")
    assert found.action is RulingAction.SUGGEST


@pytest.mark.parametrize("units", [{}, {"start": "Goiânia", "end": "Anápolis"}])
def test_r000_01_nothing_is_answered_before_the_motive_is_known(units: dict[str, str]) -> None:
    found = ruling(None, **units)
    assert (found.action, found.asks, found.row) == (RulingAction.ASK, ("reason",), 1)


def test_an_unknown_unit_is_asked_for_and_never_taken_for_far_away() -> None:
    found = ruling(start="Goiânia")
    assert found.action is RulingAction.ASK
    assert found.asks == ("destination_unit",)


# --- any table -----------------------------------------------------------------------------------------------


def table(*rules: dict[str, Any], **facts: dict[str, Any]) -> RequestType:
    return RequestType.model_validate(
        {
            "key": "sample",
            "name": "Sample",
            "queue": "sau",
            "documents": [{"key": "boleto", "label": "Boleto"}, {"key": "driver_licence", "label": "CNH"}],
            "fields": [
                {"key": name, "label": name, "question": "?", "required": False}
                for name in ("one", "two", "three")
            ],
            "facts": facts or {name: {"from": "field_number", "field": name} for name in ("one", "two")},
            "guidance": {"no": {"name": "No", "resolution": "denied", "title": "No", "text": "No."}},
            "rules": rules,
        }
    )


NO = {"action": "reply", "guidance": "no"}
GO = {"action": "proceed"}


def judged(kind: RequestType, *stated: str, **facts: KnownFact | None) -> Ruling:
    found = rule_on(kind, Facts(known={name: facts.get(name) for name in kind.facts}), stated)
    assert found is not None
    return found


def number(value: float, *, certain: bool = True) -> KnownFact:
    return KnownFact(value=Decimal(str(value)), certain=certain)


def test_the_first_row_that_applies_wins() -> None:
    kind = table(
        {"when": {"one": {"lt": 10}}, "then": NO}, {"when": {"one": {"lt": 20}}, "then": GO}, {"then": GO}
    )
    assert [judged(kind, one=number(n)).row for n in (9, 10, 20)] == [1, 2, 3]


def test_an_unknown_fact_stops_the_search_whatever_the_rows_after_it_say() -> None:
    kind = table({"when": {"one": {"lt": 10}}, "then": NO}, {"when": {"two": 1}, "then": NO}, {"then": GO})
    found = judged(kind, two=number(1))
    assert (found.action, found.row, found.asks) == (RulingAction.ASK, 1, ("one",))


def test_what_asking_cannot_tell_is_for_a_person() -> None:
    kind = table({"when": {"one": {"lt": 10}}, "then": NO}, {"then": GO})
    assert judged(kind, "one").action is RulingAction.PERSON
    of_paper = table(
        {"when": {"paid": True}, "then": NO},
        {"then": GO},
        paid={"from": "document_received", "document": "boleto"},
    )
    assert judged(of_paper).action is RulingAction.PERSON


def test_one_condition_that_is_false_makes_the_row_false_whatever_is_unknown() -> None:
    kind = table({"when": {"one": 1, "two": 1}, "then": NO}, {"then": GO})
    assert judged(kind, one=number(2)).action is RulingAction.PROCEED
    assert judged(kind, one=number(1)).action is RulingAction.ASK


def test_known_can_be_asked_of_an_unknown_fact() -> None:
    kind = table({"when": {"one": {"known": False}}, "then": NO}, {"then": GO})
    assert judged(kind).given == "no"
    assert judged(kind, one=number(1)).action is RulingAction.PROCEED


def test_a_row_passed_over_on_a_fact_that_is_not_certain_makes_a_later_reply_a_suggestion() -> None:
    kind = table({"when": {"one": 1}, "then": GO}, {"when": {"two": 1}, "then": NO}, {"then": GO})
    assert judged(kind, one=number(2), two=number(1)).given == "no"
    found = judged(kind, one=number(2, certain=False), two=number(1))
    assert (found.action, found.doubts) == (RulingAction.SUGGEST, ("one",))


def test_a_row_that_a_certain_fact_denies_leaves_no_doubt() -> None:
    kind = table({"when": {"one": 1, "two": 5}, "then": GO}, {"when": {"two": 1}, "then": NO}, {"then": GO})
    assert judged(kind, one=number(2, certain=False), two=number(1)).given == "no"


@pytest.mark.parametrize(
    ("comparison", "low", "high"),
    [
        ({"lt": 5}, True, False),
        ({"le": 5}, True, False),
        ({"gt": 5}, False, True),
        ({"ge": 5}, False, True),
        ({"eq": 4}, True, False),
        ({"ne": 4}, False, True),
        ({"in": [4, 9]}, True, False),
        ({"gt": 3, "lt": 5}, True, False),
        (4, True, False),
    ],
)
def test_each_operator(comparison: object, low: bool, high: bool) -> None:
    kind = table({"when": {"one": comparison}, "then": NO}, {"then": GO})
    assert (judged(kind, one=number(4)).given == "no") is low
    assert (judged(kind, one=number(6)).given == "no") is high


def test_words_are_compared_without_regard_to_accents_and_case() -> None:
    kind = table(
        {"when": {"client": "Viação"}, "then": NO}, {"then": GO}, client={"from": "field_text", "field": "one"}
    )
    assert judged(kind, client=KnownFact(value="VIACAO")).given == "no"


@given(st.dictionaries(st.sampled_from(["one", "two"]), st.none() | st.integers(-5, 5).map(number)))
def test_an_unknown_fact_that_a_row_asks_for_never_lets_a_request_through(
    facts: dict[str, KnownFact | None],
) -> None:
    kind = table({"when": {"one": {"lt": 0}}, "then": NO}, {"when": {"two": {"lt": 0}}, "then": NO}, {"then": GO})
    found = judged(kind, **facts)
    if found.action is RulingAction.PROCEED:
        assert facts.get("one") is not None
        assert facts.get("two") is not None


# --- what is asked -------------------------------------------------------------------------------------------

REPORT = EvidenceReport(
    missing=("boleto", "driver_licence", "one"), mismatches=(Mismatch(key="boleto", reason="x"),)
)


def test_a_reply_asks_for_nothing() -> None:
    kind = table({"then": NO})
    assert with_ruling(kind, REPORT, judged(kind)) == EvidenceReport(ruling=judged(kind))


def test_what_is_not_needed_is_not_asked_for() -> None:
    kind = table({"then": {"action": "proceed", "not_needed": ["boleto"], "also_ask": ["three"]}})
    report = with_ruling(kind, REPORT, judged(kind))
    assert report.missing == ("driver_licence", "one", "three")
    assert report.mismatches == ()


def test_what_is_asked_first_is_asked_alone() -> None:
    kind = table({"when": {"two": 1}, "then": NO, "ask_first": True}, {"then": GO})
    assert with_ruling(kind, REPORT, judged(kind)).missing == ("two",)
    not_first = table({"when": {"two": 1}, "then": NO}, {"then": GO})
    assert with_ruling(not_first, REPORT, judged(not_first)).missing == ("boleto", "driver_licence", "one", "two")


def test_a_type_without_a_table_leaves_everything_as_it_is() -> None:
    kind = table()
    assert rule_on(kind, Facts()) is None
    assert with_ruling(kind, REPORT, None) == REPORT


def test_a_suggestion_opens_nothing() -> None:
    found = as_suggestion(ruling("boleto não pago"))
    assert (found.action, found.given, found.opens) == (RulingAction.SUGGEST, "", "")


def test_deciding_takes_less_than_five_milliseconds() -> None:
    """Issue 5, *Speed*: facts and table, no document reading."""
    text = "Mudei de cidade a trabalho e não consigo levar o carro até lá. " * 30
    best = min(_seconds(lambda: ruling(text, start="Rio Verde", end="Jataí")) for _ in range(5))
    assert best < 0.005


def _seconds(what: Any) -> float:
    begun = time.thread_time()
    what()
    return time.thread_time() - begun
