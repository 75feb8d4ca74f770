"""What the alert command told, in a file beside the mails: it must outlive a restart and a lost database."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from mailbot.domain.incidents import Incident, IncidentKind, Remembered

_log = structlog.get_logger("mailbot.alert")

_NAME = "alerts.json"
_LOCK = "alerts.lock"


class FileAlertMemory:
    """A file in ``folder``, for one process at a time. Where it cannot be written, this process remembers it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: list[Incident] = []
        self._is_written = True

    @contextmanager
    def held(self) -> Iterator[Remembered]:
        """What is known, kept anew at the end; meanwhile other processes wait. Never raises."""
        with self._alone():
            remembered = Remembered(self._read())
            yield remembered
            if remembered.incidents != self._last or not self._is_written:
                self._last = remembered.incidents
                self._write(remembered.incidents)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        descriptor = None
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _read(self) -> list[Incident]:
        # What could not be written is newer than the file.
        if self._is_written:
            with suppress(OSError, ValueError, KeyError, TypeError):
                text = (self._folder / _NAME).read_text(encoding="utf-8")
                self._last = [_from_json(one) for one in json.loads(text)]
        return self._last

    def _write(self, incidents: list[Incident]) -> None:
        text = json.dumps([_to_json(one) for one in incidents], indent=1)
        beside = self._folder / f"{_NAME}.new"
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            beside.replace(self._folder / _NAME)
            self._is_written = True
        except OSError as error:
            self._is_written = False
            _log.warning("alarms not remembered", action="alert.not_remembered", error=error.strerror)


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
