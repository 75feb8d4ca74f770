"""Business time, with the published vectors of Brazilian holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.catalogue.business_time import business_calendar
from mailbot.catalogue.load import load_catalogue
from mailbot.domain.calendar import BusinessCalendar

ZONE = ZoneInfo("America/Sao_Paulo")
SAMPLE = business_calendar(load_catalogue(Path(__file__).parents[2] / "config").calendar)
WITHOUT_HOLIDAYS = BusinessCalendar(zone=ZONE, is_holiday=lambda _day: False)
MOMENTS = st.integers(min_value=1_577_836_800, max_value=1_924_905_600).map(
    lambda at: datetime.fromtimestamp(at, UTC)
)
"""From 2020 to 2030."""
OFFICE = BusinessCalendar(zone=ZONE, is_holiday=lambda _day: False, office_hours=True)


def local(day: str, at: str = "15:00") -> datetime:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(at), ZONE)


@pytest.mark.parametrize(
    ("start", "business_days", "end"),
    [
        # Thu 19, Fri 20 is Consciência Negra, national since 2024.
        ("2026-11-19", 2, "2026-11-24"),
        # It was no national holiday yet in 2023; Nov 20 was a Monday.
        ("2023-11-17", 1, "2023-11-20"),
        ("2026-11-23", 2, "2026-11-25"),
        ("2026-11-27", 2, "2026-12-01"),
        ("2026-12-24", 1, "2026-12-28"),
        ("2026-12-31", 1, "2027-01-04"),
        ("2026-04-02", 1, "2026-04-06"),
    ],
)
def test_business_days_pass_over_weekends_and_holidays_at_the_same_time_of_day(
    start: str, business_days: int, end: str
) -> None:
    calendar = BusinessCalendar(zone=ZONE, is_holiday=lambda day: not SAMPLE.is_business_day(day))
    assert calendar.after_business_hours(local(start), 24 * business_days) == local(end)


@pytest.mark.parametrize(
    "day",
    [
        "2026-01-01",
        "2026-04-03",
        "2026-04-21",
        "2026-05-01",
        "2026-09-07",
        "2026-10-12",
        "2026-11-02",
        "2026-11-20",
    ],
)
def test_national_holidays_are_no_business_days(day: str) -> None:
    assert not SAMPLE.is_business_day(date.fromisoformat(day))


def test_the_houses_own_holidays_count() -> None:
    assert not business_calendar(load_catalogue(Path(__file__).parents[2] / "config").calendar).is_business_day(
        date(2027, 5, 24)
    )


def test_what_comes_on_a_weekend_counts_from_monday() -> None:
    assert WITHOUT_HOLIDAYS.after_business_hours(local("2026-11-21"), 48) == local("2026-11-25")


def test_the_result_is_utc() -> None:
    result = WITHOUT_HOLIDAYS.after_business_hours(local("2026-11-23"), 24)
    assert result.tzinfo is UTC
    assert result == datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


def test_late_in_the_evening_it_is_still_the_local_day() -> None:
    # 23:00 on Friday in São Paulo is Saturday in UTC.
    friday = local("2026-11-27", "23:00")
    assert WITHOUT_HOLIDAYS.after_business_hours(friday, 24) == local("2026-11-30", "23:00")


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (local("2026-11-23", "09:00"), 4, local("2026-11-23", "13:00")),
        (local("2026-11-23", "16:00"), 4, local("2026-11-24", "10:00")),
        (local("2026-11-23", "07:00"), 1, local("2026-11-23", "09:00")),
        (local("2026-11-23", "20:00"), 1, local("2026-11-24", "09:00")),
        (local("2026-11-27", "17:00"), 2, local("2026-11-30", "09:00")),
        (local("2026-11-28", "10:00"), 10, local("2026-11-30", "18:00")),
    ],
)
def test_with_office_hours_only_the_hours_of_the_office_count(start: datetime, hours: int, end: datetime) -> None:
    assert OFFICE.after_business_hours(start, hours) == end


@pytest.mark.parametrize(
    ("at", "leaves"),
    [
        ("07:59", local("2026-11-23", "08:00")),
        ("08:00", local("2026-11-23", "08:00")),
        ("17:59", local("2026-11-23", "17:59")),
        ("18:00", local("2026-11-24", "08:00")),
        ("23:30", local("2026-11-24", "08:00")),
        ("00:10", local("2026-11-23", "08:00")),
    ],
)
def test_reminders_leave_between_8_and_18(at: str, leaves: datetime) -> None:
    assert WITHOUT_HOLIDAYS.next_reminder_time(local("2026-11-23", at).astimezone(UTC)) == leaves


@settings(deadline=None)
@given(
    start=MOMENTS,
    hours=st.integers(min_value=0, max_value=240),
)
def test_a_promise_never_ends_on_a_day_off_and_is_never_shorter_than_the_hours(
    start: datetime, hours: int
) -> None:
    begun = start
    for calendar in (WITHOUT_HOLIDAYS, SAMPLE):
        end = calendar.after_business_hours(begun, hours)
        assert calendar.is_business_day(end.astimezone(ZONE).date())
        assert end - begun >= timedelta(hours=hours)
        assert calendar.after_business_hours(begun, hours + 24) > end


@settings(deadline=None)
@given(start=MOMENTS)
def test_a_reminder_time_is_a_fixed_point_within_a_day(start: datetime) -> None:
    at = start
    leaves = WITHOUT_HOLIDAYS.next_reminder_time(at)
    assert timedelta() <= leaves - at < timedelta(hours=15)
    assert WITHOUT_HOLIDAYS.next_reminder_time(leaves) == leaves
    assert time(8) <= leaves.astimezone(ZONE).time() < time(18)


@given(MOMENTS, st.integers(min_value=0, max_value=400_000))
@settings(max_examples=100, deadline=None)
def test_business_time_that_is_left_ends_when_so_much_of_it_has_passed(start: datetime, seconds: int) -> None:
    for calendar in (WITHOUT_HOLIDAYS, OFFICE, SAMPLE):
        end = calendar.after_business_time(start, timedelta(seconds=seconds))
        assert end >= start
        assert calendar.business_time(start, end) == timedelta(seconds=seconds)


@given(MOMENTS, st.integers(min_value=1, max_value=96))
@settings(max_examples=100, deadline=None)
def test_what_a_promise_has_left_at_its_beginning_is_the_whole_of_it(start: datetime, hours: int) -> None:
    for calendar in (WITHOUT_HOLIDAYS, OFFICE):
        if calendar.is_business_day(start.astimezone(ZONE).date()):
            end = calendar.after_business_hours(start, hours)
            assert calendar.business_time(start, end) == timedelta(hours=hours)


def test_no_business_time_lies_between_a_moment_and_one_before_it() -> None:
    assert SAMPLE.business_time(local("2026-11-24"), local("2026-11-23")) == timedelta()
