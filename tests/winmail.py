"""``winmail.dat`` for tests, as Outlook writes it (MS-OXTNEF)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_RENDERING, _TITLE, _DATA, _PROPERTIES, _SUBJECT = 0x00069002, 0x00018010, 0x0006800F, 0x00069005, 0x00018004
_GUID = bytes(range(16))


def winmail(
    files: Sequence[tuple[str, bytes]] = (),
    *,
    messages: Sequence[bytes] = (),
    content_ids: Sequence[str] = (),
    bytes_in_properties: bool = False,
) -> bytes:
    """The files, then the attached ``messages``, each a ``winmail`` itself."""
    made = b"\x78\x9f\x3e\x22" + struct.pack("<H", 1) + _attribute(1, _SUBJECT, b"RES: boleto\0")
    for index, (name, content) in enumerate(files):
        content_id = content_ids[index] if index < len(content_ids) else ""
        made += _attribute(2, _RENDERING, bytes(14))
        made += _attribute(2, _TITLE, name[:8].encode("cp1252", "replace") + b"~1.PDF\0")
        properties = [
            _named(),
            _many(0x0FF9, [b"a", b"bcdef"]),
            _property(0x0002, 0x7FFF, b"\1\0"),
            _with_length(0x001F, 0x3707, f"{name}\0".encode("utf-16-le")),
        ]
        properties += [_with_length(0x001E, 0x3712, content_id.encode() + b"\0")] if content_id else []
        if bytes_in_properties:
            properties.append(_with_length(0x0102, 0x3701, content))
        else:
            made += _attribute(2, _DATA, content)
        made += _attribute(2, _PROPERTIES, struct.pack("<I", len(properties)) + b"".join(properties))
    for message in messages:
        held = _with_length(0x000D, 0x3701, _GUID + message)
        made += _attribute(2, _RENDERING, bytes(14)) + _attribute(2, _PROPERTIES, struct.pack("<I", 1) + held)
    return made


def _attribute(level: int, name: int, value: bytes) -> bytes:
    return struct.pack("<BII", level, name, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def _property(kind: int, key: int, value: bytes) -> bytes:
    return struct.pack("<HH", kind, key) + _filled(value)


def _with_length(kind: int, key: int, value: bytes) -> bytes:
    return struct.pack("<HHII", kind, key, 1, len(value)) + _filled(value)


def _many(key: int, values: Sequence[bytes]) -> bytes:
    made = struct.pack("<HHI", 0x1102, key, len(values))
    return made + b"".join(struct.pack("<I", len(value)) + _filled(value) for value in values)


def _named() -> bytes:
    """A property with a name of its own, as programs beside Outlook add."""
    name = "x-marca\0".encode("utf-16-le")
    made = struct.pack("<HH", 0x0003, 0x8001) + _GUID + struct.pack("<II", 1, len(name)) + _filled(name)
    return made + struct.pack("<I", 7)


def _filled(value: bytes) -> bytes:
    return value + bytes(-len(value) % 4)
