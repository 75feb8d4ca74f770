"""All mails of a ticket once more: ``(mails as kept, Ticket) -> Recount``, reading only.

Used where a type changes, and by ``mails reprocess``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from mailbot.domain.evidence import DocumentReading, EvidenceReport, FieldOrigin
from mailbot.domain.mail import Accepted, Authenticity, SenderRole, keyed_digest
from mailbot.domain.staff_words import StaffWord
from mailbot.domain.ticket import Status, Ticket
from mailbot.flows.case import (
    Case,
    KeptMail,
    Recount,
    as_customers,
    as_requester,
    brings_nothing,
    is_verified_requester,
    without_our_marks,
)
from mailbot.flows.examination_parts import ExaminationParts
from mailbot.flows.kept_papers import as_staff_left_them
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.past import Knowledge
from mailbot.flows.uses_elsewhere import with_other_uses
from mailbot.flows.whose_request import whose_it_stands
from mailbot.triage.authentication import AuthenticationKind, AuthenticationProfile
from mailbot.triage.directives import parse_directives
from mailbot.triage.errands import CustomersMail, customers_mail
from mailbot.triage.screen import screen
from mailbot.triage.sender import identify


class Recounter:
    """Finds out what a ticket's mails come to today. Writes nothing."""

    def __init__(self, parts: ExaminationParts) -> None:
        self._parts = parts

    def recount(
        self,
        mails: Iterable[KeptMail],
        ticket: Ticket,
        mailbox: ServedMailbox,
        known: Knowledge,
        *,
        in_hands: bool,
    ) -> Recount:
        """Look again at all mails of a ticket's requester, in the order in which they came (at least one); each is
        let go before the next is taken.

        Nothing that was found before counts, so that a better reader makes it better; only a follow-up begins,
        as it did then, with what the ticket that it follows holds. The mails stay on this ticket. Raises
        ``WaitsForReading`` where the mail in hand is to be parked until their files are read.
        """
        followed = known.ticket(ticket.follow_up_of) if ticket.follow_up_of else None
        so_far = _as_it_was_followed(followed, ticket) if followed else None
        is_follow_up = so_far is not None
        brought = {finding.digest for finding in (so_far.documents if so_far else ())}
        kind = self._parts.catalogue.type(ticket.request_type)
        # What the bot answered by itself it may answer anew; what a person has before them it may not.
        waits = ticket.status is Status.AWAITING_REQUESTER and ticket.assignee is None
        may_guide = not in_hands and (waits or ticket.is_guided)
        # Whose it is stays: a person may have said it, or a letter's handle that nobody has in hand now.
        whose = whose_it_stands(ticket, known)
        report, may_answer, verified = EvidenceReport(), False, False
        made: list[DocumentReading] = []
        for number, one in enumerate(mails):
            case = as_requester(self._case_again(one, ticket, mailbox, known))
            readings = self._parts.readings(case)
            brought.update(file.digest for file in one.files)
            verified = verified or is_verified_requester(case, ticket)
            if number == 0 and not is_follow_up:
                # Also where its answer does not count: it may read files that the type by itself leaves unread.
                found = self._parts.subjects.classify(case, readings).request_type
                kind = (
                    self._parts.catalogue.type(found) if found and not (in_hands or ticket.is_finished) else kind
                )
            if number and brings_nothing(case):
                continue
            report = self._parts.weighing.assessed(
                case,
                kind,
                so_far,
                readings,
                whose,
                may_answer=may_guide,
                kept_on=ticket,
            )
            may_answer = case.screening.may_answer
            made += readings.made
            so_far = replace(
                ticket,
                fields=report.fields,
                documents=report.findings,
                missing=report.missing,
                mismatches=report.mismatches,
            )
        report = as_staff_left_them(
            with_other_uses(report, ticket, known, partial(keyed_digest, self._parts.marks.secret_key), anew=True),
            ticket,
            kind,
            brought=brought,
            limits=self._parts.catalogue.limits_of(kind.key),
            today=self._parts.catalogue.calendar.local_day(self._parts.now()),
        )
        return Recount(
            request_type=kind,
            report=report,
            may_answer=may_answer,
            verified=verified,
            new_readings=tuple(made),
        )

    def _case_again(self, kept: KeptMail, ticket: Ticket, mailbox: ServedMailbox, known: Knowledge) -> Case:
        screening = screen(kept.mail, own=self._parts.marks)
        # Only the server that received a mail removes what strangers write in its name (RFC 8601 §5).
        arrived_at = self._parts.mailboxes.get(kept.arrived_at)
        profile = arrived_at.profile if arrived_at else AuthenticationProfile(kind=AuthenticationKind.NONE)
        sender = identify(kept.mail, roster=self._parts.staff(known), screening=screening, profile=profile)
        if not isinstance(screening, Accepted) or sender.authenticity is Authenticity.FAILED:
            # It is on the ticket and stays there, whatever would be done with it today.
            is_reply = isinstance(screening, Accepted) and screening.automatic_reply
            screening = Accepted(may_answer=False, automatic_reply=is_reply)
        case = Case(
            mail=without_our_marks(kept.mail),
            files=kept.files,
            mailbox=mailbox,
            known=known,
            screening=screening,
            sender=sender,
            now=self._parts.now(),
        )
        return self._customers_again(case, kept, ticket)

    def _customers_again(self, case: Case, kept: KeptMail, ticket: Ticket) -> Case:
        """The customer's case where an agent had opened the ticket in their name."""
        if case.sender.role is not SenderRole.AGENT:
            return case
        block = parse_directives(kept.mail.new_text, self._parts.catalogue.staff.aliases)
        if not block.has(StaffWord.ABRIR):
            return case
        found = customers_mail(kept.mail, block, self._parts.no_customers(case.known), of=ticket.requester.address)
        return as_customers(case, found) if isinstance(found, CustomersMail) else case


def _as_it_was_followed(followed: Ticket, by: Ticket) -> Ticket:
    """What agents have stated on a ticket since it was followed is none of the ticket that follows it: of what is
    an agent's word now that one has kept what was said before."""
    kept = {value.key: value for value in by.fields}
    fields = (kept.get(value.key) if value.origin is FieldOrigin.AGENT else value for value in followed.fields)
    return replace(followed, fields=tuple(value for value in fields if value is not None))
