"""Raw mails and attachments as files, each named by a keyed digest of its content.

The name tells nothing about the content, the same bytes are kept once, and nothing that a sender wrote is
ever part of a path (THREATS 24).
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mailbot.domain.errors import StorageUnavailable, UnreadableMail
from mailbot.domain.mail import keyed_digest

_TEMPORARY = ".new-"
# What a restore by another user, a folder in a file's place and a bad sector say of one file.
_OF_ONE_FILE = frozenset({errno.EACCES, errno.EPERM, errno.EISDIR, errno.EIO})
# The disk takes several syncs at once for little more than the price of one.
_SYNCS_AT_ONCE = 8


class FileBlobs:
    """Files under ``<folder>/<first character>/<digest>``, mode 0600."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._key = key
        self._made: set[str] = set()
        self._syncing = ThreadPoolExecutor(_SYNCS_AT_ONCE, thread_name_prefix="sync")

    def put(self, content: bytes) -> str:
        """Store durably and return the digest. Raises ``StorageUnavailable``."""
        return self.put_many([content])[0]

    def put_many(self, contents: Sequence[bytes]) -> list[str]:
        """Store several, durable together.

        All are written and named before the first is synced, and synced side by side: a journalling file
        system then commits them at once. A file that was named and not synced when the machine fell belongs
        to nobody yet; whoever stores the same bytes again looks at it before trusting it.
        """
        digests = [keyed_digest(self._key, content) for content in contents]
        try:
            self._write_all(dict(zip(digests, contents, strict=True)))
        except OSError as error:
            raise StorageUnavailable(f"a file cannot be stored under {self._folder}: {error}") from error
        return digests

    def get(self, digest: str) -> bytes:
        """The bytes. Raises ``UnreadableMail`` if this file is gone, damaged or cannot be read while its folder
        can, ``StorageUnavailable`` if the disk does not take part."""
        path = self._path(digest)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise UnreadableMail(f"the stored file {digest} is gone") from error
        except OSError as error:
            failure = f"the stored file {digest} cannot be read: {error.strerror}"
            if error.errno in _OF_ONE_FILE and _answers(path.parent):
                raise UnreadableMail(failure) from error
            raise StorageUnavailable(failure) from error
        if keyed_digest(self._key, content) != digest:
            raise UnreadableMail(f"the stored file {digest} is damaged, or MAILBOT_SECRET_KEY changed")
        return content

    def path_of(self, digest: str) -> Path:
        """Where a file lies (for backups)."""
        return self._path(digest)

    def _path(self, digest: str) -> Path:
        if len(digest) != 64 or not all(character in "0123456789abcdef" for character in digest):
            raise ValueError("not a digest")
        return self._folder / digest[:1] / digest

    def _write_all(self, contents: Mapping[str, bytes]) -> None:
        unsynced: list[int] = []
        folders: set[Path] = set()
        try:
            for digest, content in contents.items():
                path = self._path(digest)
                unsynced.append(self._opened(path, digest) or self._written(path, content))
                folders.add(path.parent)
            self._sync(unsynced, folders)
        finally:
            for descriptor in unsynced:
                os.close(descriptor)

    def _sync(self, files: Sequence[int], folders: Iterable[Path]) -> None:
        """First what the files hold, then their names."""
        for synced in (self._syncing.map(os.fsync, files), self._syncing.map(_sync_folder, folders)):
            for _ in synced:
                pass

    def _opened(self, path: Path, digest: str) -> int | None:
        """The file that is there already, if it is whole; one that cannot be read is to be written anew."""
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except (FileNotFoundError, PermissionError):
            return None
        if self._is_whole(path, digest):
            return descriptor
        os.close(descriptor)
        return None

    def _is_whole(self, path: Path, digest: str) -> bool:
        try:
            return keyed_digest(self._key, path.read_bytes()) == digest
        except OSError as error:
            if error.errno in _OF_ONE_FILE:
                return False
            raise

    def _written(self, path: Path, content: bytes) -> int:
        """Write a new file and give it its name; the caller syncs."""
        self._make_folder(path.parent)
        temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _write_whole(descriptor, content)
            temporary.replace(path)
        except BaseException:
            os.close(descriptor)
            temporary.unlink(missing_ok=True)
            raise
        return descriptor

    def _make_folder(self, folder: Path) -> None:
        if folder.name in self._made:
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_folder(folder.parent)
        self._made.add(folder.name)


def _answers(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            next(entries, None)
    except OSError:
        return False
    return os.access(folder, os.X_OK)


def _write_whole(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
