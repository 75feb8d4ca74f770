"""What to do with an agent's mail on a ticket: ``decide_on_agent(Situation, Ticket) -> Decision``. Pure.

Whether the mail has authority is asked before what it says, and what it says before what the words order:
everything that fails leaves the mail as an unverified note (THREATS 9-11, 28).
"""

from __future__ import annotations

from mailbot.domain.events import STAFF_PURPOSES, HandlePurpose, Visibility
from mailbot.domain.mail import Authenticity, Sender, SenderRole, ThreadKey, ThreadMatch
from mailbot.domain.orders import OrderPlan
from mailbot.domain.staff_words import Refusal, StaffWord
from mailbot.domain.ticket import Ticket
from mailbot.triage.agent_files import is_meant_to_be_sent, text_of
from mailbot.triage.decisions import AppendMessage, ApplyAgentReply, Decision, RefuseAgentReply
from mailbot.triage.directives import DirectiveBlock
from mailbot.triage.quoted_notice import quotes_notice
from mailbot.triage.screen import ScreeningReason
from mailbot.triage.situation import Situation
from mailbot.triage.thread import ThreadRefusal

EXPIRED_HANDLE = "expired_handle"
"""Remark on a plain answer whose handle has expired: it goes through, orders would not."""

_NO_ORDERS = frozenset({StaffWord.NOTA, StaffWord.RESPONDER, StaffWord.AJUDA})
"""Words that order nothing: they need no more than a plain answer does."""


def is_named_by_agent(sender: Sender, thread: ThreadMatch, block: DirectiveBlock) -> bool:
    """Whether a mail in an agent's name is about the ticket of ``thread`` without a right to join it: it becomes a
    note there, and the agent is told (INTERFACE *Staff words*, THREATS 9).

    Without a word, to an address kept from an old notice, it is a matter of its own.
    """
    if sender.role is not SenderRole.AGENT or thread.ticket_number is None:
        return False
    return thread.refused != ThreadRefusal.ADDRESS_BOOK or block.lines > 0


def decide_on_agent(situation: Situation, ticket: Ticket) -> Decision:
    """Choose what to do with a mail of the roster on ``ticket``."""
    if situation.screening.automatic_reply or situation.screening.reason == ScreeningReason.ABSENCE_SUBJECT:
        return AppendMessage(quiet=True)
    refusal = _why_not_as_agent(situation) or _why_not_this_content(situation)
    if refusal:
        return _refused(situation, refusal, word=_first_word(situation))
    if situation.code_refusal is not None:
        return _refused(situation, situation.code_refusal)
    orders = situation.orders or OrderPlan(after=ticket)
    if not orders.refusal and _needs_code(situation):
        return RefuseAgentReply(reason=Refusal.NEEDS_CODE, code=situation.code_to_ask)
    return decide_on_orders(situation, orders)


_ABOUT_AUTHORITY = frozenset(
    {
        Refusal.NO_HANDLE,
        Refusal.HANDLE_OF_ANOTHER,
        Refusal.TWO_TICKETS,
        Refusal.NOT_VERIFIED,
        Refusal.EXPIRED_HANDLE,
        Refusal.CODES_EXHAUSTED,
    }
)
"""Reasons that lie in who wrote, and not in what was written."""


def _refused(situation: Situation, reason: Refusal, *, word: str = "") -> RefuseAgentReply:
    """Whoever writes a thousand mails in an agent's name has one letter a day written to them; an agent for whom
    our server vouches hears of each mail that did nothing."""
    is_vouched_for = situation.sender.authenticity is Authenticity.VERIFIED
    again = reason in situation.told_today and reason in _ABOUT_AUTHORITY
    return RefuseAgentReply(reason=reason, word=word, told_before=again and not is_vouched_for)


def _needs_code(situation: Situation) -> bool:
    """Where the mailbox's server tells nothing of who sent a mail, orders wait for a one-time code that only the
    registered address has."""
    is_sure = situation.sender.authenticity is Authenticity.VERIFIED or situation.confirmed is not None
    return _orders_something(situation) and not is_sure


def _orders_something(situation: Situation) -> bool:
    return any(directive.word not in _NO_ORDERS for directive in situation.directives.directives)


def _why_not_as_agent(situation: Situation) -> Refusal | None:
    """The reason code for which this mail has no authority (THREATS 9–11), or ``None``."""
    return _why_not_by_handle(situation) or _why_not_by_sender(situation)


def _why_not_by_handle(situation: Situation) -> Refusal | None:
    """Whether the mail carries a handle made for this agent and this ticket, of which it is an answer."""
    thread, sender = situation.thread, situation.sender
    if thread.key is not ThreadKey.REPLY_TOKEN or thread.handle_purpose not in STAFF_PURPOSES:
        return Refusal.NO_HANDLE
    if thread.handle_recipient != sender.address.address:
        return Refusal.HANDLE_OF_ANOTHER
    if thread.refused == ThreadRefusal.ADDRESS_BOOK:
        return Refusal.NO_HANDLE
    if not thread.accepted:
        # Revoked: as good as expired, for plain words too.
        return Refusal.EXPIRED_HANDLE
    return None


def _why_not_by_sender(situation: Situation) -> Refusal | None:
    """Whether the agent wrote it, and what an answer without doubt may order."""
    thread, sender = situation.thread, situation.sender
    if sender.authenticity is Authenticity.FAILED:
        return Refusal.NOT_VERIFIED
    if sender.authenticity is not Authenticity.VERIFIED and situation.answers_need_verification:
        return Refusal.NOT_VERIFIED
    commands = _orders_something(situation)
    if commands and thread.also_named:
        return Refusal.TWO_TICKETS
    return Refusal.EXPIRED_HANDLE if thread.handle_expired and commands else None


def _why_not_this_content(situation: Situation) -> Refusal | None:
    """A notice holds what only staff may read: an answer whose quote was not told apart does not go out, nor one
    with a copy of the notice among its files."""
    if situation.directives.has(StaffWord.NOTA):
        return None
    files = [file for file in situation.mail.attachments if is_meant_to_be_sent(file)]
    texts = (situation.mail.new_text, *(text_of(file) for file in files))
    return Refusal.QUOTED_NOTICE if any(quotes_notice(text, situation.notices) for text in texts) else None


def decide_on_orders(situation: Situation, orders: OrderPlan) -> ApplyAgentReply | RefuseAgentReply:
    """What the words of somebody with authority come to: all that they order is done, or nothing."""
    if orders.refusal:
        return RefuseAgentReply(reason=orders.refusal, word=orders.refused_word, transcript=orders.transcript)
    block = situation.directives
    text = "\n\n".join(part for part in (orders.text, block.remaining_text.strip()) if part)
    confirmed = situation.confirmed
    has_files = any(is_meant_to_be_sent(file) for file in situation.mail.attachments) or bool(
        confirmed and confirmed.files
    )
    orders_something = any(one.word not in (StaffWord.NOTA, StaffWord.RESPONDER) for one in block.directives)
    if not (text or has_files or orders_something):
        return RefuseAgentReply(reason=Refusal.NO_TEXT)
    return ApplyAgentReply(
        visibility=_visibility(situation, orders),
        text=text,
        orders=orders if block.directives else None,
        remark=EXPIRED_HANDLE if situation.thread.handle_expired else "",
        confirmed=confirmed,
    )


def _visibility(situation: Situation, orders: OrderPlan) -> Visibility:
    stays_inside = orders.is_note or orders.only_asks_back
    in_internal_thread = situation.thread.handle_purpose == HandlePurpose.STAFF_INTERNAL
    internal = stays_inside or (in_internal_thread and not orders.is_answer)
    return Visibility.INTERNAL if internal else Visibility.PUBLIC


def _first_word(situation: Situation) -> str:
    words = situation.directives.directives
    return f"#{words[0].word}" if words else ""
