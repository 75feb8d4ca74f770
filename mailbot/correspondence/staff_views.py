"""View models of letters to agents; their common parts stand in ``context.py``."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailbot.correspondence.context import (
    NO_TEXT,
    THEIRS,
    ComparisonRow,
    CustomerLine,
    DocumentRow,
    FieldRow,
    FileLine,
    LetterView,
    LongText,
    MessageRow,
    PaperRow,
    StaffTicketView,
)
from mailbot.correspondence.words import Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView(StaffTicketView):
    """Everything that is known of a request, so that an agent decides without opening another mail.

    ``suggestions`` are what the rules propose and an agent has to confirm. ``messages`` are the last ones.
    ``can_decide``: ``#autorizar`` and ``#negar`` apply. ``procedure_url`` is where the house says how such a
    request is worked on.
    """

    opened_at: str
    answer_by: str = ""
    priority: str = ""
    procedure_label: str = ""
    procedure_url: str = ""
    customer_state: Phrase | None = None
    customers: tuple[CustomerLine, ...] = ()
    fields: tuple[FieldRow, ...] = ()
    documents: tuple[DocumentRow, ...] = ()
    comparison: tuple[ComparisonRow, ...] = ()
    mismatches: tuple[Phrase, ...] = ()
    suggestions: tuple[Phrase, ...] = ()
    messages: tuple[MessageRow, ...] = ()
    files: tuple[FileLine, ...] = ()
    can_decide: bool = True
    attached_opening: str = ""
    pages_attached: bool = False
    originals_attached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReadyView(RequestView):
    """A complete ticket is in the agent's queue. ``letter_withheld`` says why no letter went to the requester,
    where none did; ``refused`` why the agent's own mail did nothing, to which this notice is the answer."""

    letter_withheld: Phrase | None = None
    refused: Phrase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequesterRepliedView(RequestView):
    """The requester wrote again; of the ``documents`` those show their pages that came with it, and ``messages``
    are the ones before. ``reopened`` tells that a resolved ticket is open once more; ``contradicted`` are fields
    of which an earlier mail said something else."""

    received_at: str
    text: LongText = field(metadata=THEIRS)
    contradicted: tuple[FieldRow, ...] = ()
    reopened: bool = False
    automatic_reply: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRefusedView(StaffTicketView):
    """An agent's mail did not do what it said: why, what to do, and what was kept of it."""

    reason: Phrase
    what_to_do: Phrase
    text: LongText = NO_TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmOrdersView(StaffTicketView):
    """An agent's orders wait: the ``code`` that confirms them, until when, and what was ordered."""

    code: str
    until: str
    text: LongText = NO_TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """A line of an agent's block: as typed, what became of it (``done``, ``not_done``, ``refused``), and why."""

    typed: str = field(metadata=THEIRS)
    state: str
    note: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualRow:
    """A staff word: how it is written and what it does."""

    form: Phrase
    meaning: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTicketRow:
    """A ticket in an agent's list."""

    number: str
    title: str = field(metadata=THEIRS)
    requester: str
    status_label: str
    answer_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptView(LetterView):
    """What became of an agent's orders: all of them or none, and what was asked for with them.

    ``ticket_number`` is empty where they are about no ticket. ``lists_tickets`` tells an empty list from none.
    ``papers`` are files of which the pages go along.
    ``text`` is what was written beside orders that were not carried out.
    """

    agent_name: str
    applied: bool
    reply_is_public: bool
    ticket_number: str = ""
    ticket_title: str = field(default="", metadata=THEIRS)
    request_name: str = ""
    requester_name: str = field(default="", metadata=THEIRS)
    requester_address: str = ""
    queue_name: str = ""
    status_label: str = ""
    remarks: tuple[Phrase, ...] = ()
    lines: tuple[OrderRow, ...] = ()
    undo_until: str = ""
    possible: str = ""
    manual: tuple[ManualRow, ...] = ()
    messages: tuple[MessageRow, ...] = ()
    lists_tickets: bool = False
    tickets: tuple[OwnTicketRow, ...] = ()
    files: tuple[FileLine, ...] = ()
    papers: tuple[PaperRow, ...] = ()
    text: LongText = NO_TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailedView(StaffTicketView):
    """A letter did not reach its recipient: the requester or, if ``is_notice``, another agent. ``server_said`` is
    the other server's own answer."""

    recipient: str
    reason: Phrase
    letter_name: Phrase
    is_notice: bool = False
    sent_at: str = ""
    server_said: str = field(default="", metadata=THEIRS)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """One notice that was gathered into a summary."""

    at: str
    ticket_number: str
    ticket_title: str = field(metadata=THEIRS)
    what: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesSummaryView(LetterView):
    """More notices than one agent is sent singly, in one letter. ``left_out`` counts those not listed."""

    agent_name: str
    count: str
    notices: tuple[NoticeLine, ...] = ()
    left_out: str = ""
