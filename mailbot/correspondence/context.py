"""View models: what a template may show of a letter, everything already formatted as text.

One frozen dataclass for each :class:`mailbot.domain.events.LetterKind`; :data:`VIEW_OF` ties them together.
Dates and sizes are strings made by :class:`mailbot.correspondence.words.Words`; sentences that depend on a
reason are a :class:`mailbot.correspondence.words.Phrase`, worded by the templates' ``phrases.yaml``.

A field with the metadata :data:`THEIRS` holds words that the requester (or any stranger) wrote. The renderer
takes live links out of it, and leaves it out altogether where ``quote_sender`` is false (THREATS 6).
:data:`DELINKED` marks what is shown in any case, short and without live links.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from mailbot.correspondence.article_views import SuggestedArticle
from mailbot.correspondence.words import Phrase

THEIRS: Final[Mapping[str, str]] = MappingProxyType({"written_by": "sender"})
"""Words of the sender: shown without live links, or not at all."""

DELINKED: Final[Mapping[str, str]] = MappingProxyType({"written_by": "sender", "always": "shown"})
"""Words of the sender that are always shown, short and without live links: their subject, a file's name."""


# --- parts that several letters share --------------------------------------------------------------------


class ItemState(StrEnum):
    """How a document of the checklist stands."""

    RECEIVED = "received"
    FOR_A_PERSON = "for_a_person"
    REFUSED = "refused"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """A document that the request needs. ``note`` is the catalogue's hint, ``filename`` the file that was
    sent for it, ``reason`` why that file does not serve (``refused``) or what a person will look at."""

    label: str
    state: ItemState
    note: str = ""
    filename: str = field(default="", metadata=THEIRS)
    reason: Phrase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFile:
    """A file that serves no requirement, and why (too large, unreadable, another document …)."""

    filename: str = field(metadata=THEIRS)
    reason: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLine:
    """A field that is still missing: a line to fill in. ``received_value`` was sent and is not valid; ``choices``
    lists the answers that there are, ``alternatives`` the labels of which one is enough."""

    label: str
    question: str = ""
    choices: str = ""
    alternatives: str = ""
    received_value: str = field(default="", metadata=THEIRS)
    reason: Phrase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """A field of the request with its value, as read. ``note`` says what to look at, ``earlier`` is what an
    earlier mail said instead; ``for_a_person`` was not understood twice."""

    label: str
    value: str = field(metadata=THEIRS)
    note: Phrase | None = None
    earlier: str = field(default="", metadata=THEIRS)
    for_a_person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """A file that is attached to the letter, or came with a mail."""

    name: str = field(metadata=DELINKED)
    size: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongText:
    """Somebody's words. ``cut`` tells that the end is missing; the renderer also sets it when it cuts."""

    paragraphs: tuple[str, ...] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLine:
    """A ticket in a list. ``subject`` is the subject that a mail about it must carry."""

    number: str
    subject: str = field(metadata=DELINKED)
    title: str = field(metadata=THEIRS)
    opened_at: str
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePicture:
    """A page that we drew, small, as it stands in the HTML: a part of the letter named by ``content_id``."""

    content_id: str
    page: str
    filename: str = field(metadata=THEIRS)
    width: str
    height: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InOpening:
    """What comes into a place that a written letter kept for pages; ``_pages.html`` and ``_pages.txt`` show it."""

    pictures: tuple[PagePicture, ...] = ()
    notes: tuple[Phrase, ...] = ()
    pages_attached: bool = False
    originals_attached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRow:
    """A file that came, with its pages; ``notes`` say what is not shown. Where they are yet to be drawn
    ``opening`` names the place that is kept for both."""

    name: str = field(metadata=DELINKED)
    opening: str = ""
    pictures: tuple[PagePicture, ...] = ()
    notes: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """A file as an agent sees it: for which requirement, what it is worth and what it says. A fact's label is
    its key (``amount``): the templates word it. ``guesses`` were read and are not certain. ``pictures`` are its
    pages, or ``opening`` names the place that is kept for them until they are drawn; ``notes`` say what else is
    to be known of the file."""

    label: str
    state: ItemState
    verdict: Phrase
    filename: str = field(default="", metadata=THEIRS)
    facts: tuple[FieldRow, ...] = ()
    guesses: tuple[FieldRow, ...] = ()
    opening: str = ""
    pictures: tuple[PagePicture, ...] = ()
    notes: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedValue:
    """What one document says; ``document`` is its kind, worded by the templates."""

    document: str
    value: str = field(metadata=THEIRS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """One thing that several documents say, side by side. ``differs``: it does not fit, or needs a look."""

    label: str
    values: tuple[ComparedValue, ...]
    differs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerLine:
    """A customer's record as an agent sees it. ``number`` is set where one of several has to be chosen, ``record``
    is its id; ``contract`` is the one that the request is about."""

    number: str = ""
    name: str = field(default="", metadata=THEIRS)
    record: str
    tax_id: str = ""
    contracts: str = field(default="", metadata=THEIRS)
    contract: str = field(default="", metadata=THEIRS)
    confirmed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A message of the ticket's history."""

    author: str = field(metadata=THEIRS)
    at: str
    text: LongText = field(metadata=THEIRS)
    internal: bool = False
    unverified: bool = False


def paragraphs_of(text: str, *, cut: bool = False) -> LongText:
    """``text`` as paragraphs: parted at empty lines, single line ends kept within a paragraph."""
    blocks: list[str] = []
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.strip():
            lines.append(line.rstrip())
        elif lines:
            blocks.append("\n".join(lines))
            lines = []
    return LongText(paragraphs=tuple(blocks), cut=cut)


def first_name(display_name: str, *, longest: int = 20) -> str:
    """How to greet the bearer of ``display_name``: its first word, or nothing where that is no name."""
    words = display_name.split()
    if not words:
        return ""
    word = words[0].strip(",;.'\"")
    plain = word.replace("-", "").replace("'", "").replace("’", "")
    if not plain.isalpha() or not 2 <= len(word) <= longest:
        return ""
    return word.capitalize() if word.isupper() or word.islower() else word


# --- letters to requesters -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterView:
    """What every letter has.

    ``subject`` is the whole subject, formatted by the caller (``[Chamado #2026-000123] first subject``);
    where it is empty the template words one. ``reply_address`` is where an answer goes (the mailbox, or its
    plus-address). ``reference`` is ``[mb-HANDLE]``. ``quote_sender`` is false for letters to unverified
    strangers: then nothing that they wrote is repeated except the subject, short and without live links.
    ``logo`` is the Content-ID of the brand's picture, ``logo_alt`` stands in its place; ``signature`` is
    the request type's closing line, and the brand's own lines.
    """

    brand_name: str
    mailbox_address: str
    reply_address: str
    subject: str = field(default="", metadata=DELINKED)
    reference: str = ""
    quote_sender: bool = True
    logo: str = ""
    logo_alt: str = ""
    signature: LongText = LongText()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequesterTicketView(LetterView):
    """A letter to the requester about one ticket. ``request_name`` is the catalogue's name of the request,
    ``rerouted_from`` that of the mailbox to which the first mail came, where this is not the one that answers."""

    ticket_number: str
    ticket_title: str = field(metadata=THEIRS)
    request_name: str
    greeting_name: str = field(default="", metadata=THEIRS)
    rerouted_from: str = ""


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
    reason: LongText = LongText()
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


# --- letters to staff ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAction:
    """A thing that an agent may well do now: what the button says, the words that order it, what to add."""

    label: Phrase
    words: str
    note: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffTicketView(LetterView):
    """A notice to one agent about one ticket.

    ``reply_is_public`` decides its first line: a plain reply is read by the requester, or by staff only.
    ``unverified`` marks a sender address that our server could not confirm, ``from_another_address`` a mail
    that came with the requester's handle from ``other_address``. ``actions`` get a button each.
    ``rerouted_from`` is the name of the mailbox to which the first mail came, where this is
    another.
    """

    agent_name: str
    ticket_number: str
    ticket_title: str = field(metadata=THEIRS)
    request_name: str
    requester_name: str = field(default="", metadata=THEIRS)
    requester_address: str
    queue_name: str = ""
    status_label: str = ""
    reply_is_public: bool
    unverified: bool = False
    from_another_address: bool = False
    other_address: str = ""
    actions: tuple[StaffAction, ...] = ()
    rerouted_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReadyView(StaffTicketView):
    """A complete ticket is in the agent's queue. ``can_decide``: ``#autorizar`` and ``#negar`` apply.

    ``suggestions`` are what the rules propose and an agent has to confirm. ``letter_withheld`` says why no
    letter went to the requester, where none did; ``refused`` why the agent's own mail did nothing, to which this
    notice is the answer.
    """

    opened_at: str
    answer_by: str = ""
    priority: str = ""
    customer_state: Phrase | None = None
    customers: tuple[CustomerLine, ...] = ()
    fields: tuple[FieldRow, ...] = ()
    documents: tuple[DocumentRow, ...] = ()
    comparison: tuple[ComparisonRow, ...] = ()
    mismatches: tuple[Phrase, ...] = ()
    suggestions: tuple[Phrase, ...] = ()
    messages: tuple[MessageRow, ...] = ()
    files: tuple[FileLine, ...] = ()
    letter_withheld: Phrase | None = None
    can_decide: bool = True
    attached_opening: str = ""
    pages_attached: bool = False
    originals_attached: bool = False
    refused: Phrase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequesterRepliedView(StaffTicketView):
    """The requester wrote again. ``reopened`` tells that a resolved ticket is open once more; ``contradicted``
    are fields of which an earlier mail said something else."""

    received_at: str
    text: LongText = field(metadata=THEIRS)
    files: tuple[FileLine, ...] = ()
    contradicted: tuple[FieldRow, ...] = ()
    reopened: bool = False
    suggestions: tuple[Phrase, ...] = ()
    automatic_reply: bool = False
    can_decide: bool = True
    papers: tuple[PaperRow, ...] = ()
    attached_opening: str = ""
    pages_attached: bool = False
    originals_attached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRefusedView(StaffTicketView):
    """An agent's mail did not do what it said: why, what to do, and what was kept of it."""

    reason: Phrase
    what_to_do: Phrase
    text: LongText = LongText()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmOrdersView(StaffTicketView):
    """An agent's orders wait: the ``code`` that confirms them, until when, and what was ordered."""

    code: str
    until: str
    text: LongText = LongText()


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
    text: LongText = LongText()


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


# --- letters to the administrator ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedMail:
    """A mail that was put aside. ``cause`` is technical and in the program's own words."""

    mail_id: str
    received_at: str
    mailbox: str
    attempts: str
    cause: str = field(metadata=THEIRS)
    sender: str = field(default="", metadata=THEIRS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertQuarantineView(LetterView):
    """Mails were put aside; the others go on. ``left_out`` counts those not listed."""

    count: str
    mails: tuple[QuarantinedMail, ...] = ()
    left_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertServerAwayView(LetterView):
    """A server cannot be reached. ``server`` is host and port, ``service`` a phrase (IMAP, SMTP …). With
    ``limited`` it answers, and takes no more letters for now."""

    service: Phrase
    server: str
    mailbox: str
    since: str
    attempts: str = ""
    last_error: str = field(default="", metadata=THEIRS)
    credentials_refused: bool = False
    limited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLoginExpiresView(LetterView):
    """What a mailbox logs in with ends soon, or has ended: a person must renew it.

    ``credential`` names it and ``renewal`` says how it is renewed. ``expires_on`` is the day where it is known,
    ``days_left`` is empty when it is over; ``last_error`` is what the provider said.
    """

    mailbox: str
    credential: Phrase
    renewal: Phrase
    expired: bool
    expires_on: str = ""
    days_left: str = ""
    last_error: str = field(default="", metadata=THEIRS)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLetter:
    """A letter that waits for an administrator's word."""

    ticket_number: str
    letter_name: Phrase
    recipient: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLettersHeldView(LetterView):
    """Letters are held back and why. ``left_out`` counts those not listed."""

    count: str
    reason: Phrase
    letters: tuple[HeldLetter, ...] = ()
    left_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLettersStuckView(LetterView):
    """Letters that did not arrive, or of which nobody knows it, and that no agent hears of."""

    count: str
