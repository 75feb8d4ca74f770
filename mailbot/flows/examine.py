"""From a mail's bytes to a decision, reading only: ``(InboundMail, Knowledge) -> Examination``.

The order is the point: sender, then thread, then whether the thread counts, and only then request type and
evidence. ``handle_mail.py`` has the decision carried out; ``explain`` shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mailbot.domain.events import HOUSE_PURPOSES, HandlePurpose, StoredFile
from mailbot.domain.evidence import EvidenceReport
from mailbot.domain.handles import without_order_marks
from mailbot.domain.mail import (
    Accepted,
    Authenticity,
    Bounce,
    Discarded,
    InboundMail,
    Sender,
    SenderRole,
)
from mailbot.flows.agents_words import AgentsWords
from mailbot.flows.case import (
    Case,
    Examination,
    ScreenedOut,
    Subject,
    Understood,
    as_requester,
    as_sector,
    without_our_marks,
)
from mailbot.flows.customer_desk import Asking, query_situation
from mailbot.flows.examination_parts import ExaminationParts
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.past import Knowledge
from mailbot.flows.shared_mailbox import SharedMailbox
from mailbot.flows.subject import joined_ticket
from mailbot.triage.customer_words import customer_query
from mailbot.triage.decide import decide
from mailbot.triage.screen import ScreeningReason, screen
from mailbot.triage.self_service import decide_on_query
from mailbot.triage.sender import identify
from mailbot.triage.thread import (
    match_thread,
    thread_candidates,
)

AUTHENTICITY_FAILED = "authenticity_failed"


class Examiner:
    """Finds out what a mail is, from whom, about which ticket, and what to do with it. Writes nothing."""

    def __init__(self, parts: ExaminationParts) -> None:
        self._parts = parts
        self._agents_words = AgentsWords(parts)
        self._shared_mailbox = SharedMailbox(parts)

    def examine(
        self,
        mail: InboundMail,
        files: Sequence[StoredFile],
        mailbox: ServedMailbox,
        known: Knowledge,
        *,
        in_sent_folder: bool = False,
        confirmed: bool = False,
        looked_again: Mapping[str, EvidenceReport] | None = None,
    ) -> Examination:
        """``files`` are the mail's attachments as stored, in order. ``in_sent_folder``: nobody sent it to us, it
        is what somebody sent from the mailbox. ``confirmed``: its agent said by a code that it is theirs.
        ``looked_again``: what the ticket's mails come to for other types, by key, if that was found out."""
        screening = screen(mail, own=self._parts.marks)
        sender = identify(mail, roster=self._parts.staff(known), screening=screening, profile=mailbox.profile)
        if confirmed and sender.role is SenderRole.AGENT and sender.authenticity is Authenticity.UNVERIFIED:
            sender = replace(sender, authenticity=Authenticity.VERIFIED)
        if in_sent_folder:
            answer = self._shared_mailbox.sent(mail, files, mailbox, known)
            nothing = Discarded(reason=ScreeningReason.ANSWERS_NO_TICKET)
            return answer or ScreenedOut(mail=mail, screening=nothing, sender=sender)
        if isinstance(screening, Discarded | Bounce):
            return ScreenedOut(mail=mail, screening=screening, sender=sender)
        own = self._shared_mailbox.copy_received(mail, files, mailbox, known, sender)
        if own is not None:
            return own
        if sender.authenticity is Authenticity.FAILED:
            # Our own server says that the From address is forged: an answer would go to a third party.
            screening = replace(screening, may_answer=False, reason=AUTHENTICITY_FAILED)
        if sender.role is SenderRole.AGENT:
            mail = replace(mail, new_text=without_order_marks(mail.new_text))
        else:
            mail = without_our_marks(mail)
        case = Case(
            mail=mail,
            files=files,
            mailbox=mailbox,
            known=known,
            screening=screening,
            sender=sender,
            now=self._parts.now(),
            looked_again=looked_again or {},
        )
        asked = self._asked(case) or self._agents_words.on_errand(case)
        if asked is not None:
            return asked
        readings = self._parts.readings(case)
        subject = self._parts.subjects.of(case, readings)
        if subject.thread.accepted and subject.thread.handle_purpose is HandlePurpose.SECTOR:
            case = as_sector(case)
        elif _asks_for_herself(sender, subject):
            case = as_requester(case)
        whose = self._parts.weighing.whose(case, subject)
        report = self._parts.weighing.report(case, subject, readings, whose)
        situation = self._parts.situations.of(case, subject, report, whose)
        return Understood(
            mail=mail,
            sender=sender,
            situation=situation,
            decision=decide(situation),
            mailbox=subject.mailbox,
            new_readings=readings.made,
        )

    def _asked(self, case: Case) -> Understood | None:
        """What a customer word comes to; ``None`` for every other mail, and where the word counts for nothing."""
        query = customer_query(case.mail)
        if query is None:
            return None
        clues = thread_candidates(case.mail, tag_formats=self._parts.catalogue.subject_tags)
        thread = match_thread(case.sender, clues, case.ask_for_thread(clues))
        asking = Asking(
            mail=case.mail,
            screening=case.screening,
            sender=case.sender,
            thread=thread,
            joined=joined_ticket(thread, case.known),
            mailbox=case.mailbox.key,
            now=case.now,
        )
        situation = query_situation(
            query,
            asking,
            known=case.known,
            catalogue=self._parts.catalogue,
            record_of=lambda address: case.ask_for_customers(address, ()).of_address,
        )
        decision = decide_on_query(query, situation)
        if decision is None:
            return None
        return Understood(
            mail=case.mail, sender=case.sender, situation=situation, decision=decision, mailbox=case.mailbox
        )

    def may_answer(self, mail: InboundMail, mailbox: ServedMailbox, known: Knowledge) -> bool:
        """Whether a person may have written the mail, so that it may be answered at all."""
        screening = screen(mail, own=self._parts.marks)
        sender = identify(mail, roster=self._parts.staff(known), screening=screening, profile=mailbox.profile)
        return isinstance(screening, Accepted) and screening.may_answer and sender.address.address != ""


def _asks_for_herself(sender: Sender, subject: Subject) -> bool:
    """Whether an agent writes as a requester: what opens a ticket, or comes to her own one other than as the
    answer to a notice."""
    if sender.role is not SenderRole.AGENT or subject.ticket is None:
        return sender.role is SenderRole.AGENT
    is_hers = subject.ticket.requester.address == sender.address.address
    return is_hers and subject.thread.accepted and subject.thread.handle_purpose not in HOUSE_PURPOSES
