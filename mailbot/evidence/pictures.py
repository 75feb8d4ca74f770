"""Width and height of a picture from its first bytes: tells photographs of documents from logos and pixels."""

from __future__ import annotations

_JPEG_SIZE_MARKERS = frozenset({*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)})
_MOST_SEGMENTS = 200


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, GIF, BMP or JPEG; ``None`` where the bytes do not say."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        return _big(content[16:20]), _big(content[20:24])
    if content.startswith((b"GIF87a", b"GIF89a")) and len(content) >= 10:
        return _little(content[6:8]), _little(content[8:10])
    if content.startswith(b"BM") and len(content) >= 26:
        return _little(content[18:22]), _little(content[22:26])
    return _jpeg_size(content) if content.startswith(b"\xff\xd8") else None


def _big(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _little(raw: bytes) -> int:
    return abs(int.from_bytes(raw, "little", signed=len(raw) == 4))


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Walk from segment to segment to the frame header (ITU T.81 B.2.2)."""
    position = 2
    for _ in range(_MOST_SEGMENTS):
        if position + 9 > len(content) or content[position] != 0xFF:
            return None
        marker = content[position + 1]
        if marker in _JPEG_SIZE_MARKERS:
            return _big(content[position + 7 : position + 9]), _big(content[position + 5 : position + 7])
        position += (
            2 if marker == 0xFF or 0xD0 <= marker <= 0xD9 else 2 + _big(content[position + 2 : position + 4])
        )
    return None
