"""The fields of a request type: how a value is recognised, asked for and checked."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from mailbot.catalogue.entries import Entry, Flag, Key, Text
from mailbot.catalogue.folding import fold_words


class FieldKind(StrEnum):
    """How a field's value is recognised and checked; one small function each in ``evidence/field_kinds/``."""

    TEXT = "text"
    CPF = "cpf"
    CNPJ = "cnpj"
    PHONE = "phone"
    EMAIL = "email"
    UNIT = "unit"
    CHOICE = "choice"
    NUMBER = "number"
    DATE = "date"
    MONEY = "money"
    YES_NO = "yes_no"
    TIME_WINDOWS = "time_windows"
    CONTRACT = "contract"
    SERIALS = "serials"
    ADDRESS = "address"
    STATE = "state"
    PERSON_TYPE = "person_type"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"


PERSON_TYPES = ("Pessoa física", "Pessoa jurídica")
YES, NO = "sim", "não"

_ANSWERS: dict[FieldKind, tuple[str, ...]] = {FieldKind.PERSON_TYPE: PERSON_TYPES, FieldKind.YES_NO: (YES, NO)}
_AMOUNTS = frozenset({FieldKind.NUMBER, FieldKind.MONEY, FieldKind.SERIALS})


class Choice(Entry):
    """One of several answers. ``name`` is what is kept and shown, ``synonyms`` mean the same, and so do ``en`` and
    ``es``, which are shown to customers of these languages.

    ``keywords`` tell the answer by what a mail is about, where nobody states it; ``queue`` is the department that
    works on requests with this answer, where it is not the type's own (R003-05).
    """

    name: Text
    synonyms: tuple[Text, ...] = ()
    keywords: tuple[Text, ...] = ()
    queue: Key | None = None
    en: str = ""
    es: str = ""

    @cached_property
    def all_names(self) -> tuple[str, ...]:
        """Name and synonyms in all languages, folded, without doubles."""
        names = (self.name, *self.synonyms, self.en, self.es)
        return tuple(dict.fromkeys(fold_words(name) for name in names if name))

    def in_language(self, language: str) -> Choice:
        """The answer as customers of ``language`` read it; what is kept of it is one of its synonyms then."""
        shown = {"en": self.en, "es": self.es}.get(language) or self.name
        return Choice(name=shown, synonyms=(self.name, *self.synonyms), keywords=self.keywords, queue=self.queue)


def _choice(value: object) -> object:
    """A choice without synonyms may stand there as its name alone."""
    return {"name": value} if isinstance(value, str) else value


def _listed(value: object) -> object:
    """One value may stand there without a list around it."""
    return (value,) if isinstance(value, str) else value


class RequiredWhen(Entry):
    """A field is required while another one has one of these values (R002-09)."""

    field: Key
    equals: Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(min_length=1)]

    def holds(self, value: str) -> bool:
        """Whether ``value`` of the other field makes this one required."""
        return fold_words(value) in {fold_words(one) for one in self.equals}


class ToldAnswer(Entry):
    """An answer and the phrases that mean it."""

    answer: Text
    phrases: Annotated[tuple[Text, ...], Field(min_length=1)]


class ToldBy(Entry):
    """A field that is told by phrases in another one: for each answer the phrases that mean it (R001-05)."""

    field: Key
    answers: Annotated[tuple[ToldAnswer, ...], Field(min_length=1)]


class FieldSpec(Entry):
    """A field of the request.

    ``labels`` are further names that senders write before the value; ``label`` itself always counts.
    ``default`` fills an absent field from the mail's From, ``default_value`` with what is usual. ``minimum`` and
    ``maximum`` bound a number, an amount of money or how many serial numbers there are; ``day`` says on which side
    of today a date must lie; ``counted`` are words for what a number counts (*somos 6 máquinas*).
    ``required_when`` makes a field required while another one says so; of a ``one_of`` group one is enough
    (R002-09). ``services``: the answer is one of the known customer's services (R004-04). ``whole_text``: what the
    first mail says besides its labelled lines, the request itself included (R004-07).
    What is ``never_ask`` is filled in by people of the house where the sender does not state it, ``constant`` is
    always the same, and what is ``forbidden`` is never taken from a sender's mail (R001-06, R001-23 … R001-30);
    none of these is ever asked for. What ``stays_empty`` is filled by nobody, not even by agents
    (R001-06, R001-30).
    ``confirms`` are fields that are shown with the question, to be confirmed by its answer (R001-09).
    ``told_by`` fills a field from what another one says, as long as nobody of the house says otherwise.
    What is ``staff_only`` no letter shows to a requester.
    """

    key: Key
    kind: FieldKind = FieldKind.TEXT
    label: Text
    question: str = Field(default="", max_length=2000)
    labels: tuple[Text, ...] = ()
    required: Flag = True
    required_when: RequiredWhen | None = None
    one_of: Key | None = None
    default: Literal["sender_address", "sender_name", "sender_first_name", "sender_last_name"] | None = None
    default_value: str = ""
    constant: str = ""
    services: Flag = False
    whole_text: Flag = False
    never_ask: Flag = False
    forbidden: Flag = False
    stays_empty: Flag = False
    staff_only: Flag = False
    told_by: ToldBy | None = None
    confirms: tuple[Key, ...] = ()
    choices: tuple[Annotated[Choice, BeforeValidator(_choice)], ...] = ()
    minimum: Annotated[float, Field(allow_inf_nan=False)] | None = None
    maximum: Annotated[float, Field(allow_inf_nan=False)] | None = None
    day: Literal["any", "past", "today_or_past", "future", "today_or_future"] = "any"
    counted: tuple[Text, ...] = ()
    min_characters: Annotated[int, Field(ge=1, le=2000)] | None = None
    max_characters: Annotated[int, Field(ge=1, le=20_000)] = 2000

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        problems = [*self._ill_fitting(), *self._unanswerable(), *self._self_contradicting()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _ill_fitting(self) -> list[str]:
        """Options of another kind."""
        problems = []
        if (self.kind is FieldKind.CHOICE) != bool(self.choices):
            problems.append("choices belong to kind: choice, and to it alone")
        if (self.minimum is not None or self.maximum is not None) and self.kind not in _AMOUNTS:
            problems.append("minimum and maximum belong to kind: number, money or serials")
        if self.counted and self.kind is not FieldKind.NUMBER:
            problems.append("counted belongs to kind: number")
        if self.day != "any" and self.kind is not FieldKind.DATE:
            problems.append("day belongs to kind: date")
        if self.min_characters is not None and self.kind is not FieldKind.TEXT:
            problems.append("min_characters belongs to kind: text")
        if self.services and self.kind is not FieldKind.TEXT:
            problems.append("services belongs to kind: text")
        if self.whole_text and self.kind is not FieldKind.TEXT:
            problems.append("whole_text belongs to kind: text")
        return problems

    def _unanswerable(self) -> list[str]:
        """What nobody could answer, or answer in one way."""
        problems = []
        names = [name for choice in self.choices for name in choice.all_names]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            problems.append(f"choices share the name {twice[0]!r}")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            problems.append("minimum is more than maximum")
        if self.min_characters is not None and self.min_characters > self.max_characters:
            problems.append("min_characters is more than max_characters")
        if self.is_asked and not self.question:
            problems.append("question is missing: the field is asked for in letters")
        usual = self.default_value or self.constant
        if usual and self.answers and fold_words(usual) not in {fold_words(answer) for answer in self.answers}:
            problems.append(f"{usual!r} is none of the answers: {', '.join(self.answers)}")
        return problems

    def _self_contradicting(self) -> list[str]:
        problems = []
        if self.constant and (self.default or self.default_value):
            problems.append("constant needs no default")
        if self.stays_empty and (self.constant or self.default or self.default_value or self.told_by):
            problems.append("stays_empty: it has no value, whatever else stands here")
        if self.forbidden and self.default:
            problems.append("forbidden: it is never filled from a mail, so default has no meaning")
        if self.required_when is not None and self.required_when.field == self.key:
            problems.append("required_when names the field itself")
        return problems

    @property
    def is_asked(self) -> bool:
        """Whether a letter may ever ask the sender for it."""
        return not (self.never_ask or self.forbidden or self.constant or self.stays_empty or self.told_by)

    @cached_property
    def is_read(self) -> bool:
        """Whether a sender's mail may fill it."""
        return not (self.forbidden or self.constant or self.stays_empty or self.told_by)

    @property
    def answers(self) -> tuple[str, ...]:
        """All answers that there are, as they are kept; empty where there are many."""
        return tuple(choice.name for choice in self.choices) or _ANSWERS.get(self.kind, ())

    @cached_property
    def all_labels(self) -> tuple[str, ...]:
        """Label and synonyms, folded, without doubles."""
        return tuple(dict.fromkeys(fold_words(label) for label in (self.label, *self.labels)))

    def lies_right(self, day: date, today: date) -> bool:
        """Whether a date lies on the side of ``today`` that ``day`` asks for."""
        return {
            "any": True,
            "past": day < today,
            "today_or_past": day <= today,
            "future": day > today,
            "today_or_future": day >= today,
        }[self.day]


def problems_among(fields: tuple[FieldSpec, ...]) -> list[str]:
    """What is wrong between the fields of one request type: conditions on no field or on no answer of it, groups
    of one."""
    return [*_bad_conditions(fields), *_lone_members(fields), *_told_by_none(fields), *_confirms_none(fields)]


def _told_by_none(fields: tuple[FieldSpec, ...]) -> list[str]:
    keys = {spec.key for spec in fields}
    return [
        f"{spec.key}: told_by names no field {spec.told_by.field!r}"
        for spec in fields
        if spec.told_by is not None and spec.told_by.field not in keys - {spec.key}
    ]


def _confirms_none(fields: tuple[FieldSpec, ...]) -> list[str]:
    keys = {spec.key for spec in fields}
    return [
        f"{spec.key}: confirms names no field {key!r}"
        for spec in fields
        for key in spec.confirms
        if key not in keys
    ]


def _bad_conditions(fields: tuple[FieldSpec, ...]) -> list[str]:
    by_key = {spec.key: spec for spec in fields}
    problems = []
    for spec in fields:
        condition = spec.required_when
        if condition is None:
            continue
        other = by_key.get(condition.field)
        if other is None:
            problems.append(f"{spec.key}: required_when names no field {condition.field!r}")
            continue
        known = {fold_words(answer) for answer in other.answers}
        problems.extend(
            f"{spec.key}: required_when: {value!r} is no answer of {other.key}: {', '.join(other.answers)}"
            for value in condition.equals
            if known and fold_words(value) not in known
        )
    return problems


def _lone_members(fields: tuple[FieldSpec, ...]) -> list[str]:
    groups = [spec.one_of for spec in fields if spec.one_of]
    return [
        f"one_of: {group!r} has one member only" for group in dict.fromkeys(groups) if groups.count(group) == 1
    ]
