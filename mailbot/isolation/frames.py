"""How values travel between two processes: a frame is an eight-byte length and so many bytes, often JSON.

No pickle: the process that reads hostile bytes may be taken over, and what it sends must not be able to do
more than be wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import IO, TypeVar

_LENGTH_BYTES = 8

_Value = TypeVar("_Value")


class BrokenFrame(ValueError):
    """The other side ended early, or sent what no reader sends."""


def write_frame(stream: IO[bytes], payload: bytes) -> None:
    """Send one frame."""
    stream.write(len(payload).to_bytes(_LENGTH_BYTES, "big"))
    stream.write(payload)


def read_frame(stream: IO[bytes], max_bytes: int) -> bytes | None:
    """Receive one frame; ``None`` at the end of the stream. Raises :class:`BrokenFrame`."""
    head = stream.read(_LENGTH_BYTES)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if len(head) < _LENGTH_BYTES or length > max_bytes:
        raise BrokenFrame("no frame, or one longer than allowed")
    payload = stream.read(length)
    if len(payload) < length:
        raise BrokenFrame("the frame ends early")
    return payload


def expect_frame(stream: IO[bytes], max_bytes: int) -> bytes:
    """Receive one frame that must come. Raises :class:`BrokenFrame`."""
    frame = read_frame(stream, max_bytes)
    if frame is None:
        raise BrokenFrame("the other side ended")
    return frame


def write_json(stream: IO[bytes], value: object) -> None:
    """Send one frame of JSON; lone surrogates come through."""
    write_frame(stream, json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii"))


def parse_mapping(frame: bytes) -> Mapping[str, object]:
    """The JSON object in a frame. Raises :class:`BrokenFrame`."""
    try:
        return as_mapping(json.loads(frame))
    except (ValueError, RecursionError) as error:
        raise BrokenFrame("no JSON object") from error


# --- what stands in it, trusting nothing -----------------------------------------------------------------


def as_text(value: object) -> str:
    """``value`` if it is a text. Raises :class:`BrokenFrame`, as all of these do."""
    return as_type(value, str)


def as_texts(value: object) -> tuple[str, ...]:
    """``value`` if it is a list of texts."""
    return tuple(as_text(one) for one in as_items(value))


def as_items(value: object) -> Sequence[object]:
    """``value`` if it is a list."""
    return as_type(value, list)


def as_mapping(value: object) -> Mapping[str, object]:
    """``value`` if it is an object."""
    return as_type(value, dict)


def as_type(value: object, wanted: type[_Value]) -> _Value:
    """``value`` if it is of the type ``wanted``."""
    if not isinstance(value, wanted):
        raise BrokenFrame(f"{type(value).__name__} where {wanted.__name__} belongs")
    return value
