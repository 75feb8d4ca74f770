"""What an agent ordered in a mail, what became of each order, and what is told of it. Plain values.

Triage makes them from staff words (``triage/orders``), letters word them by their codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailbot.domain.events import EventKind, StoredFile
from mailbot.domain.staff_words import Refusal, StaffWord
from mailbot.domain.ticket import Ticket

Values = tuple[tuple[str, str], ...]
"""What stands in the places of a sentence: (name, text)."""


class LineState(StrEnum):
    """What became of one line of a mail's block."""

    DONE = "done"
    # Understood and possible, and left undone because another line was not.
    NOT_DONE = "not_done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptLine:
    """One line as typed, and the code of the sentence that says what became of it."""

    typed: str
    state: LineState
    code: str
    values: Values = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What an agent is told of the orders in a mail: all were done, or none.

    ``possible`` are the words that the ticket allows now. ``remarks`` are codes of further sentences.
    ``undo_until`` is set where a decision waits. ``manual``, ``history``: these were asked for; ``tickets`` are
    those in a list that was asked for (``None``: not asked for). ``files`` go along, and of ``papers`` the pages.
    ``code`` is what ``asked``, the text of an errand, waits for.
    """

    applied: bool
    lines: tuple[TranscriptLine, ...] = ()
    possible: tuple[StaffWord, ...] = ()
    remarks: tuple[str, ...] = ()
    undo_until: datetime | None = None
    manual: bool = False
    history: bool = False
    tickets: tuple[Ticket, ...] | None = None
    files: tuple[StoredFile, ...] = ()
    papers: tuple[StoredFile, ...] = ()
    code: str = ""
    asked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A thing that an order does to the ticket: an event without its time and cause."""

    kind: EventKind
    old: str = ""
    new: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A change that the requester is told of in a sentence: its code and what stands in it."""

    code: str
    values: Values = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surviving:
    """The ticket into which another is merged: as it stood ``before``, and with what it gains."""

    before: Ticket
    ticket: Ticket
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlan:
    """All orders of a mail, worked out on its ticket: what it becomes, or why nothing is done.

    ``after`` is the ticket with all of them done; equal to the ticket where ``refusal`` is set. ``text`` is
    what the words themselves say to their reader. ``is_note``: the whole mail is a note; ``is_answer``: it goes
    to the requester whatever the thread is. ``into`` is the ticket that gains by a merging. ``asks`` are keys and
    names of what the requester is asked for. ``only_asks_back``: nothing but questions to the bot, whose mail is
    no message to anybody.
    """

    after: Ticket
    effects: tuple[Effect, ...] = ()
    told: tuple[Told, ...] = ()
    asks: tuple[str, ...] = ()
    text: str = ""
    is_note: bool = False
    is_answer: bool = False
    only_asks_back: bool = False
    invites: bool = False
    into: Surviving | None = None
    transcript: Transcript | None = None
    refusal: Refusal | None = None
    refused_word: str = ""

    @property
    def decides(self) -> bool:
        """Whether a decision is told to the requester and waits until it leaves."""
        return any(effect.kind is EventKind.DECIDED for effect in self.effects)
