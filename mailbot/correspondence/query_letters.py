"""Answers to customer words: ``(QueryReply, LetterDesk) -> PlannedLetter``, one builder an answer."""

from __future__ import annotations

from typing import assert_never

from mailbot.catalogue.request_types import RequestType
from mailbot.correspondence.context import LetterView, LongText, MessageRow, first_name, paragraphs_of
from mailbot.correspondence.planned import LetterDesk, PlannedLetter
from mailbot.correspondence.query_views import (
    ExplainedWord,
    HelpView,
    QueryNotAnsweredView,
    ServiceRow,
    TicketDetailsView,
    TicketListView,
    TicketRow,
    TicketStatusView,
    TypeChoice,
)
from mailbot.correspondence.shown_agents import shown_name, without_agents_addresses
from mailbot.correspondence.view_parts import RequesterBase, answer_by, queue_name, subject_of
from mailbot.correspondence.words import phrase
from mailbot.domain.errors import MailbotError
from mailbot.domain.events import Audience, AuthorRole, HandlePurpose, LetterKind, TicketMessage
from mailbot.domain.self_service import CustomerWord, QueryAnswer, QueryReply, TicketSummary, Unanswered
from mailbot.domain.ticket import Priority, Ticket

_ABOUT_A_TICKET = frozenset({CustomerWord.STATUS, CustomerWord.DETAILS, CustomerWord.CANCEL})
WORDS_IN_HELP = (
    CustomerWord.MY_TICKETS,
    CustomerWord.STATUS,
    CustomerWord.DETAILS,
    CustomerWord.CANCEL,
    CustomerWord.TYPE,
    CustomerWord.HELP,
)
"""Whose spelling and meaning each language words, as ``customer_word.<word>`` and with ``.meaning`` behind it."""


def letter_for_query(reply: QueryReply, desk: LetterDesk) -> PlannedLetter:
    """The letter that answers a customer word; it goes to whoever asked and to nobody else."""
    match reply.answer:
        case QueryAnswer.TICKET_STATUS:
            return _planned(LetterKind.TICKET_STATUS, _status(reply, _ticket(reply), desk), reply, desk)
        case QueryAnswer.TICKET_DETAILS:
            return _planned(LetterKind.TICKET_DETAILS, _details(reply, _ticket(reply), desk), reply, desk)
        case QueryAnswer.TICKET_LIST:
            return _planned(LetterKind.TICKET_LIST, _list(reply, desk), reply, desk)
        case QueryAnswer.HELP:
            return _planned(LetterKind.HELP, _help(reply, desk), reply, desk)
        case QueryAnswer.VOTE_COUNTED:
            raise MailbotError("a vote is counted and not answered")
        case QueryAnswer.NOT_ANSWERED:
            return _planned(LetterKind.QUERY_NOT_ANSWERED, _not_answered(reply, desk), reply, desk)
        case _:
            assert_never(reply.answer)


def _ticket(reply: QueryReply) -> Ticket:
    assert reply.ticket is not None, "an answer about a ticket names it"
    return reply.ticket


def _planned(letter: LetterKind, view: LetterView, reply: QueryReply, desk: LetterDesk) -> PlannedLetter:
    ticket = reply.ticket
    return PlannedLetter(
        letter=letter,
        audience=Audience.REQUESTER,
        # Without a ticket there is nothing that an answer could be tied to.
        purpose=HandlePurpose.REQUESTER if ticket else None,
        recipient=reply.to,
        sender_name=desk.mailbox.name,
        view=view,
        language=desk.words.language,
        automatic=True,
        ticket_number=ticket.number if ticket else None,
        request_type=ticket.request_type if ticket else None,
        verified_recipient=reply.verified,
    )


def _subject(reply: QueryReply, desk: LetterDesk) -> str:
    """In a ticket's conversation the subject stays; elsewhere the template words one."""
    return subject_of(reply.ticket, desk.mailbox) if reply.ticket else ""


def _base(reply: QueryReply, ticket: Ticket, desk: LetterDesk) -> RequesterBase:
    kind = _kind(ticket, desk)
    return {
        "brand_name": kind.brand or desk.mailbox.name,
        "mailbox_address": desk.mailbox_address,
        "reply_address": desk.mailbox_address,
        "subject": subject_of(ticket, desk.mailbox),
        "rerouted_from": "",
        "quote_sender": reply.verified,
        "ticket_number": ticket.number,
        "ticket_title": ticket.title,
        "request_name": kind.name,
        "greeting_name": first_name(ticket.requester.name),
        "signature": paragraphs_of(kind.closing_line),
    }


def _kind(ticket: Ticket | TicketSummary, desk: LetterDesk) -> RequestType:
    return desk.catalogue.type(ticket.request_type)


def _status_label(ticket: Ticket | TicketSummary, desk: LetterDesk) -> str:
    further = ticket.label if isinstance(ticket, Ticket) else ""
    return _kind(ticket, desk).label_of(ticket.status, further)


# --- one ticket ------------------------------------------------------------------------------------------------


def _status(reply: QueryReply, ticket: Ticket, desk: LetterDesk) -> TicketStatusView:
    kind = _kind(ticket, desk)
    return TicketStatusView(
        **_base(reply, ticket, desk),
        status_label=_status_label(ticket, desk),
        opened_at=desk.words.moment(ticket.opened_at, desk.zone),
        updated_at=desk.words.moment(ticket.updated_at, desk.zone),
        queue_name=queue_name(ticket, desk.catalogue),
        answer_by="" if ticket.is_finished else answer_by(ticket, desk),
        missing=() if ticket.is_finished else tuple(kind.label_for(key) for key in ticket.missing),
    )


def _details(reply: QueryReply, ticket: Ticket, desk: LetterDesk) -> TicketDetailsView:
    """Subject, department, day and hour, description, history with time and author (R003-12)."""
    first = reply.messages[:1]
    return TicketDetailsView(
        **_base(reply, ticket, desk),
        subject_quoted=ticket.subject,
        queue_name=queue_name(ticket, desk.catalogue),
        opened_at=desk.words.moment(ticket.opened_at, desk.zone),
        status_label=_status_label(ticket, desk),
        description=paragraphs_of(first[0].text) if first else LongText(),
        messages=tuple(_message_row(one, ticket, desk) for one in reply.messages[1:]),
    )


def _message_row(message: TicketMessage, ticket: Ticket, desk: LetterDesk) -> MessageRow:
    return MessageRow(
        author=_author(message, ticket, desk),
        at=desk.words.moment(message.at, desk.zone),
        text=paragraphs_of(
            without_agents_addresses(message.text, desk) if message.role is AuthorRole.AGENT else message.text
        ),
    )


def _author(message: TicketMessage, ticket: Ticket, desk: LetterDesk) -> str:
    """Who wrote, without anybody's address but the reader's own."""
    if message.role is AuthorRole.AGENT:
        return shown_name(message.author, desk) or queue_name(ticket, desk.catalogue)
    if message.author.address == ticket.requester.address:
        return desk.words.say(phrase("author.you"))
    return desk.words.say(phrase("author.other"))


# --- lists -----------------------------------------------------------------------------------------------------


def _list(reply: QueryReply, desk: LetterDesk) -> TicketListView:
    left_out = reply.own.count - len(reply.own.tickets)
    return TicketListView(
        brand_name=desk.mailbox.name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        subject=_subject(reply, desk),
        quote_sender=reply.verified,
        count=str(reply.own.count),
        tickets=tuple(_row(one, desk) for one in reply.own.tickets),
        left_out=str(left_out) if left_out > 0 else "",
    )


def _row(ticket: TicketSummary, desk: LetterDesk, *, word: str = "") -> TicketRow:
    return TicketRow(
        number=ticket.number,
        request_name=_kind(ticket, desk).name,
        status_label=_status_label(ticket, desk),
        opened_at=desk.words.moment(ticket.opened_at, desk.zone),
        title=ticket.title,
        ask=f"{word} {ticket.number}" if word else "",
    )


def _help(reply: QueryReply, desk: LetterDesk) -> HelpView:
    kinds = [kind for kind in desk.catalogue.types_of(desk.mailbox.key) if kind.subject or not kind.documents]
    ranked = any(kind.priority != "automatic" for kind in kinds)
    return HelpView(
        brand_name=desk.mailbox.name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        subject=_subject(reply, desk),
        quote_sender=reply.verified,
        services=tuple(
            ServiceRow(
                name=kind.name,
                subject=kind.subject or kind.name,
                labels=tuple(field.label for field in kind.fields if field.required and field.default is None),
            )
            for kind in kinds
        ),
        words=tuple(
            ExplainedWord(word=_spelled(word, desk), meaning=phrase(f"customer_word.{word}.meaning"))
            for word in WORDS_IN_HELP
        ),
        priorities=tuple(_priority(one, desk) for one in reversed(Priority)) if ranked else (),
    )


def _priority(priority: Priority, desk: LetterDesk) -> ExplainedWord:
    return ExplainedWord(
        word=desk.words.say(phrase(f"priority.{priority}")), meaning=phrase(f"priority.{priority}.meaning")
    )


def _not_answered(reply: QueryReply, desk: LetterDesk) -> QueryNotAnsweredView:
    reason = reply.reason or Unanswered.STRANGER
    word = _spelled(reply.word, desk) if reply.word in _ABOUT_A_TICKET else ""
    return QueryNotAnsweredView(
        brand_name=desk.mailbox.name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        subject=_subject(reply, desk),
        quote_sender=reply.verified,
        reason=phrase(f"query.{reason}", word=word, number=reply.ticket.number if reply.ticket else ""),
        choices=tuple(_row(one, desk, word=word) for one in reply.choices),
        types=tuple(_type_choice(desk.catalogue.type(key), desk) for key in reply.types),
    )


def _type_choice(kind: RequestType, desk: LetterDesk) -> TypeChoice:
    return TypeChoice(name=kind.name, ask=f"{_spelled(CustomerWord.TYPE, desk)}: {kind.name}")


def _spelled(word: CustomerWord, desk: LetterDesk) -> str:
    """A customer word as customers of the letter's language write it."""
    return desk.words.say(phrase(f"customer_word.{word}"))
