"""The configured calendar as business time: national and state holidays, and the company's own."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from mailbot.catalogue.office_hours import Calendar
from mailbot.domain.calendar import BusinessCalendar


def business_calendar(calendar: Calendar) -> BusinessCalendar:
    """Business time in the calendar's zone. Holidays are looked up when the first date is asked for."""
    own = frozenset(holiday.day for holiday in calendar.extra_holidays)

    def is_holiday(day: date) -> bool:
        return day in own or day in _public_holidays(calendar.state, day.year)

    return BusinessCalendar(
        zone=ZoneInfo(calendar.timezone),
        is_holiday=is_holiday,
        office_hours=calendar.business_hours == "office_hours",
        opens=calendar.opens,
        closes=calendar.closes,
    )


@lru_cache(maxsize=64)
def _public_holidays(state: str, year: int) -> frozenset[date]:
    # Imported here: it costs a fifth of a second, and many runs ask for no date.
    import holidays

    return frozenset(holidays.country_holidays("BR", subdiv=state, years=year))
