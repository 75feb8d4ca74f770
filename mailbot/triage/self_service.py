"""What comes of a customer word, and who may use it: ``(CustomerQuery, Situation) -> Decision | None``. Pure.

Only who is verified, or answers with the handle that went to them, is told anything; somebody else's handle
counts for nothing; a stranger hears one sentence that is the same whatever exists (INTERFACE *Customer words*).
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from mailbot.domain.events import HOUSE_PURPOSES, HandlePurpose
from mailbot.domain.mail import Accepted, Authenticity, Sender, SenderRole, ThreadKey, ThreadMatch
from mailbot.domain.self_service import CustomerQuery, CustomerWord, QueryAnswer, TicketSummary, Unanswered
from mailbot.domain.ticket import Ticket
from mailbot.triage.decisions import ActOnQuery, AnswerQuery, AppendMessage, Decision, Discard
from mailbot.triage.language import language_of
from mailbot.triage.situation import Situation
from mailbot.triage.types_named import asks_for_it_itself

UNANSWERED_QUERY = "unanswered_query"
"""Reason in the log for a customer word of which a machine may be the author."""


class Access(StrEnum):
    """What a sender's customer words are worth.

    ``ORDINARY``: the mail is a message like any other. ``SILENT``: nothing is done, nobody is answered.
    """

    GRANTED = "granted"
    STRANGER = "stranger"
    ORDINARY = "ordinary"
    SILENT = "silent"


def access(screening: Accepted, sender: Sender, thread: ThreadMatch, ticket: Ticket | None) -> Access:
    """What the words of this mail are worth; ``ticket`` is the one that its thread leads to."""
    if not screening.may_answer:
        # A machine's, or forged: kept where it belongs to a ticket, else left alone.
        return Access.ORDINARY if thread.accepted else Access.SILENT
    if (
        sender.role is SenderRole.AGENT
        and thread.ticket_number is not None
        and not _is_hers(sender, thread, ticket)
    ):
        return Access.ORDINARY
    if thread.accepted and thread.from_another_address:
        return Access.ORDINARY
    if sender.authenticity is Authenticity.VERIFIED or _has_own_handle(thread):
        return Access.GRANTED
    return Access.STRANGER


def _is_hers(sender: Sender, thread: ThreadMatch, ticket: Ticket | None) -> bool:
    own = ticket is not None and ticket.requester.address == sender.address.address
    return own and thread.handle_purpose not in HOUSE_PURPOSES


def _has_own_handle(thread: ThreadMatch) -> bool:
    return (
        thread.accepted
        and thread.key is ThreadKey.REPLY_TOKEN
        and thread.handle_purpose == HandlePurpose.REQUESTER
        and not thread.from_another_address
        and not thread.handle_expired
    )


def language_of_answer(situation: Situation, *, known: bool) -> str:
    """In which language a customer word is answered: the ticket's, else that of the sender's record, else of the
    word, else of what else the mail says (R003-17). Of somebody who is not ``known`` only the mail counts: an
    answer tells nothing of what exists. Empty where nothing tells."""
    if known and situation.ticket is not None:
        return situation.ticket.language
    if known and situation.sender_record is not None and situation.sender_record.language:
        return situation.sender_record.language
    query = situation.query
    return (query.language if query else "") or language_of(situation.mail.new_text)


def decide_on_query(query: CustomerQuery, situation: Situation) -> Decision | None:
    """What is done with a mail that is a customer word; ``None`` where it is a message like any other."""
    thread = situation.thread
    match access(situation.screening, situation.sender, thread, situation.ticket):
        case Access.ORDINARY:
            return _kept_quietly(query, situation)
        case Access.SILENT:
            return Discard(reason=situation.screening.reason or UNANSWERED_QUERY)
        case Access.STRANGER:
            return _not_answered(query, Unanswered.STRANGER)
        case Access.GRANTED:
            return _served(query, situation)


_ANSWER_AT_ONCE = {
    CustomerWord.HELP: QueryAnswer.HELP,
    CustomerWord.MY_TICKETS: QueryAnswer.TICKET_LIST,
    CustomerWord.VOTE: QueryAnswer.VOTE_COUNTED,
}
_ANSWER_ABOUT_TICKET = {
    CustomerWord.STATUS: QueryAnswer.TICKET_STATUS,
    CustomerWord.DETAILS: QueryAnswer.TICKET_DETAILS,
}


def _served(query: CustomerQuery, situation: Situation) -> Decision | None:
    word = query.word
    at_once = _ANSWER_AT_ONCE.get(word)
    if word is CustomerWord.STATUS and situation.ticket is None and not query.argument:
        at_once = QueryAnswer.TICKET_LIST
    if at_once is not None:
        return AnswerQuery(answer=at_once, word=word)
    if word in (CustomerWord.TYPE, CustomerWord.DEPARTMENT):
        return _retyped(query, situation)
    question = _which_ticket(query, situation)
    if question is not None:
        return question
    about = _ANSWER_ABOUT_TICKET.get(word)
    if about is not None:
        return AnswerQuery(answer=about, word=word)
    refusal = _why_not_rate(situation) if word is CustomerWord.RATE else _why_not_end(situation)
    return ActOnQuery(query=query) if refusal is None else _not_answered(query, refusal)


def _which_ticket(query: CustomerQuery, situation: Situation) -> AnswerQuery | None:
    """The question which ticket is meant, unless one is."""
    if situation.ticket is not None:
        return None
    named = situation.named
    if query.argument and not named.count:
        # Answered the same way whether or not the number is somebody else's.
        return _not_answered(query, Unanswered.NO_SUCH_TICKET)
    return _not_answered(query, Unanswered.WHICH_TICKET, choices=named.tickets)


def _retyped(query: CustomerQuery, situation: Situation) -> Decision | None:
    """The ticket becomes a request of another type; ``None`` where the line is rather part of a message."""
    ticket, named = situation.ticket, situation.types_named
    chosen = named[0] if len(named) == 1 else None
    says_more = bool(query.note)
    if ticket is None and (says_more or not situation.named.count):
        # The first line of a new request: what it is about is not for this word to say.
        return None
    differs = ticket is not None and chosen is not None and chosen.key != ticket.request_type
    if not differs and (says_more or asks_for_it_itself(query.word, situation.request_type)):
        return None
    if chosen is None:
        types = tuple(kind.key for kind in named or situation.types_offered)
        return replace(_not_answered(query, Unanswered.WHICH_TYPE), types=types)
    question = _which_ticket(query, situation)
    if question is not None:
        return question
    if not differs:
        return _not_answered(query, Unanswered.TYPE_ALREADY)
    refusal = _why_not_end(situation)
    return _not_answered(query, refusal) if refusal else ActOnQuery(query=query, request_type=chosen.key)


def _why_not_end(situation: Situation) -> Unanswered | None:
    ticket = situation.ticket
    return Unanswered.FINISHED if ticket is not None and ticket.is_finished else None


def _why_not_rate(situation: Situation) -> Unanswered | None:
    ticket = situation.ticket
    if ticket is not None and not ticket.is_finished:
        return Unanswered.NOT_FINISHED
    return Unanswered.RATED_ALREADY if ticket is not None and ticket.rating is not None else None


_BRING_NOTHING = frozenset({CustomerWord.RATE, CustomerWord.VOTE})


def _kept_quietly(query: CustomerQuery, situation: Situation) -> Decision | None:
    """What somebody else says of a ticket or an article with the requester's handle must not reopen the ticket."""
    if query.word in _BRING_NOTHING and situation.ticket is not None and situation.thread.from_another_address:
        return AppendMessage(quiet=True)
    return None


def _not_answered(
    query: CustomerQuery, reason: Unanswered, *, choices: tuple[TicketSummary, ...] = ()
) -> AnswerQuery:
    return AnswerQuery(answer=QueryAnswer.NOT_ANSWERED, word=query.word, reason=reason, choices=choices)
