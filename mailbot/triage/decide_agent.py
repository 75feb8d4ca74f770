"""What to do with an agent's mail on a ticket: ``decide_on_agent(Situation, Ticket) -> Decision``. Pure.

Whether the mail has authority is asked before what it says, and what it says before what the words order:
everything that fails leaves the mail as an unverified note (THREATS 9-11, 28).
"""

from __future__ import annotations

from mailbot.domain.events import STAFF_PURPOSES, HandlePurpose, Visibility
from mailbot.domain.mail import Authenticity, ThreadKey
from mailbot.domain.staff_words import Refusal, StaffWord
from mailbot.domain.ticket import Resolution, Ticket
from mailbot.triage.agent_files import is_meant_to_be_sent, text_of
from mailbot.triage.decisions import AppendMessage, ApplyAgentReply, Decision, RefuseAgentReply
from mailbot.triage.directives import Directive, DirectiveBlock
from mailbot.triage.quoted_notice import quotes_notice
from mailbot.triage.screen import ScreeningReason
from mailbot.triage.situation import Situation

_RESOLUTION_OF = {
    StaffWord.AUTORIZAR: Resolution.APPROVED,
    StaffWord.NEGAR: Resolution.DENIED,
    StaffWord.RESOLVER: Resolution.DONE,
}


def decide_on_agent(situation: Situation, ticket: Ticket) -> Decision:
    """Choose what to do with a mail of the roster on ``ticket``."""
    if situation.screening.automatic_reply or situation.screening.reason == ScreeningReason.ABSENCE_SUBJECT:
        return AppendMessage(quiet=True)
    refusal = (
        _why_not_as_agent(situation)
        or _why_not_this_content(situation)
        or _why_not_these_words(situation.directives, ticket)
    )
    if refusal:
        return RefuseAgentReply(reason=refusal)
    return _agent_reply(situation)


def _why_not_as_agent(situation: Situation) -> Refusal | None:
    """The reason code for which this mail has no authority (THREATS 9–11), or ``None``."""
    thread, sender = situation.thread, situation.sender
    if thread.key is not ThreadKey.REPLY_TOKEN or thread.handle_purpose not in STAFF_PURPOSES:
        return Refusal.NO_HANDLE
    if thread.handle_recipient != sender.address.address:
        return Refusal.HANDLE_OF_ANOTHER
    if not thread.accepted:
        # Revoked: as good as expired, for plain words too.
        return Refusal.EXPIRED_HANDLE
    if sender.authenticity is Authenticity.FAILED:
        return Refusal.NOT_VERIFIED
    verified = sender.authenticity is Authenticity.VERIFIED
    commands = any(directive.word is not StaffWord.NOTA for directive in situation.directives.directives)
    if not verified and (commands or situation.answers_need_verification):
        return Refusal.NOT_VERIFIED
    return Refusal.EXPIRED_HANDLE if thread.handle_expired and commands else None


def _why_not_this_content(situation: Situation) -> Refusal | None:
    """A notice holds what only staff may read: an answer whose quote was not told apart does not go out, nor one
    with a copy of the notice among its files."""
    if situation.directives.has(StaffWord.NOTA):
        return None
    files = [file for file in situation.mail.attachments if is_meant_to_be_sent(file)]
    texts = (situation.mail.new_text, *(text_of(file) for file in files))
    return Refusal.QUOTED_NOTICE if any(quotes_notice(text, situation.notices) for text in texts) else None


def _why_not_these_words(block: DirectiveBlock, ticket: Ticket) -> Refusal | None:
    """The reason code for which the words cannot be carried out (all of them or none), or ``None``."""
    if block.unknown:
        return Refusal.UNKNOWN_WORD
    if block.not_available:
        return Refusal.WORD_NOT_AVAILABLE
    decisions = [directive for directive in block.directives if directive.word in _RESOLUTION_OF]
    if len(decisions) > 1 or (decisions and block.has(StaffWord.NOTA)):
        return Refusal.TWO_DECISIONS
    return _why_not_decide(block, decisions[0], ticket) if decisions else None


def _why_not_decide(block: DirectiveBlock, directive: Directive, ticket: Ticket) -> Refusal | None:
    if ticket.is_finished:
        return Refusal.ALREADY_DECIDED
    without_reason = not (directive.argument.strip() or block.remaining_text.strip())
    if directive.word is StaffWord.NEGAR and without_reason:
        return Refusal.REASON_MISSING
    return None


def _agent_reply(situation: Situation) -> Decision:
    block = situation.directives
    words = [directive.word for directive in block.directives]
    decision = next((word for word in words if word in _RESOLUTION_OF), None)
    lines = [directive.argument.strip() for directive in block.directives if directive.argument.strip()]
    text = "\n\n".join([*lines, *([block.remaining_text.strip()] if block.remaining_text.strip() else [])])
    if decision is not None:
        return ApplyAgentReply(visibility=Visibility.PUBLIC, text=text, resolution=_RESOLUTION_OF[decision])
    internal = StaffWord.NOTA in words or situation.thread.handle_purpose == HandlePurpose.STAFF_INTERNAL
    if not text and not any(is_meant_to_be_sent(file) for file in situation.mail.attachments):
        return RefuseAgentReply(reason=Refusal.NO_TEXT)
    return ApplyAgentReply(visibility=Visibility.INTERNAL if internal else Visibility.PUBLIC, text=text)
