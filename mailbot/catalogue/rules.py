"""The table of rules of a request type, as its YAML states it: ordered rows, of which the first that applies wins.

A row compares facts one by one and says what follows; anything cleverer is a fact of its own (ARCHITECTURE §4).
``catalogue/rule_checks.py`` holds a table against the facts, fields and documents of its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from mailbot.catalogue.entries import Entry, Flag, Key, Text
from mailbot.domain.guidance import RulingAction

Scalar = bool | int | float | str

_OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge", "is", "in", "known")
ORDERING_OPERATORS = ("lt", "le", "gt", "ge")
"""What only numbers can be asked."""


class Comparison(Entry):
    """What one fact is compared with; several operators all have to hold. A bare value means ``eq``.

    ``known`` asks whether the fact is known at all; every other comparison of an unknown fact is unknown.
    """

    eq: Scalar | None = None
    ne: Scalar | None = None
    lt: float | None = None
    le: float | None = None
    gt: float | None = None
    ge: float | None = None
    is_: Annotated[Flag | None, Field(alias="is")] = None
    in_: Annotated[tuple[Scalar, ...] | None, Field(alias="in", min_length=1)] = None
    known: Flag | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_value_means_eq(cls, value: Any) -> Any:
        return {"eq": value} if isinstance(value, bool | int | float | str) else value

    @model_validator(mode="after")
    def _compares_something(self) -> Self:
        if not self.asked:
            raise ValueError(f"compare with one of {', '.join(_OPERATORS)}")
        return self

    @cached_property
    def asked(self) -> tuple[tuple[str, Any], ...]:
        """(operator, value) of everything that is asked."""
        values = {name: getattr(self, f"{name}_" if name in ("is", "in") else name) for name in _OPERATORS}
        return tuple((operator, value) for operator, value in values.items() if value is not None)


class Consequence(Entry):
    """What follows from a row.

    ``reply`` ends the request with the words of ``guidance``, where all facts are certain; else, and with
    ``suggest``, an agent sees the proposal with its ``note``. ``proceed``: nothing stands in the way. ``opens`` is
    a request type of which a ticket is opened beside the reply. ``not_needed`` names documents and fields that
    the request can do without. ``also_ask`` names fields that it needs because of this row. ``book`` is the
    mail to the sector that leaves once the request lacks nothing.
    """

    action: Literal[RulingAction.REPLY, RulingAction.SUGGEST, RulingAction.PROCEED]
    guidance: Key | None = None
    note: Annotated[str, Field(max_length=500)] = ""
    opens: Key | None = None
    not_needed: tuple[Key, ...] = ()
    also_ask: tuple[Key, ...] = ()
    book: Key | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.action is RulingAction.REPLY and self.guidance is None:
            raise ValueError("a reply needs a guidance, whose words it is made of")
        if self.action is RulingAction.SUGGEST and self.guidance is None and not self.note:
            raise ValueError("a suggestion needs a guidance or a note: what is the agent told?")
        if self.action is RulingAction.PROCEED and (self.guidance is not None or self.note):
            raise ValueError("where the request proceeds nobody is told a guidance or a note")
        if self.book is not None and self.action is not RulingAction.PROCEED:
            raise ValueError("only where the request proceeds a book goes to the sector")
        if self.opens is not None and self.action is not RulingAction.REPLY:
            raise ValueError("only a reply opens another ticket")
        return self


class Rule(Entry):
    """One row. An empty ``when`` catches everything and stands last.

    ``ask_first``: as long as the row cannot be answered because its facts need fields that are not stated, only
    those are asked for, and no documents that may turn out not to be needed.
    """

    when: Mapping[Key, Comparison] = Field(default_factory=dict)
    then: Consequence
    ask_first: Flag = False


class GuidanceLink(Entry):
    """Where the requester goes on; shown as a button."""

    label: Text
    url: Annotated[str, Field(pattern=r"^https://[^\s<>\"'{}]{1,500}$")]


class Guidance(Entry):
    """Words for a requester who has to do something else, or whose request cannot be granted.

    ``name`` is what agents read. In ``title`` and ``text`` stand ``{places}`` for units, choices, numbers and
    dates that the requester stated, for facts that are numbers and for ``{linked_ticket}``; what stands in square
    brackets around a place is left out where it is empty. An empty line parts paragraphs.
    """

    name: Text
    resolution: Literal["guided", "denied"]
    title: Text
    text: Annotated[str, Field(min_length=1, max_length=5000)]
    link: GuidanceLink | None = None
