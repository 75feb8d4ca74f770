"""The refresh token that is good now, kept in a file where the provider gives a new one with every use.

The settings hold the first one of a chain; the file holds the newest and which first one it came from, so that a
new token in the settings begins a new chain. A lock beside it makes reading, asking and saving one step among
processes: a provider that rotates takes a token used twice for a theft (RFC 9700 §4.14.2).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from mailbot.domain.errors import ServerAway, StorageUnavailable

_log = structlog.get_logger("mailbot.oauth")

_LOCK_SECONDS = 30.0
_LOCK_POLL_SECONDS = 0.05
_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """A refresh token and its end, where the provider told it."""

    value: str = field(repr=False)
    expires_at: datetime | None = None


class RefreshTokenFile:
    """The file of one mailbox. ``first`` is the token of the settings."""

    def __init__(self, path: Path, first: str, *, lock_seconds: float = _LOCK_SECONDS) -> None:
        self._path = path
        self._first = first
        self._lock_seconds = lock_seconds
        # What could not be written: good for as long as this process lives.
        self._unsaved: RefreshToken | None = None

    @property
    def is_unsaved(self) -> bool:
        """Whether the newest token could not be written."""
        return self._unsaved is not None

    def current(self) -> RefreshToken:
        """The newest token of the chain; without the lock it may be outdated at once."""
        if self._unsaved is not None:
            return self._unsaved
        stored = self._stored()
        if stored.get("began_with") != _digest(self._first):
            return RefreshToken(value=self._first)
        return RefreshToken(value=str(stored["refresh_token"]), expires_at=_moment(stored.get("expires_at")))

    @contextlib.contextmanager
    def locked(self) -> Iterator[RefreshToken]:
        """Hold the lock; yield the token that is current now.

        Raises ``StorageUnavailable`` where nothing can be written: then nobody should ask, for the answer would
        be lost. Raises ``ServerAway`` if another process holds the lock for too long.
        """
        try:
            self._path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            handle = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _PRIVATE_FILE)
        except OSError as error:
            raise StorageUnavailable(f"{self._path.parent} cannot be written: {error.strerror}") from None
        try:
            self._wait_for_lock(handle)
            yield self.current()
        finally:
            # Closing gives the lock back.
            os.close(handle)

    def save(self, token: RefreshToken) -> None:
        """Replace the file's content as a whole, durably; to be called under the lock.

        Never raises: the provider has already forgotten the old token, so this process goes on with the new one
        and writes it the next time.
        """
        content = {
            "refresh_token": token.value,
            "expires_at": token.expires_at.isoformat() if token.expires_at else None,
            "began_with": _digest(self._first),
            "saved_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            _replace_durably(self._path, json.dumps(content).encode())
        except OSError as error:
            self._unsaved = token
            _log.error("refresh token not saved", action="oauth.not_saved", error=error.strerror)
            return
        self._unsaved = None

    def _wait_for_lock(self, handle: int) -> None:
        give_up_at = time.monotonic() + self._lock_seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > give_up_at:
                    message = "another process has been renewing the token for too long"
                    raise ServerAway(f"{self._path.stem}: {message}") from None
                time.sleep(_LOCK_POLL_SECONDS)
            else:
                return

    def _stored(self) -> dict[str, Any]:
        try:
            content = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            _log.warning("token file not read", action="oauth.file_not_read", error=type(error).__name__)
            return {}
        return content if isinstance(content, dict) and content.get("refresh_token") else {}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _moment(stated: object) -> datetime | None:
    try:
        return datetime.fromisoformat(stated) if isinstance(stated, str) else None
    except ValueError:
        return None


def _replace_durably(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    # What an older process left there may have another mode.
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, _PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
