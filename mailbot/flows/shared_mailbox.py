"""What people write from the shared mailbox itself: ``(InboundMail, Knowledge) -> Understood | None``.

Nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from email.utils import parseaddr

from mailbot.domain.events import StoredFile, Visibility
from mailbot.domain.mail import Accepted, Authenticity, InboundMail, Sender, SenderRole, ThreadKey, ThreadMatch
from mailbot.domain.ticket import Ticket
from mailbot.flows.case import Case, Examination, Understood, without_our_marks
from mailbot.flows.examination_parts import ExaminationParts
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.order_desk import survivor
from mailbot.flows.past import Knowledge
from mailbot.flows.whose_request import as_it_stands
from mailbot.triage.decisions import AppendMessage, ApplyAgentReply
from mailbot.triage.direct_answer import named_tickets, went_to_requester
from mailbot.triage.screen import ScreeningReason, is_automatic, own_handle
from mailbot.triage.thread import thread_candidates


class SharedMailbox:
    """Knows an answer that a person wrote as the mailbox, in its Sent folder or as a copy to the mailbox."""

    def __init__(self, parts: ExaminationParts) -> None:
        self._parts = parts
        self.now = parts.now

    def own_handle(self, mail: InboundMail) -> str | None:
        """The handle of the letter of ours that this mail is, ``None`` if it is none."""
        return own_handle(mail, own=self._parts.marks)

    def answered_ticket(
        self, mail: InboundMail, mailbox: ServedMailbox, known: Knowledge
    ) -> tuple[Ticket, ThreadKey] | None:
        """The ticket whose requester got this mail in answer, written by a person as the mailbox itself.

        Says nothing of whether the mail is genuine.
        """
        if [one.address for one in mail.from_addresses] != [mailbox.address]:
            return None
        if self.own_handle(mail) is not None or is_automatic(mail, own=self._parts.marks):
            return None
        clues = thread_candidates(mail, tag_formats=self._parts.catalogue.subject_tags)
        for number, key in named_tickets(clues, known.of_clues(clues, now=self._parts.now())):
            ticket = survivor(known.ticket(number), known)
            if ticket is not None and ticket.mailbox == mailbox.key and went_to_requester(mail, ticket):
                return ticket, key
        return None

    def copy_received(
        self,
        mail: InboundMail,
        files: Sequence[StoredFile],
        mailbox: ServedMailbox,
        known: Knowledge,
        sender: Sender,
    ) -> Examination | None:
        """A copy, to the mailbox itself, of what somebody wrote from it to a requester.

        Where our server vouches for it, it is the answer. Where it does not, the one in the Sent folder tells, if
        that is watched; until it comes, and it may lie in another mailbox's for ever, this one is a note. ``None``
        for every other mail.
        """
        if sender.authenticity is Authenticity.VERIFIED:
            return self._direct_answer(mail, files, mailbox, known, by=None)
        if sender.authenticity is Authenticity.FAILED:
            return None
        if not (mailbox.spec.watches_sent_folder and known.sent_folder_is_watched(mailbox.key)):
            return None
        answer = self._direct_answer(mail, files, mailbox, known, by=None)
        return None if answer is None else _as_unverified_note(answer)

    def _direct_answer(
        self,
        mail: InboundMail,
        files: Sequence[StoredFile],
        mailbox: ServedMailbox,
        known: Knowledge,
        *,
        by: str | None,
    ) -> Understood | None:
        """The mail as an agent's public words that need no letter. ``by`` is the agent's key, if one is known."""
        answered = self.answered_ticket(mail, mailbox, known)
        if answered is None:
            return None
        ticket, key = answered
        case = Case(
            mail=without_our_marks(mail),
            files=files,
            mailbox=mailbox,
            known=known,
            screening=Accepted(may_answer=False, reason=ScreeningReason.FROM_OWN_ADDRESS),
            sender=Sender(
                address=mail.sender, role=SenderRole.AGENT, authenticity=Authenticity.VERIFIED, agent_key=by
            ),
            now=self._parts.now(),
        )
        readings = self._parts.readings(case)
        subject = self._parts.subjects.on_ticket(case, ThreadMatch(ticket_number=ticket.number, key=key), ticket)
        whose = as_it_stands(ticket)
        report = self._parts.weighing.report(case, subject, readings, whose)
        # Text only: a word of staff's gives no orders here (THREATS 9).
        text = case.mail.new_text or case.mail.full_text
        situation = self._parts.situations.of(case, subject, report, whose)
        decision = ApplyAgentReply(visibility=Visibility.PUBLIC, text=text, already_sent=True)
        return Understood(
            mail=case.mail,
            sender=case.sender,
            situation=situation,
            decision=decision,
            mailbox=subject.mailbox,
            new_readings=readings.made,
        )

    def _named_as_sender(self, mail: InboundMail, known: Knowledge) -> str | None:
        """Key of the agent who, by the mail's Sender field, wrote for the mailbox (RFC 5322 §3.6.2): in a Sent
        folder only who may send from the mailbox can have written it."""
        address = parseaddr(mail.header("sender"))[1].lower()
        return self._parts.staff(known).agent_key_for(address) if address else None

    def sent(
        self, mail: InboundMail, files: Sequence[StoredFile], mailbox: ServedMailbox, known: Knowledge
    ) -> Understood | None:
        """A mail of the Sent folder that answers a ticket, ``None`` for every other."""
        return self._direct_answer(mail, files, mailbox, known, by=self._named_as_sender(mail, known))


def _as_unverified_note(answer: Understood) -> Understood:
    """What may be a person's answer, as what it is as long as nobody vouches for it: nothing leaves, and nothing
    is decided by it."""
    screening = Accepted(may_answer=False, reason=ScreeningReason.COPY_OF_SENT_MAIL)
    sender = replace(answer.sender, authenticity=Authenticity.UNVERIFIED)
    return replace(
        answer,
        sender=sender,
        situation=replace(answer.situation, screening=screening, sender=sender),
        decision=AppendMessage(quiet=True),
    )
