"""What customers may ask for by mail in one word, and what they are told (INTERFACE *Customer words*).

Triage reads and weighs the words, letters answer them: both know the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailbot.domain.events import TicketMessage
from mailbot.domain.mail import Address
from mailbot.domain.ticket import Status, Ticket

TICKETS_AT_MOST = 50
"""How many of somebody's tickets one letter lists: the newest."""

MESSAGES_AT_MOST = 100
"""How many of a ticket's messages one letter shows: the newest."""


class CustomerWord(StrEnum):
    """Every customer word; the value is the name by which the log and ``explain`` call it."""

    STATUS = "status"
    MY_TICKETS = "my_tickets"
    DETAILS = "details"
    CANCEL = "cancel"
    HELP = "help"
    TYPE = "type"
    DEPARTMENT = "department"
    SOLVED = "solved"
    RATE = "rate"
    VOTE = "vote"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerQuery:
    """A customer word as it was written: ``argument`` is what follows it, a ticket's number, an article's key or a
    name, ``value`` a rating or vote as a number, ``note`` what else the mail says. ``language`` is the one whose
    word it is, where no other has it."""

    word: CustomerWord
    argument: str = ""
    value: int = 0
    note: str = ""
    language: str = ""


class QueryAnswer(StrEnum):
    """What an answer is about."""

    TICKET_STATUS = "ticket_status"
    TICKET_LIST = "ticket_list"
    TICKET_DETAILS = "ticket_details"
    HELP = "help"
    VOTE_COUNTED = "vote_counted"
    NOT_ANSWERED = "not_answered"


class Unanswered(StrEnum):
    """Why a word was not carried out; letters word it by this code.

    ``STRANGER`` is all that somebody hears of whom we do not know who it is: it tells nothing of what exists.
    """

    STRANGER = "stranger"
    NO_SUCH_TICKET = "no_such_ticket"
    WHICH_TICKET = "which_ticket"
    FINISHED = "finished"
    NOT_FINISHED = "not_finished"
    RATED_ALREADY = "rated_already"
    WHICH_TYPE = "which_type"
    TYPE_ALREADY = "type_already"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketSummary:
    """One line of a list of tickets."""

    number: str
    request_type: str
    title: str
    status: Status
    opened_at: datetime

    @property
    def is_finished(self) -> bool:
        """Resolved or closed."""
        return self.status in (Status.RESOLVED, Status.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTickets:
    """Somebody's tickets in one mailbox, newest first: the first of them, and how many there are."""

    tickets: tuple[TicketSummary, ...] = ()
    count: int = 0


NO_TICKETS = OwnTickets()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleVotes:
    """How many people found an article useful, and how many did not."""

    useful: int = 0
    not_useful: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryReply:
    """All that the answer to a customer word needs to know.

    ``verified``: our server vouches for the address, or the mail carried the handle that went to it. ``ticket``
    is the one asked about, ``own`` the list asked for, ``messages`` the public part of the ticket's history,
    oldest first; ``choices`` are the tickets of which one is meant, ``types`` the request types. ``language`` is
    the one in which it is answered; empty for the mailbox's.
    """

    answer: QueryAnswer
    to: Address
    verified: bool
    word: CustomerWord
    reason: Unanswered | None = None
    ticket: Ticket | None = None
    own: OwnTickets = NO_TICKETS
    choices: tuple[TicketSummary, ...] = ()
    types: tuple[str, ...] = ()
    messages: tuple[TicketMessage, ...] = ()
    language: str = ""
