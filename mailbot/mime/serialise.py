"""A composed message as bytes: ``ComposedPart -> bytes``, what the standard library's generator writes, sooner.

That one parses every header anew. Here nothing is parsed: for messages made by ``compose.py`` alone, whose headers
are whole lines and whose bodies are ASCII.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedPart:
    """A message or a part of one: its headers, and either text or parts with a boundary between them.

    Headers are whole, ``Name: value``; lines, folded ones and those of the text, end in LF.
    """

    headers: tuple[str, ...]
    text: str = ""
    boundary: str = ""
    parts: tuple[ComposedPart, ...] = ()

    def headed_by(self, headers: Iterable[str]) -> Self:
        """The same with these headers before its own."""
        return replace(self, headers=(*headers, *self.headers))


def message_bytes(message: ComposedPart, *, utf8: bool = False) -> bytes:
    """The whole message with CRLF line ends; ``utf8`` lets headers be more than ASCII (RFC 6532).

    Raises ``ValueError`` for headers or bodies that are not ASCII else, and for parts without a boundary.
    """
    return "".join(_pieces(message)).replace("\n", "\r\n").encode("utf-8" if utf8 else "ascii")


def _pieces(part: ComposedPart) -> Iterator[str]:
    for header in part.headers:
        yield f"{header}\n"
    yield "\n"
    yield part.text
    if not part.parts:
        return
    if not part.boundary:
        raise ValueError("a part of several parts has no boundary")
    for number, inner in enumerate(part.parts):
        yield f"--{part.boundary}\n" if number == 0 else f"\n--{part.boundary}\n"
        yield from _pieces(inner)
    yield f"\n--{part.boundary}--\n"
