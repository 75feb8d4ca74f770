"""View models of what customers ask for in one word, and of what they did by one (INTERFACE *Customer words*).

As in ``context.py``: everything already formatted, one frozen dataclass a letter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mailbot.correspondence.context import (
    DELINKED,
    THEIRS,
    ChecklistItem,
    FormLine,
    LetterView,
    LongText,
    MessageRow,
    RefusedFile,
    RequesterTicketView,
    StaffTicketView,
)
from mailbot.correspondence.words import Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """A ticket of the reader's in a list (R003-03). ``ask`` is the subject of a mail that asks for this one."""

    number: str
    request_name: str
    status_label: str
    opened_at: str
    title: str = field(default="", metadata=THEIRS)
    ask: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStatusView(RequesterTicketView):
    """How one ticket stands. ``missing`` holds labels of what is still waited for."""

    status_label: str
    opened_at: str
    updated_at: str
    queue_name: str = ""
    answer_by: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketListView(LetterView):
    """The reader's tickets, newest first (R003-03). ``left_out`` counts those not listed."""

    count: str
    tickets: tuple[TicketRow, ...] = ()
    left_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDetailsView(RequesterTicketView):
    """One ticket whole: what was asked, and what was said since (R003-12). Only what the requester may read."""

    subject_quoted: str = field(default="", metadata=DELINKED)
    queue_name: str
    opened_at: str
    status_label: str
    description: LongText = field(default=LongText(), metadata=THEIRS)
    messages: tuple[MessageRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """A service of the catalogue: the right subject, and the lines of its form."""

    name: str
    subject: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedWord:
    """A word with what it means: a customer word, a priority."""

    word: str
    meaning: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpView(LetterView):
    """What this mailbox offers, which words it understands, what priorities mean (R003-04, R004-05)."""

    services: tuple[ServiceRow, ...]
    words: tuple[ExplainedWord, ...]
    priorities: tuple[ExplainedWord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeChoice:
    """A request type that may be meant; ``ask`` is the subject of a mail that chooses it."""

    name: str
    ask: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryNotAnsweredView(LetterView):
    """Why a word was not carried out; ``choices`` are the tickets of which one may be meant, ``types``
    the request types."""

    reason: Phrase
    choices: tuple[TicketRow, ...] = ()
    types: tuple[TypeChoice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketWithdrawnView(RequesterTicketView):
    """The requester withdrew the ticket, or with ``solved`` needs no answer any more; a message until
    ``reopen_until`` opens it again."""

    reopen_until: str
    solved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReclassifiedView(RequesterTicketView):
    """The requester gave the ticket another type: which, who has it now, and what that one still needs."""

    queue_name: str = ""
    answer_by: str = ""
    missing_count: str
    items: tuple[ChecklistItem, ...] = ()
    refused_files: tuple[RefusedFile, ...] = ()
    form_lines: tuple[FormLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequesterActedView(StaffTicketView):
    """The requester did something by a word; ``text`` is what they wrote beside it."""

    what: Phrase
    received_at: str
    text: LongText = field(default=LongText(), metadata=THEIRS)
