"""What was told outlives the process, belongs to one at a time, and never stands in the way."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mailbot.adapters.alert_memory import FileAlertMemory
from mailbot.domain.incidents import Incident, IncidentKind

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
INCIDENT = Incident(
    kind=IncidentKind.SERVER_AWAY, about="smtp:default", text="away", since=NOW, told_at=NOW, is_open=True
)
OVER = Incident(kind=IncidentKind.DISK_LOW, text="low", since=None)


def known(memory: FileAlertMemory) -> list[Incident]:
    with memory.held() as remembered:
        return remembered.incidents


def keep(memory: FileAlertMemory, *incidents: Incident) -> None:
    with memory.held() as remembered:
        remembered.incidents = list(incidents)


def test_another_process_knows_it_too_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    keep(FileAlertMemory(folder), INCIDENT, OVER)
    assert known(FileAlertMemory(folder)) == [INCIDENT, OVER]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", ["", "[", "[1]", '[{"kind": "snow"}]', "\x00", "{}"])
def test_a_damaged_file_is_an_empty_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "alerts.json").write_text(content)
    memory = FileAlertMemory(tmp_path)
    assert known(memory) == []
    keep(memory, INCIDENT)
    assert known(FileAlertMemory(tmp_path)) == [INCIDENT]


def test_where_nothing_can_be_written_this_process_remembers(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    memory = FileAlertMemory(tmp_path / "file")
    with capture_logs() as logs:
        keep(memory, INCIDENT)
        assert known(memory) == [INCIDENT]
    assert {line["action"] for line in logs} == {"alert.not_remembered"}
    (tmp_path / "file").unlink()
    assert known(memory) == [INCIDENT]
    assert known(FileAlertMemory(tmp_path / "file")) == [INCIDENT]


def test_two_that_look_at_once_look_one_after_the_other(tmp_path: Path) -> None:
    first, second = FileAlertMemory(tmp_path), FileAlertMemory(tmp_path)
    seen: list[list[Incident]] = []
    thread = threading.Thread(target=lambda: seen.append(known(second)))
    with first.held() as remembered:
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        remembered.incidents = [INCIDENT]
    thread.join(5)
    assert seen == [[INCIDENT]]
