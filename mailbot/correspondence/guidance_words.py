"""What a ruling says, in words: ``(Ticket, RequestType, Words)`` → the catalogue's sentences with figures in them.

Only what cannot be a stranger's free words is ever put in: units, choices, numbers, dates, numbers of tickets
(``catalogue/rule_checks.py``, THREATS 6).
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal, InvalidOperation

from mailbot.catalogue.places_in_text import filled
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.rule_checks import LINKED_TICKET, SHOWABLE_FIELDS
from mailbot.correspondence.words import Phrase, Words, phrase, ready
from mailbot.domain.evidence import FieldValue
from mailbot.domain.guidance import Ruling, RulingAction
from mailbot.domain.ticket import Ticket

_SAME_UNIT = "same_unit"


def in_words(text: str, ticket: Ticket, kind: RequestType, words: Words) -> str:
    """``text`` of the catalogue with the ticket's values in its places."""
    shown = {field.key for field in kind.fields if field.kind in SHOWABLE_FIELDS}
    values = {value.key: value.value for value in ticket.fields if value.key in shown and _may_be_shown(value)}
    if ticket.ruling is not None:
        values |= {one.name: number for one in ticket.ruling.facts if (number := _number(one.value, words))}
        values |= {one.name: one.value for one in ticket.ruling.facts if _is_house_words(one.name, kind)}
        values[LINKED_TICKET] = ticket.ruling.linked_ticket
    return filled(text, values)


def _is_house_words(name: str, kind: RequestType) -> bool:
    spec = kind.facts.get(name)
    return spec is not None and spec.house_words


def _may_be_shown(value: FieldValue) -> bool:
    # The destination that is the origin, too, is a unit all the same.
    return value.valid or value.reason == _SAME_UNIT


def _number(value: str, words: Words) -> str:
    """A number with at most one decimal, never rounded up: 99.96 is *99,9*. Nothing for what is no number."""
    try:
        number = Decimal(value).quantize(Decimal("0.1"), rounding=ROUND_DOWN)
    except InvalidOperation:
        return ""
    text = str(number).removesuffix(".0")
    return text.replace(".", words.phrases.get("decimal_mark", "."))


def suggestions(ticket: Ticket, kind: RequestType, words: Words) -> tuple[Phrase, ...]:
    """What the rules propose to an agent, and why they did not answer by themselves."""
    ruling = ticket.ruling
    if ruling is None or ruling.action not in (RulingAction.SUGGEST, RulingAction.PERSON):
        return ()
    if ruling.action is RulingAction.PERSON:
        return (phrase("suggestion.undecided", facts=_labels(ruling, kind)),)
    guidance = kind.guidance.get(ruling.guidance)
    named = (phrase("suggestion.guidance", name=guidance.name),) if guidance is not None else ()
    noted = (ready(in_words(ruling.note, ticket, kind, words)),) if ruling.note else ()
    doubted = (phrase("suggestion.doubts", facts=_labels(ruling, kind)),) if ruling.doubts else ()
    return (*named, *noted, *doubted)


def _labels(ruling: Ruling, kind: RequestType) -> str:
    specs = (kind.facts.get(name) for name in ruling.doubts)
    return ", ".join(spec.label for spec in specs if spec is not None and spec.label)
