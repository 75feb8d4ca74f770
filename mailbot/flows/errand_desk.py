"""An agent's errand found out about: ``(mail, sender, words, ErrandKnowledge) -> AnswerAgent | CustomersMail``.

Between ``triage/errands.py``, which says what words come to, and ``examine.py``, which weighs customers' mails.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mailbot.domain.mail import Authenticity, InboundMail, Sender
from mailbot.domain.staff_words import Refusal, StaffWord
from mailbot.domain.ticket import Ticket
from mailbot.triage.decisions import AnswerAgent
from mailbot.triage.directives import DirectiveBlock
from mailbot.triage.errands import CustomersMail, answer_of, customers_mail, nothing_done, refused, why_not


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
) -> AnswerAgent | CustomersMail:
    """The answer to an agent's errand, or the customer's mail for which a ticket is to be opened."""
    first = block.directives[0]
    if sender.authenticity is not Authenticity.VERIFIED:
        return AnswerAgent(transcript=nothing_done(refused(first, "not_verified")), reason=Refusal.NOT_VERIFIED)
    lines = why_not(block)
    if lines:
        return AnswerAgent(transcript=nothing_done(*lines), reason=Refusal.WORD_NOT_POSSIBLE)
    if not block.has(StaffWord.ABRIR):
        own = tuple(known.assigned_to(sender.address.address)) if block.has(StaffWord.ABERTOS) else ()
        return AnswerAgent(transcript=answer_of(block, own), reason="asked")
    found = customers_mail(mail, block, no_customers)
    if isinstance(found, CustomersMail):
        return found
    return AnswerAgent(transcript=nothing_done(refused(first, found)), reason=Refusal.WORD_NOT_POSSIBLE)
