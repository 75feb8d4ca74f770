"""Pictures for tests: of one grey, padded to a number of bytes, or only the head of one."""

from __future__ import annotations

import struct
from functools import cache
from io import BytesIO

from PIL import Image


def png(width: int, height: int, *, size_bytes: int = 50_000) -> bytes:
    """A grey PNG, and zeros behind its end."""
    return _grey(width, height, "PNG").ljust(size_bytes, b"\0")


def jpeg(width: int, height: int, *, size_bytes: int = 50_000) -> bytes:
    """A grey JPEG, and zeros behind its end."""
    return _grey(width, height, "JPEG").ljust(size_bytes, b"\0")


def png_head(width: int, height: int, *, size_bytes: int = 50_000) -> bytes:
    """A PNG's signature and header chunk, and zeros where its rows would be."""
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII5B", 13, b"IHDR", width, height, 8, 2, 0, 0, 0)
    return head.ljust(size_bytes, b"\0")


@cache
def _grey(width: int, height: int, picture_format: str) -> bytes:
    stream = BytesIO()
    Image.new("L", (width, height), 200).save(stream, picture_format, optimize=True)
    return stream.getvalue()
