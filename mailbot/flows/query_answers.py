"""The answer to a customer word: ``(AnswerQuery, Situation) -> QueryReply -> letter``, in its transaction."""

from __future__ import annotations

from mailbot.catalogue.knowledge import KnowledgeBase
from mailbot.correspondence.planned import PlannedLetter
from mailbot.domain.events import OutboundLetter, TicketMessage, Visibility
from mailbot.domain.self_service import (
    MESSAGES_AT_MOST,
    NO_TICKETS,
    TICKETS_AT_MOST,
    OwnTickets,
    QueryAnswer,
    QueryReply,
    Unanswered,
)
from mailbot.flows.letter_office import LetterOffice
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.ports import UnitOfWork
from mailbot.triage.decisions import AnswerQuery
from mailbot.triage.self_service import language_of_answer
from mailbot.triage.situation import Situation


def reply_to(
    decision: AnswerQuery,
    situation: Situation,
    *,
    own: OwnTickets = NO_TICKETS,
    messages: tuple[TicketMessage, ...] = (),
) -> QueryReply:
    """All that the answer says. Of a stranger's question nothing but the word goes into it."""
    known = decision.reason is not Unanswered.STRANGER
    return QueryReply(
        answer=decision.answer,
        to=situation.sender.address,
        verified=known,
        word=decision.word,
        reason=decision.reason,
        ticket=situation.ticket if known else None,
        own=own,
        choices=decision.choices,
        types=decision.types,
        messages=messages,
        language=language_of_answer(situation, known=known),
    )


def answer_query(
    work: UnitOfWork,
    office: LetterOffice,
    decision: AnswerQuery,
    situation: Situation,
    mailbox: ServedMailbox,
    *,
    mail_id: int,
) -> list[OutboundLetter]:
    """Look up what is asked for and put the answer into the outbox; a vote is counted and not answered."""
    if decision.answer is QueryAnswer.VOTE_COUNTED:
        return []
    own = NO_TICKETS
    messages: tuple[TicketMessage, ...] = ()
    if decision.answer is QueryAnswer.TICKET_LIST:
        own = work.tickets.own_tickets(situation.sender.address.address, mailbox.key, limit=TICKETS_AT_MOST)
    if decision.answer is QueryAnswer.TICKET_DETAILS and situation.ticket is not None:
        messages = _public_messages(work, situation.ticket.number)
    reply = reply_to(decision, situation, own=own, messages=messages)
    return office.answer(
        work, reply, mailbox, now=situation.now, mail_id=mail_id, answers=situation.mail.message_id
    )


def count_vote(work: UnitOfWork, decision: AnswerQuery, situation: Situation, *, knowledge: KnowledgeBase) -> None:
    """Count what the mail thinks of an article, if it is a vote of somebody who may have one and the article is
    still there."""
    query = situation.query
    if decision.answer is not QueryAnswer.VOTE_COUNTED or query is None:
        return
    if knowledge.article(query.argument) is None:
        return
    work.feedback.vote(query.argument, situation.sender.address.address, useful=query.value > 0, now=situation.now)


def plan_unasked(
    office: LetterOffice, decision: AnswerQuery, situation: Situation, mailbox: ServedMailbox
) -> PlannedLetter | None:
    """The answer of a mailbox that knows of no tickets, if there is one; nothing is stored."""
    if decision.answer is QueryAnswer.VOTE_COUNTED:
        return None
    return office.plan_answer(reply_to(decision, situation), mailbox, now=situation.now)


def _public_messages(work: UnitOfWork, number: str) -> tuple[TicketMessage, ...]:
    """The first message and the newest ones, as far as the requester may read them."""
    newest = work.tickets.last_messages(number, MESSAGES_AT_MOST)
    first = work.tickets.first_message(number)
    every = newest if first is None or first in newest else [first, *newest]
    return tuple(one for one in every if one.visibility is Visibility.PUBLIC)
