"""What a mail is about: ``(Case, MailReadings) -> Subject``. First its thread, then whether the thread counts, and
only then the type of request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.events import HOUSE_PURPOSES
from mailbot.domain.mail import (
    NO_THREAD,
    Classification,
    ThreadMatch,
)
from mailbot.domain.ticket import Ticket
from mailbot.flows.case import Case, Subject
from mailbot.flows.house import House
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.order_desk import survivor
from mailbot.flows.past import Knowledge
from mailbot.flows.readings import MailReadings
from mailbot.flows.weighing import Weighing
from mailbot.triage.classify import classify, classify_subject, read_subject_line
from mailbot.triage.decide_agent import is_named_by_agent
from mailbot.triage.directives import parse_directives
from mailbot.triage.thread import (
    ThreadRefusal,
    match_open_request,
    match_thread,
    thread_candidates,
)


class SubjectFinder:
    """Finds the ticket that a mail joins, or the type of request that it is. Writes nothing."""

    def __init__(self, *, catalogue: Catalogue, weighing: Weighing, house: House) -> None:
        self._catalogue = catalogue
        self._weighing = weighing
        self._house = house

    def of(self, case: Case, readings: MailReadings) -> Subject:
        """The ticket that the mail joins, or the type of request that it is."""
        clues = thread_candidates(case.mail, tag_formats=self._catalogue.subject_tags)
        thread = match_thread(case.sender, clues, case.ask_for_thread(clues))
        ticket = joined_ticket(thread, case.known) or self._named_by_agent(case, thread)
        if ticket is not None:
            return self.on_ticket(case, thread, ticket)
        classification, home = self._classify_in_house(case, readings)
        if thread.ticket_number is None or thread.refused == ThreadRefusal.ADDRESS_BOOK:
            waiting, home = self._open_request(case, classification, home, readings)
            thread = thread if waiting == NO_THREAD else waiting
            ticket = joined_ticket(thread, case.known)
            if ticket is not None:
                return self.on_ticket(case, thread, ticket)
        kind = self._type_of(classification, home)
        return Subject(thread=thread, ticket=None, classification=classification, request_type=kind, mailbox=home)

    def on_ticket(self, case: Case, thread: ThreadMatch, ticket: Ticket) -> Subject:
        """The subject of a mail that joins ``ticket``."""
        return Subject(
            thread=_on_survivor(case, thread, ticket),
            ticket=ticket,
            classification=Classification(request_type=ticket.request_type, confidence=1.0, matched="thread"),
            request_type=self._catalogue.type(ticket.request_type),
            mailbox=self._house.mailboxes.get(ticket.mailbox, case.mailbox),
        )

    def _classify_in_house(self, case: Case, readings: MailReadings) -> tuple[Classification, ServedMailbox]:
        """What the mail asks for, and in which mailbox of the house that is done: the subject speaks to all of
        them, everything else first to the one to which it was written."""
        addressed = frozenset(one.address for one in (*case.mail.to, *case.mail.cc))
        elsewhere = self._house.elsewhere(case.mailbox, addressed)
        if not elsewhere:
            return self.classify(case, readings), case.mailbox
        others = tuple(one.request_type for one in elsewhere)
        everything = (*self._catalogue.types_of(case.mailbox.key), *others)
        found = classify_subject(case.mail.subject, everything, self._catalogue.units)
        if found.request_type is None:
            found = self.classify(case, readings)
        if found.request_type is None:
            by_others = self._classify_among(others, case, readings)
            found = by_others if by_others.request_type is not None else found
        home = next((one.mailbox for one in elsewhere if one.request_type.key == found.request_type), case.mailbox)
        return found, home

    def _type_of(self, classification: Classification, home: ServedMailbox) -> RequestType:
        found = classification.request_type
        return self._catalogue.type(found) if found else self._catalogue.default_type(home.key)

    def classify(self, case: Case, readings: MailReadings) -> Classification:
        """What the mail asks for, of what its mailbox offers."""
        return self._classify_among(self._catalogue.types_of(case.mailbox.key), case, readings)

    def _classify_among(self, types: Sequence[RequestType], case: Case, readings: MailReadings) -> Classification:
        """Subject first; only where it decides nothing do fields, body and attachments propose (R000-09)."""
        mail, units = case.mail, self._catalogue.units
        says = read_subject_line(mail.subject, types, units)
        by_subject = says.decided
        if by_subject.request_type is not None:
            return by_subject
        fields = self._weighing.labelled(case, [kind for kind in types if kind.fields])
        by_words = classify(says, fields, mail.new_text, (), types, units)
        if not (readings.can_tell_kinds and _documents_may_tell(by_words, types)):
            return by_words
        return classify(says, fields, mail.new_text, readings.kinds(), types, units)

    def _open_request(
        self, case: Case, classification: Classification, home: ServedMailbox, readings: MailReadings
    ) -> tuple[ThreadMatch, ServedMailbox]:
        """A fresh mail with the missing paper (REQUIREMENTS *Decided*), and where it is missing: one that by
        itself asks for nothing may have come to the wrong mailbox."""
        others = self._house.others(home) if classification.request_type is None else ()
        for mailbox in (home, *others):
            thread = self._open_request_in(mailbox, case, classification, readings)
            if thread is not NO_THREAD:
                return thread, mailbox
        return NO_THREAD, home

    def _open_request_in(
        self, mailbox: ServedMailbox, case: Case, classification: Classification, readings: MailReadings
    ) -> ThreadMatch:
        requests = case.known.open_requests(case.sender.address.address, mailbox.key)
        brings = frozenset(
            key
            for request in requests
            if (ticket := case.known.ticket(request.ticket_number)) is not None
            for key in self._weighing.brought(case, ticket, readings)
        )
        return match_open_request(case.sender, requests, brings, classification.request_type)

    def _named_by_agent(self, case: Case, thread: ThreadMatch) -> Ticket | None:
        """The ticket that an agent's mail is about without a right to join it."""
        if thread.ticket_number is None:
            return None
        block = parse_directives(case.mail.new_text, self._catalogue.staff.aliases)
        if not is_named_by_agent(case.sender, thread, block):
            return None
        return survivor(case.known.ticket(thread.ticket_number), case.known)


def _documents_may_tell(by_words: Classification, types: Sequence[RequestType]) -> bool:
    """Whether the kinds of the files can change what a mail's words say of its type."""
    asking = {kind.key for kind in types if kind.documents}
    if by_words.request_type is None:
        return bool(asking)
    return any(one.request_type in asking - {by_words.request_type} for one in by_words.candidates)


def _on_survivor(case: Case, thread: ThreadMatch, ticket: Ticket) -> ThreadMatch:
    """The thread of a mail to a merged ticket: it goes on at the one that is left, perhaps another person's."""
    if thread.ticket_number == ticket.number:
        return thread
    if thread.handle_purpose in HOUSE_PURPOSES:
        return _staff_on_survivor(case, thread, ticket)
    is_theirs = case.sender.address.address in (ticket.requester.address, *ticket.participants)
    return replace(
        thread,
        from_another_address=thread.from_another_address or not is_theirs,
        of_another_requester=not (is_theirs or _had_one_requester(case, thread, ticket)),
    )


def _had_one_requester(case: Case, thread: ThreadMatch, ticket: Ticket) -> bool:
    """Whether the ticket to which the mail was written and the one that goes on are of one person."""
    merged = case.known.ticket(thread.ticket_number or "")
    return merged is not None and merged.requester.address == ticket.requester.address


def _staff_on_survivor(case: Case, thread: ThreadMatch, ticket: Ticket) -> ThreadMatch:
    """A handle was made for one ticket: on another that it was merged into it is as good as expired, and where
    that is another requester's, not even a plain answer goes out to them."""
    is_theirs = _had_one_requester(case, thread, ticket)
    return replace(thread, handle_expired=True, refused=None if is_theirs else ThreadRefusal.HANDLE_REVOKED)


def joined_ticket(thread: ThreadMatch, known: Knowledge) -> Ticket | None:
    """The ticket that a mail joins by an accepted thread, ``None`` if it joins none."""
    return (
        survivor(known.ticket(thread.ticket_number), known) if thread.accepted and thread.ticket_number else None
    )
