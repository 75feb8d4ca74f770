"""What every notice about a request shows of it: ``(TicketChange, LetterDesk) -> parts of a RequestView``.

Facts, documents with their verdicts, what the rules suggest, due time and messages, so that an agent decides
without opening another mail.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from mailbot.correspondence.context import (
    ComparisonRow,
    CustomerLine,
    DocumentRow,
    FieldRow,
    FileLine,
    MessageRow,
    StaffAction,
    paragraphs_of,
)
from mailbot.correspondence.customer_lines import customer_lines, customer_state
from mailbot.correspondence.document_facts import comparison
from mailbot.correspondence.field_parts import field_rows
from mailbot.correspondence.guidance_words import suggestions
from mailbot.correspondence.openings import ATTACHED
from mailbot.correspondence.planned import LetterDesk
from mailbot.correspondence.staff_actions import actions_for, merge_actions
from mailbot.correspondence.view_parts import answer_by, document_rows, file_lines, kind_of
from mailbot.correspondence.words import Phrase, phrase
from mailbot.domain.events import TicketMessage, Visibility
from mailbot.domain.notice_pages import PagesToDraw
from mailbot.domain.ticket import Priority, Ticket
from mailbot.domain.ticket_change import TicketChange


class RequestParts(TypedDict):
    """What every notice about a request shows of it."""

    opened_at: str
    answer_by: str
    procedure_label: str
    procedure_url: str
    priority: str
    customer_state: Phrase | None
    customers: tuple[CustomerLine, ...]
    fields: tuple[FieldRow, ...]
    documents: tuple[DocumentRow, ...]
    comparison: tuple[ComparisonRow, ...]
    mismatches: tuple[Phrase, ...]
    suggestions: tuple[Phrase, ...]
    files: tuple[FileLine, ...]
    actions: tuple[StaffAction, ...]
    attached_opening: str


def request_parts(change: TicketChange, desk: LetterDesk, pages: PagesToDraw | None) -> RequestParts:
    """All that is known of a request; ``pages`` are those that are to be drawn for the notice."""
    ticket, kind = change.after, kind_of(change, desk)
    is_medium = ticket.priority is Priority.MEDIUM
    return {
        "opened_at": desk.words.moment(ticket.opened_at, desk.zone),
        "answer_by": answer_by(ticket, desk),
        "procedure_label": kind.procedure.label if kind.procedure else "",
        "procedure_url": kind.procedure.url if kind.procedure else "",
        "priority": "" if is_medium else desk.words.say(phrase(f"priority.{ticket.priority}")),
        "customer_state": customer_state(ticket, kind),
        "customers": customer_lines(ticket, desk.customers),
        "fields": field_rows(ticket, kind),
        "documents": document_rows(ticket, kind, desk.words, pages),
        "comparison": comparison(ticket.documents, desk.words),
        "mismatches": tuple(phrase(f"mismatch.{one.reason}", name=one.name) for one in ticket.mismatches),
        "suggestions": (
            *_stopped(desk),
            *_asked_by_name(change),
            *duplicates_named(desk),
            *_priority_to_confirm(ticket),
            *suggestions(ticket, kind, desk.words),
        ),
        "files": file_lines(change, desk),
        "actions": (*actions_for(ticket, kind), *merge_actions(desk.duplicates)),
        "attached_opening": ATTACHED if pages else "",
    }


def message_rows(messages: Iterable[TicketMessage], desk: LetterDesk) -> tuple[MessageRow, ...]:
    """Messages of the ticket as an agent reads them."""
    return tuple(
        MessageRow(
            author=message.author.name or message.author.address,
            at=desk.words.moment(message.at, desk.zone),
            text=paragraphs_of(message.text),
            internal=message.visibility is Visibility.INTERNAL,
            unverified=message.unverified,
        )
        for message in messages
    )


def _stopped(desk: LetterDesk) -> tuple[Phrase, ...]:
    """Whoever decided thinks that the requester knows."""
    return (phrase("suggestion.decision_stopped"),) if desk.decision_stopped else ()


def _asked_by_name(change: TicketChange) -> tuple[Phrase, ...]:
    """What an agent had asked for in words of their own: whether it came, only a person can tell."""
    waited_for = change.before.asked if change.before is not None else ()
    if not waited_for or change.after.asked:
        return ()
    return (phrase("suggestion.asked_by_name", items=", ".join(waited_for)),)


def duplicates_named(desk: LetterDesk) -> tuple[Phrase, ...]:
    """The tickets of which this one seems to be a duplicate."""
    return tuple(phrase("suggestion.duplicate", number=one.number, title=one.title) for one in desk.duplicates)


def _priority_to_confirm(ticket: Ticket) -> tuple[Phrase, ...]:
    """What was asked for or is proposed, and holds only if an agent says so (R004-06)."""
    asked = ticket.priority_asked
    return () if asked is None else (phrase(f"suggestion.priority_{asked}"),)
