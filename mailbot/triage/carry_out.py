"""What a decision makes of the ticket: ``carry_out(Decision, Situation, Cause) -> TicketChange``. Pure.

``decide`` chooses; here the chosen thing becomes a new ticket value, its events and the message to append.
The agents' side is ``agent_change.py``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from mailbot.catalogue.request_types import RequestType
from mailbot.domain.errors import MailbotError
from mailbot.domain.events import (
    BOT,
    EventKind,
    RequesterAnswer,
)
from mailbot.domain.evidence import EvidenceReport, contradictions, valid_values
from mailbot.domain.identification import NOT_IDENTIFIED, IdentityState, TicketCustomer
from mailbot.domain.mail import Address
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.account_contacts import change_contact
from mailbot.triage.agent_change import apply_agent_reply, refuse_agent_reply
from mailbot.triage.change_log import Cause, ChangeLog, ticket_of, with_status
from mailbot.triage.customer_change import act_on_query
from mailbot.triage.decisions import (
    ActOnQuery,
    AnswerAgent,
    AnswerQuery,
    AppendMessage,
    ApplyAgentReply,
    ApplySectorReply,
    ChangeContact,
    ConfirmErrand,
    Decision,
    Discard,
    OpenFollowUp,
    OpenTicket,
    RefuseAgentReply,
)
from mailbot.triage.errands import opened
from mailbot.triage.guided import Beside, beside, end_by_guidance, note_ruling
from mailbot.triage.language import language_of
from mailbot.triage.priorities import PRIORITY_KEY, is_said, urgency_of
from mailbot.triage.promises import due_at, enters_queue_as, with_promise
from mailbot.triage.requester_message import is_trusted, requester_message
from mailbot.triage.sector import apply_sector_reply
from mailbot.triage.situation import Situation

_TITLE_CHARACTERS = 150
_REMEMBERED_CHARACTERS = 200


def opens_a_ticket(decision: Decision) -> bool:
    """Whether carrying out needs a new ticket number."""
    return isinstance(decision, OpenTicket | OpenFollowUp)


def opens_one_beside(decision: Decision, situation: Situation) -> bool:
    """Whether carrying out needs a number for a ticket beside the decision's own."""
    guides = isinstance(decision, OpenTicket | AppendMessage) and decision.guides
    return guides and situation.opens_beside is not None and _linked_before(situation) == ""


def _linked_before(situation: Situation) -> str:
    ruling = situation.ticket.ruling if situation.ticket is not None else None
    return ruling.linked_ticket if ruling is not None else ""


def carry_out(decision: Decision, situation: Situation, cause: Cause) -> TicketChange:
    """The change that ``decision`` makes. Raises ``TransitionNotAllowed`` rather than break the table."""
    change = _carried_out(decision, situation, cause)
    # What an agent retyped has the promise of its new type already.
    if situation.type_is_gone or change.after.request_type != situation.request_type.key:
        return change
    return with_promise(change, situation.request_type, cause.calendar, situation.now)


def _carried_out(decision: Decision, situation: Situation, cause: Cause) -> TicketChange:
    match decision:
        case OpenTicket() | OpenFollowUp():
            return _with_one_beside(_open_ticket(decision, situation, cause), situation, cause)
        case AppendMessage():
            return _with_one_beside(_append_message(decision, situation, cause), situation, cause)
        case ApplyAgentReply() | ApplySectorReply() | RefuseAgentReply():
            return _from_the_house(decision, situation, cause)
        case ActOnQuery():
            title = title_of(situation.request_type, situation.report, ticket_of(situation).subject)
            return act_on_query(decision, situation, cause, title=title)
        case ChangeContact():
            return change_contact(decision, situation, cause)
        case Discard() | AnswerQuery() | AnswerAgent() | ConfirmErrand():
            raise MailbotError("nothing is carried out for a mail that changes no ticket")
        case _:
            assert_never(decision)


def _from_the_house(
    decision: ApplyAgentReply | ApplySectorReply | RefuseAgentReply, situation: Situation, cause: Cause
) -> TicketChange:
    match decision:
        case ApplyAgentReply():
            return apply_agent_reply(decision, situation, cause)
        case ApplySectorReply():
            return apply_sector_reply(decision, situation, cause)
        case RefuseAgentReply():
            return refuse_agent_reply(decision, situation, cause)


def _with_one_beside(change: TicketChange, situation: Situation, cause: Cause) -> TicketChange:
    if situation.opens_beside is None or not cause.number_beside:
        return change
    wanted = Beside(
        kind=situation.opens_beside,
        number=cause.number_beside,
        now=situation.now,
        calendar=cause.calendar,
        mail_id=cause.mail_id,
        files=cause.files,
    )
    return beside(change, wanted)


# --- opening -------------------------------------------------------------------------------------------------


def _open_ticket(decision: OpenTicket | OpenFollowUp, situation: Situation, cause: Cause) -> TicketChange:
    requester = _requester_of_new(decision, situation)
    asks = _may_ask(situation)
    kind = situation.request_type
    waits = asks and not situation.report.complete
    status = Status.AWAITING_REQUESTER if waits else enters_queue_as(kind)
    said = f"{situation.mail.subject}\n{situation.mail.new_text}"
    urgency = urgency_of(situation.request_type, situation.report.fields, said)
    ticket = Ticket(
        number=cause.number,
        mailbox=cause.mailbox,
        request_type=kind.key,
        requester=requester,
        subject=situation.mail.subject,
        title=title_of(situation.request_type, situation.report, situation.mail.subject),
        status=status,
        queue=kind.queue_for(valid_values(situation.report.fields)),
        priority=urgency.priority,
        priority_asked=urgency.asked,
        language=_language_of(situation) or cause.language,
        opened_at=situation.now,
        updated_at=situation.now,
        fields=situation.report.fields,
        documents=situation.report.findings,
        missing=situation.report.missing,
        mismatches=situation.report.mismatches,
        due_at=due_at(status, kind, situation.now, cause.calendar, urgency.priority),
        asked_at=situation.now if status is Status.AWAITING_REQUESTER else None,
        follow_up_of=decision.of if isinstance(decision, OpenFollowUp) else None,
        customer=situation.customer,
        rerouted_from=_rerouted_from(decision, situation, cause),
    )
    happened = ChangeLog(situation.now, cause.mail_id)
    by = decision.opened_by if isinstance(decision, OpenTicket) else None
    happened.add((by or situation.sender.address).address, EventKind.OPENED, new=ticket.request_type)
    if urgency.asked is not None:
        happened.add(BOT, EventKind.PRIORITY_ASKED, old=urgency.priority, new=urgency.asked)
    if isinstance(decision, OpenFollowUp):
        happened.add(BOT, EventKind.LINKED, new=decision.of, detail="follow_up")
    elif decision.linked_to:
        happened.add(BOT, EventKind.THREAD_REFUSED, new=decision.linked_to, detail=decision.link_reason)
    if ticket.rerouted_from:
        happened.add(BOT, EventKind.REROUTED, old=ticket.rerouted_from, new=ticket.mailbox)
    if (ruling := note_ruling(None, situation.report.ruling, happened)) is not None:
        ticket = replace(ticket, ruling=ruling)
    if isinstance(decision, OpenTicket) and decision.guides and ticket.ruling is not None:
        newly = replace(ticket, status=Status.NEW)
        ticket = end_by_guidance(newly, situation.request_type, ticket.ruling, happened, situation.now)
    elif status is not Status.NEW:
        happened.add(BOT, EventKind.STATUS_CHANGED, old=Status.NEW, new=status)
    _note_customer(NOT_IDENTIFIED, situation.customer, happened)
    _note_suppressed_letter(happened, situation)
    classification = situation.classification
    return TicketChange(
        before=None,
        after=ticket,
        events=happened.events,
        message=requester_message(situation, cause),
        may_answer=situation.screening.may_answer,
        verified=is_trusted(situation),
        which=decision.which if isinstance(decision, OpenTicket) else (),
        opened_by=by,
        transcript=opened(situation.directives, ticket) if by else None,
        tell_as=_tell_as(situation),
        right_subject=situation.request_type.subject if classification.matched not in _RIGHT_SUBJECTS else "",
    )


def _rerouted_from(decision: OpenTicket | OpenFollowUp, situation: Situation, cause: Cause) -> str:
    """To which other mailbox of the house the mail came; what follows a ticket stays where that one is."""
    came_elsewhere = isinstance(decision, OpenTicket) and situation.arrived_at != cause.mailbox
    return situation.arrived_at if came_elsewhere else ""


def _language_of(situation: Situation) -> str:
    """The language of the customer's record (R003-17), where it is known and not only claimed; else the mail's."""
    known = situation.customer.state is IdentityState.KNOWN
    if known and situation.customer_record is not None:
        return situation.customer_record.language
    return language_of(situation.mail.new_text)


def _note_customer(before: TicketCustomer, after: TicketCustomer, happened: ChangeLog) -> None:
    if (before.state, before.customer_id, before.candidates) != (after.state, after.customer_id, after.candidates):
        old, new = (str(one.customer_id or "") for one in (before, after))
        happened.add(BOT, EventKind.CUSTOMER_IDENTIFIED, old=old, new=new, detail=after.state)


def _requester_of_new(decision: OpenTicket | OpenFollowUp, situation: Situation) -> Address:
    """What follows a ticket belongs to its requester: somebody else who has the letter learns nothing by it."""
    if isinstance(decision, OpenFollowUp) and situation.ticket is not None:
        return situation.ticket.requester
    return situation.sender.address


_RIGHT_SUBJECTS = frozenset({"subject", "subject_alias", "subject_title", "thread"})


def _tell_as(situation: Situation) -> str:
    """Key of the request type whose right subject the letter should name for an unsure mail (R000-09)."""
    candidates = situation.classification.candidates
    if situation.classification.request_type is None and situation.classification.ask and candidates:
        return candidates[0].request_type
    return ""


def _may_ask(situation: Situation) -> bool:
    """Nothing can be asked of a sender who may not be answered, nor where nobody knows any more what is needed: a
    person gets the ticket as it is."""
    return situation.screening.may_answer and not situation.type_is_gone


def title_of(request_type: RequestType, report: EvidenceReport, subject: str) -> str:
    """A ticket's title: made from its valid fields where the type says how, else the first mail's subject."""
    values = {value.key: value.value for value in report.fields if value.valid}
    return request_type.title_for(values) or subject[:_TITLE_CHARACTERS] or request_type.name


# --- the requester's further messages --------------------------------------------------------------------------


def _append_message(decision: AppendMessage, situation: Situation, cause: Cause) -> TicketChange:
    ticket = ticket_of(situation)
    happened = ChangeLog(situation.now, cause.mail_id)
    happened.add(situation.sender.address.address, EventKind.MESSAGE_RECEIVED)
    after = replace(ticket, updated_at=situation.now)
    if decision.answers is not None:
        after = _answered(after, decision.answers, situation, happened)
    elif not (decision.quiet or decision.aside):
        # Whether it is what an agent asked for by name, only a person can tell: nobody is asked twice.
        after = replace(after, asked=())
        after = _with_evidence(after, situation, happened)
        if decision.guides and after.ruling is not None:
            after = end_by_guidance(after, situation.request_type, after.ruling, happened, situation.now)
        else:
            after = _moved_on(after, situation, cause, happened, reopen=decision.reopen)
        _note_suppressed_letter(happened, situation)
    return TicketChange(
        before=ticket,
        after=after,
        events=happened.events,
        message=requester_message(situation, cause),
        may_answer=situation.screening.may_answer,
        verified=is_trusted(situation),
        quiet=decision.quiet,
    )


_GOES_ON = frozenset({RequesterAnswer.VISIT_DECLINED, RequesterAnswer.APPROVED, RequesterAnswer.NOT_APPROVED})
"""Answers after which it is an agent's turn again."""


def _answered(ticket: Ticket, answer: RequesterAnswer, situation: Situation, happened: ChangeLog) -> Ticket:
    """A visit that suits them stays fixed; after one that does not, and an approval, it is an agent's turn."""
    happened.add(situation.sender.address.address, EventKind.REQUESTER_ANSWERED, new=answer)
    return with_status(ticket, Status.OPEN, happened) if answer in _GOES_ON else ticket


def _with_evidence(ticket: Ticket, situation: Situation, happened: ChangeLog) -> Ticket:
    report = situation.report
    if report.findings != ticket.documents or report.missing != ticket.missing:
        happened.add(BOT, EventKind.EVIDENCE_CHANGED, old=" ".join(ticket.missing), new=" ".join(report.missing))
    if report.fields != ticket.fields:
        changed = [value.key for value in report.fields if value not in ticket.fields]
        happened.add(situation.sender.address.address, EventKind.FIELDS_CHANGED, new=" ".join(changed))
        for value in contradictions(ticket.fields, report.fields):
            happened.add(
                situation.sender.address.address,
                EventKind.FIELD_CONTRADICTED,
                old=value.earlier[:_REMEMBERED_CHARACTERS],
                new=value.value[:_REMEMBERED_CHARACTERS],
                detail=value.key,
            )
    _note_customer(ticket.customer, situation.customer, happened)
    ticket = _with_priority_said(ticket, situation, happened)
    ticket = _in_department(ticket, situation, happened)
    return replace(
        ticket,
        customer=situation.customer,
        fields=report.fields,
        documents=report.findings,
        missing=report.missing,
        mismatches=report.mismatches,
        ruling=note_ruling(ticket.ruling, report.ruling, happened),
        title=ticket.title if situation.type_is_gone else title_of(situation.request_type, report, ticket.subject),
    )


def _with_priority_said(ticket: Ticket, situation: Situation, happened: ChangeLog) -> Ticket:
    """What the answer to our question says of the priority, where the type lets requesters say it."""
    said = next((one for one in situation.report.fields if one.key == PRIORITY_KEY and is_said(one)), None)
    if said is None or said in ticket.fields or situation.request_type.priority == "automatic":
        return ticket
    urgency = urgency_of(situation.request_type, (said,), situation.mail.new_text)
    if urgency.priority is not ticket.priority:
        author = situation.sender.address.address
        happened.add(author, EventKind.PRIORITY_CHANGED, old=ticket.priority, new=urgency.priority)
    return replace(ticket, priority=urgency.priority, priority_asked=urgency.asked)


def _in_department(ticket: Ticket, situation: Situation, happened: ChangeLog) -> Ticket:
    """The department of what the request turns out to be about, while no agent has it in hand."""
    kind, untouched = situation.request_type, ticket.assignee is None
    if situation.type_is_gone or not untouched or ticket.status not in (Status.NEW, Status.AWAITING_REQUESTER):
        return ticket
    before, queue = (kind.queue_for(valid_values(one)) for one in (ticket.fields, situation.report.fields))
    if queue in (before, ticket.queue):
        return ticket
    happened.add(BOT, EventKind.QUEUE_CHANGED, old=ticket.queue, new=queue)
    return replace(ticket, queue=queue)


def _moved_on(ticket: Ticket, situation: Situation, cause: Cause, happened: ChangeLog, *, reopen: bool) -> Ticket:
    """The automatic transitions: reopening, completeness, and back to asking where something still lacks."""
    promised = due_at(Status.OPEN, situation.request_type, situation.now, cause.calendar)
    if reopen:
        return _reopened(ticket, situation, happened, promised)
    if ticket.status is Status.AWAITING_REQUESTER and situation.report.complete:
        ticket = with_status(ticket, Status.OPEN, happened)
        return replace(ticket, due_at=promised, asked_at=None)
    if ticket.status is Status.AWAITING_REQUESTER and happened.has(EventKind.EVIDENCE_CHANGED):
        # Whoever answers has not fallen silent: the reminders count anew.
        return replace(ticket, asked_at=situation.now, reminders_sent=0)
    return ticket


def _reopened(ticket: Ticket, situation: Situation, happened: ChangeLog, promised: datetime | None) -> Ticket:
    """Open again, with a new promise; an expired request that still lacks something goes back to waiting."""
    happened.add(situation.sender.address.address, EventKind.REOPENED, old=ticket.resolution or "")
    asks_on = ticket.resolution is Resolution.EXPIRED or _is_another_request(situation)
    still_lacks = asks_on and not situation.report.complete and _may_ask(situation)
    ticket = replace(with_status(ticket, Status.OPEN, happened), resolution=None, resolved_at=None)
    ticket = replace(ticket, due_at=promised)
    if not still_lacks:
        return ticket
    ticket = with_status(ticket, Status.AWAITING_REQUESTER, happened)
    return replace(ticket, asked_at=situation.now, reminders_sent=0, due_at=None)


def _is_another_request(situation: Situation) -> bool:
    """Whether what the bot had an answer to is asked in another way now: other units, another motive. Who merely
    does not agree hears from a person."""
    before, now = situation.ticket, situation.report.ruling
    if before is None or not before.is_guided or before.ruling is None or now is None:
        return False
    return now.row != before.ruling.row


def _note_suppressed_letter(happened: ChangeLog, situation: Situation) -> None:
    if not situation.screening.may_answer:
        happened.add(BOT, EventKind.LETTER_SUPPRESSED, detail=situation.screening.reason)
