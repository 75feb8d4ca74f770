"""The functions that a request type's ``facts:`` may name: ``(FactSources) -> Fact``, one class each.

A class is the YAML of one fact (``from`` names it) together with its small function. It states of which kind the
fact is, and by which fields it could become known (``needs``): where it is unknown these are asked for.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal, Union, get_args

from pydantic import Field

from mailbot.catalogue.entries import Key, Text
from mailbot.catalogue.facts.distance import straight_km
from mailbot.catalogue.facts.fact_function import FactFunction as _FactSpec
from mailbot.catalogue.facts.of_clients import (
    AllStated,
    ClientIs,
    ClientManager,
    EquipmentCounted,
    SameState,
    UnderWarranty,
)
from mailbot.catalogue.facts.phrases import Spotted, clauses_of, spot
from mailbot.catalogue.facts.values import Fact, FactKind, FactSources, KnownFact, said_yes_or_no
from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.units import Unit
from mailbot.domain.customer import Company, Customer
from mailbot.domain.evidence import DocumentKind, Finding, Verdict
from mailbot.domain.identification import IdentityState, TicketCustomer

# --- from fields ---------------------------------------------------------------------------------------------


class FieldNumber(_FactSpec):
    """The number that a field holds."""

    kind = FactKind.NUMBER
    source: Literal["field_number"] = Field(alias="from")
    field: Key

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.field,)

    def compute(self, sources: FactSources) -> Fact:
        try:
            number = Decimal(sources.text(self.field).replace(",", "."))
        except InvalidOperation:
            return None
        return KnownFact(value=number, certain=sources.is_certain(self.field)) if number.is_finite() else None


class FieldText(_FactSpec):
    """What a field holds, compared as a whole without regard to accents and case."""

    kind = FactKind.TEXT
    source: Literal["field_text"] = Field(alias="from")
    field: Key

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.field,)

    def compute(self, sources: FactSources) -> Fact:
        text = sources.text(self.field)
        return KnownFact(value=text, certain=sources.is_certain(self.field)) if text else None


class FieldYesNo(_FactSpec):
    """Whether a field says yes; any other word than yes and no leaves it unknown."""

    kind = FactKind.BOOLEAN
    source: Literal["field_yes_no"] = Field(alias="from")
    field: Key

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.field,)

    def compute(self, sources: FactSources) -> Fact:
        said = said_yes_or_no(sources.text(self.field))
        return None if said is None else KnownFact(value=said, certain=sources.is_certain(self.field))


class FieldInList(_FactSpec):
    """Whether a field's value is one of ``values``, without regard to accents and case."""

    kind = FactKind.BOOLEAN
    source: Literal["field_in_list"] = Field(alias="from")
    field: Key
    values: Annotated[tuple[Text, ...], Field(min_length=1)]

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.field,)

    def compute(self, sources: FactSources) -> Fact:
        text = sources.text(self.field)
        if not text:
            return None
        listed = {fold_words(value) for value in self.values}
        return KnownFact(value=fold_words(text) in listed, certain=sources.is_certain(self.field))


class FieldsEqual(_FactSpec):
    """Whether two fields say the same, without regard to accents and case."""

    kind = FactKind.BOOLEAN
    source: Literal["fields_equal"] = Field(alias="from")
    fields_: Annotated[tuple[Key, Key], Field(alias="fields")]

    @property
    def needs(self) -> tuple[str, ...]:
        return self.fields_

    def compute(self, sources: FactSources) -> Fact:
        one, other = (fold_words(sources.text(key)) for key in self.fields_)
        if not one or not other:
            return None
        return KnownFact(value=one == other, certain=all(sources.is_certain(key) for key in self.fields_))


class ItemsListed(_FactSpec):
    """How many things a field lists, one a line or parted by commas, semicolons, slashes or *e*."""

    kind = FactKind.NUMBER
    source: Literal["items_listed"] = Field(alias="from")
    field: Key

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.field,)

    def compute(self, sources: FactSources) -> Fact:
        text = sources.text(self.field)
        for mark in (",", ";", "/", " e "):
            text = text.replace(mark, "\n")
        items = {fold_words(item) for item in text.splitlines()} - {""}
        return KnownFact(value=Decimal(len(items)), certain=sources.is_certain(self.field)) if items else None


class DaysUntil(_FactSpec):
    """Days from today to the date in a field; negative for a day that is over."""

    kind = FactKind.NUMBER
    source: Literal["days_until"] = Field(alias="from")
    field: Key

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.field,)

    def compute(self, sources: FactSources) -> Fact:
        try:
            day = date.fromisoformat(sources.text(self.field))
        except ValueError:
            return None
        return KnownFact(value=Decimal((day - sources.today).days), certain=sources.is_certain(self.field))


class Phrases(_FactSpec):
    """Which of several things somebody says in a field, told by phrases; ``otherwise`` where it is none of them.

    A phrase counts with articles and auxiliary verbs between its words. One that is denied does not count, one
    behind *se* or *talvez*, in a question, beside a phrase of ``unless`` or beside another of ``phrases`` does,
    without being certain. Unknown only where the field is empty.
    """

    kind = FactKind.CHOICE
    source: Literal["phrases"] = Field(alias="from")
    field: Key
    phrases: Annotated[Mapping[Key, tuple[Text, ...]], Field(min_length=1)]
    unless: Mapping[Key, tuple[Text, ...]] = Field(default_factory=dict)
    otherwise: Key = "other"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.field,)

    @property
    def choices(self) -> tuple[str, ...]:
        return (*self.phrases, self.otherwise)

    def compute(self, sources: FactSources) -> Fact:
        text = sources.text(self.field)
        if not text:
            return None
        clauses = clauses_of(text)
        found = {choice: spot(clauses, phrases) for choice, phrases in self.phrases.items()}
        said = [choice for choice, spotted in found.items() if spotted in (Spotted.SAID, Spotted.PERHAPS)]
        if not said:
            denied = Spotted.DENIED in found.values()
            return KnownFact(value=self.otherwise, certain=not denied)
        plain = len(said) == 1 and found[said[0]] is Spotted.SAID
        contradicted = spot(clauses, self.unless.get(said[0], ())) in (Spotted.SAID, Spotted.PERHAPS)
        return KnownFact(value=said[0], certain=plain and not contradicted)


# --- from units ----------------------------------------------------------------------------------------------


class _OfTwoUnits(_FactSpec):
    between: tuple[Key, Key]

    @property
    def needs(self) -> tuple[str, ...]:
        return self.between

    def compute(self, sources: FactSources) -> Fact:
        one, other = (sources.unit(key) for key in self.between)
        if one is None or other is None:
            return None
        return self._of(one, other, sources)

    @abstractmethod
    def _of(self, one: Unit, other: Unit, sources: FactSources) -> Fact: ...


class DistanceKm(_OfTwoUnits):
    """Kilometres between two units: by road where ``units.yaml`` states it, else in a straight line, which is
    never longer than the road (R000-03)."""

    kind = FactKind.NUMBER
    source: Literal["distance_km"] = Field(alias="from")

    def _of(self, one: Unit, other: Unit, sources: FactSources) -> Fact:
        by_road = sources.units.road_km(one, other)
        km = straight_km(one, other) if by_road is None else by_road
        # Never rounded up: 99.96 is below 100.
        return KnownFact(value=Decimal(str(km)) if by_road is not None else Decimal(f"{km:.3f}"))


class DistanceByRoad(_OfTwoUnits):
    """Whether the distance between two units is the road's own, as ``units.yaml`` states it."""

    kind = FactKind.BOOLEAN
    source: Literal["distance_by_road"] = Field(alias="from")

    def _of(self, one: Unit, other: Unit, sources: FactSources) -> Fact:
        return KnownFact(value=sources.units.road_km(one, other) is not None)


class SameCity(_OfTwoUnits):
    """Whether two units are in one city."""

    kind = FactKind.BOOLEAN
    source: Literal["same_city"] = Field(alias="from")

    def _of(self, one: Unit, other: Unit, sources: FactSources) -> Fact:
        del sources
        return KnownFact(value=fold_words(one.city) == fold_words(other.city))


class BothInCities(_OfTwoUnits):
    """Whether two units are both in ``cities``: in one of them, or in two of them (R000-04)."""

    kind = FactKind.BOOLEAN
    source: Literal["both_in_cities"] = Field(alias="from")
    cities: Annotated[tuple[Text, ...], Field(min_length=1)]

    def _of(self, one: Unit, other: Unit, sources: FactSources) -> Fact:
        del sources
        cities = {fold_words(city) for city in self.cities}
        return KnownFact(value=fold_words(one.city) in cities and fold_words(other.city) in cities)


class SameUnit(_OfTwoUnits):
    """Whether two fields name one unit."""

    kind = FactKind.BOOLEAN
    source: Literal["same_unit"] = Field(alias="from")

    def _of(self, one: Unit, other: Unit, sources: FactSources) -> Fact:
        del sources
        return KnownFact(value=one.key == other.key)


# --- from documents ------------------------------------------------------------------------------------------


class DocumentReceived(_FactSpec):
    """Whether a document of this kind was accepted. One that only a person can judge leaves it unknown."""

    kind = FactKind.BOOLEAN
    source: Literal["document_received"] = Field(alias="from")
    document: DocumentKind

    @property
    def needs(self) -> tuple[str, ...]:
        return ()

    def compute(self, sources: FactSources) -> Fact:
        of_kind = [one for one in sources.documents if one.requirement == self.document]
        if any(one.verdict is Verdict.ACCEPTED and not one.for_a_person for one in of_kind):
            return KnownFact(value=True)
        return None if any(one.for_a_person for one in of_kind) else KnownFact(value=False)


class _DocumentFact(_FactSpec):
    document: DocumentKind
    name: Key

    @property
    def needs(self) -> tuple[str, ...]:
        return ()

    def _read(self, sources: FactSources) -> str | None:
        read = {self._value(one) for one in sources.documents if self._is_meant(one)} - {None}
        # Two papers that say different things say nothing.
        return read.pop() if len(read) == 1 else None

    def _is_meant(self, finding: Finding) -> bool:
        return finding.requirement == self.document and finding.verdict is Verdict.ACCEPTED

    def _value(self, finding: Finding) -> str | None:
        return finding.fact(self.name)


class DocumentNumber(_DocumentFact):
    """A number that was read with certainty in an accepted document, as ``amount``."""

    kind = FactKind.NUMBER
    source: Literal["document_number"] = Field(alias="from")

    def compute(self, sources: FactSources) -> Fact:
        try:
            return KnownFact(value=Decimal(self._read(sources) or ""))
        except InvalidOperation:
            return None


class DocumentText(_DocumentFact):
    """A text that was read with certainty in an accepted document, as ``beneficiary_tax_id``."""

    kind = FactKind.TEXT
    source: Literal["document_text"] = Field(alias="from")

    def compute(self, sources: FactSources) -> Fact:
        text = self._read(sources)
        return KnownFact(value=text) if text else None


# --- from the requester --------------------------------------------------------------------------------------


class RequesterIn(_FactSpec):
    """Whether the requester's address, or its domain, is one of ``addresses`` (``@example.com.br``)."""

    kind = FactKind.BOOLEAN
    source: Literal["requester_in"] = Field(alias="from")
    addresses: Annotated[tuple[Text, ...], Field(min_length=1)]

    @property
    def needs(self) -> tuple[str, ...]:
        return ()

    def compute(self, sources: FactSources) -> Fact:
        address = sources.requester.lower()
        if not address:
            return None
        listed = {one.lower() for one in self.addresses}
        return KnownFact(value=address in listed or f"@{address.rpartition('@')[2]}" in listed)


# --- from the customer -----------------------------------------------------------------------------------------


class CustomerIs(_FactSpec):
    """Whose request it is: ``known``, a ``company``, one for which service orders may be opened (``corporate``,
    R001-01), ``under_contract`` for what it is about. What is only claimed is unknown."""

    kind = FactKind.BOOLEAN
    source: Literal["customer_is"] = Field(alias="from")
    what: Literal["known", "company", "corporate", "under_contract"]

    @property
    def needs(self) -> tuple[str, ...]:
        return ()

    def compute(self, sources: FactSources) -> Fact:
        said = self._said(sources.customer, sources.customer_record)
        return None if said is None else KnownFact(value=said)

    def _said(self, customer: TicketCustomer, record: Customer | None) -> bool | None:
        known = customer.state is IdentityState.KNOWN
        if self.what == "known":
            return known or (False if customer.state is IdentityState.UNKNOWN else None)
        if not known or record is None:
            return None
        match self.what:
            case "company":
                return isinstance(record, Company)
            case "corporate":
                return isinstance(record, Company) and record.corporate
            case "under_contract":
                return True if customer.contract else (None if customer.contracts else False)


FactSpec = Annotated[
    Union[  # noqa: UP007 - a discriminated union of many, which pydantic wants named
        FieldNumber,
        FieldText,
        FieldYesNo,
        FieldInList,
        FieldsEqual,
        ItemsListed,
        DaysUntil,
        Phrases,
        DistanceKm,
        DistanceByRoad,
        SameCity,
        BothInCities,
        SameUnit,
        DocumentReceived,
        DocumentNumber,
        DocumentText,
        RequesterIn,
        CustomerIs,
        ClientIs,
        ClientManager,
        SameState,
        EquipmentCounted,
        UnderWarranty,
        AllStated,
    ],
    Field(discriminator="source"),
]
"""One fact, told apart by ``from``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDescription:
    """A function for whoever writes a catalogue: its name, the kind of its fact, its keys, what it does."""

    name: str
    gives: FactKind
    takes: tuple[str, ...]
    does: str


def described_functions() -> tuple[FunctionDescription, ...]:
    """All functions, in the order in which they stand here."""
    return tuple(_described(function) for function in get_args(get_args(FactSpec)[0]))


def _described(function: type[_FactSpec]) -> FunctionDescription:
    keys = {field.alias or name: field for name, field in function.model_fields.items()}
    takes = tuple(key for key in keys if key not in ("from", "label"))
    name = get_args(function.model_fields["source"].annotation)[0]
    first_sentence = " ".join((function.__doc__ or "").split()).split(". ")[0].rstrip(".")
    return FunctionDescription(name=name, gives=function.kind, takes=takes, does=first_sentence)
