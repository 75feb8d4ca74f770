"""The customer's mail within one that an agent forwards: ``(text) -> ForwardedPart | None``.

Mail programs write the head of a forwarded mail in many ways (DOMAIN C.7): under a heading or a rule or none, in
bold, with blanks before the colon, an empty line between the lines, long values on a second line. What all have is
a sender, and two of subject, date and recipient, close together.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from mailbot.catalogue.folding import visible_text
from mailbot.domain.mail import Address
from mailbot.triage.as_typed import ADDRESS, without_prefix

_LONGEST_TEXT = 100_000
_MOST_BLOCKS = 20
_HEAD_LINES_AT_MOST = 30
_LINE_CHARACTERS = 1000

_NAMES = {
    "de": "from",
    "from": "from",
    "remetente": "from",
    "assunto": "subject",
    "subject": "subject",
    "data": "date",
    "date": "date",
    "enviado": "date",
    "enviada": "date",
    "enviado em": "date",
    "enviada em": "date",
    "sent": "date",
    "para": "to",
    "to": "to",
    "cc": "cc",
    "responder a": "reply",
    "responder para": "reply",
    "reply-to": "reply",
}
_LABEL = re.compile(
    r"[\s>*_]*(" + "|".join(sorted(_NAMES, key=len, reverse=True)) + r")[\s*_]*:[\s*_]*(.*)", re.IGNORECASE
)
_ADDRESS = re.compile(ADDRESS, re.IGNORECASE | re.ASCII)
_QUOTE_MARK = re.compile(r"(?m)^(?:> ?)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardedPart:
    """Who wrote the forwarded mail, under which subject, and what."""

    sender: Address
    subject: str
    text: str = field(repr=False)


def forwarded_part(text: str, *, nobody_of: Collection[str] = ()) -> ForwardedPart | None:
    """The first forwarded mail in ``text`` that is by none of the addresses ``nobody_of`` (staff forward what
    colleagues forwarded to them); ``None`` where there is none. Never raises; linear in the text's length."""
    lines = visible_text(text[:_LONGEST_TEXT]).split("\n")
    for start, end, head in _heads(lines):
        address = _address_in(head["from"])
        if address is not None and address.address not in nobody_of:
            body = (
                _QUOTE_MARK.sub("", "\n".join(lines[end:]))
                if lines[start].startswith(">")
                else "\n".join(lines[end:])
            )
            return ForwardedPart(
                sender=address,
                subject=without_prefix(head.get("subject", ""))[:300],
                text=body.strip(),
            )
    return None


def _heads(lines: list[str]) -> Iterator[tuple[int, int, dict[str, str]]]:
    """(first line, line after, values) of each block of header lines."""
    at, found = 0, 0
    while at < len(lines) and found < _MOST_BLOCKS:
        if _LABEL.fullmatch(lines[at][:_LINE_CHARACTERS]) is None:
            at += 1
            continue
        end, head = _head_at(lines, at)
        if "from" in head and len(head.keys() & {"subject", "date", "to"}) >= 2:
            found += 1
            yield at, end, head
            at = end
        else:
            at += 1


def _head_at(lines: list[str], start: int) -> tuple[int, dict[str, str]]:
    head: dict[str, str] = {}
    last, end = "", start
    for at in range(start, min(len(lines), start + _HEAD_LINES_AT_MOST)):
        line = lines[at][:_LINE_CHARACTERS]
        match = _LABEL.fullmatch(line)
        if match is not None and _NAMES[match[1].lower()] not in head:
            last = _NAMES[match[1].lower()]
            head[last] = match[2].strip().rstrip("*_ ")
        elif match is None and not line.strip(" >*_\t") and at == end and _goes_on(lines, at):
            pass
        elif match is None and last and at == end and _continues(line, last, head):
            head[last] = f"{head[last]} {line.strip()}"
        else:
            break
        end = at + 1
    return end, head


def _goes_on(lines: list[str], at: int) -> bool:
    """Whether the next line that is not empty is one of the head: some programs write an empty line between."""
    following = next((line for line in lines[at + 1 : at + 3] if line.strip(" >\t")), "")
    return _LABEL.fullmatch(following[:_LINE_CHARACTERS]) is not None


def _continues(line: str, last: str, head: dict[str, str]) -> bool:
    """Whether a line is the rest of a long value: an address that was due, or further recipients."""
    if not line.strip(" >\t"):
        return False
    if last == "from":
        return _address_in(head["from"]) is None and _address_in(line) is not None
    return last in ("to", "cc") and _address_in(line) is not None


def _address_in(value: str) -> Address | None:
    match = _ADDRESS.search(value)
    if match is None:
        return None
    name = value[: match.start()].replace("mailto:", "").strip(" \t\"'<>[](){}*_")
    return Address(address=match.group().lower(), name=name[:120])
