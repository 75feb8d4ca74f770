"""What a request type's table of rules says of a request, and by what facts it says so.

A fact has three states: it is so, it is not so, and nobody knows. What is not known never counts as *not so*.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RulingAction(StrEnum):
    """What follows from the table.

    ``REPLY`` ends the request with a letter that tells the requester what to do instead. ``SUGGEST`` is a
    proposal that an agent confirms. ``PROCEED``: nothing stands in the request's way. ``ASK``: a rule cannot be
    answered before the requester has told something. ``PERSON``: a rule cannot be answered, and asking would not
    help.
    """

    REPLY = "reply"
    SUGGEST = "suggest"
    PROCEED = "proceed"
    ASK = "ask"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactUsed:
    """A fact as it was known: numbers in plain digits (``85``), yes and no as ``true`` and ``false``, nothing
    where it is unknown. ``certain`` is false where it was understood from loose words."""

    name: str
    value: str
    certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The answer of a table: the first row that applies, counted from 1, or the first that cannot be answered; 0
    where there is no table and only the ticket beside is remembered.

    ``guidance`` names the words for the requester or, with ``SUGGEST``, those proposed; ``note`` is what the
    table tells an agent about it. ``facts`` are those known of the row and of the rows before it, ``doubts`` the
    names of those that it rests on and that are not certain or not known. ``asks`` are fields that the requester
    has to state, with ``asks_first`` before anything else; ``not_needed`` are keys of documents and fields that
    the request can do without. ``opens`` is the type of a ticket to be opened beside this one,
    ``linked_ticket`` the number of the one that was.
    """

    action: RulingAction
    row: int
    guidance: str = ""
    note: str = ""
    facts: tuple[FactUsed, ...] = ()
    doubts: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    asks_first: bool = False
    not_needed: tuple[str, ...] = ()
    opens: str = ""
    linked_ticket: str = ""

    @property
    def replies(self) -> bool:
        """Whether the requester is told what to do instead."""
        return self.action is RulingAction.REPLY

    @property
    def given(self) -> str:
        """The guidance that the requester gets, or nothing."""
        return self.guidance if self.replies else ""
