"""What a mail brings to a request: ``(Case, RequestType, Ticket | None) -> EvidenceReport``.

Fields, documents, whose request it is, and what the type's table of rules says of all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.evidence import (
    EvidenceReport,
    FieldValue,
)
from mailbot.domain.mail import (
    NO_THREAD,
    SenderRole,
)
from mailbot.domain.ticket import Ticket
from mailbot.evidence.assess import assess
from mailbot.evidence.fields import (
    Labelled,
    MailText,
    extract_fields,
    labelled_fields,
    mail_text,
    merge_fields,
    prose_field,
    read_labels,
    with_agents_words,
)
from mailbot.evidence.filled_form import read_reply
from mailbot.evidence.told_fields import with_told
from mailbot.flows.applied_rules import with_rules_applied
from mailbot.flows.case import Case, Subject, is_unverified
from mailbot.flows.known_logos import logos_marked, with_pictures_noted
from mailbot.flows.order_desk import without_waived
from mailbot.flows.readings import MailReadings
from mailbot.flows.uses_elsewhere import with_other_uses
from mailbot.flows.whose_request import WhoseRequest, as_it_stands, whose_request
from mailbot.triage.related_service import with_service
from mailbot.triage.rules import may_answer_by_itself
from mailbot.triage.thread import (
    thread_candidates,
)

_OLDEST_MAIL = timedelta(days=3653)


class Weighing:
    """Weighs mails against what the catalogue asks for. Writes nothing; ``keyed`` is the digest by which the uses
    of a document are known."""

    def __init__(self, *, catalogue: Catalogue, keyed: Callable[[bytes], str]) -> None:
        self._catalogue = catalogue
        self._keyed = keyed

    def _knows_type_of(self, ticket: Ticket) -> bool:
        return self._catalogue.has_type(ticket.request_type)

    def fields(self, case: Case, kind: RequestType, *, first_mail: bool) -> tuple[FieldValue, ...]:
        """The fields that the mail states for a request of this type; ``first_mail``: its free words count too."""
        found = case.fields_found.get((kind.key, first_mail))
        if found is None:
            today = self._catalogue.calendar.local_day(_written_at(case))
            found = extract_fields(
                kind,
                _own_words(case),
                case.mail.subject,
                case.sender.address,
                self._catalogue.units,
                first_mail=first_mail,
                today=today,
                labelled=self._labels(case, kind, today),
            )
            if is_unverified(case):
                found = tuple(replace(value, unverified=True) for value in found)
            case.fields_found[kind.key, first_mail] = found
        return found

    def labelled(self, case: Case, types: Sequence[RequestType]) -> dict[str, tuple[FieldValue, ...]]:
        """What the mail states behind labels, in the terms of each of these types, by their keys."""
        today = self._catalogue.calendar.local_day(_written_at(case))
        return {kind.key: labelled_fields(self._labels(case, kind, today)) for kind in types}

    def _labels(self, case: Case, kind: RequestType, today: date) -> Labelled:
        found = case.labels_read.get(kind.key)
        if found is None:
            found = read_labels(kind, _own_words(case), self._catalogue.units, today=today)
            case.labels_read[kind.key] = found
        return found

    def whose(self, case: Case, subject: Subject) -> WhoseRequest:
        """Whose request it is, by the sender's address and the numbers in the mail."""
        ticket = subject.ticket
        if ticket is not None and not self._knows_type_of(ticket):
            return as_it_stands(ticket)
        kind = subject.request_type
        return whose_request(case.mail, case.sender, subject.thread, ticket, kind, case.ask_for_customers)

    def report(self, case: Case, subject: Subject, readings: MailReadings, whose: WhoseRequest) -> EvidenceReport:
        """An agent's mail on a ticket is no evidence, nor is that of whose ticket was merged into another's, and
        where its type is gone nothing can be weighed: the ticket's own state is the report."""
        ticket = subject.ticket
        is_no_evidence = case.sender.role is SenderRole.AGENT or subject.thread.of_another_requester
        if ticket is not None and (is_no_evidence or not self._knows_type_of(ticket)):
            return EvidenceReport(
                findings=ticket.documents,
                fields=ticket.fields,
                missing=ticket.missing,
                mismatches=ticket.mismatches,
                ruling=ticket.ruling,
            )
        may_answer = may_answer_by_itself(ticket, case.screening, subject.thread)
        return self.assessed(case, subject.request_type, ticket, readings, whose, may_answer=may_answer)

    def assessed(
        self,
        case: Case,
        kind: RequestType,
        ticket: Ticket | None,
        readings: MailReadings,
        whose: WhoseRequest,
        *,
        prose_counts: bool = True,
        may_answer: bool = False,
        kept_on: Ticket | None = None,
    ) -> EvidenceReport:
        """``may_answer``: the type's rules may end the request by an answer of the bot's own. ``kept_on``: the
        ticket on which the mail stands already, where its mails are weighed anew one by one: what agents stated
        there holds from the first of them on; what was used elsewhere is left to whoever has weighed them all."""
        prose = prose_field(kind)
        awaits_prose = ticket is None or (prose is not None and prose.key in ticket.missing)
        stated = self.fields(case, kind, first_mail=awaits_prose and prose_counts)
        fields = merge_fields(ticket.fields if ticket else (), stated)
        if kept_on is not None:
            fields = with_agents_words(fields, kept_on.fields)
        limits = self._catalogue.limits_of(kind.key)
        files = readings.files(read=bool(kind.documents), most_bytes=limits.max_file_bytes)
        files = logos_marked(files, case.mail, kept_on or ticket, case.known, self._keyed)
        report = assess(
            kind,
            held=ticket.documents if ticket else (),
            new_files=files,
            fields=with_told(kind, fields),
            limits=limits,
            new_text=case.mail.new_text,
            today=self._catalogue.calendar.local_day(case.now),
        )
        report = with_pictures_noted(report, ticket, files, case.mail, self._keyed)
        if kept_on is None:
            report = with_other_uses(report, ticket, case.known, self._keyed)
        report = whose.added_to(report, kind)
        report = with_service(report, kind, whose.services, f"{case.mail.subject}\n{case.mail.new_text}")
        report = with_rules_applied(
            report,
            kind,
            catalogue=self._catalogue,
            requester=(ticket.requester if ticket else case.sender.address).address,
            whose=whose,
            now=case.now,
            may_answer=may_answer,
        )
        stands_on = kept_on or ticket
        return without_waived(stands_on, report) if stands_on and stands_on.waived else report

    def brought(self, case: Case, ticket: Ticket, readings: MailReadings) -> set[str]:
        """What of a ticket's missing items this mail carries, well or badly."""
        if not self._knows_type_of(ticket):
            return set()
        kind = self._catalogue.type(ticket.request_type)
        # Free prose is no item that was asked for: a question about something else is not the missing reason.
        whose = whose_request(case.mail, case.sender, NO_THREAD, ticket, kind, case.ask_for_customers)
        report = self.assessed(case, kind, ticket, readings, whose, prose_counts=False)
        served = {finding.requirement for finding in report.findings if finding not in ticket.documents}
        return (set(ticket.missing) - set(report.missing)) | {key for key in served if key is not None}


def _own_words(case: Case) -> MailText:
    """What the sender wrote, apart from our letter, and the form of that letter as they filled it in."""
    if not case.own_words:
        handles = [clue.handle for clue in thread_candidates(case.mail).handles]
        letters = case.known.answered_letters(handles)
        reply = read_reply(case.mail.new_text, case.mail.full_text, letters)
        case.own_words.append(mail_text(reply.new_text, filled_form=reply.filled_form))
    return case.own_words[0]


def _written_at(case: Case) -> datetime:
    """The moment from which *amanhã* counts: when the mail says that it was written, unless that cannot be."""
    sent_at = case.mail.sent_at
    if sent_at is None or sent_at.tzinfo is None:
        return case.now
    return sent_at if case.now - _OLDEST_MAIL < sent_at <= case.now else case.now
