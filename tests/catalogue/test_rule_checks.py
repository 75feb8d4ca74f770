"""A mistake in a table stops the start, with file, line and key, and says what was perhaps meant."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mailbot.catalogue.load import json_schema, load_catalogue
from mailbot.domain.errors import ConfigurationError

CONFIG = Path(__file__).parents[2] / "config"
SOURCE = "catalogue/inspection_location_change.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONFIG, tmp_path / "config"))


def mistakes(folder: Path, old: str, new: str) -> list[str]:
    file = folder / SOURCE
    text = file.read_text(encoding="utf-8")
    assert old in text
    changed = text.replace(old, new, 1)
    file.write_text(changed, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_catalogue(folder)
    problems = [one for one in caught.value.problems if one.source == SOURCE]
    lines = changed.splitlines()
    assert all(one.line is not None and 0 < one.line <= len(lines) for one in problems)
    return [f"{one.key}: {one.message} | {lines[(one.line or 1) - 1].strip()}" for one in problems]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "when: {self_service_cities: true}",
            "when: {self_servise_cities: true}",
            "did you mean 'self_service_cities'?",
        ),
        ("distance_km: {lt: 70}", "distance_km: {ltt: 70}", "unknown key (did you mean 'lt'?)"),
        ("distance_km: {lt: 70}", "distance_km: {lt: perto}", "'perto'"),
        ("distance_km: {lt: 70}", "distance_km: {eq: perto}", "'perto' is no number"),
        ("distance_km: {lt: 70}", "distance_km: {}", "compare with one of"),
        ("distance_km: {lt: 70}", "distance_km: {is: true}", "`is` asks for true or false"),
        ("when: {same_city: true}", "when: {same_city: {lt: 3}}", "lt compares numbers"),
        (
            "when: {motive: failed_elsewhere}",
            "when: {motive: failed_elsewere}",
            "did you mean 'failed_elsewhere'?",
        ),
        ("guidance: self_service_city}", "guidance: self_service_cities}", "did you mean 'self_service_city'?"),
        ("guidance: self_service_city}", "guidence: self_service_city}", "unknown key (did you mean 'guidance'?)"),
        ("action: reply, guidance: self", "action: replay, guidance: self", "did you mean 'reply'?"),
        (
            "from: both_in_cities",
            "from: both_in_city",
            ".from: nothing is called 'both_in_city' (did you mean 'both_in_cities'?)",
        ),
        ("from: both_in_cities", "form: both_in_cities", ": from is missing"),
        ("    cities: [Goiânia", "    citys: [Goiânia", "unknown key (did you mean 'cities'?)"),
        (
            "between: [rejection_unit, destination_unit]",
            "between: [rejected_unit, destination_unit]",
            "no field 'rejected_unit'",
        ),
        ("between: [rejection_unit, destination_unit]", "between: [reason, destination_unit]", "is no unit"),
        ("document: payment_receipt}", "document: payment_reciept}", "did you mean 'payment_receipt'?"),
        ("not_needed: [payment_receipt]", "not_needed: [payment]", "no document or field 'payment'"),
        ("opens: boleto_cancellation", "opens: boleto_cancelation", "did you mean 'boleto_cancellation'?"),
        ("{distance_km} km.", "{distance} km.", "did you mean"),
        ("chamado {linked_ticket}.", "chamado {linked_ticket.", "without its partner"),
        (
            "continua valendo para {origin_unit}",
            "continua valendo para {reason}",
            "nothing to put in the place {reason}",
        ),
        ("resolution: denied", "resolution: refused", "'refused'"),
        ("  - then: {action: proceed}\n", "", "the last row must catch everything"),
        ("  - when: {self_service_cities: true}\n    then", "  - then", "the rows after it never apply"),
        ("    unless:\n      unpaid_boleto", "    unless:\n      unpaid_boletos", "no choice 'unpaid_boletos'"),
        ('url: "https://', 'url: "javascript:', "String should match"),
    ],
)
def test_each_mistake_is_named_where_it_stands(folder: Path, old: str, new: str, said: str) -> None:
    found = mistakes(folder, old, new)
    assert any(said in one for one in found), found


def test_a_reply_without_words_and_a_suggestion_of_nothing_are_mistakes(folder: Path) -> None:
    assert any("a reply needs a guidance" in one for one in mistakes(folder, ", guidance: self_service_city", ""))
    other = shutil.copytree(CONFIG, folder.parent / "other")
    assert any("a suggestion needs" in one for one in mistakes(other, "action: proceed", "action: suggest"))


def test_the_schema_for_editors_knows_tables() -> None:
    schema = json_schema()["catalogue/*.yaml"]
    assert {"facts", "rules", "guidance"} <= schema["properties"].keys()
    assert {"Rule", "Comparison", "Phrases", "DistanceKm"} <= schema["$defs"].keys()
    assert "from" in schema["$defs"]["DistanceKm"]["properties"]
    assert "lt" in schema["$defs"]["Comparison"]["properties"]
