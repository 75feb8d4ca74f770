"""What a fact can be, and all that facts are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from mailbot.catalogue.clients import ClientTable
from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.units import Unit, UnitTable
from mailbot.domain.customer import Customer
from mailbot.domain.evidence import FieldOrigin, FieldValue, Finding
from mailbot.domain.identification import NOT_IDENTIFIED, TicketCustomer

FactScalar = Decimal | bool | str


class FactKind(StrEnum):
    """Of which kind the value of a fact is: what it can be compared with."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFact:
    """A fact with its value. ``certain``: it rests on a label, an exact name or a plain phrase, so that the bot
    may answer by it."""

    value: FactScalar
    certain: bool = True


Fact = KnownFact | None
"""``None`` is unknown: neither true nor false."""

_SAID: Mapping[str, bool] = MappingProxyType(
    {
        **dict.fromkeys(("sim", "s", "yes", "y", "si", "true"), True),
        **dict.fromkeys(("nao", "n", "no", "false"), False),
    }
)


def said_yes_or_no(text: str) -> bool | None:
    """Whether ``text`` says yes; ``None`` for any other word than yes and no."""
    return _SAID.get(fold_words(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSources:
    """All that facts are computed from. ``today`` is the day in the office's time zone,
    ``customer_record`` the record of a known customer."""

    fields: Mapping[str, FieldValue]
    units: UnitTable
    today: date
    documents: tuple[Finding, ...] = ()
    requester: str = ""
    customer: TicketCustomer = NOT_IDENTIFIED
    customer_record: Customer | None = None
    clients: ClientTable = field(default_factory=ClientTable)

    def text(self, key: str) -> str:
        """The valid value of a field, or nothing."""
        value = self.fields.get(key)
        return value.value if value is not None and value.valid else ""

    def is_certain(self, key: str) -> bool:
        """Whether a field was stated where only it can stand, not understood from a sentence."""
        value = self.fields.get(key)
        return value is not None and value.origin in (FieldOrigin.LABEL, FieldOrigin.AGENT, FieldOrigin.HEADER)

    def is_unverified(self, key: str) -> bool:
        """Whether our server could have vouched for the mail that stated a field, and did not."""
        value = self.fields.get(key)
        return value is not None and value.unverified

    def unit(self, key: str) -> Unit | None:
        """The unit that a field names exactly, also where it is the very unit that another field names."""
        value = self.fields.get(key)
        if value is None or not (value.valid or value.reason == _SAME_UNIT):
            return None
        return self.units.find(value.value)


_SAME_UNIT = "same_unit"
"""Why a destination is not valid that is a unit all the same (``evidence/fields.py``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts of one request, by name; every name of the request type is there."""

    known: Mapping[str, Fact] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Fact:
        return self.known[name]
