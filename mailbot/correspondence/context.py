"""What view models have in common: what a template may show of a letter, everything already formatted as text.

There is one frozen dataclass for each :class:`mailbot.domain.events.LetterKind`, in the ``…_views`` modules;
``letter_views.VIEW_OF`` ties them together.
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
    """A file as an agent sees it: for which requirement (``label``, empty for none), what it is worth and what it
    says. A fact's label is its key (``amount``): the templates word it. ``guesses`` were read and are not certain.
    ``pictures`` are its pages, or ``opening`` names the place that is kept for them until they are drawn;
    ``notes`` say what else is to be known of the file."""

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


NO_TEXT: Final = LongText()


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


# --- what the letters of one audience have in common --------------------------------------------------------


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
    signature: LongText = NO_TEXT


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
