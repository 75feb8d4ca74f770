"""What a decision is made by: ``(Case, Subject, EvidenceReport, WhoseRequest) -> Situation``, reading only."""

from __future__ import annotations

from dataclasses import replace

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.staff import AgentSpec, Staff
from mailbot.domain.evidence import EvidenceReport
from mailbot.domain.guidance import Ruling
from mailbot.domain.mail import SenderRole
from mailbot.domain.orders import OrderPlan
from mailbot.domain.ticket import Ticket
from mailbot.flows.case import Case, Subject
from mailbot.flows.confirmation_desk import code_in, code_to_ask, refusals_today
from mailbot.flows.order_desk import OrderHouse, desk_for, held_against
from mailbot.flows.roster import duty_by_records
from mailbot.flows.whose_request import WhoseRequest
from mailbot.triage.agent_files import is_meant_to_be_sent
from mailbot.triage.directives import DirectiveBlock, parse_directives
from mailbot.triage.gratitude import is_gratitude
from mailbot.triage.orders.plan import plan_orders
from mailbot.triage.situation import Situation
from mailbot.triage.thread import thread_candidates


class Situations:
    """Lays together what was found out about a mail."""

    def __init__(self, *, catalogue: Catalogue, orders: OrderHouse, secret_key: bytes) -> None:
        self._catalogue = catalogue
        self._orders = orders
        self._secret_key = secret_key

    def of(self, case: Case, subject: Subject, report: EvidenceReport, whose: WhoseRequest) -> Situation:
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
            notices=answered_notices(case) if is_agent else (),
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
        secret = self._secret_key
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
        agent = self._staff(case).agent(case.sender.agent_key or "")
        return None if agent is None else self.planned(case, ticket, block, agent, has_files=has_files)

    def _staff(self, case: Case) -> Staff:
        return duty_by_records(case.known.agent_records(), self._catalogue, case.now).staff

    def planned(
        self, case: Case, ticket: Ticket, block: DirectiveBlock, agent: AgentSpec, *, has_files: bool = False
    ) -> OrderPlan:
        desk = desk_for(
            replace(self._orders, catalogue=replace(self._catalogue, staff=self._staff(case))),
            case.known,
            agent=agent,
            ticket=ticket,
            block=block,
            mailbox_address=case.mailbox.address,
            now=case.now,
            has_files=has_files or any(is_meant_to_be_sent(file) for file in case.mail.attachments),
        )
        if case.looked_again:
            again = held_against(self._catalogue, case.known, case.now, case.looked_again)
            desk = replace(desk, held_against=again)
        return plan_orders(block, ticket, desk)

    def type_opened_by(self, ruling: Ruling | None) -> RequestType | None:
        """The type of the ticket that a ruling opens beside the one that it is about."""
        return self._catalogue.request_types.get(ruling.opens) if ruling is not None and ruling.opens else None


def answered_notices(case: Case) -> tuple[str, ...]:
    """The notices that the mail of an agent carries the handles of, as they were sent."""
    return case.known.notices([clue.handle for clue in thread_candidates(case.mail).handles])
