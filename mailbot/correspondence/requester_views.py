"""View models of letters to requesters; their common parts stand in ``context.py``."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailbot.correspondence.article_views import SuggestedArticle
from mailbot.correspondence.context import (
    DELINKED,
    NO_TEXT,
    THEIRS,
    ChecklistItem,
    FieldRow,
    FileLine,
    FormLine,
    LetterView,
    LongText,
    RefusedFile,
    RequesterTicketView,
    TicketLine,
)
from mailbot.correspondence.words import Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOpenedView(RequesterTicketView):
    """A ticket was opened and nothing is missing, or a person has to read it (``for_a_person``).

    ``answer_by`` is the promised day. ``understood_as`` and ``right_subject`` are set where the subject was
    not the right one (R000-09). ``articles`` may answer the question before a person does (R004-11).
    ``other_departments`` are those to which the requester may correct theirs (R004-03).
    """

    subject_quoted: str = field(default="", metadata=DELINKED)
    opened_at: str
    queue_name: str = ""
    answer_by: str = ""
    items: tuple[ChecklistItem, ...] = ()
    refused_files: tuple[RefusedFile, ...] = ()
    fields: tuple[FieldRow, ...] = ()
    for_a_person: bool = False
    note: str = ""
    articles: tuple[SuggestedArticle, ...] = ()
    understood_as: str = ""
    other_departments: tuple[str, ...] = ()
    right_subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRequestedView(RequesterTicketView):
    """What is still missing: a checklist of documents and a form of fields.

    ``first`` marks the letter that also tells the number; ``correction`` one that follows a reprocessing.
    ``missing_count`` counts documents and fields; ``days_to_answer`` and ``answer_until`` tell the limit.
    ``articles`` may answer the question of a first mail (R004-11).
    """

    first: bool
    missing_count: str
    items: tuple[ChecklistItem, ...] = ()
    refused_files: tuple[RefusedFile, ...] = ()
    form_lines: tuple[FormLine, ...] = ()
    mismatches: tuple[Phrase, ...] = ()
    to_confirm: tuple[FieldRow, ...] = ()
    days_to_answer: str = ""
    answer_until: str = ""
    understood_as: str = ""
    right_subject: str = ""
    correction: bool = False
    articles: tuple[SuggestedArticle, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceCompleteView(RequesterTicketView):
    """The last missing item came: the request goes to the department. ``correction``: it had come before, and
    a reprocessing found it. ``to_confirm`` is what the requester should read again as we understood it."""

    items: tuple[ChecklistItem, ...] = ()
    refused_files: tuple[RefusedFile, ...] = ()
    to_confirm: tuple[FieldRow, ...] = ()
    note: str = ""
    queue_name: str = ""
    answer_by: str = ""
    correction: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WhichTicketView(LetterView):
    """A mail fits several open tickets of its sender."""

    tickets: tuple[TicketLine, ...]
    greeting_name: str = field(default="", metadata=THEIRS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAnswerView(RequesterTicketView):
    """An agent's words to the requester. ``resolved`` tells that the ticket ends with them; ``updates`` are what
    the agent changed, ``items`` and ``form_lines`` what is asked for; ``note`` is what the request type says to
    everybody whose request was done."""

    agent_name: str
    text: LongText
    queue_name: str = ""
    files: tuple[FileLine, ...] = ()
    resolved: bool = False
    updates: tuple[Phrase, ...] = ()
    items: tuple[ChecklistItem, ...] = ()
    form_lines: tuple[FormLine, ...] = ()
    note: str = ""
    ask_rating: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView(RequesterTicketView):
    """The request was authorised, or not, and why (R000-25)."""

    approved: bool
    agent_name: str = ""
    queue_name: str = ""
    decided_at: str = ""
    reason: LongText = NO_TEXT
    files: tuple[FileLine, ...] = ()
    ask_rating: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRefusedView(LetterView):
    """A mail was too large to be taken; only its header was read."""

    size_mb: str
    limit_mb: str
    subject_quoted: str = field(default="", metadata=DELINKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderView(RequesterTicketView):
    """The same checklist again, shorter. ``last`` marks the last reminder before the ticket expires."""

    missing_count: str
    items: tuple[ChecklistItem, ...] = ()
    form_lines: tuple[FormLine, ...] = ()
    days_left: str = ""
    answer_until: str = ""
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketExpiredView(RequesterTicketView):
    """The ticket ended because what it needs did not come. ``missing`` holds labels."""

    days_waited: str
    missing: tuple[str, ...] = ()
    reopen_until: str = ""
