"""Where helpers come from: nowhere, if none is wanted or can be had, and that is said."""

from __future__ import annotations

import threading
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from mailbot.cli.helpers_of_run import fork_server_of
from tests.flows.house import TestHouse


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    log = MagicMock()
    monkeypatch.setattr("mailbot.cli.helpers_of_run._log", log)
    return log


def logged(log: MagicMock) -> list[str]:
    return [call.kwargs["action"] for call in log.warning.call_args_list]


def test_nobody_stands_by_where_no_helper_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: MagicMock
) -> None:
    monkeypatch.setattr("os.fork", lambda: pytest.fail("forked"))
    with TestHouse(tmp_path, workers="0") as house:
        assert fork_server_of(house.app, for_a_round=True) is None
    assert logged(log) == []


def test_a_program_with_threads_is_not_forked_and_goes_on_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: MagicMock
) -> None:
    monkeypatch.setattr("os.fork", lambda: pytest.fail("forked"))
    end = threading.Event()
    thread = threading.Thread(target=end.wait, daemon=True)
    thread.start()
    try:
        with TestHouse(tmp_path, workers="2") as house:
            assert fork_server_of(house.app, for_a_round=True) is None
    finally:
        end.set()
        thread.join()
    assert logged(log) == ["helpers.none"]


def test_where_no_process_is_to_be_had_the_program_goes_on_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: MagicMock
) -> None:
    def no_more() -> int:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr("threading.active_count", lambda: 1)
    monkeypatch.setattr("os.fork", no_more)
    with TestHouse(tmp_path, workers="2") as house:
        assert fork_server_of(house.app, for_a_round=True) is None
    assert logged(log) == ["helpers.none"]
