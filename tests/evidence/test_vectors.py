"""The published vectors of ``vectors.json`` that no other test runs, and that none is left out."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailbot.catalogue.business_time import business_calendar
from mailbot.catalogue.load import load_catalogue
from mailbot.domain.calendar import BusinessCalendar
from mailbot.evidence.barcode_fields import barcode_fields
from mailbot.evidence.check_digits import barcode_of_line, is_cnpj, is_cpf

TESTS = Path(__file__).parents[1]
VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))
ZONE = ZoneInfo("America/Sao_Paulo")
CALENDAR = business_calendar(load_catalogue(TESTS.parent / "config").calendar)
ALL_DAY = BusinessCalendar(zone=ZONE, is_holiday=lambda day: not CALENDAR.is_business_day(day))


@pytest.mark.parametrize("number", VECTORS["cpf_valid"])
def test_a_valid_cpf_is_one(number: str) -> None:
    assert is_cpf(number)


@pytest.mark.parametrize("number", VECTORS["cpf_invalid"])
def test_a_wrong_cpf_is_none(number: str) -> None:
    assert not is_cpf(number)


@pytest.mark.parametrize("number", VECTORS["cnpj_valid"])
def test_a_valid_cnpj_is_one_with_letters_too(number: str) -> None:
    assert is_cnpj(number)


@pytest.mark.parametrize("number", VECTORS["cnpj_invalid"])
def test_a_wrong_cnpj_is_none(number: str) -> None:
    assert not is_cnpj(number)


@pytest.mark.parametrize("one", VECTORS["arrec_published"], ids=lambda one: one["line"])
def test_a_published_collection_slip_is_read_or_refused_as_published(one: dict[str, object]) -> None:
    barcode = barcode_of_line(str(one["line"]))
    if not one["valid"]:
        assert barcode is None
        return
    assert barcode == one["barcode"]
    if "cents" in one:
        amount = barcode_fields(str(barcode)).amount
        assert amount is not None
        assert int(amount * 100) == one["cents"]


@pytest.mark.parametrize("year", VECTORS["holidays"])
def test_the_national_holidays_are_no_business_days(year: str) -> None:
    assert [day for day in VECTORS["holidays"][year] if CALENDAR.is_business_day(date.fromisoformat(day))] == []


@pytest.mark.parametrize("one", VECTORS["business_days"], ids=lambda one: one["from"])
def test_business_days_are_added_as_published(one: dict[str, str | int]) -> None:
    start = datetime.combine(date.fromisoformat(str(one["from"])), time(15), ZONE)
    end = ALL_DAY.after_business_hours(start, 24 * int(one["add"]))
    assert end.astimezone(ZONE).date().isoformat() == one["is"]


def test_every_list_is_run_by_some_test() -> None:
    sources = "".join(path.read_text("utf-8") for path in TESTS.rglob("test_*.py"))
    lists = set(VECTORS) - {"ref_date"}
    assert [name for name in sorted(lists) if f'VECTORS["{name}"]' not in sources] == []
