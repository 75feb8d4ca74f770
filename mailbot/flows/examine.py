"""From a mail's bytes to a decision, reading only: ``(InboundMail, Knowledge) -> Examination``.

The order is the point: sender, then thread, then whether the thread counts, and only then request type and
evidence. ``intake.py`` carries the decision out; ``explain`` shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

from mailbot.catalogue.facts.values import FactSources
from mailbot.catalogue.knowledge import KnowledgeBase
from mailbot.catalogue.load import GENERAL, Catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.staff import AgentSpec
from mailbot.domain.customer import Customer
from mailbot.domain.drawings import FileDrawing
from mailbot.domain.events import STAFF_PURPOSES, StoredFile, TicketEvent, Visibility
from mailbot.domain.evidence import (
    DocumentReading,
    EvidenceReport,
    FieldValue,
)
from mailbot.domain.guidance import Ruling
from mailbot.domain.handles import without_reference_lines
from mailbot.domain.identification import NOBODY_KNOWN, CustomerClue, KnownCustomers
from mailbot.domain.mail import (
    NO_THREAD,
    Accepted,
    Address,
    Authenticity,
    Bounce,
    Classification,
    Discarded,
    InboundMail,
    Sender,
    SenderRole,
    ThreadKey,
    ThreadMatch,
    keyed_digest,
)
from mailbot.domain.orders import OrderPlan
from mailbot.domain.outbox import LetterRow
from mailbot.domain.self_service import OwnTickets
from mailbot.domain.staff_words import StaffWord
from mailbot.domain.threads import OpenRequest
from mailbot.domain.ticket import Status, Ticket
from mailbot.domain.traces import OtherUse
from mailbot.evidence.assess import assess
from mailbot.evidence.fields import extract_fields, merge_fields, prose_field
from mailbot.evidence.filled_form import Reply, read_reply
from mailbot.flows.customer_desk import Asking, query_situation
from mailbot.flows.errand_desk import run_errand
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.order_desk import OrderHouse, OrderKnowledge, desk_for, survivor, without_waived
from mailbot.flows.readings import FileReadings, MailReadings
from mailbot.flows.uses_elsewhere import with_other_uses
from mailbot.flows.whose_request import WhoseRequest, as_it_stands, whose_request
from mailbot.triage.agent_files import is_meant_to_be_sent
from mailbot.triage.classify import classify, classify_subject
from mailbot.triage.customer_words import customer_query
from mailbot.triage.decide import decide
from mailbot.triage.decisions import AppendMessage, ApplyAgentReply, Decision, OpenTicket
from mailbot.triage.direct_answer import named_tickets, went_to_requester
from mailbot.triage.directives import Directive, DirectiveBlock, parse_directives
from mailbot.triage.errands import CustomersMail, customers_mail, is_errand
from mailbot.triage.gratitude import is_gratitude
from mailbot.triage.orders.filing import type_named
from mailbot.triage.orders.plan import plan_orders
from mailbot.triage.rules import as_suggestion, facts_of, may_answer_by_itself, rule_on, with_ruling
from mailbot.triage.screen import OwnMarks, ScreeningReason, is_automatic, own_handle, screen
from mailbot.triage.self_service import decide_on_query
from mailbot.triage.sender import identify
from mailbot.triage.situation import Situation
from mailbot.triage.thread import (
    ThreadClues,
    ThreadKnowledge,
    match_open_request,
    match_thread,
    thread_candidates,
)

AUTHENTICITY_FAILED = "authenticity_failed"


class Knowledge(OrderKnowledge, Protocol):
    """What triage may ask of the past."""

    def of_clues(self, clues: ThreadClues, *, now: datetime) -> ThreadKnowledge:
        """What is known of the handles, ids and tags in a mail."""
        ...

    def open_requests(self, requester: str, mailbox: str) -> tuple[OpenRequest, ...]:
        """Tickets of this address that wait for something."""
        ...

    def own_tickets(self, requester: str, mailbox: str, *, ending: str, limit: int) -> OwnTickets:
        """Tickets of this address, newest first; with ``ending`` only those whose number ends so."""
        ...

    def notices(self, handles: Sequence[str]) -> tuple[str, ...]:
        """The texts of the notices to staff that carry these handles."""
        ...

    def customers_for(self, address: str, clues: tuple[CustomerClue, ...]) -> KnownCustomers:
        """Whose this address is, for whom they may write, and whom these numbers name."""
        ...

    def customer(self, customer_id: int) -> Customer | None:
        """A customer's record."""
        ...

    def answered_letters(self, handles: Sequence[str]) -> tuple[str, ...]:
        """The texts of the letters to requesters that carry these handles."""
        ...

    def readings(self, digests: Sequence[str]) -> list[DocumentReading]:
        """Readings of these files that are kept."""
        ...

    def drawings(self, digests: Sequence[str]) -> list[FileDrawing]:
        """Drawings of these files that are kept."""
        ...

    def other_uses(self, traces: Sequence[str], *, but: Sequence[str]) -> list[OtherUse]:
        """The tickets, but for these numbers, in which any of the traces was left."""
        ...

    def sent_folder_is_watched(self, mailbox: str) -> bool:
        """Whether we see what people send from this mailbox."""
        ...


class NothingKnown:
    """The past of a mailbox that begins today (for ``explain`` without a database)."""

    def of_clues(self, clues: ThreadClues, *, now: datetime) -> ThreadKnowledge:
        """Nothing."""
        del clues, now
        return ThreadKnowledge()

    def ticket(self, number: str) -> Ticket | None:
        """None."""
        del number
        return None

    def events(self, number: str) -> Sequence[TicketEvent]:
        """None."""
        del number
        return ()

    def letters(self, number: str) -> Sequence[LetterRow]:
        """None."""
        del number
        return ()

    def assigned_to(self, address: str) -> Sequence[Ticket]:
        """None."""
        del address
        return ()

    def files_of(self, number: str) -> Sequence[StoredFile]:
        """None."""
        del number
        return ()

    def open_requests(self, requester: str, mailbox: str) -> tuple[OpenRequest, ...]:
        """None."""
        del requester, mailbox
        return ()

    def own_tickets(self, requester: str, mailbox: str, *, ending: str, limit: int) -> OwnTickets:
        """None."""
        del requester, mailbox, ending, limit
        return OwnTickets()

    def notices(self, handles: Sequence[str]) -> tuple[str, ...]:
        """None."""
        del handles
        return ()

    def answered_letters(self, handles: Sequence[str]) -> tuple[str, ...]:
        """None."""
        del handles
        return ()

    def customers_for(self, address: str, clues: tuple[CustomerClue, ...]) -> KnownCustomers:
        """Nobody."""
        del address, clues
        return NOBODY_KNOWN

    def customer(self, customer_id: int) -> Customer | None:
        """Nobody."""
        del customer_id
        return None

    def readings(self, digests: Sequence[str]) -> list[DocumentReading]:
        """None."""
        del digests
        return []

    def drawings(self, digests: Sequence[str]) -> list[FileDrawing]:
        """None."""
        del digests
        return []

    def other_uses(self, traces: Sequence[str], *, but: Sequence[str]) -> list[OtherUse]:
        """None."""
        del traces, but
        return []

    def sent_folder_is_watched(self, mailbox: str) -> bool:
        """No."""
        del mailbox
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenedOut:
    """A mail of which screening already says everything: a bounce, or discarded."""

    mail: InboundMail
    screening: Bounce | Discarded
    sender: Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """All that was found out about an accepted mail, and what is to be done with it."""

    mail: InboundMail
    screening: Accepted
    sender: Sender
    thread: ThreadMatch
    classification: Classification
    request_type: RequestType
    report: EvidenceReport
    new_readings: tuple[DocumentReading, ...]
    situation: Situation
    decision: Decision
    new_drawings: tuple[FileDrawing, ...] = ()


Examination = ScreenedOut | Understood


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMail:
    """A mail of a ticket, read again from its stored bytes, and its attachments as stored, in order."""

    mail: InboundMail
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
    new_drawings: tuple[FileDrawing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A mail that passed screening, with everything that is asked about it again and again."""

    mail: InboundMail
    files: Sequence[StoredFile]
    mailbox: ServedMailbox
    known: Knowledge
    screening: Accepted
    sender: Sender
    now: datetime
    # The fields that were found already, by request type and by whether prose counts: a sender with many open
    # requests must not have the same mail read anew for each.
    fields_found: dict[tuple[str, bool], tuple[FieldValue, ...]] = field(default_factory=dict, init=False)
    # What the records said, by the numbers that were asked for.
    customers_found: dict[tuple[CustomerClue, ...], KnownCustomers] = field(default_factory=dict, init=False)
    # The mail apart from our letter that it answers, once it was asked for.
    replies: list[Reply] = field(default_factory=list, init=False)

    def ask_for_customers(self, address: str, clues: tuple[CustomerClue, ...]) -> KnownCustomers:
        """What the records say of the sender's address and these numbers, asked once."""
        if clues not in self.customers_found:
            self.customers_found[clues] = self.known.customers_for(address, clues)
        return self.customers_found[clues]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """What the mail is about: its thread, its ticket if it joins one, and its type."""

    thread: ThreadMatch
    ticket: Ticket | None
    classification: Classification
    request_type: RequestType


class Examiner:
    """Finds out what a mail is, from whom, about which ticket, and what to do with it. Writes nothing."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        marks: OwnMarks,
        documents: FileReadings,
        orders: OrderHouse,
        now: Callable[[], datetime],
    ) -> None:
        self._orders = orders
        self._catalogue = catalogue
        self._marks = marks
        self._keyed = partial(keyed_digest, marks.secret_key)
        self._documents = documents
        self._zone = ZoneInfo(catalogue.calendar.timezone)
        self.now = now

    def examine(
        self,
        mail: InboundMail,
        files: Sequence[StoredFile],
        mailbox: ServedMailbox,
        known: Knowledge,
        *,
        in_sent_folder: bool = False,
        reader: FileReadings | None = None,
    ) -> Examination:
        """``files`` are the mail's attachments as stored, in order. ``in_sent_folder``: nobody sent it to us, it
        is what somebody sent from the mailbox."""
        screening = screen(mail, own=self._marks)
        sender = identify(mail, roster=self._catalogue.staff, screening=screening, profile=mailbox.profile)
        if in_sent_folder:
            answer = self._direct_answer(mail, files, mailbox, known, by=self._named_as_sender(mail))
            nothing = Discarded(reason=ScreeningReason.ANSWERS_NO_TICKET)
            return answer or ScreenedOut(mail=mail, screening=nothing, sender=sender)
        if isinstance(screening, Discarded | Bounce):
            return ScreenedOut(mail=mail, screening=screening, sender=sender)
        own = self._own_mail_received(mail, files, mailbox, known, sender)
        if own is not None:
            return own
        if sender.authenticity is Authenticity.FAILED:
            # Our own server says that the From address is forged: an answer would go to a third party.
            screening = replace(screening, may_answer=False, reason=AUTHENTICITY_FAILED)
        if sender.role is not SenderRole.AGENT:
            mail = _without_our_marks(mail)
        case = _Case(
            mail=mail,
            files=files,
            mailbox=mailbox,
            known=known,
            screening=screening,
            sender=sender,
            now=self.now(),
        )
        asked = self._asked(case) or self._on_errand(case, reader)
        if asked is not None:
            return asked
        readings = self._readings(case, reader)
        subject = self._subject(case, readings)
        if _asks_for_herself(sender, subject):
            case = _as_requester(case)
        whose = self._whose(case, subject)
        report = self._report(case, subject, readings, whose)
        if case.sender.role is not SenderRole.AGENT:
            readings.draw()
        situation = self._situation(case, subject, report, whose)
        return Understood(
            mail=mail,
            screening=screening,
            sender=sender,
            thread=subject.thread,
            classification=subject.classification,
            request_type=subject.request_type,
            report=report,
            new_readings=readings.made,
            new_drawings=readings.drawings,
            situation=situation,
            decision=decide(situation),
        )

    def _asked(self, case: _Case) -> Understood | None:
        """What a customer word comes to; ``None`` for every other mail, and where the word counts for nothing."""
        query = customer_query(case.mail)
        if query is None:
            return None
        clues = thread_candidates(case.mail)
        thread = match_thread(case.sender, clues, case.known.of_clues(clues, now=case.now))
        asking = Asking(
            mail=case.mail,
            screening=case.screening,
            sender=case.sender,
            thread=thread,
            joined=_joined(thread, case.known),
            mailbox=case.mailbox.key,
            now=case.now,
        )
        situation = query_situation(query, asking, known=case.known, catalogue=self._catalogue)
        decision = decide_on_query(query, situation)
        if decision is None:
            return None
        return Understood(
            mail=case.mail,
            screening=case.screening,
            sender=situation.sender,
            thread=thread,
            classification=situation.classification,
            request_type=situation.request_type,
            report=situation.report,
            new_readings=(),
            situation=situation,
            decision=decision,
        )

    # --- what agents order without a notice ---

    def _on_errand(self, case: _Case, reader: FileReadings | None) -> Understood | None:
        """What an agent's errand comes to; ``None`` for every other mail."""
        if case.sender.role is not SenderRole.AGENT or case.screening.automatic_reply:
            return None
        block = parse_directives(case.mail.new_text, self._catalogue.staff.aliases)
        clues = thread_candidates(case.mail)
        is_about_a_ticket = bool(clues.handles or clues.ticket_tags)
        if not is_errand(block, on_a_ticket=is_about_a_ticket):
            return None
        found = run_errand(
            case.mail,
            case.sender,
            block,
            case.known,
            no_customers=self._nobody_elses(),
        )
        if isinstance(found, CustomersMail):
            return self._in_customers_name(case, found, block, reader)
        subject = _Subject(
            thread=NO_THREAD,
            ticket=None,
            classification=_NOTHING_ASKED,
            request_type=self._catalogue.type(GENERAL),
        )
        situation = self._situation(case, subject, EvidenceReport(), WhoseRequest())
        return _understood(case, subject, situation, (), found)

    def _in_customers_name(
        self, case: _Case, found: CustomersMail, block: DirectiveBlock, reader: FileReadings | None
    ) -> Understood:
        """A ticket for whom an agent writes: weighed like the customer's own mail (R000-13, R002-01)."""
        agent = self.agent(case.sender)
        theirs = _as_customers(case, found)
        readings = self._readings(theirs, reader)
        classification = self._typed_by_agent(block, case) or self._classify(theirs, readings)
        kind = self._catalogue.type(classification.request_type or GENERAL)
        subject = _Subject(thread=NO_THREAD, ticket=None, classification=classification, request_type=kind)
        whose = self._whose(theirs, subject)
        report = self._report(theirs, subject, readings, whose)
        situation = replace(self._situation(theirs, subject, report, whose), directives=block)
        decision = decide(situation)
        if isinstance(decision, OpenTicket):
            decision = replace(decision, opened_by=agent)
        return _understood(case, subject, situation, readings.made, decision)

    def opened_for(
        self,
        wanted: CustomersMail,
        mailbox: ServedMailbox,
        known: Knowledge,
        *,
        request_type: str | None,
        by: Address,
    ) -> Understood:
        """A ticket that ``by`` opens in a customer's name, weighed like the customer's own mail."""
        block = DirectiveBlock(directives=(Directive(word=StaffWord.ABRIR),), remaining_text=wanted.text)
        if request_type is not None:
            named = Directive(word=StaffWord.TIPO, argument=request_type)
            block = replace(block, directives=(*block.directives, named))
        case = self._typed_case(by, wanted.text, mailbox, known)
        found = self._in_customers_name(case, wanted, block, None)
        decision = found.decision
        return (
            replace(found, decision=replace(decision, opened_by=by)) if isinstance(decision, OpenTicket) else found
        )

    def ordered_by(
        self, agent: AgentSpec, text: str, ticket: Ticket, mailbox: ServedMailbox, known: Knowledge
    ) -> Situation:
        """The situation of ``text``, typed by ``agent`` for ``ticket`` without a mail."""
        case = self._typed_case(Address(address=agent.address, name=agent.name), text, mailbox, known)
        subject = self._on_ticket(case, ThreadMatch(ticket_number=ticket.number), ticket)
        block = parse_directives(text, self._catalogue.staff.aliases)
        situation = self._situation(case, subject, EvidenceReport(), as_it_stands(ticket))
        return replace(situation, directives=block, orders=self._planned(case, ticket, block, agent))

    def _typed_case(self, by: Address, text: str, mailbox: ServedMailbox, known: Knowledge) -> _Case:
        mail = InboundMail(message_id="", sender=by, new_text=text, full_text=text)
        sender = Sender(address=by, role=SenderRole.AGENT, authenticity=Authenticity.VERIFIED)
        return _Case(
            mail=mail,
            files=(),
            mailbox=mailbox,
            known=known,
            screening=Accepted(may_answer=True),
            sender=sender,
            now=self.now(),
        )

    def _typed_by_agent(self, block: DirectiveBlock, case: _Case) -> Classification | None:
        """The type that stands beside ``#abrir``, if a known one does."""
        named = [one.argument for one in block.directives if one.word is StaffWord.TIPO]
        kind = type_named(named[0], self._catalogue.types_of(case.mailbox.key)) if named else None
        return None if kind is None else Classification(request_type=kind.key, confidence=1.0, matched="thread")

    # --- what people wrote from the shared mailbox ---

    def own_handle(self, mail: InboundMail) -> str | None:
        """The handle of the letter of ours that this mail is, ``None`` if it is none."""
        return own_handle(mail, own=self._marks)

    def answered_ticket(
        self, mail: InboundMail, mailbox: ServedMailbox, known: Knowledge
    ) -> tuple[Ticket, ThreadKey] | None:
        """The ticket whose requester got this mail in answer, written by a person as the mailbox itself.

        Says nothing of whether the mail is genuine.
        """
        if [one.address for one in mail.from_addresses] != [mailbox.address]:
            return None
        if self.own_handle(mail) is not None or is_automatic(mail, own=self._marks):
            return None
        clues = thread_candidates(mail)
        for number, key in named_tickets(clues, known.of_clues(clues, now=self.now())):
            ticket = survivor(known.ticket(number), known)
            if ticket is not None and ticket.mailbox == mailbox.key and went_to_requester(mail, ticket):
                return ticket, key
        return None

    def _own_mail_received(
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
        case = _Case(
            mail=_without_our_marks(mail),
            files=files,
            mailbox=mailbox,
            known=known,
            screening=Accepted(may_answer=False, reason=ScreeningReason.FROM_OWN_ADDRESS),
            sender=Sender(
                address=mail.sender, role=SenderRole.AGENT, authenticity=Authenticity.VERIFIED, agent_key=by
            ),
            now=self.now(),
        )
        readings = self._readings(case)
        subject = self._on_ticket(case, ThreadMatch(ticket_number=ticket.number, key=key), ticket)
        whose = as_it_stands(ticket)
        report = self._report(case, subject, readings, whose)
        # Text only: a word of staff's gives no orders here (THREATS 9).
        text = case.mail.new_text or case.mail.full_text
        return Understood(
            mail=case.mail,
            screening=case.screening,
            sender=case.sender,
            thread=subject.thread,
            classification=subject.classification,
            request_type=subject.request_type,
            report=report,
            new_readings=readings.made,
            new_drawings=readings.drawings,
            situation=self._situation(case, subject, report, whose),
            decision=ApplyAgentReply(visibility=Visibility.PUBLIC, text=text, already_sent=True),
        )

    def _named_as_sender(self, mail: InboundMail) -> str | None:
        """Key of the agent who, by the mail's Sender field, wrote for the mailbox (RFC 5322 §3.6.2): in a Sent
        folder only who may send from the mailbox can have written it."""
        address = parseaddr(mail.header("sender"))[1].lower()
        return self._catalogue.staff.agent_key_for(address) if address else None

    def recount(
        self,
        mails: Sequence[KeptMail],
        ticket: Ticket,
        mailbox: ServedMailbox,
        known: Knowledge,
        *,
        in_hands: bool,
    ) -> Recount:
        """Look again at all mails of a ticket's requester, in the order in which they came (at least one).

        Nothing that was found before counts, so that a better reader makes it better; only a follow-up begins,
        as it did then, with what the ticket that it follows holds. The mails stay on this ticket.
        """
        cases = [_as_requester(self._case_again(one, mailbox, known)) for one in mails]
        readings = [self._readings(case) for case in cases]
        so_far = known.ticket(ticket.follow_up_of) if ticket.follow_up_of else None
        kind = self._catalogue.type(ticket.request_type)
        if so_far is None:
            # Also where its answer does not count: it may read files that the type by itself leaves unread.
            found = self._classify(cases[0], readings[0]).request_type
            kind = self._catalogue.type(found) if found and not (in_hands or ticket.is_finished) else kind
        # What the bot answered by itself it may answer anew; what a person has before them it may not.
        waits = ticket.status is Status.AWAITING_REQUESTER and ticket.assignee is None
        may_guide = not in_hands and (waits or ticket.is_guided)
        # Whose it is stays: a person may have said it, or a letter's handle that nobody has in hand now.
        whose = self._whose_it_stands(ticket, known)
        report, last = EvidenceReport(), cases[0]
        for number, case in enumerate(cases):
            if number and _brings_nothing(case):
                continue
            report = self._assessed(
                case, kind, so_far, readings[number], whose, looks_elsewhere=False, may_answer=may_guide
            )
            last = case
            so_far = replace(
                ticket,
                fields=report.fields,
                documents=report.findings,
                missing=report.missing,
                mismatches=report.mismatches,
            )
        return Recount(
            request_type=kind,
            report=with_other_uses(report, ticket, known, self._keyed, anew=True),
            may_answer=last.screening.may_answer,
            verified=any(_is_verified_requester(case, ticket) for case in cases),
            new_readings=tuple(reading for one in readings for reading in one.made),
            new_drawings=tuple(drawing for one in readings for drawing in one.drawings),
        )

    def _case_again(self, kept: KeptMail, mailbox: ServedMailbox, known: Knowledge) -> _Case:
        screening = screen(kept.mail, own=self._marks)
        sender = identify(kept.mail, roster=self._catalogue.staff, screening=screening, profile=mailbox.profile)
        if not isinstance(screening, Accepted) or sender.authenticity is Authenticity.FAILED:
            # It is on the ticket and stays there, whatever would be done with it today.
            is_reply = isinstance(screening, Accepted) and screening.automatic_reply
            screening = Accepted(may_answer=False, automatic_reply=is_reply)
        case = _Case(
            mail=_without_our_marks(kept.mail),
            files=kept.files,
            mailbox=mailbox,
            known=known,
            screening=screening,
            sender=sender,
            now=self.now(),
        )
        return self._customers_again(case, kept)

    def _customers_again(self, case: _Case, kept: KeptMail) -> _Case:
        """The customer's case where an agent had opened the ticket in their name."""
        if case.sender.role is not SenderRole.AGENT:
            return case
        block = parse_directives(kept.mail.new_text, self._catalogue.staff.aliases)
        if not block.has(StaffWord.ABRIR):
            return case
        found = customers_mail(kept.mail, block, self._nobody_elses())
        return _as_customers(case, found) if isinstance(found, CustomersMail) else case

    def _nobody_elses(self) -> frozenset[str]:
        """Addresses that are no customer's."""
        return self._marks.own_addresses | {agent.address for agent in self._catalogue.staff.agents}

    def agent(self, sender: Sender) -> Address | None:
        """The roster's own entry of an agent: registered address and name."""
        spec = self._catalogue.staff.agent(sender.agent_key) if sender.agent_key else None
        return None if spec is None else Address(address=spec.address, name=spec.name)

    @property
    def knowledge(self) -> KnowledgeBase:
        """The articles that there are."""
        return self._catalogue.knowledge

    def knows_type_of(self, ticket: Ticket) -> bool:
        """Whether the catalogue still has the ticket's request type."""
        return self._catalogue.has_type(ticket.request_type)

    def may_answer(self, mail: InboundMail, mailbox: ServedMailbox) -> bool:
        """Whether a person may have written the mail, so that it may be answered at all."""
        screening = screen(mail, own=self._marks)
        sender = identify(mail, roster=self._catalogue.staff, screening=screening, profile=mailbox.profile)
        return isinstance(screening, Accepted) and screening.may_answer and sender.address.address != ""

    def _readings(self, case: _Case, reader: FileReadings | None = None) -> MailReadings:
        return MailReadings(
            case.mail,
            case.files,
            past=case.known,
            most_bytes=self._catalogue.largest_file_bytes,
            reader=reader or self._documents,
        )

    # --- which ticket, which type ---

    def _subject(self, case: _Case, readings: MailReadings) -> _Subject:
        clues = thread_candidates(case.mail)
        thread = match_thread(case.sender, clues, case.known.of_clues(clues, now=case.now))
        ticket = _joined(thread, case.known) or _named_by_agent(case, thread)
        if ticket is not None:
            return self._on_ticket(case, thread, ticket)
        classification = self._classify(case, readings)
        if thread.ticket_number is None:
            thread = self._open_request(case, classification, readings)
            ticket = _joined(thread, case.known)
            if ticket is not None:
                return self._on_ticket(case, thread, ticket)
        kind = self._catalogue.type(classification.request_type or GENERAL)
        return _Subject(thread=thread, ticket=None, classification=classification, request_type=kind)

    def _on_ticket(self, case: _Case, thread: ThreadMatch, ticket: Ticket) -> _Subject:
        return _Subject(
            thread=_on_survivor(case, thread, ticket),
            ticket=ticket,
            classification=Classification(request_type=ticket.request_type, confidence=1.0, matched="thread"),
            request_type=self._catalogue.type(ticket.request_type),
        )

    def _classify(self, case: _Case, readings: MailReadings) -> Classification:
        """Subject first; only where it decides nothing do fields, body and attachments propose (R000-09)."""
        types = self._catalogue.types_of(case.mailbox.key)
        by_subject = classify_subject(case.mail.subject, types, self._catalogue.units)
        if by_subject.request_type is not None:
            return by_subject
        fields = {kind.key: self._fields(case, kind, first_mail=False) for kind in types if kind.fields}
        mail, units = case.mail, self._catalogue.units
        by_words = classify(mail.subject, fields, mail.new_text, (), types, units)
        if not (readings.can_tell_kinds and _documents_may_tell(by_words, types)):
            return by_words
        return classify(mail.subject, fields, mail.new_text, readings.kinds(), types, units)

    def _open_request(self, case: _Case, classification: Classification, readings: MailReadings) -> ThreadMatch:
        """A fresh mail with the missing paper (REQUIREMENTS *Decided*)."""
        requests = case.known.open_requests(case.sender.address.address, case.mailbox.key)
        brings = frozenset(
            key
            for request in requests
            if (ticket := case.known.ticket(request.ticket_number)) is not None
            for key in self._brought(case, ticket, readings)
        )
        return match_open_request(case.sender, requests, brings, classification.request_type)

    def _brought(self, case: _Case, ticket: Ticket, readings: MailReadings) -> set[str]:
        """What of a ticket's missing items this mail carries, well or badly."""
        if not self.knows_type_of(ticket):
            return set()
        kind = self._catalogue.type(ticket.request_type)
        # Free prose is no item that was asked for: a question about something else is not the missing reason.
        whose = whose_request(case.mail, case.sender, NO_THREAD, ticket, kind, case.ask_for_customers)
        report = self._assessed(case, kind, ticket, readings, whose, prose_counts=False)
        served = {finding.requirement for finding in report.findings if finding not in ticket.documents}
        return (set(ticket.missing) - set(report.missing)) | {key for key in served if key is not None}

    # --- evidence ---

    def _fields(self, case: _Case, kind: RequestType, *, first_mail: bool) -> tuple[FieldValue, ...]:
        found = case.fields_found.get((kind.key, first_mail))
        if found is None:
            reply = _reply(case)
            stated = extract_fields(
                kind,
                reply.new_text,
                case.mail.subject,
                case.sender.address,
                self._catalogue.units,
                first_mail=first_mail,
                filled_form=reply.filled_form,
                today=self._catalogue.calendar.local_day(_written_at(case)),
            )
            found = tuple(replace(value, unverified=_is_unverified(case)) for value in stated)
            case.fields_found[kind.key, first_mail] = found
        return found

    def _whose(self, case: _Case, subject: _Subject) -> WhoseRequest:
        ticket = subject.ticket
        if ticket is not None and not self.knows_type_of(ticket):
            return as_it_stands(ticket)
        kind = subject.request_type
        return whose_request(case.mail, case.sender, subject.thread, ticket, kind, case.ask_for_customers)

    @staticmethod
    def _whose_it_stands(ticket: Ticket, known: Knowledge) -> WhoseRequest:
        customer_id = ticket.customer.customer_id
        record = known.customer(customer_id) if customer_id is not None else None
        return replace(as_it_stands(ticket), record=record)

    def _report(
        self, case: _Case, subject: _Subject, readings: MailReadings, whose: WhoseRequest
    ) -> EvidenceReport:
        """An agent's mail on a ticket is no evidence, and where its type is gone nothing can be weighed: the
        ticket's own state is the report."""
        ticket = subject.ticket
        if ticket is not None and (case.sender.role is SenderRole.AGENT or not self.knows_type_of(ticket)):
            return EvidenceReport(
                findings=ticket.documents,
                fields=ticket.fields,
                missing=ticket.missing,
                mismatches=ticket.mismatches,
                ruling=ticket.ruling,
            )
        may_answer = may_answer_by_itself(ticket, case.screening, subject.thread)
        return self._assessed(case, subject.request_type, ticket, readings, whose, may_answer=may_answer)

    def _assessed(
        self,
        case: _Case,
        kind: RequestType,
        ticket: Ticket | None,
        readings: MailReadings,
        whose: WhoseRequest,
        *,
        prose_counts: bool = True,
        looks_elsewhere: bool = True,
        may_answer: bool = False,
    ) -> EvidenceReport:
        """``may_answer``: the type's rules may end the request by an answer of the bot's own."""
        prose = prose_field(kind)
        awaits_prose = ticket is None or (prose is not None and prose.key in ticket.missing)
        fields = self._fields(case, kind, first_mail=awaits_prose and prose_counts)
        report = assess(
            kind,
            held=ticket.documents if ticket else (),
            new_files=readings.files(read=bool(kind.documents)),
            fields=merge_fields(ticket.fields if ticket else (), fields),
            limits=self._catalogue.limits_of(kind.key),
            new_text=case.mail.new_text,
            today=case.now.date(),
        )
        report = without_waived(ticket, report) if ticket and ticket.waived else report
        if looks_elsewhere:
            report = with_other_uses(report, ticket, case.known, self._keyed)
        report = whose.added_to(report, kind)
        return self._ruled(case, kind, ticket, report, whose, may_answer=may_answer)

    def _ruled(
        self,
        case: _Case,
        kind: RequestType,
        ticket: Ticket | None,
        report: EvidenceReport,
        whose: WhoseRequest,
        *,
        may_answer: bool,
    ) -> EvidenceReport:
        """The report with what the type's table of rules says of it."""
        if not kind.rules:
            return report
        sources = FactSources(
            fields={value.key: value for value in report.fields},
            units=self._catalogue.units,
            today=case.now.astimezone(self._zone).date(),
            documents=report.findings,
            requester=(ticket.requester if ticket else case.sender.address).address,
            customer=whose.customer,
            customer_record=whose.record,
        )
        # Nobody is asked again for what was not understood twice: then it is a person who answers.
        stated = [value.key for value in report.fields if value.valid or value.for_a_person]
        ruling = rule_on(kind, facts_of(kind, sources), stated)
        if ruling is not None and not may_answer:
            ruling = as_suggestion(ruling)
        return with_ruling(kind, report, ruling)

    def _situation(self, case: _Case, subject: _Subject, report: EvidenceReport, whose: WhoseRequest) -> Situation:
        is_agent = case.sender.role is SenderRole.AGENT
        directives = (
            parse_directives(case.mail.new_text, self._catalogue.staff.aliases)
            if is_agent
            else DirectiveBlock(remaining_text=case.mail.new_text)
        )
        return Situation(
            mail=case.mail,
            screening=case.screening,
            sender=case.sender,
            thread=subject.thread,
            ticket=subject.ticket,
            classification=subject.classification,
            request_type=subject.request_type,
            report=report,
            directives=directives,
            is_gratitude=is_gratitude(case.mail.new_text),
            answers_need_verification=case.mailbox.can_verify_staff,
            now=case.now,
            notices=_answered_notices(case) if is_agent else (),
            orders=self._plan(case, subject.ticket, directives) if is_agent and subject.ticket else None,
            opens_beside=self.type_opened_by(report.ruling),
            customer=whose.customer,
            customer_record=whose.record,
            sender_record=whose.sender,
        )

    def _plan(self, case: _Case, ticket: Ticket, block: DirectiveBlock) -> OrderPlan | None:
        agent = self._catalogue.staff.agent(case.sender.agent_key or "")
        return None if agent is None else self._planned(case, ticket, block, agent)

    def _planned(self, case: _Case, ticket: Ticket, block: DirectiveBlock, agent: AgentSpec) -> OrderPlan:
        desk = desk_for(
            self._orders,
            case.known,
            agent=agent,
            ticket=ticket,
            block=block,
            mailbox_address=case.mailbox.address,
            now=case.now,
            has_files=any(is_meant_to_be_sent(file) for file in case.mail.attachments),
        )
        return plan_orders(block, ticket, desk)

    def type_opened_by(self, ruling: Ruling | None) -> RequestType | None:
        """The type of the ticket that a ruling opens beside the one that it is about."""
        return self._catalogue.request_types.get(ruling.opens) if ruling is not None and ruling.opens else None


_OLDEST_MAIL = timedelta(days=3653)


def _reply(case: _Case) -> Reply:
    """What the sender wrote, apart from our letter, and the form of that letter as they filled it in."""
    if not case.replies:
        handles = [clue.handle for clue in thread_candidates(case.mail).handles]
        letters = case.known.answered_letters(handles)
        case.replies.append(read_reply(case.mail.new_text, case.mail.full_text, letters))
    return case.replies[0]


def _written_at(case: _Case) -> datetime:
    """The moment from which *amanhã* counts: when the mail says that it was written, unless that cannot be."""
    sent_at = case.mail.sent_at
    if sent_at is None or sent_at.tzinfo is None:
        return case.now
    return sent_at if case.now - _OLDEST_MAIL < sent_at <= case.now else case.now


_NOTHING_ASKED = Classification(request_type=None, confidence=0.0, matched="")


def _as_customers(case: _Case, found: CustomersMail) -> _Case:
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


def _understood(
    case: _Case,
    subject: _Subject,
    situation: Situation,
    made: tuple[DocumentReading, ...],
    decision: Decision,
) -> Understood:
    return Understood(
        mail=case.mail,
        screening=case.screening,
        sender=case.sender,
        thread=subject.thread,
        classification=subject.classification,
        request_type=subject.request_type,
        report=situation.report,
        new_readings=made,
        situation=situation,
        decision=decision,
    )


def _documents_may_tell(by_words: Classification, types: Sequence[RequestType]) -> bool:
    """Whether the kinds of the files can change what a mail's words say of its type."""
    asking = {kind.key for kind in types if kind.documents}
    if by_words.request_type is None:
        return bool(asking)
    return any(one.request_type in asking - {by_words.request_type} for one in by_words.candidates)


def _asks_for_herself(sender: Sender, subject: _Subject) -> bool:
    """Whether an agent writes as a requester: what opens a ticket, or comes to her own one other than as the
    answer to a notice."""
    if sender.role is not SenderRole.AGENT or subject.ticket is None:
        return sender.role is SenderRole.AGENT
    is_hers = subject.ticket.requester.address == sender.address.address
    return is_hers and subject.thread.accepted and subject.thread.handle_purpose not in STAFF_PURPOSES


def _as_unverified_note(answer: Understood) -> Understood:
    """What may be a person's answer, as what it is as long as nobody vouches for it: nothing leaves, and nothing
    is decided by it."""
    screening = Accepted(may_answer=False, reason=ScreeningReason.COPY_OF_SENT_MAIL)
    sender = replace(answer.sender, authenticity=Authenticity.UNVERIFIED)
    return replace(
        answer,
        screening=screening,
        sender=sender,
        situation=replace(answer.situation, screening=screening, sender=sender),
        decision=AppendMessage(quiet=True),
    )


def _as_requester(case: _Case) -> _Case:
    """The case of somebody on the roster who is a requester here: no words of hers are orders."""
    if case.sender.role is not SenderRole.AGENT:
        return case
    sender = replace(case.sender, role=SenderRole.REQUESTER, agent_key=None)
    return replace(case, sender=sender, mail=_without_our_marks(case.mail))


def _answered_notices(case: _Case) -> tuple[str, ...]:
    return case.known.notices([clue.handle for clue in thread_candidates(case.mail).handles])


def _without_our_marks(mail: InboundMail) -> InboundMail:
    return replace(mail, new_text=without_reference_lines(mail.new_text))


def _brings_nothing(case: _Case) -> bool:
    """Whether ``decide`` kept such a mail quietly: an answering machine's, or mere thanks."""
    if case.screening.automatic_reply or case.sender.role is SenderRole.AGENT:
        return True
    return is_gratitude(case.mail.new_text) and all(file.inline for file in case.mail.attachments)


def _is_unverified(case: _Case) -> bool:
    """Whether the mailbox's server could have vouched for the sender and did not."""
    return case.mailbox.can_verify_staff and case.sender.authenticity is not Authenticity.VERIFIED


def _is_verified_requester(case: _Case, ticket: Ticket) -> bool:
    is_requester = case.sender.address.address == ticket.requester.address
    return is_requester and case.sender.authenticity is Authenticity.VERIFIED


def _on_survivor(case: _Case, thread: ThreadMatch, ticket: Ticket) -> ThreadMatch:
    """The thread of a mail to a merged ticket: it goes on at the one that is left, perhaps another person's."""
    if thread.ticket_number == ticket.number or thread.handle_purpose in STAFF_PURPOSES:
        return thread
    is_theirs = case.sender.address.address in (ticket.requester.address, *ticket.participants)
    return replace(thread, from_another_address=thread.from_another_address or not is_theirs)


def _joined(thread: ThreadMatch, known: Knowledge) -> Ticket | None:
    return (
        survivor(known.ticket(thread.ticket_number), known) if thread.accepted and thread.ticket_number else None
    )


def _named_by_agent(case: _Case, thread: ThreadMatch) -> Ticket | None:
    """The ticket that a mail in an agent's name is about without a handle of its own: it becomes a note there,
    and the agent is told (INTERFACE *Staff words*, THREATS 9)."""
    if case.sender.role is not SenderRole.AGENT or thread.ticket_number is None:
        return None
    return survivor(case.known.ticket(thread.ticket_number), case.known)
