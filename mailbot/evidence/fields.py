"""New text, filled form, subject and sender of a mail + request type → the fields as the sender states them.

Labelled values first, then the form that was filled in inside of the quote, then sentences (*de Rio Verde para
Jataí*), then the subject, then what the From line says. A unit that is not known exactly or by alias is not valid
and is asked for, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from mailbot.catalogue.field_specs import PERSON_TYPES, FieldKind, FieldSpec
from mailbot.catalogue.folding import fold_words, visible_text
from mailbot.catalogue.places import route_in
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.units import UnitTable
from mailbot.domain.evidence import FieldOrigin, FieldValue
from mailbot.domain.mail import Address
from mailbot.evidence.field_kinds.identity import name_parts
from mailbot.evidence.labels import LONG_TEXT_CHARACTERS, LabelledText, labelled_text
from mailbot.evidence.lines import Lines, lines_of
from mailbot.evidence.prose import letters_in, message_in, name_in, reason_in
from mailbot.evidence.sentences import stated_in_sentences
from mailbot.evidence.topics import topic_in
from mailbot.evidence.values import checked_value

_LONGEST_TEXT = 100_000
_LONGEST_SUBJECT = 2000
_FEWEST_LETTERS = 4
_SAME_UNIT = "same_unit"

_RANK = {
    FieldOrigin.DEFAULT: -1,
    FieldOrigin.HEADER: 0,
    FieldOrigin.RECORD: 1,
    FieldOrigin.SUBJECT: 2,
    FieldOrigin.SENTENCE: 3,
    FieldOrigin.LABEL: 4,
    FieldOrigin.AGENT: 5,
    FieldOrigin.CONSTANT: 6,
}
"""Whose word counts more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailText:
    """What one mail says, ready to be read for one type of request after the other: its visible text, and the
    lines of it and of the form that was filled in inside of the quote."""

    text: str
    lines: Lines
    form: Lines


def mail_text(new_text: str, *, filled_form: str = "") -> MailText:
    """``filled_form`` is the form of our letter as the sender filled it in inside of the quote
    (``filled_form.py``); what stands above the quote counts more. Never raises; of a hostile text at most 100,000
    characters are read."""
    text = visible_text(new_text[:_LONGEST_TEXT])
    form = visible_text(filled_form[:_LONGEST_TEXT])
    return MailText(text=text, lines=lines_of(text), form=lines_of(form))


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What one mail states behind labels in the terms of one request type, and what of its own lines is left."""

    values: Sequence[FieldValue]
    text: LabelledText


def read_labels(request_type: RequestType, words: MailText, units: UnitTable, *, today: date) -> Labelled:
    """``today`` is the office's day when the mail was written. Never raises."""
    reading = _Reading(request_type, units, today)
    text, form = labelled_text(request_type, words.lines), labelled_text(request_type, words.form)
    return Labelled(values=[*reading.labelled(text), *reading.labelled(form)], text=text)


def extract_fields(
    request_type: RequestType,
    words: MailText,
    subject: str,
    sender: Address,
    units: UnitTable,
    *,
    today: date,
    first_mail: bool = True,
    labelled: Labelled | None = None,
) -> tuple[FieldValue, ...]:
    """The fields that one mail states, in the catalogue's order; those it does not state are left out.

    Free prose counts as the reason only in the ``first_mail`` of a ticket. ``today`` is the office's day when the
    mail was written; ``labelled`` is what :func:`read_labels` found, if that was asked before. Never raises.
    """
    reading = _Reading(request_type, units, today)
    labelled = labelled or read_labels(request_type, words, units, today=today)
    seen_subject = visible_text(subject[:_LONGEST_SUBJECT])
    found = [
        *labelled.values,
        *reading.sentences(labelled.text, words.text, first_mail=first_mail),
        *(reading.topics(seen_subject, words.text) if first_mail else ()),
        *reading.route(seen_subject, FieldOrigin.SUBJECT),
        *reading.header(sender),
        *reading.told_by_others(),
    ]
    best = {spec.key: _best(value for value in found if value.key == spec.key) for spec in request_type.fields}
    inferred = _person_type(request_type, best)
    return tuple(
        value for spec in request_type.fields if (value := best[spec.key] or inferred.get(spec.key)) is not None
    )


def labelled_fields(labelled: Labelled) -> tuple[FieldValue, ...]:
    """Of each field that is stated behind labels what :func:`extract_fields` takes if it takes a valid labelled
    value; that alone tells which type a mail asks for."""
    stated = labelled.values
    best = (_best(value for value in stated if value.key == key) for key in {value.key for value in stated})
    return tuple(value for value in best if value is not None)


def merge_fields(old: tuple[FieldValue, ...], new: tuple[FieldValue, ...]) -> tuple[FieldValue, ...]:
    """What is known after another mail: a valid value replaces an older one of at most its own rank.

    An invalid value never replaces a valid one; an agent's word beats a label, a label beats a sentence, a
    sentence the subject, and that the From line. What an unverified mail says changes nothing valid that a
    verified one said (THREATS 12). Order: as before, new keys after.
    """
    merged = {value.key: value for value in old}
    for value in new:
        known = merged.get(value.key)
        if known is None:
            merged[value.key] = replace(value, misunderstood=0 if value.valid else 1)
        elif _replaces(value, known):
            merged[value.key] = _following(value, known)
    return tuple(merged.values())


def with_agents_words(found: tuple[FieldValue, ...], ticket: tuple[FieldValue, ...]) -> tuple[FieldValue, ...]:
    """What mails alone come to, with what agents stated on the ticket whose mails they are: no mail says that."""
    return merge_fields(found, tuple(value for value in ticket if value.origin is FieldOrigin.AGENT))


def _following(value: FieldValue, known: FieldValue) -> FieldValue:
    """``value`` with what is remembered of the one that it replaces: how often the sender was not understood, and
    what they said before where they say something else now."""
    same_refused = known.reason == _SAME_UNIT and value.value == known.value
    if not value.valid or same_refused:
        return replace(value, misunderstood=known.misunderstood + 1)
    contradicts = known.valid and known.value != value.value
    if contradicts and known.origin in _SENDERS_OWN_WORDS and value.origin in _SENDERS_OWN_WORDS:
        return replace(value, earlier=known.value)
    return replace(value, earlier=known.earlier if known.value == value.value else "")


_SENDERS_OWN_WORDS = frozenset({FieldOrigin.LABEL, FieldOrigin.SENTENCE, FieldOrigin.SUBJECT})


def check_places(request_type: RequestType, fields: tuple[FieldValue, ...]) -> tuple[FieldValue, ...]:
    """``fields`` with the destination not valid (``same_unit``) while it is the unit that the origin is, too.

    For a type whose title names two units (R000-18). What was not valid for that reason alone becomes valid
    again as soon as another origin is known.
    """
    of_units = _route_specs(request_type)
    if len(of_units) != 2:
        return fields
    origin, destination = (next((one for one in fields if one.key == spec.key), None) for spec in of_units)
    if origin is None or destination is None or not (destination.valid or destination.reason == _SAME_UNIT):
        return fields
    same = origin.valid and origin.value == destination.value
    misunderstood = max(1, destination.misunderstood) if same else destination.misunderstood
    checked = replace(destination, valid=not same, reason=_SAME_UNIT if same else "", misunderstood=misunderstood)
    return tuple(checked if value is destination else value for value in fields)


def _replaces(value: FieldValue, known: FieldValue) -> bool:
    if value.valid != known.valid:
        return value.valid
    if known.valid and value.unverified and not known.unverified:
        return False
    return _RANK[value.origin] >= _RANK[known.origin]


def _best(values: Iterable[FieldValue]) -> FieldValue | None:
    """The first of the best: valid before invalid, then by origin."""
    return max(values, key=lambda value: (value.valid, _RANK[value.origin]), default=None)


# --- one mail -----------------------------------------------------------------------------------------------


class _Reading:
    """Reads one mail for one request type."""

    def __init__(self, request_type: RequestType, units: UnitTable, today: date) -> None:
        self._type = request_type
        self._units = units
        self._today = today

    @cached_property
    def _read(self) -> tuple[FieldSpec, ...]:
        return tuple([spec for spec in self._type.fields if spec.is_read])

    def labelled(self, labelled: LabelledText) -> list[FieldValue]:
        """What stands behind labels; what may be an ordinary word of a sentence only where it is valid."""
        if not labelled.values:
            return []
        checked = [
            value
            for found in labelled.values
            if found.spec.is_read
            and ((value := self._value(found.spec, found.raw, FieldOrigin.LABEL)).valid or found.sure)
        ]
        contradicted = _contradicted(checked, {found.spec.key: found.spec for found in labelled.values})
        return [value for value in checked if value.key not in contradicted] + list(contradicted.values())

    def sentences(self, labelled: LabelledText, text: str, *, first_mail: bool) -> Iterator[FieldValue]:
        """What is said in running text."""
        yield from self.route(text, FieldOrigin.SENTENCE)
        prose = prose_field(self._type)
        for spec in self._read:
            stated = ""
            if spec.whole_text:
                is_labelled = any(found.spec.key == spec.key for found in labelled.values)
                said = message_in(self._own_lines(labelled)) if first_mail and not is_labelled else ""
                if letters_in(said) >= _FEWEST_LETTERS:
                    # Also where it is too short: the letter then says so (R003-06).
                    yield self._value(spec, said, FieldOrigin.SENTENCE)
                continue
            if spec.kind is FieldKind.TEXT and spec.default == "sender_name":
                stated = name_in(text)
            elif first_mail and spec is prose:
                stated = reason_in(self._type, labelled.other_lines, self._units)
            elif self._is_alone(spec):
                stated = stated_in_sentences(spec, labelled.other_lines)
            if stated and (value := self._value(spec, stated, FieldOrigin.SENTENCE)).valid:
                yield value

    def _own_lines(self, labelled: LabelledText) -> list[str]:
        """Lines without labels, and without what answers who the customer is."""
        needs = self._type.customer
        asked = fold_words(needs.label) if needs is not None else None
        return [line for line in labelled.other_lines if asked is None or not fold_words(line).startswith(asked)]

    def topics(self, subject: str, text: str) -> Iterator[FieldValue]:
        """What the mail is about, for choices that have keywords."""
        for spec in self._read:
            topic = topic_in(spec, subject, text)
            if topic:
                yield FieldValue(key=spec.key, value=topic, origin=FieldOrigin.SENTENCE)

    def _is_alone(self, spec: FieldSpec) -> bool:
        """Whether a value of this kind can only be this field's; a telephone is anybody's way to be reached."""
        same = [one for one in self._read if one.kind is spec.kind]
        return len(same) == 1 or spec.kind in (FieldKind.PHONE, FieldKind.CHOICE, FieldKind.NUMBER)

    def route(self, text: str, origin: FieldOrigin) -> Iterator[FieldValue]:
        """Both places of *de X para Y*, for a type whose title names two of them (R000-18)."""
        of_units = _route_specs(self._type)
        route = route_in(fold_words(text).split(), self._units) if len(of_units) == 2 else None
        if route is not None:
            for spec, unit in zip(of_units, route, strict=True):
                yield FieldValue(key=spec.key, value=unit.name, origin=origin)

    def header(self, sender: Address) -> Iterator[FieldValue]:
        """What the From line says."""
        name = "" if "@" in sender.name else visible_text(sender.name)
        first, last = name_parts(name)
        stated = {
            "sender_address": visible_text(sender.address),
            "sender_name": name,
            "sender_first_name": first,
            "sender_last_name": last,
        }
        for spec in self._read:
            raw = stated[spec.default] if spec.default else ""
            if raw and (value := self._value(spec, raw, FieldOrigin.HEADER)).valid:
                yield value

    def told_by_others(self) -> Iterator[FieldValue]:
        """What is always so, or usually (R001-23, R001-24, R001-27)."""
        for spec in self._type.fields:
            if spec.constant:
                yield FieldValue(key=spec.key, value=spec.constant, origin=FieldOrigin.CONSTANT)
            elif spec.default_value:
                yield FieldValue(key=spec.key, value=spec.default_value, origin=FieldOrigin.DEFAULT)

    def _value(self, spec: FieldSpec, raw: str, origin: FieldOrigin) -> FieldValue:
        return checked_value(spec, raw, self._units, origin, today=self._today)


def _contradicted(checked: list[FieldValue], specs: dict[str, FieldSpec]) -> dict[str, FieldValue]:
    """What is stated twice and differently in one mail where only one answer can be meant: neither is taken, the
    sender is asked."""
    contradicted = {}
    for key, spec in specs.items():
        stated = list(dict.fromkeys(value.value for value in checked if value.key == key and value.valid))
        if spec.kind in _ONE_ANSWER and len(stated) > 1:
            contradicted[key] = FieldValue(
                key=key,
                value=" / ".join(stated[:3]),
                valid=False,
                reason="contradictory",
                origin=FieldOrigin.LABEL,
            )
    return contradicted


_ONE_ANSWER = frozenset(
    {
        FieldKind.UNIT,
        FieldKind.CHOICE,
        FieldKind.PERSON_TYPE,
        FieldKind.YES_NO,
        FieldKind.STATE,
        FieldKind.CPF,
        FieldKind.CNPJ,
        FieldKind.NUMBER,
        FieldKind.MONEY,
        FieldKind.DATE,
        FieldKind.CONTRACT,
    }
)


def prose_field(request_type: RequestType) -> FieldSpec | None:
    """The field that free prose answers: the first long text that must be given."""
    for spec in request_type.fields:
        is_long = spec.kind is FieldKind.TEXT and spec.max_characters >= LONG_TEXT_CHARACTERS
        if is_long and spec.required and spec.is_asked:
            return spec
    return None


def _route_specs(request_type: RequestType) -> list[FieldSpec]:
    """The units that the title names, in its order: where from, where to."""
    specs = [request_type.field(key) for key in request_type.title_fields]
    return [spec for spec in specs if spec is not None and spec.kind is FieldKind.UNIT]


def _person_type(request_type: RequestType, best: dict[str, FieldValue | None]) -> dict[str, FieldValue]:
    """Whether a person or a company writes, by the number that they give (R002-07): a CNPJ is a company's."""
    stated = {key for key, value in best.items() if value is not None and value.valid and value.value}
    given = {spec.kind for spec in request_type.fields if spec.key in stated}
    if not given & {FieldKind.CPF, FieldKind.CNPJ}:
        return {}
    person = PERSON_TYPES[1 if FieldKind.CNPJ in given else 0]
    return {
        spec.key: FieldValue(key=spec.key, value=person, origin=FieldOrigin.SENTENCE)
        for spec in request_type.fields
        if spec.kind is FieldKind.PERSON_TYPE and spec.is_read
    }
