"""How urgent a request is: ``(RequestType, what was asked, what was written) -> Urgency``. Pure.

Who may say so is the type's (REQUIREMENTS *Priority*): nobody (``automatic``, R001-26), the requester (R002-17),
or the requester with a cause, where all else is medium (``default_medium``, R004-05, R004-06).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.evidence import FieldOrigin, FieldValue
from mailbot.domain.ticket import Priority

PRIORITY_KEY = "priority"
_NAMES = {
    "alta": Priority.HIGH,
    "urgente": Priority.HIGH,
    "high": Priority.HIGH,
    "media": Priority.MEDIUM,
    "normal": Priority.MEDIUM,
    "medium": Priority.MEDIUM,
    "baixa": Priority.LOW,
    "baja": Priority.LOW,
    "low": Priority.LOW,
    "1": Priority.HIGH,
    "2": Priority.MEDIUM,
    "3": Priority.LOW,
}
_LINE = re.compile(
    r"^[ \t*•-]{0,8}(?:prioridade|prioridad|priority)[ \t]{0,8}[:=-][ \t]{0,8}([^\n]{1,40})$",
    re.IGNORECASE | re.MULTILINE,
)
_READ_AT_MOST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Urgency:
    """The priority that a ticket gets, and the one that was asked for or proposed and needs an agent's look."""

    priority: Priority
    asked: Priority | None = None


def urgency_of(kind: RequestType, fields: Iterable[FieldValue], text: str) -> Urgency:
    """``fields`` are those of the request, ``text`` what was newly written, subject included."""
    urgent = _speaks_of_urgency(kind, text)
    if kind.priority == "automatic":
        return Urgency(priority=Priority.HIGH if urgent else Priority.MEDIUM)
    asked = _asked(fields, text)
    if kind.priority == "requester":
        proposed = Priority.HIGH if urgent and asked is None else None
        return Urgency(priority=asked or Priority.MEDIUM, asked=proposed)
    if asked is Priority.HIGH or (urgent and asked is None):
        sure = urgent and asked is Priority.HIGH
        return Urgency(priority=Priority.HIGH) if sure else Urgency(priority=Priority.MEDIUM, asked=Priority.HIGH)
    return Urgency(priority=asked or Priority.MEDIUM)


def _asked(fields: Iterable[FieldValue], text: str) -> Priority | None:
    stated = next((one.value for one in fields if one.key == PRIORITY_KEY and is_said(one)), "")
    match = _LINE.search(text[:_READ_AT_MOST])
    return _named(stated) or (_named(match[1]) if match else None)


def is_said(field: FieldValue) -> bool:
    """Whether somebody stated the field's value, and it was understood: what is usual nobody has asked for."""
    return field.valid and field.origin not in (FieldOrigin.DEFAULT, FieldOrigin.CONSTANT)


def _named(said: str) -> Priority | None:
    """``Alta``, ``1 - Alta``, ``high``; nothing where several are named, as in a form that is not filled in."""
    found = {_NAMES[word] for word in fold_words(said).split() if word in _NAMES}
    return found.pop() if len(found) == 1 else None


def _speaks_of_urgency(kind: RequestType, text: str) -> bool:
    if not kind.urgent_words:
        return False
    said = f" {fold_words(text[:_READ_AT_MOST])} "
    return any(f" {fold_words(words)} " in said for words in kind.urgent_words)
