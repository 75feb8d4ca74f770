"""Files are read here beside all other tests: only what shows a limit of time is to depend on the clock."""

from __future__ import annotations

import pytest

from mailbot.evidence import file_content


@pytest.fixture(autouse=True)
def has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long others keep the processors, a file is read to its end in this process."""
    monkeypatch.setattr(file_content, "LOOKING_SECONDS", 600.0)
