"""From a mail's bytes to a decision, reading only: ``(InboundMail, Knowledge) -> Examination``.

The order is the point: sender, then thread, then whether the thread counts, and only then request type and
evidence. ``handle_mail.py`` has the decision carried out; ``explain`` shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr
from functools import partial

from mailbot.catalogue.knowledge import KnowledgeBase
from mailbot.catalogue.load import GENERAL, Catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.staff import AgentSpec, Staff
from mailbot.domain.customer import Customer
from mailbot.domain.events import HOUSE_PURPOSES, HandlePurpose, StoredFile, Visibility
from mailbot.domain.evidence import DocumentReading, EvidenceReport
from mailbot.domain.guidance import Ruling
from mailbot.domain.handles import without_order_marks
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
from mailbot.domain.staff_words import StaffWord
from mailbot.domain.ticket import Status, Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.flows.case import (
    Case,
    Examination,
    KeptMail,
    Recount,
    ScreenedOut,
    Subject,
    Understood,
    as_customers,
    as_requester,
    as_sector,
    brings_nothing,
    is_verified_requester,
    understood,
    without_our_marks,
)
from mailbot.flows.confirmation_desk import (
    code_in,
    code_to_ask,
    errand_code_in,
    errand_code_to_ask,
    refusals_today,
)
from mailbot.flows.customer_desk import Asking, query_situation
from mailbot.flows.errand_desk import run_errand, with_code
from mailbot.flows.house import House
from mailbot.flows.kept_papers import as_staff_left_them
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.order_desk import OrderHouse, desk_for, survivor
from mailbot.flows.past import Knowledge
from mailbot.flows.readings import FileReadings, MailReadings
from mailbot.flows.sector_books import with_books
from mailbot.flows.subject import SubjectFinder, joined_ticket
from mailbot.flows.uses_elsewhere import with_other_uses
from mailbot.flows.weighing import Weighing
from mailbot.flows.whose_request import WhoseRequest, as_it_stands
from mailbot.triage.agent_files import is_meant_to_be_sent
from mailbot.triage.authentication import AuthenticationKind, AuthenticationProfile
from mailbot.triage.customer_words import customer_query
from mailbot.triage.decide import decide
from mailbot.triage.decisions import AnswerAgent, AppendMessage, ApplyAgentReply, ConfirmErrand, OpenTicket
from mailbot.triage.direct_answer import named_tickets, went_to_requester
from mailbot.triage.directives import Directive, DirectiveBlock, parse_directives
from mailbot.triage.errands import CustomersMail, customers_mail, is_errand
from mailbot.triage.gratitude import is_gratitude
from mailbot.triage.orders.filing import type_named
from mailbot.triage.orders.plan import plan_orders
from mailbot.triage.screen import OwnMarks, ScreeningReason, is_automatic, own_handle, screen
from mailbot.triage.self_service import decide_on_query
from mailbot.triage.sender import identify
from mailbot.triage.situation import Situation
from mailbot.triage.thread import (
    match_thread,
    thread_candidates,
)

AUTHENTICITY_FAILED = "authenticity_failed"


class Examiner:
    """Finds out what a mail is, from whom, about which ticket, and what to do with it. Writes nothing."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        marks: OwnMarks,
        documents: FileReadings,
        orders: OrderHouse,
        mailboxes: Mapping[str, ServedMailbox],
        now: Callable[[], datetime],
        staff: Callable[[], Staff] | None = None,
    ) -> None:
        """``staff`` tells who works here now, where that may change while we run."""
        self._mailboxes = mailboxes
        self.staff = staff or (lambda: catalogue.staff)
        self._orders = orders
        self._catalogue = catalogue
        self._marks = marks
        self._keyed = partial(keyed_digest, marks.secret_key)
        self._documents = documents
        self._weighing = Weighing(catalogue=catalogue, keyed=self._keyed)
        house = House(catalogue=catalogue, mailboxes=mailboxes)
        self._subjects = SubjectFinder(catalogue=catalogue, weighing=self._weighing, house=house)
        self.now = now

    def examine(
        self,
        mail: InboundMail,
        files: Sequence[StoredFile],
        mailbox: ServedMailbox,
        known: Knowledge,
        *,
        in_sent_folder: bool = False,
        confirmed: bool = False,
        reader: FileReadings | None = None,
    ) -> Examination:
        """``files`` are the mail's attachments as stored, in order. ``in_sent_folder``: nobody sent it to us, it
        is what somebody sent from the mailbox. ``confirmed``: its agent said by a code that it is theirs."""
        screening = screen(mail, own=self._marks)
        sender = identify(mail, roster=self.staff(), screening=screening, profile=mailbox.profile)
        if confirmed and sender.role is SenderRole.AGENT and sender.authenticity is Authenticity.UNVERIFIED:
            sender = replace(sender, authenticity=Authenticity.VERIFIED)
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
            now=self.now(),
        )
        asked = self._asked(case) or self._on_errand(case, reader)
        if asked is not None:
            return asked
        readings = self._readings(case, reader)
        subject = self._subjects.of(case, readings)
        if subject.thread.accepted and subject.thread.handle_purpose is HandlePurpose.SECTOR:
            case = as_sector(case)
        elif _asks_for_herself(sender, subject):
            case = as_requester(case)
        whose = self._weighing.whose(case, subject)
        report = self._weighing.report(case, subject, readings, whose)
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
            situation=situation,
            decision=decide(situation),
            mailbox=subject.mailbox,
        )

    def _asked(self, case: Case) -> Understood | None:
        """What a customer word comes to; ``None`` for every other mail, and where the word counts for nothing."""
        query = customer_query(case.mail)
        if query is None:
            return None
        clues = thread_candidates(case.mail, tag_formats=self._catalogue.subject_tags)
        thread = match_thread(case.sender, clues, case.known.of_clues(clues, now=case.now))
        asking = Asking(
            mail=case.mail,
            screening=case.screening,
            sender=case.sender,
            thread=thread,
            joined=joined_ticket(thread, case.known),
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
            mailbox=case.mailbox,
        )

    # --- what agents order without a notice ---

    def _on_errand(self, case: Case, reader: FileReadings | None) -> Understood | None:
        """What an agent's errand comes to; ``None`` for every other mail."""
        if case.sender.role is not SenderRole.AGENT or case.screening.automatic_reply:
            return None
        block = parse_directives(case.mail.new_text, self._catalogue.staff.aliases)
        clues = thread_candidates(case.mail, tag_formats=self._catalogue.subject_tags)
        is_about_a_ticket = bool(clues.handles or clues.ticket_tags)
        thread = match_thread(case.sender, clues, case.known.of_clues(clues, now=case.now))
        names_one = thread.ticket_number is not None
        typed = errand_code_in(case, self._marks.secret_key, on_a_ticket=names_one)
        if typed is not None:
            return self._about_no_ticket(case, with_code(typed, case.mail.new_text.strip().partition("\n")[0]))
        if not is_errand(block, on_a_ticket=is_about_a_ticket, names_a_known_one=names_one):
            return None
        found = run_errand(
            case.mail,
            case.sender,
            block,
            case.known,
            no_customers=self._nobody_elses(),
            code=errand_code_to_ask(case, self._marks.secret_key),
            notices=_answered_notices(case),
        )
        if isinstance(found, CustomersMail):
            return self._in_customers_name(case, found, block, reader)
        return self._about_no_ticket(case, found)

    def _about_no_ticket(self, case: Case, decision: AnswerAgent | ConfirmErrand) -> Understood:
        subject = Subject(
            thread=NO_THREAD,
            ticket=None,
            classification=_NOTHING_ASKED,
            request_type=self._catalogue.type(GENERAL),
            mailbox=case.mailbox,
        )
        situation = self._situation(case, subject, EvidenceReport(), WhoseRequest())
        return understood(case, subject, situation, (), decision)

    def _in_customers_name(
        self, case: Case, found: CustomersMail, block: DirectiveBlock, reader: FileReadings | None
    ) -> Understood:
        """A ticket for whom an agent writes: weighed like the customer's own mail (R000-13, R002-01)."""
        agent = self.agent(case.sender)
        theirs = as_customers(case, found)
        readings = self._readings(theirs, reader)
        classification = self._typed_by_agent(block, case) or self._subjects.classify(theirs, readings)
        found_type = classification.request_type
        kind = self._catalogue.type(found_type) if found_type else self._catalogue.default_type(case.mailbox.key)
        subject = Subject(
            thread=NO_THREAD,
            ticket=None,
            classification=classification,
            request_type=kind,
            mailbox=case.mailbox,
        )
        whose = self._weighing.whose(theirs, subject)
        report = self._weighing.report(theirs, subject, readings, whose)
        situation = replace(self._situation(theirs, subject, report, whose), directives=block)
        decision = decide(situation)
        if isinstance(decision, OpenTicket):
            decision = replace(decision, opened_by=agent)
        return understood(case, subject, situation, readings.made, decision)

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
        subject = self._subjects.on_ticket(case, ThreadMatch(ticket_number=ticket.number), ticket)
        block = parse_directives(text, self._catalogue.staff.aliases)
        situation = self._situation(case, subject, EvidenceReport(), as_it_stands(ticket))
        return replace(situation, directives=block, orders=self._planned(case, ticket, block, agent))

    def _typed_case(self, by: Address, text: str, mailbox: ServedMailbox, known: Knowledge) -> Case:
        mail = InboundMail(message_id="", sender=by, new_text=text, full_text=text)
        sender = Sender(address=by, role=SenderRole.AGENT, authenticity=Authenticity.VERIFIED)
        return Case(
            mail=mail,
            files=(),
            mailbox=mailbox,
            known=known,
            screening=Accepted(may_answer=True),
            sender=sender,
            now=self.now(),
        )

    def _typed_by_agent(self, block: DirectiveBlock, case: Case) -> Classification | None:
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
        clues = thread_candidates(mail, tag_formats=self._catalogue.subject_tags)
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
        case = Case(
            mail=without_our_marks(mail),
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
        subject = self._subjects.on_ticket(case, ThreadMatch(ticket_number=ticket.number, key=key), ticket)
        whose = as_it_stands(ticket)
        report = self._weighing.report(case, subject, readings, whose)
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
            situation=self._situation(case, subject, report, whose),
            decision=ApplyAgentReply(visibility=Visibility.PUBLIC, text=text, already_sent=True),
            mailbox=subject.mailbox,
        )

    def _named_as_sender(self, mail: InboundMail) -> str | None:
        """Key of the agent who, by the mail's Sender field, wrote for the mailbox (RFC 5322 §3.6.2): in a Sent
        folder only who may send from the mailbox can have written it."""
        address = parseaddr(mail.header("sender"))[1].lower()
        return self.staff().agent_key_for(address) if address else None

    def recount(
        self,
        mails: Iterable[KeptMail],
        ticket: Ticket,
        mailbox: ServedMailbox,
        known: Knowledge,
        *,
        in_hands: bool,
        reader: FileReadings | None = None,
    ) -> Recount:
        """Look again at all mails of a ticket's requester, in the order in which they came (at least one); each is
        let go before the next is taken.

        Nothing that was found before counts, so that a better reader makes it better; only a follow-up begins,
        as it did then, with what the ticket that it follows holds. The mails stay on this ticket. Raises what
        ``reader`` raises, which without it waits until everything is read.
        """
        so_far = known.ticket(ticket.follow_up_of) if ticket.follow_up_of else None
        is_follow_up = so_far is not None
        brought = {finding.digest for finding in (so_far.documents if so_far else ())}
        kind = self._catalogue.type(ticket.request_type)
        # What the bot answered by itself it may answer anew; what a person has before them it may not.
        waits = ticket.status is Status.AWAITING_REQUESTER and ticket.assignee is None
        may_guide = not in_hands and (waits or ticket.is_guided)
        # Whose it is stays: a person may have said it, or a letter's handle that nobody has in hand now.
        whose = self._weighing.whose_it_stands(ticket, known)
        report, may_answer, verified = EvidenceReport(), False, False
        made: list[DocumentReading] = []
        for number, one in enumerate(mails):
            case = as_requester(self._case_again(one, ticket, mailbox, known))
            readings = self._readings(case, reader)
            brought.update(file.digest for file in one.files)
            verified = verified or is_verified_requester(case, ticket)
            if number == 0 and not is_follow_up:
                # Also where its answer does not count: it may read files that the type by itself leaves unread.
                found = self._subjects.classify(case, readings).request_type
                kind = self._catalogue.type(found) if found and not (in_hands or ticket.is_finished) else kind
            if number and brings_nothing(case):
                continue
            report = self._weighing.assessed(
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
            with_other_uses(report, ticket, known, self._keyed, anew=True),
            ticket,
            kind,
            brought=brought,
            limits=self._catalogue.limits_of(kind.key),
            today=self.now().date(),
        )
        return Recount(
            request_type=kind,
            report=report,
            may_answer=may_answer,
            verified=verified,
            new_readings=tuple(made),
        )

    def _case_again(self, kept: KeptMail, ticket: Ticket, mailbox: ServedMailbox, known: Knowledge) -> Case:
        screening = screen(kept.mail, own=self._marks)
        # Only the server that received a mail removes what strangers write in its name (RFC 8601 §5).
        arrived_at = self._mailboxes.get(kept.arrived_at)
        profile = arrived_at.profile if arrived_at else AuthenticationProfile(kind=AuthenticationKind.NONE)
        sender = identify(kept.mail, roster=self.staff(), screening=screening, profile=profile)
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
            now=self.now(),
        )
        return self._customers_again(case, kept, ticket)

    def _customers_again(self, case: Case, kept: KeptMail, ticket: Ticket) -> Case:
        """The customer's case where an agent had opened the ticket in their name."""
        if case.sender.role is not SenderRole.AGENT:
            return case
        block = parse_directives(kept.mail.new_text, self._catalogue.staff.aliases)
        if not block.has(StaffWord.ABRIR):
            return case
        found = customers_mail(kept.mail, block, self._nobody_elses(), of=ticket.requester.address)
        return as_customers(case, found) if isinstance(found, CustomersMail) else case

    def _nobody_elses(self) -> frozenset[str]:
        """Addresses that are no customer's."""
        return self._marks.own_addresses | {agent.address for agent in self.staff().agents}

    def agent(self, sender: Sender) -> Address | None:
        """The roster's own entry of an agent: registered address and name."""
        spec = self.staff().agent(sender.agent_key) if sender.agent_key else None
        return None if spec is None else Address(address=spec.address, name=spec.name)

    @property
    def catalogue(self) -> Catalogue:
        """What the configuration says."""
        return self._catalogue

    @property
    def knowledge(self) -> KnowledgeBase:
        """The articles that there are."""
        return self._catalogue.knowledge

    def with_books(
        self, change: TicketChange, mailbox: ServedMailbox, *, record: Customer | None = None
    ) -> TicketChange:
        """``change`` with the internal note and the book to the sector that its ticket is ready for."""
        return with_books(change, self._catalogue, mailbox, now=self.now(), record=record)

    def knows_type_of(self, ticket: Ticket) -> bool:
        """Whether the catalogue still has the ticket's request type."""
        return self._catalogue.has_type(ticket.request_type)

    def may_answer(self, mail: InboundMail, mailbox: ServedMailbox) -> bool:
        """Whether a person may have written the mail, so that it may be answered at all."""
        screening = screen(mail, own=self._marks)
        sender = identify(mail, roster=self.staff(), screening=screening, profile=mailbox.profile)
        return isinstance(screening, Accepted) and screening.may_answer and sender.address.address != ""

    def _readings(self, case: Case, reader: FileReadings | None = None) -> MailReadings:
        return MailReadings(
            case.mail,
            case.files,
            past=case.known,
            most_bytes=self._catalogue.largest_file_bytes,
            reader=reader or self._documents,
        )

    def _situation(self, case: Case, subject: Subject, report: EvidenceReport, whose: WhoseRequest) -> Situation:
        is_agent = case.sender.role is SenderRole.AGENT
        directives = (
            parse_directives(case.mail.new_text, self._catalogue.staff.aliases)
            if is_agent
            else DirectiveBlock(remaining_text=case.mail.new_text)
        )
        situation = Situation(
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
            # By way of a mailbox that cannot tell, nobody gets past one that can.
            answers_need_verification=case.mailbox.can_verify_staff or subject.mailbox.can_verify_staff,
            now=case.now,
            notices=_answered_notices(case) if is_agent else (),
            orders=self._plan(case, subject.ticket, directives) if is_agent and subject.ticket else None,
            told_today=refusals_today(case, subject.ticket) if is_agent and subject.ticket else frozenset(),
            opens_beside=self.type_opened_by(report.ruling),
            customer=whose.customer,
            customer_record=whose.record,
            sender_record=whose.sender,
            arrived_at=case.mailbox.key,
        )
        has_codes = is_agent and subject.ticket is not None and not case.mailbox.can_verify_staff
        return self._with_codes(case, subject.ticket, situation) if has_codes and subject.ticket else situation

    def _with_codes(self, case: Case, ticket: Ticket, situation: Situation) -> Situation:
        """The situation with the code that its orders need, or as that of the orders that its code confirms."""
        secret = self._marks.secret_key
        typed = code_in(case, ticket, secret)
        if typed is None:
            return replace(situation, code_to_ask=code_to_ask(case, ticket, secret))
        waiting = typed.orders
        if waiting is None:
            return replace(situation, code_refusal=typed.refusal)
        mail = replace(case.mail, new_text=waiting.text, attachments=())
        block = parse_directives(waiting.text, self._catalogue.staff.aliases)
        return replace(
            situation,
            mail=mail,
            thread=replace(situation.thread, handle_purpose=waiting.purpose),
            directives=block,
            orders=self._plan(replace(case, mail=mail), ticket, block, has_files=bool(waiting.files)),
            confirmed=waiting,
        )

    def _plan(
        self, case: Case, ticket: Ticket, block: DirectiveBlock, *, has_files: bool = False
    ) -> OrderPlan | None:
        agent = self.staff().agent(case.sender.agent_key or "")
        return None if agent is None else self._planned(case, ticket, block, agent, has_files=has_files)

    def _planned(
        self, case: Case, ticket: Ticket, block: DirectiveBlock, agent: AgentSpec, *, has_files: bool = False
    ) -> OrderPlan:
        desk = desk_for(
            replace(self._orders, catalogue=replace(self._catalogue, staff=self.staff())),
            case.known,
            agent=agent,
            ticket=ticket,
            block=block,
            mailbox_address=case.mailbox.address,
            now=case.now,
            has_files=has_files or any(is_meant_to_be_sent(file) for file in case.mail.attachments),
        )
        return plan_orders(block, ticket, desk)

    def type_opened_by(self, ruling: Ruling | None) -> RequestType | None:
        """The type of the ticket that a ruling opens beside the one that it is about."""
        return self._catalogue.request_types.get(ruling.opens) if ruling is not None and ruling.opens else None


_NOTHING_ASKED = Classification(request_type=None, confidence=0.0, matched="")


def _asks_for_herself(sender: Sender, subject: Subject) -> bool:
    """Whether an agent writes as a requester: what opens a ticket, or comes to her own one other than as the
    answer to a notice."""
    if sender.role is not SenderRole.AGENT or subject.ticket is None:
        return sender.role is SenderRole.AGENT
    is_hers = subject.ticket.requester.address == sender.address.address
    return is_hers and subject.thread.accepted and subject.thread.handle_purpose not in HOUSE_PURPOSES


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


def _answered_notices(case: Case) -> tuple[str, ...]:
    return case.known.notices([clue.handle for clue in thread_candidates(case.mail).handles])
