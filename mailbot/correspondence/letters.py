"""Which letters a change calls for: ``plan_letters(TicketChange, LetterDesk) -> tuple[PlannedLetter, ...]``.

Letters are made from *all* events of a change, never one by one, so that nobody gets two letters for one
mail: at most one per recipient (ARCHITECTURE §5.1). What a letter says stands in its view model; words stand
in templates and catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.models import MailboxSpec, RequestType
from mailbot.catalogue.staff import AgentSpec
from mailbot.correspondence.context import (
    AgentAnswerView,
    DecisionView,
    DeliveryFailedView,
    EvidenceCompleteView,
    EvidenceRequestedView,
    FileLine,
    LetterView,
    MailRefusedView,
    MessageRow,
    ReminderView,
    ReplyRefusedView,
    RequesterRepliedView,
    TicketExpiredView,
    TicketLine,
    TicketOpenedView,
    TicketReadyView,
    WhichTicketView,
    first_name,
    paragraphs_of,
)
from mailbot.correspondence.view_parts import (
    RequesterBase,
    StaffBase,
    checklist,
    document_rows,
    field_rows,
    form_lines,
    queue_name,
    refused_files,
)
from mailbot.correspondence.words import Words, phrase
from mailbot.domain.events import (
    Audience,
    AuthorRole,
    EventKind,
    HandlePurpose,
    LetterKind,
    StoredFile,
    TicketMessage,
    Visibility,
)
from mailbot.domain.evidence import FieldOrigin
from mailbot.domain.mail import Address
from mailbot.domain.ticket import REOPEN_WINDOW_DAYS, Resolution, Status, Ticket
from mailbot.domain.ticket_change import TicketChange

CHECKLISTS = (
    LetterKind.TICKET_OPENED,
    LetterKind.EVIDENCE_REQUESTED,
    LetterKind.EVIDENCE_COMPLETE,
    LetterKind.REMINDER,
    LetterKind.TICKET_EXPIRED,
)
"""Letters that state how the request stands: an unsent one is replaced by any newer one."""

_QUESTIONS = (LetterKind.EVIDENCE_REQUESTED, LetterKind.REMINDER)
"""Letters that ask for something: pointless once the ticket is resolved."""

_NOTICES = (LetterKind.TICKET_READY, LetterKind.REQUESTER_REPLIED, LetterKind.REPLY_REFUSED)
"""Letters to agents about a ticket."""

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterDesk:
    """What letters need besides the change itself. ``messages`` are the ticket's last ones, oldest first;
    ``open_tickets`` those of which one is meant."""

    catalogue: Catalogue
    mailbox: MailboxSpec
    mailbox_address: str
    words: Words
    zone: tzinfo
    now: datetime
    quiet_time: timedelta
    undo_time: timedelta
    messages: tuple[TicketMessage, ...] = ()
    open_tickets: tuple[Ticket, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLetter:
    """A letter before it has a handle: to whom, what, when, instead of what.

    ``delay`` counts from now. ``replaces`` are unsent letters of the same ticket and recipient that this one
    makes out of date. ``automatic`` is false for an agent's own words.
    """

    letter: LetterKind
    audience: Audience
    purpose: HandlePurpose | None
    recipient: Address
    sender_name: str
    view: LetterView
    language: str
    automatic: bool
    ticket_number: str | None = None
    request_type: str | None = None
    auto_submitted: str = "auto-replied"
    delay: timedelta = timedelta()
    replaces: tuple[LetterKind, ...] = ()
    files: tuple[StoredFile, ...] = ()
    verified_recipient: bool = field(default=False)


def plan_letters(change: TicketChange, desk: LetterDesk) -> tuple[PlannedLetter, ...]:
    """All letters that the change calls for; the requester's comes first.

    At most one per person, except where a requester is the only agent whom the ticket could be told to.
    """
    if change.quiet:
        return ()
    letters = [*_to_requester(change, desk), *_to_staff(change, desk)]
    by_person = {(letter.recipient.address, letter.audience): letter for letter in reversed(letters)}
    return tuple(by_person.values())[::-1]


# --- to the requester ------------------------------------------------------------------------------------------


def _to_requester(change: TicketChange, desk: LetterDesk) -> Iterable[PlannedLetter]:
    planned = _requester_letter(change, desk) if change.may_answer else None
    return [planned] if planned else []


def _requester_letter(change: TicketChange, desk: LetterDesk) -> PlannedLetter | None:
    if change.which:
        return _which_ticket(change, desk)
    builder = next((build for kind, build in _LETTER_AFTER if change.happened(kind)), _about_evidence)
    return builder(change, desk)


def _opened(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    waiting = change.after.status is Status.AWAITING_REQUESTER
    return _evidence_requested(change, desk, first=True) if waiting else _ticket_opened(change, desk)


def _about_evidence(change: TicketChange, desk: LetterDesk) -> PlannedLetter | None:
    waits = change.after.status is Status.AWAITING_REQUESTER
    if _became_complete(change):
        return _evidence_complete(change, desk)
    if waits and (_brought_something(change) or change.happened(EventKind.REOPENED) or change.correction):
        return _evidence_requested(change, desk, first=False)
    return None


def _became_complete(change: TicketChange) -> bool:
    return _waited(change.before) and change.after.status is Status.OPEN and not change.after.missing


def _waited(ticket: Ticket | None) -> bool:
    """Whether it waited for its requester: still, or in vain until it expired."""
    if ticket is None:
        return False
    return ticket.status is Status.AWAITING_REQUESTER or ticket.resolution is Resolution.EXPIRED


def _brought_something(change: TicketChange) -> bool:
    """Papers or stated fields; the name that a mail program writes into the From line is nothing brought."""
    if change.happened(EventKind.EVIDENCE_CHANGED):
        return True
    known = change.before.fields if change.before is not None else ()
    return any(value not in known and value.origin is not FieldOrigin.HEADER for value in change.after.fields)


def _ticket_opened(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    ticket, kind = change.after, _kind(change, desk)
    told_as = desk.catalogue.request_types.get(change.tell_as)
    view = TicketOpenedView(
        **_requester_base(change, desk),
        subject_quoted=ticket.subject,
        opened_at=desk.words.moment(ticket.opened_at, desk.zone),
        queue_name=queue_name(ticket, desk.catalogue),
        answer_by=_answer_by(ticket, desk),
        items=checklist(ticket, kind),
        refused_files=refused_files(ticket),
        fields=field_rows(ticket, kind),
        for_a_person=not kind.documents and not kind.fields,
        understood_as=told_as.name if told_as else (kind.name if change.right_subject else ""),
        right_subject=told_as.subject if told_as else change.right_subject,
    )
    return _for_requester(LetterKind.TICKET_OPENED, view, change, desk)


def _evidence_requested(change: TicketChange, desk: LetterDesk, *, first: bool) -> PlannedLetter:
    ticket, kind = change.after, _kind(change, desk)
    view = EvidenceRequestedView(
        **_requester_base(change, desk),
        first=first,
        missing_count=str(len(ticket.missing)),
        items=checklist(ticket, kind),
        refused_files=refused_files(ticket),
        form_lines=form_lines(ticket, kind),
        mismatches=tuple(phrase(f"mismatch.{mismatch.reason}") for mismatch in ticket.mismatches),
        days_to_answer=str(kind.expires_day),
        answer_until=_answer_until(ticket, kind, desk),
        understood_as=kind.name if change.right_subject else "",
        right_subject=change.right_subject,
        correction=change.correction,
    )
    delay = timedelta() if first else desk.quiet_time
    return _for_requester(LetterKind.EVIDENCE_REQUESTED, view, change, desk, delay=delay)


def _evidence_complete(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    ticket, kind = change.after, _kind(change, desk)
    view = EvidenceCompleteView(
        **_requester_base(change, desk),
        items=checklist(ticket, kind),
        refused_files=refused_files(ticket),
        queue_name=queue_name(ticket, desk.catalogue),
        answer_by=_answer_by(ticket, desk),
        correction=change.correction,
    )
    return _for_requester(LetterKind.EVIDENCE_COMPLETE, view, change, desk)


def _which_ticket(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    lines = tuple(
        TicketLine(
            number=ticket.number,
            subject=subject_of(ticket, desk.mailbox),
            title=ticket.title,
            opened_at=desk.words.moment(ticket.opened_at, desk.zone),
            missing=", ".join(desk.catalogue.type(ticket.request_type).label_for(key) for key in ticket.missing),
        )
        for ticket in desk.open_tickets
        if ticket.number in change.which
    )
    view = WhichTicketView(
        brand_name=desk.mailbox.name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        subject=subject_of(change.after, desk.mailbox),
        quote_sender=change.verified,
        tickets=lines,
        greeting_name=first_name(change.after.requester.name),
    )
    return _for_requester(LetterKind.WHICH_TICKET, view, change, desk)


def _agent_answer(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    view = AgentAnswerView(
        **_requester_base(change, desk),
        agent_name=change.agent.name if change.agent else "",
        text=paragraphs_of(change.words),
        queue_name=queue_name(change.after, desk.catalogue),
        files=_file_lines(change, desk),
        resolved=change.happened(EventKind.DECIDED),
    )
    return _for_requester(LetterKind.AGENT_ANSWER, view, change, desk, delay=_until_decision_leaves(change, desk))


def _until_decision_leaves(change: TicketChange, desk: LetterDesk) -> timedelta:
    """How long a decision on this ticket still waits: what is added to it does not leave before it."""
    decided_at = change.after.resolved_at if change.after.is_finished else None
    return max(timedelta(), decided_at + desk.undo_time - desk.now) if decided_at else timedelta()


def _decision(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    if change.after.resolution not in (Resolution.APPROVED, Resolution.DENIED):
        return _agent_answer(change, desk)
    view = DecisionView(
        **_requester_base(change, desk),
        approved=change.after.resolution is Resolution.APPROVED,
        agent_name=change.agent.name if change.agent else "",
        queue_name=queue_name(change.after, desk.catalogue),
        decided_at=desk.words.moment(desk.now, desk.zone),
        reason=paragraphs_of(change.words),
        files=_file_lines(change, desk),
    )
    return _for_requester(LetterKind.DECISION, view, change, desk, delay=desk.undo_time)


def _reminder(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    ticket, kind = change.after, _kind(change, desk)
    waited = (desk.now - (ticket.asked_at or desk.now)).days
    view = ReminderView(
        **_requester_base(change, desk),
        missing_count=str(len(ticket.missing)),
        items=checklist(ticket, kind),
        form_lines=form_lines(ticket, kind),
        days_left=str(max(1, kind.expires_day - waited)),
        answer_until=_answer_until(ticket, kind, desk),
        last=ticket.reminders_sent >= len(kind.reminders_days),
    )
    return _for_requester(LetterKind.REMINDER, view, change, desk)


def _expired(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    ticket, kind = change.after, _kind(change, desk)
    reopen_until = desk.now + timedelta(days=REOPEN_WINDOW_DAYS)
    view = TicketExpiredView(
        **_requester_base(change, desk),
        days_waited=str(kind.expires_day),
        missing=tuple(kind.label_for(key) for key in ticket.missing),
        reopen_until=desk.words.date(reopen_until, desk.zone),
    )
    return _for_requester(LetterKind.TICKET_EXPIRED, view, change, desk)


# What weighs most comes first: one letter tells the outcome of the whole change.
_LETTER_AFTER: tuple[tuple[EventKind, Callable[[TicketChange, LetterDesk], PlannedLetter | None]], ...] = (
    (EventKind.DECIDED, _decision),
    (EventKind.AGENT_ANSWERED, _agent_answer),
    (EventKind.EXPIRED, _expired),
    (EventKind.REMINDED, _reminder),
    (EventKind.OPENED, _opened),
)


def _for_requester(
    letter: LetterKind,
    view: LetterView,
    change: TicketChange,
    desk: LetterDesk,
    *,
    delay: timedelta = timedelta(),
) -> PlannedLetter:
    ticket = change.after
    by_agent = change.agent is not None
    on_its_own = change.happened(EventKind.REMINDED) or change.happened(EventKind.EXPIRED) or change.correction
    return PlannedLetter(
        letter=letter,
        audience=Audience.REQUESTER,
        purpose=HandlePurpose.REQUESTER,
        recipient=ticket.requester,
        sender_name=_sender_name(change, desk),
        view=view,
        language=ticket.language,
        automatic=not by_agent,
        ticket_number=ticket.number,
        request_type=ticket.request_type,
        auto_submitted="auto-generated" if on_its_own else "auto-replied",
        delay=delay,
        replaces=_replaced_by(letter, change),
        files=change.message.files if by_agent and change.message else (),
        verified_recipient=change.verified,
    )


def _replaced_by(letter: LetterKind, change: TicketChange) -> tuple[LetterKind, ...]:
    if letter in CHECKLISTS:
        return CHECKLISTS
    if letter is LetterKind.DECISION:
        return (*CHECKLISTS, LetterKind.DECISION)
    # The newest decision is the one that holds: an older one that has not left is never told beside it.
    return (*_QUESTIONS, LetterKind.DECISION) if change.happened(EventKind.DECIDED) else ()


def _sender_name(change: TicketChange, desk: LetterDesk) -> str:
    if change.agent is None or not change.agent.name:
        return desk.mailbox.name
    return f"{change.agent.name} ({queue_name(change.after, desk.catalogue)})"


# --- to staff --------------------------------------------------------------------------------------------------


def _to_staff(change: TicketChange, desk: LetterDesk) -> list[PlannedLetter]:
    if change.refused_agent is not None:
        return [_reply_refused(change, desk, change.refused_agent)]
    if change.happened(EventKind.DELIVERY_FAILED):
        return [_delivery_failed(change, desk, agent) for agent in _who_hears_of_failure(change, desk)]
    if _is_ready(change):
        return [_ticket_ready(change, desk, agent) for agent in _responsible(change.after, desk)]
    if _needs_reading(change):
        return [_requester_replied(change, desk, agent) for agent in _responsible(change.after, desk)]
    return []


def _is_ready(change: TicketChange) -> bool:
    """The ticket has come into its queue: complete, or for a person from the start."""
    before = change.before
    was_in_queue = (
        before is not None
        and before.status is not Status.NEW
        and not _waited(before)
        and before.queue == change.after.queue
    )
    return change.after.status is Status.OPEN and not was_in_queue


def _needs_reading(change: TicketChange) -> bool:
    """A requester's message that somebody should see; one that only brings asked-for papers is not."""
    if not change.happened(EventKind.MESSAGE_RECEIVED):
        return False
    return change.after.status is not Status.AWAITING_REQUESTER or not _brought_something(change)


def _responsible(ticket: Ticket, desk: LetterDesk) -> list[AgentSpec]:
    """Who hears of a ticket. Of an agent's own request others hear, if there are any."""
    staff = desk.catalogue.staff
    assignee = staff.agent(staff.agent_key_for(ticket.assignee) or "") if ticket.assignee else None
    responsible = [assignee] if assignee else list(staff.notified_for(ticket.queue))
    in_queue = [agent for agent in staff.agents if agent.works_in(ticket.queue)]
    for agents in (responsible, in_queue):
        others = [agent for agent in agents if agent.address != ticket.requester.address]
        if others:
            return others
    return responsible


def _who_hears_of_failure(change: TicketChange, desk: LetterDesk) -> list[AgentSpec]:
    """The responsible agents, or the others of the queue where it was their own notice that came back."""
    queue = change.after.queue
    agents = _responsible(change.after, desk)
    others = [agent for agent in desk.catalogue.staff.agents if agent.works_in(queue) and agent not in agents]
    reached = [agent for agent in agents if agent.address != change.bounced_recipient]
    return reached or [agent for agent in others if agent.address != change.bounced_recipient]


def _ticket_ready(change: TicketChange, desk: LetterDesk, agent: AgentSpec) -> PlannedLetter:
    ticket, kind = change.after, _kind(change, desk)
    withheld = next((e.detail for e in change.events if e.kind is EventKind.LETTER_SUPPRESSED), None)
    view = TicketReadyView(
        **_staff_base(change, desk, agent),
        opened_at=desk.words.moment(ticket.opened_at, desk.zone),
        answer_by=_answer_by(ticket, desk),
        fields=field_rows(ticket, kind),
        documents=document_rows(ticket, kind),
        mismatches=tuple(phrase(f"mismatch.{mismatch.reason}") for mismatch in ticket.mismatches),
        messages=_message_rows(desk),
        files=_file_lines(change, desk),
        letter_withheld=None if withheld is None else phrase("may_not_answer"),
        can_decide=bool(kind.documents),
    )
    return _for_agent(LetterKind.TICKET_READY, view, change, agent, desk)


def _requester_replied(change: TicketChange, desk: LetterDesk, agent: AgentSpec) -> PlannedLetter:
    message = change.message
    view = RequesterRepliedView(
        **_staff_base(change, desk, agent),
        received_at=desk.words.moment(message.at if message else desk.now, desk.zone),
        text=paragraphs_of(message.text if message else ""),
        files=_file_lines(change, desk),
        reopened=change.happened(EventKind.REOPENED),
        can_decide=bool(_kind(change, desk).documents) and not change.after.is_finished,
    )
    return _for_agent(LetterKind.REQUESTER_REPLIED, view, change, agent, desk)


_WHAT_TO_DO = {
    "no_handle": "reply_to_notice",
    "handle_of_another": "reply_to_notice",
    "expired_handle": "reply_to_notice",
    "not_verified": "ask_admin",
    "unknown_word": "use_words",
    "word_not_available": "use_words",
    "reason_missing": "add_reason",
}
_AVAILABLE_WORDS = ("#autorizar", "#negar", "#nota", "#resolver")


def _reply_refused(change: TicketChange, desk: LetterDesk, agent: Address) -> PlannedLetter:
    spec = desk.catalogue.staff.agent(desk.catalogue.staff.agent_key_for(agent.address) or "")
    known = spec or AgentSpec(key="agent", address=agent.address, name=agent.name or agent.address)
    view = ReplyRefusedView(
        **_staff_base(change, desk, known),
        reason=phrase(f"reply_refused.{change.refusal}", word=change.refused_word),
        what_to_do=phrase(
            f"what_to_do.{_WHAT_TO_DO.get(change.refusal, 'write_again')}", words=", ".join(_AVAILABLE_WORDS)
        ),
        text=paragraphs_of(change.message.text if change.message else ""),
    )
    return _for_agent(LetterKind.REPLY_REFUSED, view, change, known, desk)


def _delivery_failed(change: TicketChange, desk: LetterDesk, agent: AgentSpec) -> PlannedLetter:
    view = DeliveryFailedView(
        **_staff_base(change, desk, agent),
        recipient=change.bounced_recipient,
        reason=phrase("delivery.refused"),
        letter_name=phrase(f"letter.{change.bounced_letter}"),
        is_notice=change.bounced_letter in _NOTICES,
        server_said=change.bounce_diagnostic,
    )
    return _for_agent(LetterKind.DELIVERY_FAILED, view, change, agent, desk)


def _for_agent(
    letter: LetterKind, view: LetterView, change: TicketChange, agent: AgentSpec, desk: LetterDesk
) -> PlannedLetter:
    return PlannedLetter(
        letter=letter,
        audience=Audience.STAFF,
        purpose=HandlePurpose.STAFF_PUBLIC,
        recipient=Address(address=agent.address, name=agent.name),
        sender_name=desk.mailbox.name,
        view=view,
        language=desk.mailbox.language,
        automatic=True,
        ticket_number=change.after.number,
        request_type=change.after.request_type,
        auto_submitted="auto-generated",
        verified_recipient=True,
    )


# --- letters that belong to no ticket --------------------------------------------------------------------------


def refuse_large_mail(
    sender: Address, subject: str, size_bytes: int, limit_bytes: int, desk: LetterDesk
) -> PlannedLetter:
    """The letter to somebody whose mail is too large to be taken (R004-17)."""
    view = MailRefusedView(
        brand_name=desk.mailbox.name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        subject=f"RES: {subject}" if subject else "",
        quote_sender=False,
        size_mb=str(max(1, round(size_bytes / _MEGABYTE))),
        limit_mb=str(max(1, round(limit_bytes / _MEGABYTE))),
        subject_quoted=subject,
    )
    return PlannedLetter(
        letter=LetterKind.MAIL_REFUSED,
        audience=Audience.REQUESTER,
        purpose=None,
        recipient=sender,
        sender_name=desk.mailbox.name,
        view=view,
        language=desk.mailbox.language,
        automatic=True,
    )


# --- what all views of one kind share --------------------------------------------------------------------------


def subject_of(ticket: Ticket, mailbox: MailboxSpec) -> str:
    """The one subject of all letters of a ticket: its tag and the first mail's subject."""
    return f"{mailbox.subject_tag.format(number=ticket.number)} {ticket.subject}".strip()


def _kind(change: TicketChange, desk: LetterDesk) -> RequestType:
    return desk.catalogue.type(change.after.request_type)


def _requester_base(change: TicketChange, desk: LetterDesk) -> RequesterBase:
    ticket = change.after
    return {
        "brand_name": desk.mailbox.name,
        "mailbox_address": desk.mailbox_address,
        "reply_address": desk.mailbox_address,
        "subject": subject_of(ticket, desk.mailbox),
        "quote_sender": change.verified,
        "ticket_number": ticket.number,
        "ticket_title": ticket.title,
        "request_name": _kind(change, desk).name,
        "greeting_name": first_name(ticket.requester.name),
    }


def _staff_base(change: TicketChange, desk: LetterDesk, agent: AgentSpec) -> StaffBase:
    ticket, message = change.after, change.message
    kind = _kind(change, desk)
    from_requester = message is not None and message.role is not AuthorRole.AGENT
    return {
        "brand_name": desk.mailbox.name,
        "mailbox_address": desk.mailbox_address,
        "reply_address": desk.mailbox_address,
        "subject": subject_of(ticket, desk.mailbox),
        "agent_name": first_name(agent.name),
        "ticket_number": ticket.number,
        "ticket_title": ticket.title,
        "request_name": kind.name,
        "requester_name": ticket.requester.name,
        "requester_address": ticket.requester.address,
        "queue_name": queue_name(ticket, desk.catalogue),
        "status_label": kind.status_labels.get(ticket.status, ""),
        "reply_is_public": True,
        "unverified": from_requester and message is not None and message.unverified,
        "from_another_address": message is not None and message.from_another_address,
        "other_address": message.author.address if message is not None and message.from_another_address else "",
    }


def _answer_by(ticket: Ticket, desk: LetterDesk) -> str:
    return desk.words.date(ticket.due_at, desk.zone) if ticket.due_at else ""


def _answer_until(ticket: Ticket, kind: RequestType, desk: LetterDesk) -> str:
    asked_at = ticket.asked_at or desk.now
    return desk.words.date(asked_at + timedelta(days=kind.expires_day), desk.zone)


def _file_lines(change: TicketChange, desk: LetterDesk) -> tuple[FileLine, ...]:
    files = change.message.files if change.message else ()
    return tuple(FileLine(name=file.filename, size=desk.words.size(file.size_bytes)) for file in files)


def _message_rows(desk: LetterDesk) -> tuple[MessageRow, ...]:
    return tuple(
        MessageRow(
            author=message.author.name or message.author.address,
            at=desk.words.moment(message.at, desk.zone),
            text=paragraphs_of(message.text),
            internal=message.visibility is Visibility.INTERNAL,
        )
        for message in desk.messages
    )
