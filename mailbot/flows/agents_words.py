"""What agents order without a notice, by mail or typed: ``(Case) -> Understood | None``, reading only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mailbot.catalogue.load import GENERAL
from mailbot.catalogue.staff import AgentSpec
from mailbot.domain.evidence import EvidenceReport
from mailbot.domain.mail import (
    NO_THREAD,
    Accepted,
    Address,
    Authenticity,
    Classification,
    InboundMail,
    Sender,
    SenderRole,
    ThreadMatch,
)
from mailbot.domain.staff_words import StaffWord
from mailbot.domain.ticket import Ticket
from mailbot.flows.case import Case, Subject, Understood, as_customers
from mailbot.flows.confirmation_desk import errand_code_in, errand_code_to_ask
from mailbot.flows.errand_desk import run_errand, with_code
from mailbot.flows.examination_parts import ExaminationParts
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.past import Knowledge
from mailbot.flows.roster import registered
from mailbot.flows.situations import answered_notices
from mailbot.flows.whose_request import WhoseRequest, as_it_stands
from mailbot.triage.decide import decide
from mailbot.triage.decide_agent import decide_on_orders
from mailbot.triage.decisions import AnswerAgent, ConfirmErrand, OpenTicket
from mailbot.triage.directives import Directive, DirectiveBlock, parse_directives
from mailbot.triage.errands import CustomersMail, is_errand
from mailbot.triage.orders.filing import type_named
from mailbot.triage.thread import match_thread, thread_candidates


class AgentsWords:
    """Understands errands, tickets opened in a customer's name, and what an administrator types."""

    def __init__(self, parts: ExaminationParts) -> None:
        self._parts = parts

    def on_errand(self, case: Case) -> Understood | None:
        """What an agent's errand comes to; ``None`` for every other mail."""
        if case.sender.role is not SenderRole.AGENT or case.screening.automatic_reply:
            return None
        block = parse_directives(case.mail.new_text, self._parts.catalogue.staff.aliases)
        clues = thread_candidates(case.mail, tag_formats=self._parts.catalogue.subject_tags)
        is_about_a_ticket = bool(clues.handles or clues.ticket_tags)
        thread = match_thread(case.sender, clues, case.ask_for_thread(clues))
        names_one = thread.ticket_number is not None
        typed = errand_code_in(case, self._parts.marks.secret_key, on_a_ticket=names_one)
        if typed is not None:
            return self._about_no_ticket(case, with_code(typed, case.mail.new_text.strip().partition("\n")[0]))
        if not is_errand(block, on_a_ticket=is_about_a_ticket, names_a_known_one=names_one):
            return None
        found = run_errand(
            case.mail,
            case.sender,
            block,
            case.known,
            no_customers=self._parts.no_customers(case.known),
            code=errand_code_to_ask(case, self._parts.marks.secret_key),
            notices=answered_notices(case),
        )
        if isinstance(found, CustomersMail):
            return self._in_customers_name(case, found, block)
        return self._about_no_ticket(case, found)

    def _about_no_ticket(self, case: Case, decision: AnswerAgent | ConfirmErrand) -> Understood:
        subject = Subject(
            thread=NO_THREAD,
            ticket=None,
            classification=_NOTHING_ASKED,
            request_type=self._parts.catalogue.type(GENERAL),
            mailbox=case.mailbox,
        )
        situation = self._parts.situations.of(case, subject, EvidenceReport(), WhoseRequest())
        return Understood(
            mail=case.mail, sender=case.sender, situation=situation, decision=decision, mailbox=case.mailbox
        )

    def _in_customers_name(self, case: Case, found: CustomersMail, block: DirectiveBlock) -> Understood:
        """A ticket for whom an agent writes: weighed like the customer's own mail (R000-13, R002-01)."""
        agent = registered(self._parts.staff(case.known), case.sender)
        theirs = as_customers(case, found)
        readings = self._parts.readings(theirs)
        classification = self._typed_by_agent(block, case) or self._parts.subjects.classify(theirs, readings)
        found_type = classification.request_type
        kind = (
            self._parts.catalogue.type(found_type)
            if found_type
            else self._parts.catalogue.default_type(case.mailbox.key)
        )
        if found.is_typed:
            # Neither is the customer told what the agent wrote above it, nor that it was the wrong subject.
            theirs = replace(theirs, mail=replace(theirs.mail, subject=kind.subject or kind.name))
            classification = replace(classification, matched="thread") if found_type else classification
        subject = Subject(
            thread=NO_THREAD,
            ticket=None,
            classification=classification,
            request_type=kind,
            mailbox=case.mailbox,
        )
        whose = self._parts.weighing.whose(theirs, subject)
        report = self._parts.weighing.report(theirs, subject, readings, whose)
        situation = replace(self._parts.situations.of(theirs, subject, report, whose), directives=block)
        decision = decide(situation)
        if isinstance(decision, OpenTicket):
            decision = replace(decision, opened_by=agent)
        return Understood(
            mail=case.mail,
            sender=case.sender,
            situation=situation,
            decision=decision,
            mailbox=case.mailbox,
            new_readings=readings.made,
        )

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
        found = self._in_customers_name(case, wanted, block)
        decision = found.decision
        return (
            replace(found, decision=replace(decision, opened_by=by)) if isinstance(decision, OpenTicket) else found
        )

    def ordered_by(
        self,
        agent: AgentSpec,
        text: str,
        ticket: Ticket,
        mailbox: ServedMailbox,
        known: Knowledge,
        *,
        looked_again: Mapping[str, EvidenceReport] | None = None,
    ) -> Understood:
        """What ``text`` comes to, typed by ``agent`` for ``ticket`` without a mail. ``looked_again`` as in
        :meth:`Examiner.examine`."""
        case = self._typed_case(Address(address=agent.address, name=agent.name), text, mailbox, known)
        case = replace(case, looked_again=looked_again or {})
        subject = self._parts.subjects.on_ticket(case, ThreadMatch(ticket_number=ticket.number), ticket)
        block = parse_directives(text, self._parts.catalogue.staff.aliases)
        situation = self._parts.situations.of(case, subject, EvidenceReport(), as_it_stands(ticket))
        orders = self._parts.situations.planned(case, ticket, block, agent)
        situation = replace(situation, directives=block, orders=orders)
        return Understood(
            mail=case.mail,
            sender=case.sender,
            situation=situation,
            decision=decide_on_orders(situation, orders),
            mailbox=mailbox,
        )

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
            now=self._parts.now(),
        )

    def _typed_by_agent(self, block: DirectiveBlock, case: Case) -> Classification | None:
        """The type that stands beside ``#abrir``, if a known one does."""
        named = [one.argument for one in block.directives if one.word is StaffWord.TIPO]
        kind = type_named(named[0], self._parts.catalogue.types_of(case.mailbox.key)) if named else None
        return None if kind is None else Classification(request_type=kind.key, confidence=1.0, matched="thread")


_NOTHING_ASKED = Classification(request_type=None, confidence=0.0, matched="")
