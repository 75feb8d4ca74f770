"""Headers of pictures for tests: enough for their type and size to be told, padded to a number of bytes."""

from __future__ import annotations

import struct


def png(width: int, height: int, *, size_bytes: int = 50_000) -> bytes:
    """A PNG's signature and header chunk, and zeros."""
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII5B", 13, b"IHDR", width, height, 8, 2, 0, 0, 0)
    return head.ljust(size_bytes, b"\0")


def jpeg(width: int, height: int, *, size_bytes: int = 50_000) -> bytes:
    """A JPEG's start, application segment and frame header, and zeros."""
    frame = struct.pack(">BBHBHHB", 0xFF, 0xC0, 17, 8, height, width, 3) + b"\0" * 9
    head = b"\xff\xd8" + b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0".ljust(14, b"\0") + frame
    return head.ljust(size_bytes, b"\0")
