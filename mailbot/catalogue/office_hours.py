"""When people work: office hours, time zone and days off."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator

from mailbot.catalogue.entries import Entry, Text


class Holiday(Entry):
    """A day off that the public calendar does not know."""

    day: date
    name: Text


class Calendar(Entry):
    """When people work. ``business_days`` counts 24 hours as one business day, same time of day;
    ``office_hours`` counts only the hours between ``opens`` and ``closes`` (R001-13)."""

    timezone: Text = "America/Sao_Paulo"
    state: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "GO"
    extra_holidays: tuple[Holiday, ...] = ()
    business_hours: Literal["business_days", "office_hours"] = "business_days"
    opens: time = time(8)
    closes: time = time(18)

    @model_validator(mode="after")
    def _is_a_place_and_a_day(self) -> Self:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"no time zone is called {self.timezone!r}") from None
        if self.opens >= self.closes:
            raise ValueError("opens must be before closes")
        return self

    def local_day(self, at: datetime) -> date:
        """Which day it is here at an aware time."""
        return at.astimezone(ZoneInfo(self.timezone)).date()
