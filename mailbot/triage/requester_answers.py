"""What a requester answers to a visit or to a question for approval: ``(InboundMail, Ticket) -> answer``. Pure.

A calendar program answers an invitation with an iCalendar object, METHOD:REPLY (RFC 5546 §3.2.3), in which the UID
is the visit's, SEQUENCE tells which time it is about and PARTSTAT what they say. An approval is one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailbot.catalogue.folding import fold_words
from mailbot.domain.events import RequesterAnswer
from mailbot.domain.mail import InboundMail
from mailbot.domain.ticket import Status, Ticket

_LARGEST_CALENDAR = 65_536
_MOST_CALENDARS = 3
_CALENDAR_TYPES = ("text/calendar", "application/ics")
_UID = re.compile(r"visit-(\d{4}-\d{6,9})@\S{1,255}", re.IGNORECASE)
_SAID = {
    "ACCEPTED": RequesterAnswer.VISIT_ACCEPTED,
    "DECLINED": RequesterAnswer.VISIT_DECLINED,
    "TENTATIVE": RequesterAnswer.VISIT_TENTATIVE,
}
_APPROVES = frozenset(
    (
        "aprovo",
        "aprovado",
        "aprovada",
        "esta aprovado",
        "sim aprovo",
        "sim aprovado",
        "de acordo",
        "estou de acordo",
        *("approve", "approved", "i approve", "yes i approve", "i agree", "agreed"),
        *("apruebo", "si apruebo", "estoy de acuerdo", "de acuerdo"),
    )
)
_APPROVES_NOT = frozenset(
    (
        *("nao aprovo", "nao aprovado", "nao aprovada", "reprovo", "reprovado"),
        *("nao estou de acordo", "nao concordo"),
        *("not approve", "not approved", "i do not approve", "do not approve", "i do not agree"),
        *("no apruebo", "no aprobado", "no aprobada", "no estoy de acuerdo"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitReply:
    """A calendar program's answer: the number in the UID, the SEQUENCE that it is about, and what it says."""

    number: str
    sequence: int
    answer: RequesterAnswer


def visit_reply(mail: InboundMail) -> VisitReply | None:
    """The answer to our invitation that the mail carries. Reads 64 kB of three parts at most; never raises."""
    parts = (one for one in mail.attachments if one.declared_type in _CALENDAR_TYPES)
    for part, _ in zip(parts, range(_MOST_CALENDARS), strict=False):
        reply = _read(part.content[:_LARGEST_CALENDAR].decode("utf-8", "replace"))
        if reply is not None:
            return reply
    return None


def _read(calendar: str) -> VisitReply | None:
    properties: dict[str, str] = {}
    answers = []
    for name, parameters, value in _properties(calendar):
        properties.setdefault(name, value)
        if name == "ATTENDEE":
            answers.append(_partstat(parameters))
    uid = _UID.fullmatch(properties.get("UID", "").strip())
    said = _SAID.get(answers[0]) if len(answers) == 1 else None
    if properties.get("METHOD", "").strip().upper() != "REPLY" or uid is None or said is None:
        return None
    sequence = properties.get("SEQUENCE", "0").strip()
    if not (sequence.isascii() and sequence.isdigit() and len(sequence) <= 6):
        return None
    return VisitReply(number=uid[1], sequence=int(sequence), answer=said)


def _properties(calendar: str) -> Iterator[tuple[str, str, str]]:
    """Name, parameters and value of each line, folded ones put together (RFC 5545 §3.1)."""
    for line in re.sub(r"\r?\n[ \t]", "", calendar).splitlines():
        head, colon, value = _split(line)
        if colon:
            name, _, parameters = head.partition(";")
            yield name.strip().upper(), parameters, value


def _split(line: str) -> tuple[str, str, str]:
    """At the first colon outside of quotes: a parameter may hold one (§3.2)."""
    quoted = False
    for at, ch in enumerate(line):
        if ch == '"':
            quoted = not quoted
        elif ch == ":" and not quoted:
            return line[:at], ":", line[at + 1 :]
    return line, "", ""


def _partstat(parameters: str) -> str:
    named = (one.partition("=") for one in re.sub(r'"[^"]*"', "", parameters).split(";"))
    return next((value.strip().upper() for name, _, value in named if name.strip().upper() == "PARTSTAT"), "")


def requester_answer(mail: InboundMail, ticket: Ticket) -> RequesterAnswer | None:
    """What the mail answers on this ticket; an answer to another time than the one that is fixed is none."""
    reply = visit_reply(mail)
    if reply is not None:
        is_current = reply.number == ticket.number and reply.sequence == ticket.visit_sequence
        return reply.answer if is_current and ticket.status is Status.VISIT_SCHEDULED else None
    return _approval(mail.new_text) if ticket.status is Status.AWAITING_APPROVAL else None


def _approval(text: str) -> RequesterAnswer | None:
    first = fold_words(text.strip().partition("\n")[0][:200])
    if first in _APPROVES:
        return RequesterAnswer.APPROVED
    return RequesterAnswer.NOT_APPROVED if first in _APPROVES_NOT else None
