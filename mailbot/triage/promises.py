"""Until when a ticket is to be answered: ``(Status, RequestType, now, calendar) -> datetime | None``. Pure."""

from __future__ import annotations

from datetime import datetime

from mailbot.catalogue.request_types import RequestType
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.ticket import Status


def due_at(
    status: Status, request_type: RequestType, now: datetime, calendar: BusinessCalendar
) -> datetime | None:
    """When a ticket that is ``status`` from ``now`` on must be answered; ``None`` where nothing is promised."""
    hours = request_type.answer_within_business_hours
    return calendar.after_business_hours(now, hours) if status is Status.OPEN and hours else None
