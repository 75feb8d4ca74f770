"""A composed message as bytes: ``Message -> bytes``, what the standard library's generator writes, sooner.

That one parses every header anew. Here nothing is parsed: for messages made by ``compose.py`` alone, whose headers
are raw lines and whose bodies are ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

_BOUNDARY = re.compile(r'boundary="([^"]+)"')


def message_bytes(message: Message, *, utf8: bool = False) -> bytes:
    """The whole message with CRLF line ends; ``utf8`` lets headers be more than ASCII (RFC 6532).

    Raises ``ValueError`` for headers or bodies that are not ASCII else, and for a multipart without boundary.
    """
    return "".join(_pieces(message)).replace("\n", "\r\n").encode("utf-8" if utf8 else "ascii")


def _pieces(part: Message) -> Iterator[str]:
    for name, value in part.raw_items():
        yield f"{name}: {value}\n"
    yield "\n"
    payload = part.get_payload()
    if not isinstance(payload, list):
        yield str(payload)
        return
    boundary = _boundary_of(part)
    for number, inner in enumerate(payload):
        yield f"--{boundary}\n" if number == 0 else f"\n--{boundary}\n"
        yield from _pieces(inner)
    yield f"\n--{boundary}--\n"


def _boundary_of(part: Message) -> str:
    headers = (value for name, value in part.raw_items() if name.lower() == "content-type")
    match = next(filter(None, (_BOUNDARY.search(str(value)) for value in headers)), None)
    if match is None:
        raise ValueError("a part of several parts has no boundary")
    return match[1]
