"""Lines to parts, as the standard library's parser draws them (RFC 2046 §5.1): text in, a root part out.

That parser hands each line through generators nested as deep as its part, asks the patterns of all boundaries
about it, and compiles one for every multipart, which takes longer than the reading. Here the lines that could be
boundaries are found once. In what is malformed too each line comes to the same part, which a test compares.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from email.message import Message
from io import StringIO
from typing import Generic, TypeVar

# A field's first line (its name may be missing), a folded line, or the envelope's line of an mbox.
_HEADER_LINE = re.compile(r"[!-9;-~]*:|[ \t]|From ")

_Part = TypeVar("_Part", bound=Message)


def read_parts(text: str, new_part: Callable[[], _Part]) -> _Part:
    """The root of a mail's parts, each made by ``new_part``; preambles and epilogues are left out.

    A part says by its ``get_content_type`` whether it is descended into, where it is a multipart; every other is a
    leaf with its lines as they are.
    """
    lines = StringIO(text, newline="").readlines()
    return _PartReader(lines, new_part).read(new_part(), 0, len(lines))


class _PartReader(Generic[_Part]):
    def __init__(self, lines: list[str], new_part: Callable[[], _Part]) -> None:
        self._lines = lines
        self._new_part = new_part
        self._dashed = [number for number, line in enumerate(lines) if line.startswith("--")]

    def read(self, part: _Part, start: int, stop: int, *, in_multipart: bool = False) -> _Part:
        """Fill ``part`` with the lines from ``start`` on, header first."""
        body = self._read_header(part, start, stop)
        if part.get_content_maintype() == "multipart":
            self._read_multipart(part, body, stop)
        else:
            text = "".join(self._lines[body:stop])
            # The line end before a boundary belongs to the boundary.
            part.set_payload(_without_line_end(text) if in_multipart else text)
        return part

    def _read_header(self, part: _Part, start: int, stop: int) -> int:
        """Read the header's fields; the number of the body's first line."""
        lines = self._lines
        end = start
        while end < stop and _HEADER_LINE.match(lines[end]):
            end += 1
        # What is no blank line belongs to the body.
        body = end + 1 if end < stop and lines[end][0] in "\r\n" else end
        field: list[str] = []
        for number in range(start, end):
            line = lines[number]
            if line[0] in " \t":
                # What continues no field is dropped.
                field += [line] if field else []
                continue
            _store(part, field)
            field = []
            if not line.startswith("From "):
                field = [line] if line[0] != ":" else []
            elif number > start and number == end - 1:
                # It is taken for the body's first line, and stands where the blank line was.
                lines[body - 1] = line
                return body - 1
        _store(part, field)
        return body

    def _marks(self, separator: str, start: int, stop: int) -> list[tuple[int, bool]]:
        """The numbers of the lines that are a boundary, and whether each says that it is the last."""
        found: list[tuple[int, bool]] = []
        for number in self._dashed[bisect_left(self._dashed, start) : bisect_left(self._dashed, stop)]:
            line = self._lines[number]
            if line.startswith(separator):
                ending = line[len(separator) :].rstrip(" \t\r\n")
                found += [(number, ending == "--")] if ending in {"", "--"} else []
        return found

    def _read_multipart(self, part: _Part, body: int, stop: int) -> None:
        boundary = part.get_boundary()
        marks = [] if boundary is None else self._marks(f"--{boundary}", body, stop)
        if not marks or marks[0][1]:
            part.set_payload("".join(self._lines[body : marks[0][0] if marks else stop]))
            return
        place = 0
        while place < len(marks) and not marks[place][1]:
            start = marks[place][0] + 1
            place += 1
            # Boundaries without a line between them count as one.
            while place < len(marks) and marks[place][0] == start:
                start += 1
                place += 1
            self._read_child(part, start, marks[place][0] if place < len(marks) else stop)

    def _read_child(self, part: _Part, start: int, stop: int) -> None:
        child = self._new_part()
        if part.get_content_type() == "multipart/digest":
            child.set_default_type("message/rfc822")
        part.attach(child)
        self.read(child, start, stop, in_multipart=True)


def _store(part: Message, field: Sequence[str]) -> None:
    if field:
        name, _, value = "".join(field).partition(":")
        part.set_raw(name, value.lstrip(" \t").rstrip("\r\n"))


def _without_line_end(text: str) -> str:
    return text[:-2] if text.endswith("\r\n") else text[:-1] if text.endswith(("\r", "\n")) else text
