"""Outlook's ``winmail.dat`` → the files in it: ``bytes → WinmailFile…`` (MS-OXTNEF, MS-OXCMSG).

A mail in Rich Text Format carries its files so. Read in one pass over the attributes; a file begins with one of
its own, and an attached message is a stream of the same kind within it. The bytes are anybody's: what does not
hold is an error, and whoever asked keeps the file as it came.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from mailbot.mime.headers import decode_octets

WINMAIL_SIGNATURE = b"\x78\x9f\x3e\x22"
MOST_FILES = 200
_HEAD_BYTES = 6
_MOST_NESTED = 3
_MOST_PROPERTIES = 500
_MOST_VALUES = 100

_ATTACHMENT_LEVEL = 2
_LEVELS = (1, _ATTACHMENT_LEVEL)
_RENDERING = 0x00069002
_FILE_BEGINS = struct.pack("<BI", _ATTACHMENT_LEVEL, _RENDERING)
_TITLE = 0x00018010
_DATA = 0x0006800F
_PROPERTIES = 0x00069005

_IS_MANY = 0x1000
_FIRST_NAMED = 0x8000
_OBJECT, _TEXT, _UNICODE, _BINARY = 0x000D, 0x001E, 0x001F, 0x0102
# Bytes that a value of fixed length takes, filled up to four.
_LENGTHS = {
    0x0001: 4, 0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4, 0x0014: 8,
    0x0040: 8, 0x0048: 16,
}  # fmt: skip
_WITH_LENGTH = (_OBJECT, _TEXT, _UNICODE, _BINARY)

_ATTACHED_OBJECT = 0x3701
_SHORT_NAME = 0x3704
_LONG_NAME = 0x3707
_DISPLAY_NAME = 0x3001
_MEDIA_TYPE = 0x370E
_CONTENT_ID = 0x3712
_IID_BYTES = 16


class BrokenWinmail(ValueError):
    """It is not what it should be, or goes on where it may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WinmailFile:
    """A file as it was attached; ``nested`` counts the attached messages in which it lies."""

    content: bytes = field(repr=False)
    name: str = ""
    media_type: str = ""
    content_id: str = ""
    nested: int = 0


def files_in_winmail(content: bytes) -> tuple[WinmailFile, ...]:
    """The files, in order. Raises ``BrokenWinmail`` for whatever is wrong with it."""
    return tuple(_files(content, nested=0))


def _files(content: bytes, *, nested: int) -> list[WinmailFile]:
    if nested > _MOST_NESTED:
        raise BrokenWinmail("messages in messages")
    found: list[WinmailFile] = []
    current: _Attached | None = None
    for level, name, value in _attributes(content):
        if level != _ATTACHMENT_LEVEL:
            continue
        if name == _RENDERING:
            found.extend(_finished(current, nested))
            current = _Attached()
            if len(found) >= MOST_FILES:
                raise BrokenWinmail("too many files")
        elif current is None:
            raise BrokenWinmail("a file without beginning")
        else:
            current.take(name, value)
    return [*found, *_finished(current, nested)]


def _attributes(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Level, name and value of each attribute."""
    if content[:4] != WINMAIL_SIGNATURE:
        raise BrokenWinmail("no signature")
    place = _HEAD_BYTES
    while place < len(content):
        if content[place] not in _LEVELS:
            if place == _HEAD_BYTES or _FILE_BEGINS in content[place:]:
                raise BrokenWinmail("an attribute that does not hold")
            # What a gateway added.
            return
        level, name, length = _unpacked("<BII", content, place)
        # Programs do not agree on the checksum behind the value; only that it is there.
        _unpacked("<H", content, place + 9 + length)
        yield level, name, content[place + 9 : place + 9 + length]
        place += 9 + length + 2


@dataclass(slots=True, kw_only=True)
class _Attached:
    """A file while its attributes are read."""

    file: WinmailFile = field(default_factory=lambda: WinmailFile(content=b""))
    message: bytes = b""

    def take(self, name: int, value: bytes) -> None:
        """Note what an attribute says."""
        if name == _DATA:
            self.file = replace(self.file, content=value)
        elif name == _TITLE and not self.file.name:
            self.file = replace(self.file, name=_ansi(value))
        elif name == _PROPERTIES:
            self._take_properties(dict(_properties(value)))

    def _take_properties(self, said: dict[int, tuple[int, bytes]]) -> None:
        kind, held = said.get(_ATTACHED_OBJECT, (_BINARY, b""))
        if kind == _OBJECT and held[_IID_BYTES : _IID_BYTES + 4] == WINMAIL_SIGNATURE:
            self.message = held[_IID_BYTES:]
        names = (_text(said[key]) for key in (_LONG_NAME, _SHORT_NAME, _DISPLAY_NAME) if key in said)
        self.file = replace(
            self.file,
            # Some programs keep the bytes here alone, and what is drawn by another program always stands here.
            content=self.file.content or (held[_IID_BYTES:] if kind == _OBJECT else held),
            name=next((name for name in names if name), self.file.name),
            media_type=_text(said[_MEDIA_TYPE]).lower() if _MEDIA_TYPE in said else "",
            content_id=_text(said[_CONTENT_ID]).strip("<> ") if _CONTENT_ID in said else "",
        )


def _finished(attached: _Attached | None, nested: int) -> list[WinmailFile]:
    if attached is None:
        return []
    if attached.message:
        return _files(attached.message, nested=nested + 1)
    return [replace(attached.file, nested=nested)]


def _properties(content: bytes) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Id, kind and first value of each property."""
    (count,) = _unpacked("<I", content, 0)
    if count > _MOST_PROPERTIES:
        raise BrokenWinmail("too many properties")
    place = 4
    for _ in range(count):
        kind, key = _unpacked("<HH", content, place)
        place += 4
        if key >= _FIRST_NAMED:
            place = _behind_name(content, place)
        values, place = _values(content, place, kind)
        yield key, (kind & ~_IS_MANY, values[0] if values else b"")


def _behind_name(content: bytes, place: int) -> int:
    """Where the name of a property ends: a number, or text of its own length."""
    (is_text,) = _unpacked("<I", content, place + 16)
    if not is_text:
        return place + 24
    (length,) = _unpacked("<I", content, place + 20)
    return place + 24 + _filled(length)


def _values(content: bytes, place: int, kind: int) -> tuple[list[bytes], int]:
    sort, count = kind & ~_IS_MANY, 1
    if kind & _IS_MANY or sort in _WITH_LENGTH:
        (count,) = _unpacked("<I", content, place)
        place += 4
    if count > _MOST_VALUES or (sort not in _LENGTHS and sort not in _WITH_LENGTH):
        raise BrokenWinmail("a property that does not hold")
    values = []
    for _ in range(count):
        length = _LENGTHS.get(sort, 0)
        if sort in _WITH_LENGTH:
            (length,) = _unpacked("<I", content, place)
            place += 4
        if place + length > len(content):
            raise BrokenWinmail("a value that goes on behind its end")
        values.append(content[place : place + length])
        place += _filled(length)
    return values, place


def _filled(length: int) -> int:
    return (length + 3) & ~3


def _unpacked(form: str, content: bytes, place: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, content, place)
    except struct.error as error:
        raise BrokenWinmail("it ends early") from error


def _text(said: tuple[int, bytes]) -> str:
    kind, value = said
    return value.decode("utf-16-le", "replace").rstrip("\0") if kind == _UNICODE else _ansi(value)


def _ansi(value: bytes) -> str:
    return decode_octets(value.rstrip(b"\0"))[0]
