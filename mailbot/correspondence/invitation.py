"""A visit as an invitation that calendar programs understand: ``(Ticket, LetterDesk) -> str``.

iCalendar (RFC 5545), METHOD:REQUEST (RFC 5546 §3.2.2), to travel as RFC 6047 has it. A visit keeps its UID; a new
time has the next SEQUENCE and replaces the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mailbot.correspondence.planned import LetterDesk
from mailbot.correspondence.words import phrase
from mailbot.domain.ticket import Ticket

_VISIT = timedelta(hours=1)
_LINE_OCTETS = 73
_ATTENDEE = "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE"


def invitation(ticket: Ticket, desk: LetterDesk) -> str:
    """The invitation to the visit that is fixed on ``ticket``, lines ended by CRLF; nothing where none is."""
    if ticket.visit_at is None:
        return ""
    domain = desk.mailbox_address.rpartition("@")[2]
    summary = desk.words.say(phrase("invitation.summary", brand=desk.mailbox.name, title=ticket.title))
    description = desk.words.say(phrase("invitation.description", number=ticket.number))
    lines = (
        "BEGIN:VCALENDAR",
        "PRODID:-//mailbot//visit//PT",
        "VERSION:2.0",
        "CALSCALE:GREGORIAN",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        f"UID:visit-{ticket.number}@{domain}",
        f"SEQUENCE:{ticket.visit_sequence}",
        f"DTSTAMP:{_utc(desk.now)}",
        f"DTSTART:{_utc(ticket.visit_at)}",
        f"DTEND:{_utc(ticket.visit_at + _VISIT)}",
        f"SUMMARY:{_text(summary)}",
        f"DESCRIPTION:{_text(description)}",
        f"ORGANIZER;CN={_parameter(desk.mailbox.name)}:mailto:{desk.mailbox_address}",
        f"{_ATTENDEE}:mailto:{ticket.requester.address}",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return "".join(f"{piece}\r\n" for line in lines for piece in _folded(line))


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    """A TEXT value (§3.3.11): one line, its own signs escaped."""
    line = " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())
    return line.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _parameter(text: str) -> str:
    """A quoted parameter value (§3.2): it cannot hold a double quote."""
    return '"' + "".join(ch for ch in text if ch.isprintable() and ch != '"') + '"'


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 octets, cut between characters (§3.1)."""
    piece, size = "", 0
    for ch in line:
        octets = len(ch.encode("utf-8"))
        if size + octets > _LINE_OCTETS:
            yield piece
            piece, size = " ", 1
        piece += ch
        size += octets
    yield piece
