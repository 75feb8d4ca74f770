"""Mails out of files that somebody kept: .eml, mbox (RFC 4155), Maildir, folders of them. ``Path → bytes``.

An mbox is read line by line and never held whole; of a mail that is larger than allowed only the header is
kept. What a mail program quoted for the mbox (``>From ``) is as it was again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

_MBOX_BEGINS = b"From "
_SUFFIXES = frozenset({".eml", ".mbox", ".mbx"})
_LINE_BYTES = 1 << 16
_HEADER_BYTES = 1 << 20
_HEADER_END = re.compile(rb"\r?\n\r?\n")
# RFC 4155: an address, then a date as asctime writes it; programs add seconds, zones and names of their own.
_SEPARATOR = re.compile(
    rb"From [^\r\n]{0,998}?(?:(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}(\d{1,2}) )"
    rb"(\d{1,2}):(\d{2})(?::(\d{2}))?[^\r\n]{0,40}? (\d{4})"
)
_QUOTED = re.compile(rb">+From ")
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMail:
    """A mail from a file. ``oversize_bytes`` is its size where it is too large and ``raw`` only its header.
    ``read_bytes`` is how much of the file was read for it."""

    raw: bytes
    received_at: datetime
    read_bytes: int
    oversize_bytes: int | None = None


def mail_files(path: Path) -> Iterator[Path]:
    """The files with mails under ``path``, in the order of their names; a file is taken whatever it is called.

    In a folder those count that end in .eml, .mbox or .mbx or begin as an mbox does; in a Maildir everything in
    ``new`` and ``cur`` that is not flagged as trashed. Raises ``OSError`` where a folder cannot be read.
    """
    if not path.is_dir():
        yield path
    elif (path / "new").is_dir() and (path / "cur").is_dir():
        files = [file for part in ("new", "cur") for file in (path / part).iterdir() if _is_in_maildir(file)]
        yield from sorted(files, key=lambda file: file.name)
    else:
        for entry in sorted(path.iterdir()):
            if entry.name.startswith(".") or entry.is_symlink():
                continue
            if entry.is_dir():
                yield from mail_files(entry)
            elif entry.is_file() and _looks_like_mail(entry):
                yield entry


def _is_in_maildir(file: Path) -> bool:
    flags = file.name.rpartition(":2,")[2] if ":2," in file.name else ""
    return not file.name.startswith(".") and "T" not in flags and file.is_file()


def _looks_like_mail(file: Path) -> bool:
    if file.suffix.lower() in _SUFFIXES:
        return True
    try:
        with file.open("rb") as opened:
            return opened.read(len(_MBOX_BEGINS)) == _MBOX_BEGINS
    except OSError:
        # It cannot be read, so it cannot be told apart: whoever takes it will say so.
        return True


def mails_in(path: Path, max_bytes: int) -> Iterator[KeptMail]:
    """The mails of one file, in its order. Raises ``OSError`` if it cannot be read, ``ValueError`` (with a
    sentence) if it is no regular file or empty."""
    if not path.is_file():
        raise ValueError("is no file")
    with path.open("rb") as file:
        changed_at = _moment(path.stat().st_mtime)
        beginning = file.read(len(_MBOX_BEGINS))
        if not beginning:
            raise ValueError("is empty")
        file.seek(0)
        if beginning == _MBOX_BEGINS:
            yield from _mails_of_mbox(file, changed_at, max_bytes)
        else:
            yield _whole(file, changed_at, max_bytes)


def _moment(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)


def _whole(file: BinaryIO, changed_at: datetime, max_bytes: int) -> KeptMail:
    mail = _Growing(changed_at, max_bytes)
    while chunk := file.read(_LINE_BYTES):
        mail.add(chunk)
    return mail.grown(read_bytes=mail.size_bytes)


# --- mbox ----------------------------------------------------------------------------------------------------


def _mails_of_mbox(file: BinaryIO, changed_at: datetime, max_bytes: int) -> Iterator[KeptMail]:
    mail: _Growing | None = None
    begun_at = 0
    for at, line, begins, after_blank in _lines(file):
        separator = _SEPARATOR.match(line) if begins and after_blank else None
        # The file's first line separates whatever its date looks like.
        if separator is not None or at == 0:
            if mail is not None:
                yield mail.grown(read_bytes=at - begun_at, drop_blank_line=True)
            mail, begun_at = _Growing(_date_of(separator) or changed_at, max_bytes), at
        elif mail is not None:
            mail.add(line[1:] if begins and _QUOTED.match(line) else line)
    if mail is not None:
        yield mail.grown(read_bytes=file.tell() - begun_at, drop_blank_line=True)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes, bool, bool]]:
    """(offset, piece of a line, whether a line begins with it, whether the line before was blank)."""
    at, begins, after_blank = 0, True, True
    while line := file.readline(_LINE_BYTES):
        yield at, line, begins, after_blank
        at += len(line)
        after_blank = begins and not line.strip(b"\r\n")
        begins = line.endswith(b"\n")


def _date_of(separator: re.Match[bytes] | None) -> datetime | None:
    if separator is None:
        return None
    month, day, hour, minute, second, year = separator.groups()
    try:
        return datetime(
            int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return None


class _Growing:
    """A mail while it is read: whole as long as it may be, else its beginning and its size."""

    def __init__(self, received_at: datetime, max_bytes: int) -> None:
        self._received_at = received_at
        self._max_bytes = max_bytes
        self._raw = bytearray()
        self.size_bytes = 0

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.size_bytes += len(chunk)
        if self.size_bytes <= self._max_bytes or len(self._raw) < _HEADER_BYTES:
            self._raw += chunk
        elif len(self._raw) > _HEADER_BYTES:
            del self._raw[_HEADER_BYTES:]

    def grown(self, *, read_bytes: int, drop_blank_line: bool = False) -> KeptMail:
        """The mail; the blank line before the next one of an mbox is not part of it."""
        if self.size_bytes > self._max_bytes:
            end = _HEADER_END.search(self._raw, 0, _HEADER_BYTES)
            header = bytes(self._raw[: end.end() if end else _HEADER_BYTES])
            return KeptMail(
                raw=header,
                received_at=self._received_at,
                read_bytes=read_bytes,
                oversize_bytes=self.size_bytes,
            )
        raw = bytes(self._raw)
        if drop_blank_line:
            for blank in (b"\r\n", b"\n"):
                if raw.endswith(b"\n" + blank):
                    raw = raw[: -len(blank)]
                    break
        return KeptMail(raw=raw, received_at=self._received_at, read_bytes=read_bytes)


def total_bytes(files: Sequence[Path]) -> int:
    """How much there is to read; what cannot be looked at counts nothing."""
    total = 0
    for file in files:
        try:
            total += file.stat().st_size
        except OSError:
            continue
    return total
