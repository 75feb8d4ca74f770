"""What to do with a mail: ``decide(Situation) -> Decision``. Pure; it chooses and does nothing.

The role of the sender is asked first and once: an agent's mail is never weighed as evidence, a requester's
words are never commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.catalogue.request_types import RequestType
from mailbot.domain.events import STAFF_PURPOSES, HandlePurpose, Visibility
from mailbot.domain.evidence import EvidenceReport
from mailbot.domain.mail import (
    Accepted,
    Authenticity,
    Classification,
    InboundMail,
    Sender,
    SenderRole,
    ThreadKey,
    ThreadMatch,
)
from mailbot.domain.staff_words import Refusal, StaffWord
from mailbot.domain.ticket import REOPEN_WINDOW_DAYS, Resolution, Status, Ticket
from mailbot.triage.agent_files import is_meant_to_be_sent, text_of
from mailbot.triage.directives import Directive, DirectiveBlock
from mailbot.triage.quoted_notice import quotes_notice
from mailbot.triage.screen import ScreeningReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that is known of a mail when it has to be decided on.

    ``ticket`` is the one that the mail joins, or that an agent's mail names without a right to act on it;
    ``report`` holds its evidence together with what this mail brings. ``answers_need_verification`` is true
    where the mailbox has a way to verify its staff. ``notices`` are the texts of the notices that an agent's mail
    answers.
    """

    mail: InboundMail
    screening: Accepted
    sender: Sender
    thread: ThreadMatch
    ticket: Ticket | None
    classification: Classification
    request_type: RequestType
    report: EvidenceReport
    directives: DirectiveBlock
    is_gratitude: bool
    answers_need_verification: bool
    now: datetime
    notices: tuple[str, ...] = ()

    @property
    def type_is_gone(self) -> bool:
        """Whether the catalogue no longer has the ticket's request type: nobody knows what it needs."""
        return self.ticket is not None and self.request_type.key != self.ticket.request_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Keep the mail in the log and do nothing."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicket:
    """A new request. ``linked_to``: a ticket that the mail named without a right to join it.
    ``which``: the sender has to say which of these open tickets is meant."""

    linked_to: str | None = None
    link_reason: str = ""
    which: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFollowUp:
    """A new ticket that follows a finished one."""

    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendMessage:
    """One more message of the requester. ``quiet``: kept, nobody is told."""

    reopen: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyAgentReply:
    """An agent's mail does what it says: words to the requester, an internal note, a decision.

    ``already_sent``: the requester got this very mail, straight from the shared mailbox.
    """

    visibility: Visibility
    text: str
    resolution: Resolution | None = None
    already_sent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseAgentReply:
    """An agent's mail is kept as an unverified note and the agent is told why."""

    reason: Refusal


Decision = Discard | OpenTicket | OpenFollowUp | AppendMessage | ApplyAgentReply | RefuseAgentReply


def decide(situation: Situation) -> Decision:
    """Choose what to do with an accepted mail."""
    if situation.ticket is not None and situation.sender.role is SenderRole.AGENT:
        return _decide_on_agent(situation, situation.ticket)
    if situation.ticket is not None:
        return _decide_on_requester(situation, situation.ticket)
    return _decide_without_ticket(situation)


# --- agents --------------------------------------------------------------------------------------------------

_RESOLUTION_OF = {
    StaffWord.AUTORIZAR: Resolution.APPROVED,
    StaffWord.NEGAR: Resolution.DENIED,
    StaffWord.RESOLVER: Resolution.DONE,
}


def _decide_on_agent(situation: Situation, ticket: Ticket) -> Decision:
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


# --- requesters ----------------------------------------------------------------------------------------------


def _decide_on_requester(situation: Situation, ticket: Ticket) -> Decision:
    if situation.screening.automatic_reply or _is_machine_of_staff(situation):
        return AppendMessage(quiet=True)
    if ticket.is_finished:
        return _decide_on_finished(situation, ticket)
    return AppendMessage(quiet=_is_mere_thanks(situation))


def _is_machine_of_staff(situation: Situation) -> bool:
    """A program that answers our notices: told to staff, it would answer that as well (THREATS 1)."""
    to_staff = situation.thread.handle_purpose in STAFF_PURPOSES
    return to_staff and situation.sender.role is SenderRole.MACHINE


def _decide_on_finished(situation: Situation, ticket: Ticket) -> Decision:
    # What a machine wrote never reopens (THREATS 5); a person whose mail may not be answered is still heard.
    if _is_mere_thanks(situation) or _is_by_a_machine(situation):
        return AppendMessage(quiet=True)
    resolved_at = ticket.resolved_at or ticket.updated_at
    window_is_over = situation.now - resolved_at > timedelta(days=REOPEN_WINDOW_DAYS)
    if ticket.status is Status.CLOSED or (window_is_over and ticket.resolution is not Resolution.EXPIRED):
        return OpenFollowUp(of=ticket.number)
    return AppendMessage(reopen=True)


_MAY_BE_A_MACHINE = frozenset({ScreeningReason.ABSENCE_SUBJECT, ScreeningReason.SPEAKS_OF_FAILURE})


def _is_by_a_machine(situation: Situation) -> bool:
    return situation.sender.role is SenderRole.MACHINE or situation.screening.reason in _MAY_BE_A_MACHINE


def _is_mere_thanks(situation: Situation) -> bool:
    return situation.is_gratitude and not any(not file.inline for file in situation.mail.attachments)


def _decide_without_ticket(situation: Situation) -> Decision:
    if situation.screening.automatic_reply:
        return Discard(reason="automatic_reply")
    thread = situation.thread
    if thread.ticket_number is not None:
        return OpenTicket(linked_to=thread.ticket_number, link_reason=thread.refused or "")
    return OpenTicket(which=thread.candidates)
