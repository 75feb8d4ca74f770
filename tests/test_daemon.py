"""The clockwork of the running program."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from mailbot import daemon


def test_a_tick_that_comes_late_comes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    # As on a machine that stood still meanwhile.
    late = SimpleNamespace(now=lambda _zone: datetime.now(UTC) - timedelta(seconds=10))
    monkeypatch.setattr(daemon, "datetime", late)
    # The next one would be too late for this test.
    monkeypatch.setattr(daemon, "_TICK_SECONDS", 3600)
    ticked = threading.Event()
    clockwork = daemon._Clockwork(ticked.set)
    try:
        assert ticked.wait(60)
    finally:
        clockwork.shutdown(wait=True)
