"""What was told outlives the process, belongs to one at a time, and never stands in the way."""

from __future__ import annotations

import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mailbot.adapters.alert_memory import FileAlertMemory, second_place
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
    thread.join(60)
    assert seen == [[INCIDENT]]


def test_where_the_first_place_cannot_be_written_the_next_process_knows_it_from_the_second(tmp_path: Path) -> None:
    data, second = tmp_path / "var", tmp_path / "run" / "memory"
    keep(FileAlertMemory(data, else_in=second), OVER)
    assert not second.exists()
    # A full disk: what lies there stays, and nothing new can be put there.
    (data / "alerts.json.new").mkdir()
    keep(FileAlertMemory(data, else_in=second), INCIDENT)
    assert known(FileAlertMemory(data)) == [OVER]
    assert known(FileAlertMemory(data, else_in=second)) == [INCIDENT]
    assert second.stat().st_mode & 0o777 == 0o700
    assert (second / "alerts.json").stat().st_mode & 0o777 == 0o600
    # There is room again: it goes back, and what lay in the second place is no more.
    (data / "alerts.json.new").rmdir()
    assert known(FileAlertMemory(data, else_in=second)) == [INCIDENT]
    assert not (second / "alerts.json").exists()
    assert known(FileAlertMemory(data)) == [INCIDENT]


@pytest.mark.parametrize("kind", ["a link", "open to others"])
def test_a_second_place_that_somebody_else_may_have_made_is_not_used(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("no folder")
    theirs, second = tmp_path / "theirs", tmp_path / "memory"
    keep(FileAlertMemory(theirs), OVER)
    if kind == "a link":
        second.symlink_to(theirs)
    else:
        theirs.rename(second)
        second.chmod(0o777)
    memory = FileAlertMemory(tmp_path / "file", else_in=second)
    assert known(memory) == []
    keep(memory, INCIDENT)
    assert known(memory) == [INCIDENT]
    assert known(FileAlertMemory(second)) == [OVER]


def test_the_second_place_is_the_service_managers_else_among_temporary_files(tmp_path: Path) -> None:
    given = second_place(tmp_path / "a", {"RUNTIME_DIRECTORY": "/run/mailbot:/run/other"})
    assert given is not None
    assert given.parent == Path("/run/mailbot")
    assert given != second_place(tmp_path / "b", {"RUNTIME_DIRECTORY": "/run/mailbot"})
    temporary = second_place(tmp_path / "a", {})
    assert temporary is not None
    assert temporary.parent == Path(tempfile.gettempdir())
