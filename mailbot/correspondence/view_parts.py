"""Parts that several view models share, made from a ticket and its request type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.mailboxes import MailboxSpec
from mailbot.catalogue.request_types import DocumentRequirement, RequestType
from mailbot.correspondence.context import (
    ChecklistItem,
    DocumentRow,
    FileLine,
    ItemState,
    LongText,
    RefusedFile,
)
from mailbot.correspondence.document_facts import fact_rows, file_notes, guess_rows
from mailbot.correspondence.openings import document_opening
from mailbot.correspondence.planned import LetterDesk
from mailbot.correspondence.words import Phrase, Words, phrase
from mailbot.domain.events import StoredFile
from mailbot.domain.evidence import Finding, Verdict
from mailbot.domain.notice_pages import PagesToDraw, may_have_pages
from mailbot.domain.ticket import Ticket
from mailbot.domain.ticket_change import TicketChange


class RequesterBase(TypedDict):
    """What every letter to a requester about a ticket shows."""

    brand_name: str
    mailbox_address: str
    reply_address: str
    subject: str
    quote_sender: bool
    ticket_number: str
    ticket_title: str
    request_name: str
    greeting_name: str
    rerouted_from: str
    signature: LongText


class StaffBase(TypedDict):
    """What every notice to an agent about a ticket shows."""

    brand_name: str
    mailbox_address: str
    reply_address: str
    subject: str
    agent_name: str
    ticket_number: str
    ticket_title: str
    request_name: str
    requester_name: str
    requester_address: str
    queue_name: str
    status_label: str
    reply_is_public: bool
    unverified: bool
    from_another_address: bool
    other_address: str
    rerouted_from: str


_NOT_SAID_TO_SENDERS = frozenset({Verdict.ACCEPTED, Verdict.NOT_CHECKED})


def checklist(ticket: Ticket, kind: RequestType, *, quoting: bool = True) -> tuple[ChecklistItem, ...]:
    """Every document of the request with how it stands, in the catalogue's order; ``quoting`` a name that was
    read in a file only to who is verified (THREATS 6)."""
    return tuple(
        _item(requirement, ticket, quoting=quoting)
        for requirement in kind.documents
        if not _is_done_without(str(requirement.key), ticket)
    )


def _is_done_without(key: str, ticket: Ticket) -> bool:
    """Whether staff waived a document that nobody has, or the rules do without it or need to know something else
    first; what was sent and may count is shown."""
    if key in ticket.waived and not _has_one_that_counts(key, ticket):
        return True
    ruling = ticket.ruling
    if ruling is None or any(finding.requirement == key for finding in ticket.documents):
        return False
    return key in ruling.not_needed or (ruling.asks_first and key not in ticket.missing)


def _has_one_that_counts(key: str, ticket: Ticket) -> bool:
    may_count = _NOT_SAID_TO_SENDERS
    return any(finding.requirement == key and finding.verdict in may_count for finding in ticket.documents)


def _item(requirement: DocumentRequirement, ticket: Ticket, *, quoting: bool) -> ChecklistItem:
    key = str(requirement.key)
    findings = [finding for finding in ticket.documents if finding.requirement == key]
    received = next((one for one in findings if one.verdict is Verdict.ACCEPTED), None)
    shown = received or (findings[-1] if findings else None)
    if key not in ticket.missing and received is not None:
        state = ItemState.FOR_A_PERSON if received.for_a_person else ItemState.RECEIVED
    elif shown is not None and shown.verdict is Verdict.NOT_CHECKED and key not in ticket.missing:
        state = ItemState.FOR_A_PERSON
    else:
        state = ItemState.REFUSED if shown is not None and received is None else ItemState.MISSING
    return ChecklistItem(
        label=requirement.label,
        state=state,
        note=requirement.hint if state in (ItemState.MISSING, ItemState.REFUSED) else "",
        filename=shown.filename if shown else "",
        reason=_reason(shown, quoting=quoting) if shown is not None and state is ItemState.REFUSED else None,
    )


def refused_files(ticket: Ticket, kind: RequestType) -> tuple[RefusedFile, ...]:
    """Files that serve no requirement, each with the reason and the way out: where no document is asked for, other
    files than papers are welcome (R004-08, R004-17)."""
    return tuple(
        RefusedFile(
            filename=finding.filename, reason=_reason(finding) if kind.documents else _of_any_file(finding)
        )
        for finding in ticket.documents
        if finding.requirement is None and finding.verdict not in _NOT_SAID_TO_SENDERS
    )


def _of_any_file(finding: Finding) -> Phrase:
    reason = _reason(finding)
    return replace(reason, code=f"any_file.{reason.code}", otherwise=reason.code)


def _reason(finding: Finding, *, quoting: bool = True) -> Phrase:
    """The first reason, ``code``, ``code:limit`` or ``code:name``; where that has no sentence, the verdict's."""
    verdict = finding.verdict.value
    code, _, value = (finding.reasons[0] if finding.reasons else verdict).partition(":")
    if finding.verdict is Verdict.MISMATCH:
        return Phrase(code=code, otherwise=verdict, values=(("name", value),) if value and quoting else ())
    return Phrase(code=code, otherwise=verdict, values=(("limit", value),) if value else ())


def asked_items(ticket: Ticket, kind: RequestType, asks: Sequence[str]) -> tuple[ChecklistItem, ...]:
    """What an agent asked for and is no field: papers of the type with their hint, and whatever else was named."""
    labels = [(kind.document(key), key) for key in asks if kind.field(key) is None]
    return tuple(
        ChecklistItem(label=spec.label if spec else key, state=ItemState.MISSING, note=spec.hint if spec else "")
        for spec, key in labels
        if spec is not None or key in ticket.asked
    )


def document_rows(
    ticket: Ticket, kind: RequestType, words: Words, pages: PagesToDraw | None
) -> tuple[DocumentRow, ...]:
    """Every file as an agent sees it, with a place for those ``pages`` that are to be drawn, then every document
    that is missing."""
    kept = {opening.name for opening in pages.openings} if pages else set()
    names = (document_opening(number) for number in range(1, len(ticket.papers) + 1))
    rows = [
        _document_row(finding, kind, words, name if name in kept else "")
        for finding, name in zip(ticket.papers, names, strict=True)
    ]
    counting = len(ticket.documents)
    rows = [
        *rows[:counting],
        *(replace(row, state=ItemState.FOR_A_PERSON, verdict=phrase("asked_again")) for row in rows[counting:]),
    ]
    rows += [
        DocumentRow(label=spec.label, state=ItemState.MISSING, verdict=phrase("missing"))
        for spec in kind.documents
        if str(spec.key) in ticket.missing
    ]
    return tuple(rows)


def _document_row(finding: Finding, kind: RequestType, words: Words, opening: str) -> DocumentRow:
    return DocumentRow(
        label=kind.label_for(finding.requirement) if finding.requirement else "",
        state=_state(finding),
        verdict=_verdict(finding, kind),
        filename=finding.filename,
        facts=fact_rows(finding, words),
        guesses=guess_rows(finding, words),
        opening=opening,
        notes=file_notes(finding),
    )


def _verdict(finding: Finding, kind: RequestType) -> Phrase:
    """Where no papers are asked for, other files than papers are kept and looked into by nobody (R004-08)."""
    looked_into = kind.documents or finding.reasons or may_have_pages(finding.media_type)
    return _reason(finding) if looked_into or finding.verdict is not Verdict.NOT_CHECKED else phrase("not_opened")


def _state(finding: Finding) -> ItemState:
    if finding.for_a_person or finding.verdict is Verdict.NOT_CHECKED:
        return ItemState.FOR_A_PERSON
    return ItemState.RECEIVED if finding.verdict is Verdict.ACCEPTED else ItemState.REFUSED


def queue_name(ticket: Ticket, catalogue: Catalogue) -> str:
    """The department's name as people read it."""
    queue = catalogue.staff.queue(ticket.queue)
    return queue.name if queue else ticket.queue


def other_departments(ticket: Ticket, kind: RequestType, catalogue: Catalogue) -> tuple[str, ...]:
    """The departments of the type's family to which a requester may correct the ticket (R004-03)."""
    if not kind.family:
        return ()
    like = [one for one in catalogue.types_of(ticket.mailbox) if one.family == kind.family]
    queues = dict.fromkeys(one.queue for one in like if one.queue not in (ticket.queue, kind.queue))
    return tuple(queue.name for key in queues if (queue := catalogue.staff.queue(key)) is not None)


def subject_of(ticket: Ticket, mailbox: MailboxSpec) -> str:
    """The one subject of all letters of a ticket: its tag and the first mail's subject."""
    return f"{mailbox.subject_tag.format(number=ticket.number)} {ticket.subject}".strip()


def rerouted_from(ticket: Ticket, desk: LetterDesk) -> str:
    """The name of the mailbox to which the ticket's first mail came, where it is not the ticket's own."""
    spec = desk.catalogue.mailbox(ticket.rerouted_from) if ticket.rerouted_from else None
    return spec.name if spec else ticket.rerouted_from


def kind_of(change: TicketChange, desk: LetterDesk) -> RequestType:
    """The request type of the changed ticket."""
    return desk.catalogue.type(change.after.request_type)


def answer_by(ticket: Ticket, desk: LetterDesk) -> str:
    """The day until which the ticket is answered, in full; nothing where no deadline runs."""
    return desk.words.date(ticket.due_at, desk.zone) if ticket.due_at else ""


def file_lines(change: TicketChange, desk: LetterDesk) -> tuple[FileLine, ...]:
    """The files of the change's message, as a letter lists them."""
    return file_lines_of(change.message.files if change.message else (), desk)


def file_lines_of(files: Sequence[StoredFile], desk: LetterDesk) -> tuple[FileLine, ...]:
    """Files by name and size."""
    return tuple(FileLine(name=file.filename, size=desk.words.size(file.size_bytes)) for file in files)
