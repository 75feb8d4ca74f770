"""Everything that can be done with an accepted mail: the closed union ``Decision``, plain values."""

from __future__ import annotations

from dataclasses import dataclass

from mailbot.domain.account_contacts import ContactChange
from mailbot.domain.confirmation import WaitingOrders
from mailbot.domain.events import RequesterAnswer, Visibility
from mailbot.domain.evidence import FieldValue
from mailbot.domain.mail import Address
from mailbot.domain.orders import OrderPlan, Transcript
from mailbot.domain.self_service import CustomerQuery, CustomerWord, QueryAnswer, TicketSummary, Unanswered
from mailbot.domain.staff_words import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Keep the mail in the log and do nothing."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicket:
    """A new request. ``linked_to``: a ticket that the mail named without a right to join it.
    ``which``: the sender has to say which of these open tickets is meant. ``guides``: it ends at once with what
    the requester has to do instead. ``opened_by``: the agent who opens it in the sender's name."""

    linked_to: str | None = None
    link_reason: str = ""
    which: tuple[str, ...] = ()
    guides: bool = False
    opened_by: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFollowUp:
    """A new ticket that follows a finished one."""

    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendMessage:
    """One more message of the requester. ``quiet``: kept, nobody is told. ``guides``: the ticket ends with what
    the requester has to do instead. ``answers``: what it says to a visit or to a question for approval. ``aside``:
    it is somebody else's, for staff to read, and changes nothing."""

    reopen: bool = False
    quiet: bool = False
    guides: bool = False
    answers: RequesterAnswer | None = None
    aside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyAgentReply:
    """An agent's mail does what it says: words to the requester, an internal note, orders.

    ``already_sent``: the requester got this very mail, straight from the shared mailbox. ``remark`` is the code of
    what the agent is told of a mail that went through all the same. ``confirmed``: what an earlier mail ordered.
    """

    visibility: Visibility
    text: str
    orders: OrderPlan | None = None
    already_sent: bool = False
    remark: str = ""
    confirmed: WaitingOrders | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplySectorReply:
    """A sector answered a book: a note, with the fields that it fills in."""

    filled: tuple[FieldValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseAgentReply:
    """An agent's mail is kept as an unverified note and the agent is told why, line by line where its words are
    the reason. ``code``: it is done once the agent confirms it with this code. ``told_before``: the agent heard of
    it today, and hears no more."""

    reason: Refusal
    word: str = ""
    transcript: Transcript | None = None
    code: str = ""
    told_before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuery:
    """Answer a customer word with a letter; no ticket changes. ``choices``: tickets of which one is meant;
    ``types``: keys of request types likewise."""

    answer: QueryAnswer
    word: CustomerWord
    reason: Unanswered | None = None
    choices: tuple[TicketSummary, ...] = ()
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActOnQuery:
    """A customer word that changes the sender's own ticket; ``request_type`` is the type that it becomes."""

    query: CustomerQuery
    request_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeContact:
    """The owner of an account confirmed who may write for it from now on, or no longer (R004-13)."""

    change: ContactChange


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerAgent:
    """Tell an agent what became of an errand; no ticket changes. ``reason`` is for the log."""

    transcript: Transcript
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmErrand:
    """An agent's code came for an earlier mail of theirs, ``mail_id``: that one is done now. ``reason`` is for
    the log."""

    mail_id: int
    reason: str = "confirmed"


Decision = (
    Discard
    | OpenTicket
    | OpenFollowUp
    | AppendMessage
    | ApplyAgentReply
    | ApplySectorReply
    | RefuseAgentReply
    | AnswerQuery
    | ActOnQuery
    | ChangeContact
    | AnswerAgent
    | ConfirmErrand
)
