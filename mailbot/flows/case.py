"""The values of an examination: a mail that passed screening, what it is about, and what was understood of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mailbot.catalogue.request_types import RequestType
from mailbot.domain.events import StoredFile
from mailbot.domain.evidence import (
    DocumentReading,
    EvidenceReport,
    FieldValue,
)
from mailbot.domain.handles import without_order_marks, without_reference_lines, without_reference_tokens
from mailbot.domain.identification import CustomerClue, KnownCustomers
from mailbot.domain.mail import (
    Accepted,
    Authenticity,
    Bounce,
    Classification,
    Discarded,
    InboundMail,
    Sender,
    SenderRole,
    ThreadMatch,
)
from mailbot.domain.ticket import Ticket
from mailbot.evidence.fields import Labelled, MailText
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.past import Knowledge
from mailbot.triage.decisions import Decision
from mailbot.triage.errands import CustomersMail
from mailbot.triage.gratitude import is_gratitude
from mailbot.triage.situation import Situation
from mailbot.triage.thread import ThreadClues, ThreadKnowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenedOut:
    """A mail of which screening already says everything: a bounce, or discarded."""

    mail: InboundMail
    screening: Bounce | Discarded
    sender: Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """All that was found out about an accepted mail, and what is to be done with it.

    ``mail`` and ``sender`` are as they came; in ``situation`` they are what they count for, as where an agent
    writes as a requester or for a customer, or a code confirms what an earlier mail ordered. ``mailbox`` is the
    one that answers: its ticket's, or the one that a new request belongs to.
    """

    mail: InboundMail
    sender: Sender
    situation: Situation
    decision: Decision
    mailbox: ServedMailbox
    new_readings: tuple[DocumentReading, ...] = ()

    @property
    def screening(self) -> Accepted:
        """What screening said of the mail."""
        return self.situation.screening


Examination = ScreenedOut | Understood


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMail:
    """A mail of a ticket, read again from its stored bytes, and its attachments as stored, in order.
    ``arrived_at`` is the key of the mailbox to which it came: its server vouches for it, or nobody does."""

    mail: InboundMail
    arrived_at: str
    files: Sequence[StoredFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recount:
    """What all mails of a ticket's requester come to today. ``may_answer`` is the newest's that brought
    anything; ``verified``: our server vouches for the requester's address on one of them."""

    request_type: RequestType
    report: EvidenceReport
    may_answer: bool
    verified: bool
    new_readings: tuple[DocumentReading, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A mail that passed screening, with everything that is asked about it again and again."""

    mail: InboundMail
    files: Sequence[StoredFile]
    mailbox: ServedMailbox
    known: Knowledge
    screening: Accepted
    sender: Sender
    now: datetime
    # What all mails of the ticket come to for the types that an agent's words give it, by the key of the type.
    looked_again: Mapping[str, EvidenceReport] = field(default_factory=dict)
    # The fields that were found already, by request type and by whether prose counts: a sender with many open
    # requests must not have the same mail read anew for each.
    fields_found: dict[tuple[str, bool], tuple[FieldValue, ...]] = field(default_factory=dict, init=False)
    # What stands behind labels, by the key of the request type in whose terms it is.
    labels_read: dict[str, Labelled] = field(default_factory=dict, init=False)
    # What is known of the clues of its thread, once it was asked for.
    threads_found: dict[ThreadClues, ThreadKnowledge] = field(default_factory=dict, init=False)
    # What the records said, by the numbers that were asked for.
    customers_found: dict[tuple[CustomerClue, ...], KnownCustomers] = field(default_factory=dict, init=False)
    # What the mail says apart from our letter that it answers, once it was asked for.
    own_words: list[MailText] = field(default_factory=list, init=False)

    def ask_for_thread(self, clues: ThreadClues) -> ThreadKnowledge:
        """What is known of the handles, ids and tags in the mail, asked once."""
        if clues not in self.threads_found:
            self.threads_found[clues] = self.known.of_clues(clues, now=self.now)
        return self.threads_found[clues]

    def ask_for_customers(self, address: str, clues: tuple[CustomerClue, ...]) -> KnownCustomers:
        """What the records say of the sender's address and these numbers, asked once."""
        if clues not in self.customers_found:
            self.customers_found[clues] = self.known.customers_for(address, clues)
        return self.customers_found[clues]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the mail is about: its thread, its ticket if it joins one, and its type. ``mailbox`` is where the
    ticket is, or where a new one belongs."""

    thread: ThreadMatch
    ticket: Ticket | None
    classification: Classification
    request_type: RequestType
    mailbox: ServedMailbox


def as_customers(case: Case, found: CustomersMail) -> Case:
    """The case of the customer whose mail an agent forwards, or whose words they typed and vouch for."""
    mail = replace(
        case.mail,
        message_id="",
        sender=found.customer,
        subject=found.subject,
        new_text=without_reference_lines(found.text),
        full_text=found.text,
    )
    sender = Sender(address=found.customer, role=SenderRole.REQUESTER, authenticity=Authenticity.VERIFIED)
    return replace(case, mail=mail, sender=sender, screening=Accepted(may_answer=True))


def as_requester(case: Case) -> Case:
    """The case of somebody on the roster who is a requester here: no words of hers are orders."""
    if case.sender.role is not SenderRole.AGENT:
        return case
    sender = replace(case.sender, role=SenderRole.REQUESTER, agent_key=None)
    return replace(case, sender=sender, mail=without_our_marks(case.mail))


def as_sector(case: Case) -> Case:
    """The case of a sector that answers a book: its words are neither a requester's evidence nor orders."""
    if case.sender.role is SenderRole.MACHINE:
        return case
    sender = replace(case.sender, role=SenderRole.AGENT, agent_key=None)
    return replace(case, sender=sender, mail=without_our_marks(case.mail))


def without_our_marks(mail: InboundMail) -> InboundMail:
    """The mail without the reference lines that our letters end with."""
    return replace(
        mail,
        new_text=without_reference_lines(without_order_marks(mail.new_text)),
        subject=without_reference_tokens(mail.subject),
    )


def brings_nothing(case: Case) -> bool:
    """Whether ``decide`` kept such a mail quietly: an answering machine's, or mere thanks."""
    if case.screening.automatic_reply or case.sender.role is SenderRole.AGENT:
        return True
    return is_gratitude(case.mail.new_text) and all(file.inline for file in case.mail.attachments)


def is_unverified(case: Case) -> bool:
    """Whether the mailbox's server could have vouched for the sender and did not."""
    return case.mailbox.can_verify_staff and case.sender.authenticity is not Authenticity.VERIFIED


def is_verified_requester(case: Case, ticket: Ticket) -> bool:
    """Whether our server vouches that the ticket's requester wrote it."""
    is_requester = case.sender.address.address == ticket.requester.address
    return is_requester and case.sender.authenticity is Authenticity.VERIFIED
