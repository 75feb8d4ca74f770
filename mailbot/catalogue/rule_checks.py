"""Does a request type's table make sense? ``RequestType -> (where, what is wrong)`` for everything that does not.

Every fact, operator, value, guidance, field and document that a row names must exist and fit, so that no mail
ever meets a rule that cannot be answered.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailbot.catalogue.config_files import KeyPath, did_you_mean
from mailbot.catalogue.facts.functions import FactSpec
from mailbot.catalogue.facts.values import FactKind
from mailbot.catalogue.field_specs import FieldKind
from mailbot.catalogue.places_in_text import places_in, stray_brackets
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.rules import ORDERING_OPERATORS, Comparison, Consequence

Complaint = tuple[KeyPath, str]

LINKED_TICKET = "linked_ticket"
"""The place in a guidance for the number of the ticket that was opened beside the request's own."""

SHOWABLE_FIELDS = frozenset(
    {
        FieldKind.UNIT,
        FieldKind.CHOICE,
        FieldKind.YES_NO,
        FieldKind.PERSON_TYPE,
        FieldKind.STATE,
        FieldKind.NUMBER,
        FieldKind.MONEY,
        FieldKind.DATE,
    }
)
"""Fields whose values are never a stranger's free words (THREATS 6)."""


def rule_mistakes(request_type: RequestType) -> Iterator[Complaint]:
    """(path in the file, message) of every mistake in ``facts``, ``guidance`` and ``rules``."""
    yield from _facts(request_type)
    yield from _guidance(request_type)
    yield from _order(request_type)
    for index, rule in enumerate(request_type.rules):
        path: KeyPath = ("rules", index)
        for name, comparison in rule.when.items():
            spec = request_type.facts.get(name)
            if spec is None:
                hint = did_you_mean(name, request_type.facts)
                yield (*path, "when", name), f"no fact {name!r} under facts{hint}"
            else:
                yield from _comparison((*path, "when", name), spec, comparison)
        yield from _consequence((*path, "then"), request_type, rule.then)


def _facts(request_type: RequestType) -> Iterator[Complaint]:
    fields = [field.key for field in request_type.fields]
    units = [field.key for field in request_type.fields if field.kind is FieldKind.UNIT]
    documents = [str(document.key) for document in request_type.documents]
    for name, spec in request_type.facts.items():
        path: KeyPath = ("facts", name)
        between = getattr(spec, "between", None)
        for key in spec.needs:
            if key not in fields:
                yield path, f"no field {key!r}{did_you_mean(key, fields)}"
            elif between is not None and key not in units:
                yield path, f"field {key!r} is no unit"
        document = getattr(spec, "document", None)
        if document is not None and document not in documents:
            yield (*path, "document"), f"no document {str(document)!r}{did_you_mean(document, documents)}"
        stray = set(getattr(spec, "unless", ())) - set(getattr(spec, "phrases", ()))
        for choice in sorted(stray):
            yield (*path, "unless", choice), f"no choice {choice!r}{did_you_mean(choice, spec.choices)}"


# --- guidance ------------------------------------------------------------------------------------------------


def _guidance(request_type: RequestType) -> Iterator[Complaint]:
    known = showable_places(request_type)
    for key, guidance in request_type.guidance.items():
        for part in ("title", "text"):
            yield from _words(("guidance", key, part), getattr(guidance, part), known)
    yield from _words(("resolved_note",), request_type.resolved_note, known)
    for index, rule in enumerate(request_type.rules):
        yield from _words(("rules", index, "then", "note"), rule.then.note, known)


def showable_places(request_type: RequestType) -> tuple[str, ...]:
    """What may stand in braces in words of the request type."""
    fields = [field.key for field in request_type.fields if field.kind in SHOWABLE_FIELDS]
    numbers = [name for name, spec in request_type.facts.items() if spec.kind is FactKind.NUMBER]
    words = [name for name, spec in request_type.facts.items() if spec.house_words]
    return (*dict.fromkeys([*fields, *numbers, *words]), LINKED_TICKET)


def _words(path: KeyPath, text: str, known: tuple[str, ...]) -> Iterator[Complaint]:
    if stray_brackets(text):
        yield path, "a brace or square bracket without its partner"
    for name in places_in(text):
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            yield path, f"nothing to put in the place {{{name}}}{hint}"


# --- rows ----------------------------------------------------------------------------------------------------


def _order(request_type: RequestType) -> Iterator[Complaint]:
    rules = request_type.rules
    if rules and rules[-1].when:
        message = "the last row must catch everything: it has no `when`"
        yield ("rules", len(rules) - 1, "when"), message
    for index, rule in enumerate(rules[:-1]):
        if not rule.when:
            yield ("rules", index), "catches everything, so that the rows after it never apply"


def _comparison(path: KeyPath, spec: FactSpec, comparison: Comparison) -> Iterator[Complaint]:
    for operator, value in comparison.asked:
        if operator == "known":
            continue
        if operator in ORDERING_OPERATORS and spec.kind is not FactKind.NUMBER:
            yield path, f"{operator} compares numbers, and this fact is a {spec.kind}"
        elif operator == "is" and spec.kind is not FactKind.BOOLEAN:
            yield path, f"`is` asks for true or false, and this fact is a {spec.kind}"
        elif operator in ("eq", "ne", "in"):
            for one in value if operator == "in" else (value,):
                yield from _value(path, spec, one)


def _value(path: KeyPath, spec: FactSpec, value: object) -> Iterator[Complaint]:
    if not _is_of(spec.kind, value):
        yield path, f"{value!r} is no {spec.kind}"
    elif spec.kind is FactKind.CHOICE and value not in spec.choices:
        hint = did_you_mean(str(value), spec.choices) or f"; there are {', '.join(spec.choices)}"
        yield path, f"no choice {value!r}{hint}"


def _is_of(kind: FactKind, value: object) -> bool:
    if kind is FactKind.BOOLEAN:
        return isinstance(value, bool)
    if kind is FactKind.NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _consequence(path: KeyPath, request_type: RequestType, then: Consequence) -> Iterator[Complaint]:
    if then.guidance is not None and then.guidance not in request_type.guidance:
        hint = did_you_mean(then.guidance, request_type.guidance)
        yield (*path, "guidance"), f"no guidance {then.guidance!r} under guidance{hint}"
    if then.book is not None and then.book not in request_type.books:
        hint = did_you_mean(then.book, request_type.books)
        yield (*path, "book"), f"no book {then.book!r} under books{hint}"
    fields = [field.key for field in request_type.fields]
    things = [*(str(document.key) for document in request_type.documents), *fields]
    for part, what, known in (("not_needed", "document or field", things), ("also_ask", "field", fields)):
        for index, key in enumerate(getattr(then, part)):
            if key not in known:
                yield (*path, part, index), f"no {what} {key!r}{did_you_mean(key, known)}"
