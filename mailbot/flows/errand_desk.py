"""An agent's errand found out about: ``(mail, sender, words, ErrandKnowledge) -> AnswerAgent | CustomersMail``.

Between ``triage/errands.py``, which says what words come to, and ``examine.py``, which weighs customers' mails.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from mailbot.domain.mail import Authenticity, InboundMail, Sender
from mailbot.domain.orders import Transcript
from mailbot.domain.staff_words import Refusal, StaffWord
from mailbot.domain.ticket import Ticket
from mailbot.flows.confirmation_desk import ErrandCode
from mailbot.flows.ports import UnitOfWork
from mailbot.triage.decisions import AnswerAgent, ConfirmErrand
from mailbot.triage.directives import DirectiveBlock
from mailbot.triage.errands import (
    CustomersMail,
    answer_of,
    code_refused,
    customers_mail,
    nothing_done,
    refused,
    why_not,
)

_TOLD_AGAIN_AFTER = timedelta(days=1)


class ErrandKnowledge(Protocol):
    """What errands ask of the past."""

    def assigned_to(self, address: str) -> Sequence[Ticket]:
        """The unfinished tickets of an agent."""
        ...


def run_errand(
    mail: InboundMail,
    sender: Sender,
    block: DirectiveBlock,
    known: ErrandKnowledge,
    *,
    no_customers: frozenset[str],
    code: str,
    notices: Sequence[str] = (),
) -> AnswerAgent | CustomersMail:
    """The answer to an agent's errand, or the customer's mail for which a ticket is to be opened.

    ``code`` is what the errand of an agent for whom nobody vouches can be confirmed with, nothing where it cannot.
    The manual is no secret, and needs none. ``notices`` are the texts of the notices that the mail answers.
    """
    is_sure = sender.authenticity is Authenticity.VERIFIED
    first = block.directives[0]
    if not is_sure and (sender.authenticity is Authenticity.FAILED or not code):
        return AnswerAgent(transcript=nothing_done(refused(first, "not_verified")), reason=Refusal.NOT_VERIFIED)
    lines = why_not(block)
    if lines:
        return AnswerAgent(transcript=nothing_done(*lines), reason=Refusal.WORD_NOT_POSSIBLE)
    found = _done(mail, sender, block, known, no_customers, notices)
    if is_sure or not _needs_authority(found, block):
        return found
    return AnswerAgent(
        transcript=Transcript(applied=False, code=code, asked=mail.full_text), reason=Refusal.NEEDS_CODE
    )


def _needs_authority(found: AnswerAgent | CustomersMail, block: DirectiveBlock) -> bool:
    return isinstance(found, CustomersMail) or (found.transcript.applied and block.has(StaffWord.ABERTOS))


def _done(
    mail: InboundMail,
    sender: Sender,
    block: DirectiveBlock,
    known: ErrandKnowledge,
    no_customers: frozenset[str],
    notices: Sequence[str],
) -> AnswerAgent | CustomersMail:
    if not block.has(StaffWord.ABRIR):
        own = tuple(known.assigned_to(sender.address.address)) if block.has(StaffWord.ABERTOS) else ()
        return AnswerAgent(transcript=answer_of(block, own), reason="asked")
    found = customers_mail(mail, block, no_customers, notices=notices)
    if isinstance(found, CustomersMail):
        return found
    line = refused(block.directives[0], found.code, address=found.address)
    return AnswerAgent(transcript=nothing_done(line), reason=Refusal.WORD_NOT_POSSIBLE)


def with_code(found: ErrandCode, typed: str) -> AnswerAgent | ConfirmErrand:
    """What an agent's mail with a code for an errand comes to; ``typed`` is its first line."""
    if found.mail_id is not None:
        return ConfirmErrand(mail_id=found.mail_id)
    refusal = found.refusal or Refusal.CODE_WRONG
    return AnswerAgent(transcript=nothing_done(code_refused(typed, refusal)), reason=refusal)


def confirm_errand(work: UnitOfWork, decision: ConfirmErrand, *, now: datetime) -> str:
    """Put the mail whose code has come back in line; the reason for the log."""
    is_first = work.errands.confirm(decision.mail_id)
    if is_first and work.mails.reopen(decision.mail_id, now=now, released=False):
        return decision.reason
    return Refusal.CODE_USED


def was_told_today(work: UnitOfWork, decision: AnswerAgent, agent: str, *, now: datetime) -> bool:
    """Whether an agent has heard already that somebody orders in their name for whom nobody vouches: a thousand
    such mails are one letter a day."""
    reasons = (Refusal.NOT_VERIFIED, Refusal.CODES_EXHAUSTED)
    since = now - _TOLD_AGAIN_AFTER
    return decision.reason in reasons and work.errands.told_since(agent, decision.reason, since=since)
