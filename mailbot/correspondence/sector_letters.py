"""Mails to a sector and notices of its answers: ``(TicketChange, LetterDesk) -> PlannedLetter``.

A sector is the house's own, works by e-mail, and is no staff here: its address stands in ``staff.yaml``, and what
it gets is a book with exactly the fields that the request type lists (R001-12, R001-15).
"""

from __future__ import annotations

from collections.abc import Iterator

from mailbot.catalogue.books import BookSpec
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.staff import AgentSpec
from mailbot.correspondence.context import FieldRow, paragraphs_of
from mailbot.correspondence.field_parts import shown_value
from mailbot.correspondence.planned import LetterDesk, PlannedLetter
from mailbot.correspondence.sector_views import SectorBookView, SectorRepliedView
from mailbot.correspondence.staff_letters import for_agent, staff_base
from mailbot.correspondence.view_parts import answer_by, file_lines, kind_of, queue_name, subject_of
from mailbot.domain.events import Audience, EventKind, HandlePurpose, LetterKind
from mailbot.domain.mail import Address
from mailbot.domain.ticket import Ticket
from mailbot.domain.ticket_change import TicketChange


def sector_book(change: TicketChange, desk: LetterDesk) -> PlannedLetter | None:
    """The book that the ticket's sector gets; ``None`` where the configuration no longer has it or its address."""
    ticket, kind = change.after, kind_of(change, desk)
    book, queue = kind.books.get(ticket.sector_book), desk.catalogue.staff.queue(ticket.queue)
    if book is None or queue is None or queue.sector_address is None:
        return None
    reminder = change.happened(EventKind.SECTOR_NUDGED)
    view = SectorBookView(
        brand_name=desk.mailbox.name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        subject=subject_of(ticket, desk.mailbox),
        ticket_number=ticket.number,
        book_name=book.name,
        rows=tuple(_rows(book, ticket, kind)),
        intro=book.intro,
        remark_label=book.remark.label if book.remark else "",
        remark=book.remark.value if book.remark else "",
        reminder=reminder,
        unverified=any(value.unverified for value in ticket.fields if value.key in book.fields),
        answer_by=answer_by(ticket, desk),
    )
    return PlannedLetter(
        letter=LetterKind.SECTOR_BOOK,
        audience=Audience.STAFF,
        purpose=HandlePurpose.SECTOR,
        recipient=Address(address=queue.sector_address, name=queue_name(ticket, desk.catalogue)),
        sender_name=desk.mailbox.name,
        view=view,
        language=desk.mailbox.language,
        automatic=True,
        ticket_number=ticket.number,
        request_type=ticket.request_type,
        auto_submitted="auto-generated",
        replaces=(LetterKind.SECTOR_BOOK,),
        verified_recipient=True,
    )


def _rows(book: BookSpec, ticket: Ticket, kind: RequestType) -> Iterator[FieldRow]:
    """The book's fields in its order, those that may be absent where they are known, and the ticket's number."""
    stated = {value.key: value.value for value in ticket.fields if value.valid and value.value}
    for key in (*book.fields, *book.optional_fields):
        spec = kind.field(key)
        if spec is not None and key in stated:
            yield FieldRow(label=spec.label, value=shown_value(spec, stated[key]))
    if book.number_label:
        yield FieldRow(label=book.number_label, value=ticket.number)


def sector_replied(change: TicketChange, desk: LetterDesk, agent: AgentSpec) -> PlannedLetter:
    """What a sector answered, and what its answer filled in."""
    message, kind = change.message, kind_of(change, desk)
    known = change.before.fields if change.before else ()
    new = {value.key: value.value for value in change.after.fields if value not in known}
    base = staff_base(change, desk, agent)
    view = SectorRepliedView(
        **base,
        received_at=desk.words.moment(message.at if message else desk.now, desk.zone),
        sector_address=message.author.address if message else "",
        text=paragraphs_of(message.text if message else ""),
        files=file_lines(change, desk),
        filled=tuple(FieldRow(label=spec.label, value=new[spec.key]) for spec in kind.fields if spec.key in new),
        client_told=bool(change.told),
    )
    return for_agent(LetterKind.SECTOR_REPLIED, view, change, agent, desk)
