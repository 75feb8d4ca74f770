"""What an agent hears of their orders: ``(Transcript, LetterDesk, agent, TicketChange | None) -> PlannedLetter``.

It goes to the registered address only (THREATS 9), with a handle of its own: an answer to it is an answer to the
ticket, or, where there is none, to nobody.
"""

from __future__ import annotations

from mailbot.correspondence.context import MessageRow, first_name, paragraphs_of
from mailbot.correspondence.guidance_words import suggestions
from mailbot.correspondence.planned import LetterDesk, PlannedLetter
from mailbot.correspondence.planned_pages import pages_asked_for, paper_rows
from mailbot.correspondence.request_parts import duplicates_named
from mailbot.correspondence.staff_views import ConfirmOrdersView, ManualRow, OrderRow, OwnTicketRow, TranscriptView
from mailbot.correspondence.view_parts import file_lines_of, queue_name, subject_of
from mailbot.correspondence.words import Phrase, phrase
from mailbot.domain.confirmation import CODE_LIFE
from mailbot.domain.events import Audience, EventKind, HandlePurpose, LetterKind, TicketMessage, Visibility
from mailbot.domain.mail import Address
from mailbot.domain.orders import Transcript, TranscriptLine
from mailbot.domain.staff_words import StaffWord
from mailbot.domain.ticket import Ticket
from mailbot.domain.ticket_change import TicketChange


def transcript(
    told: Transcript, desk: LetterDesk, agent: Address, change: TicketChange | None = None
) -> PlannedLetter:
    """Each line of the mail with what became of it, and all that was asked for."""
    ticket = change.after if change else None
    pages = pages_asked_for(told.papers, desk)
    left_undone = change is not None and not told.applied and change.message is not None
    view = TranscriptView(
        brand_name=desk.mailbox.name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        subject=subject_of(ticket, desk.mailbox) if ticket else "",
        agent_name=first_name(agent.name),
        applied=told.applied,
        reply_is_public=ticket is not None and not told.applied,
        ticket_number=ticket.number if ticket else "",
        ticket_title=ticket.title if ticket else "",
        request_name=desk.catalogue.type(ticket.request_type).name if ticket else "",
        requester_name=ticket.requester.name if ticket else "",
        requester_address=ticket.requester.address if ticket else "",
        queue_name=queue_name(ticket, desk.catalogue) if ticket else "",
        status_label=_status(ticket, desk) if ticket else "",
        remarks=(
            *(phrase(f"transcript.{code}") for code in told.remarks),
            *_of_its_book(change, desk),
            *(duplicates_named(desk) if change is not None and change.opened_by is not None else ()),
        ),
        lines=tuple(_row(line) for line in told.lines),
        undo_until=desk.words.moment(told.undo_until, desk.zone) if told.undo_until else "",
        possible="" if told.manual else ", ".join(f"#{word}" for word in told.possible),
        manual=tuple(manual_row(word) for word in told.possible) if told.manual else (),
        messages=tuple(_message(one, desk) for one in desk.messages) if told.history else (),
        lists_tickets=told.tickets is not None,
        tickets=tuple(_own_ticket(one, desk) for one in told.tickets or ()),
        files=file_lines_of(told.files, desk),
        papers=paper_rows(pages),
        text=paragraphs_of(change.message.text if left_undone and change and change.message else ""),
    )
    return PlannedLetter(
        letter=LetterKind.TRANSCRIPT,
        audience=Audience.STAFF,
        purpose=_purpose(told) if ticket else None,
        recipient=agent,
        sender_name=desk.mailbox.name,
        view=view,
        language=desk.mailbox.language,
        automatic=True,
        ticket_number=ticket.number if ticket else None,
        request_type=ticket.request_type if ticket else None,
        files=told.files,
        pages=pages,
        verified_recipient=True,
    )


def _of_its_book(change: TicketChange | None, desk: LetterDesk) -> tuple[Phrase, ...]:
    """Which book leaves for the sector by what the agent filled in, or what it waits for (R001-14)."""
    if change is None or not change.happened(EventKind.FIELDS_CHANGED):
        return ()
    ticket, kind = change.after, desk.catalogue.type(change.after.request_type)
    book = kind.books.get(ticket.sector_book)
    if change.happened(EventKind.BOOK_WRITTEN) and book is not None:
        return (phrase("transcript.book_written", book=book.name),)
    return suggestions(ticket, kind, desk.words) if kind.books and not ticket.is_finished else ()


def confirm_errand(told: Transcript, desk: LetterDesk, agent: Address) -> PlannedLetter:
    """An errand about no ticket, and the code with which it is done."""
    view = ConfirmOrdersView(
        brand_name=desk.mailbox.name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        agent_name=first_name(agent.name),
        ticket_number="",
        ticket_title="",
        request_name="",
        requester_address="",
        reply_is_public=False,
        code=told.code,
        until=desk.words.moment(desk.now + CODE_LIFE, desk.zone),
        text=paragraphs_of(told.asked),
    )
    return PlannedLetter(
        letter=LetterKind.CONFIRM_ORDERS,
        audience=Audience.STAFF,
        purpose=None,
        recipient=agent,
        sender_name=desk.mailbox.name,
        view=view,
        language=desk.mailbox.language,
        automatic=True,
        auto_submitted="auto-generated",
        verified_recipient=True,
    )


def _purpose(told: Transcript) -> HandlePurpose:
    """What was not done is written again, and may be for the requester; to what was done nobody answers them."""
    return HandlePurpose.STAFF_INTERNAL if told.applied else HandlePurpose.STAFF_PUBLIC


def manual_row(word: StaffWord) -> ManualRow:
    """How a word is written and what it does."""
    return ManualRow(form=phrase(f"form.{word}"), meaning=phrase(f"manual.{word}"))


def _row(line: TranscriptLine) -> OrderRow:
    return OrderRow(typed=line.typed, state=line.state, note=Phrase(code=line.code, values=line.values))


def _status(ticket: Ticket, desk: LetterDesk) -> str:
    return desk.catalogue.type(ticket.request_type).label_of(ticket.status, ticket.label)


def _message(message: TicketMessage, desk: LetterDesk) -> MessageRow:
    return MessageRow(
        author=message.author.name or message.author.address,
        at=desk.words.moment(message.at, desk.zone),
        text=paragraphs_of(message.text),
        internal=message.visibility is Visibility.INTERNAL,
        unverified=message.unverified,
    )


def _own_ticket(ticket: Ticket, desk: LetterDesk) -> OwnTicketRow:
    return OwnTicketRow(
        number=ticket.number,
        title=ticket.title,
        requester=ticket.requester.name or ticket.requester.address,
        status_label=_status(ticket, desk),
        answer_by=desk.words.moment(ticket.due_at, desk.zone) if ticket.due_at else "",
    )
