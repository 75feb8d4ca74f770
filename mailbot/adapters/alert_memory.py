"""What the alert command told, in a file beside the mails: it must outlive a restart and a lost database.

And a disk that is full or read-only, of which it tells: then the file lies in a second place.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from mailbot.domain.incidents import Incident, IncidentKind, Remembered

_log = structlog.get_logger("mailbot.alert")

_NAME = "alerts.json"
_LOCK = "alerts.lock"


def second_place(data_dir: Path, environment: Mapping[str, str] = os.environ) -> Path | None:
    """A folder on another disk than ``data_dir``, as far as one can know; ``None`` if there is none.

    The service manager's (systemd.exec(5), *RuntimeDirectory*), else one among the temporary files.
    """
    # Several houses may share it.
    name = f"mailbot-alerts-{hashlib.sha256(os.fsencode(data_dir.absolute())).hexdigest()[:16]}"
    given = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given) / name
    with suppress(OSError):
        return Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}"
    return None


class FileAlertMemory:
    """A file in ``folder``, for one process at a time. Where it cannot be written it lies ``else_in`` a second
    folder; where it cannot be written there either, this process remembers it."""

    def __init__(self, folder: Path, *, else_in: Path | None = None) -> None:
        self._first = _Place(folder)
        self._second = None if else_in is None else _Place(else_in, is_among_others=True)
        self._last: list[Incident] = []
        self._is_written = True

    @contextmanager
    def held(self) -> Iterator[Remembered]:
        """What is known, kept anew at the end; meanwhile other processes wait. Never raises."""
        with self._alone():
            remembered = Remembered(self._read())
            yield remembered
            # What lies in the second place is brought back as soon as that can be done.
            is_written = self._is_written and self._place_of_newest() is self._first
            if remembered.incidents != self._last or not is_written:
                self._last = remembered.incidents
                self._write(remembered.incidents)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        descriptor = self._first.locked()
        if descriptor is None and self._second is not None:
            descriptor = self._second.locked()
        try:
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _place_of_newest(self) -> _Place:
        """What lies in the second place is newer: it goes as soon as the first can be written."""
        return self._second if self._second is not None and self._second.holds_something() else self._first

    def _read(self) -> list[Incident]:
        # What could not be written is newer than the files.
        if self._is_written:
            with suppress(OSError, ValueError, KeyError, TypeError):
                self._last = [_from_json(one) for one in json.loads(self._place_of_newest().text())]
        return self._last

    def _write(self, incidents: list[Incident]) -> None:
        text = json.dumps([_to_json(one) for one in incidents], indent=1)
        self._is_written = True
        try:
            self._first.put(text)
        except OSError as error:
            if not self._is_put_in_second(text):
                self._is_written = False
                _log.warning("alarms not remembered", action="alert.not_remembered", error=error.strerror)
        else:
            if self._second is not None:
                self._second.clear()

    def _is_put_in_second(self, text: str) -> bool:
        if self._second is None:
            return False
        try:
            self._second.put(text)
        except OSError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder for the file; ``is_among_others``: anybody on this machine may have made it before us."""

    folder: Path
    is_among_others: bool = False

    def locked(self) -> int | None:
        """A descriptor to be closed, ``None`` where there can be no lock."""
        try:
            self._make()
            descriptor = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    def holds_something(self) -> bool:
        return not self._is_strange() and (self.folder / _NAME).exists()

    def text(self) -> str:
        return (self.folder / _NAME).read_text(encoding="utf-8")

    def put(self, text: str) -> None:
        self._make()
        beside = self.folder / f"{_NAME}.new"
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        beside.replace(self.folder / _NAME)

    def clear(self) -> None:
        if self.holds_something():
            with suppress(OSError):
                (self.folder / _NAME).unlink()

    def _make(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._is_strange():
            raise PermissionError(errno.EPERM, "the folder is not ours alone")

    def _is_strange(self) -> bool:
        if not self.is_among_others:
            return False
        try:
            found = self.folder.lstat()
        except OSError:
            return True
        return not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or bool(found.st_mode & 0o022)


def _to_json(incident: Incident) -> dict[str, Any]:
    return {
        "kind": incident.kind.value,
        "about": incident.about,
        "text": incident.text,
        "since": incident.since.isoformat() if incident.since else None,
        "told_at": incident.told_at.isoformat() if incident.told_at else None,
        "is_open": incident.is_open,
    }


def _from_json(data: dict[str, Any]) -> Incident:
    return Incident(
        kind=IncidentKind(data["kind"]),
        about=data["about"],
        text=data["text"],
        since=datetime.fromisoformat(data["since"]) if data["since"] else None,
        told_at=datetime.fromisoformat(data["told_at"]) if data["told_at"] else None,
        is_open=bool(data["is_open"]),
    )
