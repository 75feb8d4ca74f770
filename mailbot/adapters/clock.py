"""The business clock: real time, or, for trials on one machine, a clock that starts elsewhere and ticks on."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """Real time, or time counted from ``starts_at`` at the moment of making."""

    def __init__(self, starts_at: datetime | None = None) -> None:
        self._starts_at = starts_at
        self._began = time.monotonic()

    def now(self) -> datetime:
        """Aware UTC time."""
        if self._starts_at is None:
            return datetime.now(UTC)
        return self._starts_at + timedelta(seconds=time.monotonic() - self._began)
