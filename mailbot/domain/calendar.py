"""Business time: promised dates in business days or office hours, and the hours in which reminders leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

HOURS_PER_BUSINESS_DAY = 24
_REMINDERS_FROM, _REMINDERS_UNTIL = time(8), time(18)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessCalendar:
    """When people work. ``is_holiday`` says whether a local day is off although it is no Saturday or Sunday.

    With ``office_hours`` only the time between ``opens`` and ``closes`` counts; otherwise 24 hours are one
    business day and the time of day stays (REQUIREMENTS *Decided*, R001-13).
    """

    zone: tzinfo
    is_holiday: Callable[[date], bool]
    office_hours: bool = False
    opens: time = time(8)
    closes: time = time(18)

    def is_business_day(self, day: date) -> bool:
        """Neither weekend nor holiday."""
        return day.weekday() < 5 and not self.is_holiday(day)

    def after_business_hours(self, start: datetime, hours: int) -> datetime:
        """The moment ``hours`` business hours after ``start``, in UTC."""
        local = start.astimezone(self.zone)
        end = self._in_office_hours(local, hours) if self.office_hours else self._in_days(local, hours)
        return end.astimezone(UTC)

    def business_time(self, start: datetime, end: datetime) -> timedelta:
        """How much business time lies between two moments; none if ``end`` is not after ``start``."""
        first, last = start.astimezone(self.zone), end.astimezone(self.zone)
        counted = timedelta()
        day = first.date()
        while day <= last.date():
            opens, closes = self._working_hours(day)
            counted += max(min(closes, last) - max(opens, first), timedelta())
            day += timedelta(days=1)
        return counted

    def after_business_time(self, start: datetime, time_left: timedelta) -> datetime:
        """The moment by which ``time_left`` of business time has passed since ``start``, in UTC."""
        begin = start.astimezone(self.zone)
        day = begin.date()
        while True:
            opens, closes = self._working_hours(day)
            begin = max(begin, opens)
            room = max(closes - begin, timedelta())
            if time_left <= room and closes > opens:
                return (begin + time_left).astimezone(UTC)
            time_left -= room
            day += timedelta(days=1)

    def _working_hours(self, day: date) -> tuple[datetime, datetime]:
        """From when to when a day counts; a day off from its beginning to its beginning."""
        midnight = datetime.combine(day, time(), self.zone)
        if not self.is_business_day(day):
            return midnight, midnight
        if self.office_hours:
            return datetime.combine(day, self.opens, self.zone), datetime.combine(day, self.closes, self.zone)
        return midnight, datetime.combine(day + timedelta(days=1), time(), self.zone)

    def next_reminder_time(self, at: datetime) -> datetime:
        """``at`` itself if it lies between 08:00 and 18:00 local time, else the next 08:00, in UTC."""
        local = at.astimezone(self.zone)
        if _REMINDERS_FROM <= local.time() < _REMINDERS_UNTIL:
            return at
        day = local.date() if local.time() < _REMINDERS_FROM else local.date() + timedelta(days=1)
        return datetime.combine(day, _REMINDERS_FROM, self.zone).astimezone(UTC)

    def _in_days(self, local: datetime, hours: int) -> datetime:
        whole_days, rest = divmod(hours, HOURS_PER_BUSINESS_DAY)
        moment = self._next_business_moment(local)
        for _ in range(whole_days):
            moment = self._next_business_moment(moment + timedelta(days=1))
        moment += timedelta(hours=rest)
        return moment if self.is_business_day(moment.date()) else self._next_business_moment(moment)

    def _next_business_moment(self, local: datetime) -> datetime:
        while not self.is_business_day(local.date()):
            local = datetime.combine(local.date() + timedelta(days=1), local.timetz())
        return local

    def _in_office_hours(self, local: datetime, hours: int) -> datetime:
        left = timedelta(hours=hours)
        day = local.date()
        begin = local
        while True:
            if self.is_business_day(day):
                opens = datetime.combine(day, self.opens, self.zone)
                closes = datetime.combine(day, self.closes, self.zone)
                begin = max(begin, opens)
                room = max(closes - begin, timedelta())
                if left <= room:
                    return begin + left
                left -= room
            day += timedelta(days=1)
            begin = datetime.combine(day, time(), self.zone)
