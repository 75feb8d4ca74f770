"""Letters to requesters: ``(TicketChange, LetterDesk) -> PlannedLetter``, one builder a letter.

Which of them a change calls for is decided in ``letters.py``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from mailbot.catalogue.field_groups import count_missing
from mailbot.catalogue.request_types import RequestType
from mailbot.correspondence.articles import suggested_articles
from mailbot.correspondence.contact_views import ContactChangedView, ContactConfirmationView
from mailbot.correspondence.context import LetterView, TicketLine, first_name, paragraphs_of
from mailbot.correspondence.field_parts import (
    asked_lines,
    form_lines,
    rows_to_answer,
    rows_to_confirm,
    shown_to_requester,
)
from mailbot.correspondence.guidance_views import GuidanceView
from mailbot.correspondence.guidance_words import in_words
from mailbot.correspondence.invitation import invitation
from mailbot.correspondence.planned import CHECKLISTS, LetterDesk, PlannedLetter
from mailbot.correspondence.query_views import TicketReclassifiedView, TicketWithdrawnView
from mailbot.correspondence.requester_views import (
    AgentAnswerView,
    DecisionView,
    EvidenceCompleteView,
    EvidenceRequestedView,
    MailRefusedView,
    ReminderView,
    TicketExpiredView,
    TicketOpenedView,
    WhichTicketView,
)
from mailbot.correspondence.shown_agents import shown_name, without_agents_addresses
from mailbot.correspondence.view_parts import (
    RequesterBase,
    answer_by,
    asked_items,
    checklist,
    file_lines_of,
    kind_of,
    other_departments,
    queue_name,
    refused_files,
    rerouted_from,
    subject_of,
)
from mailbot.correspondence.words import Phrase, phrase
from mailbot.domain.account_contacts import CONTACT_EMAIL_KEY, CONTACT_NAME_KEY, ContactAction
from mailbot.domain.events import Audience, EventKind, HandlePurpose, LetterKind, StoredFile, Visibility
from mailbot.domain.mail import Address
from mailbot.domain.ticket import REOPEN_WINDOW_DAYS, Resolution, Ticket
from mailbot.domain.ticket_change import TicketChange

QUESTIONS = (LetterKind.EVIDENCE_REQUESTED, LetterKind.CONTACT_CONFIRMATION, LetterKind.REMINDER)
"""Letters that ask for something: pointless once the ticket is resolved."""

_MEGABYTE = 1_000_000


def ticket_opened(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    """The request was taken: its number, how it stands, who answers until when."""
    ticket, kind = change.after, kind_of(change, desk)
    told_as = desk.catalogue.request_types.get(change.tell_as)
    view = TicketOpenedView(
        **_requester_base(change, desk),
        subject_quoted=ticket.subject,
        opened_at=desk.words.moment(ticket.opened_at, desk.zone),
        queue_name=queue_name(ticket, desk.catalogue),
        answer_by=answer_by(ticket, desk),
        items=checklist(ticket, kind, quoting=change.verified),
        refused_files=refused_files(ticket, kind),
        fields=shown_to_requester(ticket, kind),
        for_a_person=not kind.documents and not kind.fields,
        note=kind.received_note,
        articles=suggested_articles(change, desk),
        other_departments=other_departments(ticket, kind, desk.catalogue),
        understood_as=told_as.name if told_as else (kind.name if change.right_subject else ""),
        right_subject=told_as.subject if told_as else change.right_subject,
    )
    return _for_requester(LetterKind.TICKET_OPENED, view, change, desk)


def evidence_requested(change: TicketChange, desk: LetterDesk, *, first: bool) -> PlannedLetter:
    """What is still needed, as a checklist; a later one waits for more to come."""
    ticket, kind = change.after, kind_of(change, desk)
    view = EvidenceRequestedView(
        **_requester_base(change, desk),
        first=first,
        missing_count=str(count_missing(kind, ticket.missing)),
        items=checklist(ticket, kind, quoting=change.verified),
        refused_files=refused_files(ticket, kind),
        form_lines=form_lines(ticket, kind),
        to_confirm=rows_to_answer(ticket, kind) if change.verified else (),
        # What is wrong with a document stands beside it in the checklist.
        mismatches=tuple(
            phrase(f"mismatch.{one.reason}") for one in ticket.mismatches if one.key not in _documents(kind)
        ),
        days_to_answer=str(kind.expires_day),
        answer_until=_answer_until(ticket, kind, desk),
        understood_as=kind.name if change.right_subject else "",
        right_subject=change.right_subject,
        correction=change.correction,
        articles=suggested_articles(change, desk) if first else (),
    )
    delay = timedelta() if first else desk.quiet_time
    return _for_requester(LetterKind.EVIDENCE_REQUESTED, view, change, desk, delay=delay)


def _documents(kind: RequestType) -> frozenset[str]:
    return frozenset(str(document.key) for document in kind.documents)


def evidence_complete(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    """Everything is here, and the request goes on."""
    ticket, kind = change.after, kind_of(change, desk)
    view = EvidenceCompleteView(
        **_requester_base(change, desk),
        items=checklist(ticket, kind, quoting=change.verified),
        refused_files=refused_files(ticket, kind),
        to_confirm=rows_to_confirm(ticket, kind),
        note=kind.received_note,
        queue_name=queue_name(ticket, desk.catalogue),
        answer_by=answer_by(ticket, desk),
        correction=change.correction,
    )
    return _for_requester(LetterKind.EVIDENCE_COMPLETE, view, change, desk)


def which_ticket(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    """Which of the open tickets of ``change.which`` is meant."""
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


def agent_answer(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    """An agent's own words and files; beside a decision that waits, they wait with it."""
    view = AgentAnswerView(
        **_requester_base(change, desk),
        agent_name=shown_name(change.agent, desk),
        text=paragraphs_of(without_agents_addresses(change.words, desk)),
        queue_name=queue_name(change.after, desk.catalogue),
        files=file_lines_of(_files_for_requester(change), desk),
        resolved=change.happened(EventKind.DECIDED),
        updates=tuple(Phrase(code=one.code, values=one.values) for one in change.told),
        items=asked_items(change.after, kind_of(change, desk), change.asks),
        form_lines=asked_lines(change.after, kind_of(change, desk), change.asks),
        note=_note_on_resolved(change, desk),
        ask_rating=change.happened(EventKind.DECIDED) and _asks_rating(change, desk),
    )
    delay = _until_decision_leaves(change, desk)
    planned = _for_requester(LetterKind.AGENT_ANSWER, view, change, desk, delay=delay)
    return replace(planned, calendar=invitation(change.after, desk)) if change.invites else planned


def _note_on_resolved(change: TicketChange, desk: LetterDesk) -> str:
    """What the request type says to everybody whose request was done."""
    if change.after.resolution is not Resolution.DONE or not change.happened(EventKind.DECIDED):
        return ""
    kind = kind_of(change, desk)
    return in_words(kind.resolved_note, change.after, kind, desk.words)


def _until_decision_leaves(change: TicketChange, desk: LetterDesk) -> timedelta:
    """How long a decision on this ticket still waits: what is added to it does not leave before it."""
    decided_at = change.after.resolved_at if change.after.is_finished else None
    return max(timedelta(), decided_at + desk.undo_time - desk.now) if decided_at else timedelta()


def decision(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    """The request was authorised, or not; it leaves when the time to take it back is over."""
    view = DecisionView(
        **_requester_base(change, desk),
        approved=change.after.resolution is Resolution.APPROVED,
        agent_name=shown_name(change.agent, desk),
        queue_name=queue_name(change.after, desk.catalogue),
        decided_at=desk.words.moment(desk.now, desk.zone),
        reason=paragraphs_of(without_agents_addresses(change.words, desk)),
        files=file_lines_of(_files_for_requester(change), desk),
        ask_rating=_asks_rating(change, desk),
    )
    return _for_requester(LetterKind.DECISION, view, change, desk, delay=desk.undo_time)


def guidance(change: TicketChange, desk: LetterDesk) -> PlannedLetter | None:
    """What the requester has to do instead, or why it cannot be; nothing where the catalogue no longer says it."""
    ticket, kind = change.after, kind_of(change, desk)
    ruling = ticket.ruling
    words = kind.guidance.get(ruling.given) if ruling is not None else None
    if ruling is None or words is None:
        return None
    view = GuidanceView(
        **_requester_base(change, desk),
        title=in_words(words.title, ticket, kind, desk.words),
        text=paragraphs_of(in_words(words.text, ticket, kind, desk.words)),
        denied=words.resolution == "denied",
        link_label=words.link.label if words.link else "",
        link_url=words.link.url if words.link else "",
        linked_ticket=ruling.linked_ticket,
        linked_name=_name_of_linked(change, desk),
        reopen_until=desk.words.date(desk.now + timedelta(days=REOPEN_WINDOW_DAYS), desk.zone),
        understood_as=kind.name if change.right_subject else "",
        right_subject=change.right_subject,
        correction=change.correction,
    )
    return _for_requester(LetterKind.GUIDANCE, view, change, desk)


def _name_of_linked(change: TicketChange, desk: LetterDesk) -> str:
    """What the ticket that was opened beside is for; of one opened earlier only the number is told."""
    return desk.catalogue.type(change.beside.after.request_type).name if change.beside is not None else ""


def _asks_rating(change: TicketChange, desk: LetterDesk) -> bool:
    """Whether the letter that ends the ticket asks how it went: once a ticket (R001-33, R004-14)."""
    return kind_of(change, desk).ask_rating and change.after.rating is None


def reminder(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    """The same checklist again, with the days that are left."""
    ticket, kind = change.after, kind_of(change, desk)
    waited = (desk.now - (ticket.asked_at or desk.now)).days
    view = ReminderView(
        **_requester_base(change, desk),
        missing_count=str(count_missing(kind, ticket.missing) + len(ticket.asked)),
        items=(*checklist(ticket, kind, quoting=change.verified), *asked_items(ticket, kind, ticket.asked)),
        form_lines=form_lines(ticket, kind),
        days_left=str(max(1, kind.expires_day - waited)),
        answer_until=_answer_until(ticket, kind, desk),
        last=ticket.reminders_sent >= len(kind.reminders_days),
    )
    return _for_requester(LetterKind.REMINDER, view, change, desk)


def ticket_expired(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    """What was asked for did not come, and until when the request can go on."""
    ticket, kind = change.after, kind_of(change, desk)
    reopen_until = desk.now + timedelta(days=REOPEN_WINDOW_DAYS)
    view = TicketExpiredView(
        **_requester_base(change, desk),
        days_waited=str(kind.expires_day),
        missing=(*(kind.label_for(key) for key in ticket.missing), *ticket.asked),
        reopen_until=desk.words.date(reopen_until, desk.zone),
    )
    return _for_requester(LetterKind.TICKET_EXPIRED, view, change, desk)


def ticket_withdrawn(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    """The requester withdrew the request or needs no answer, and until when it can go on nevertheless."""
    reopen_until = desk.now + timedelta(days=REOPEN_WINDOW_DAYS)
    view = TicketWithdrawnView(
        **_requester_base(change, desk),
        reopen_until=desk.words.date(reopen_until, desk.zone),
        solved=change.happened(EventKind.SOLVED),
    )
    return _for_requester(LetterKind.TICKET_WITHDRAWN, view, change, desk)


def contact_confirmation(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    """What the owner of an account has to confirm before anything changes: the answer to it is the key."""
    ticket, kind = change.after, kind_of(change, desk)
    stated = {one.key: one.value for one in ticket.fields if one.valid}
    view = ContactConfirmationView(
        **_requester_base(change, desk),
        adding=kind.contact_action is ContactAction.ADD,
        contact_email=stated.get(CONTACT_EMAIL_KEY, ""),
        contact_name=stated.get(CONTACT_NAME_KEY, ""),
        account_name=_account_name(change, desk),
        answer_until=_answer_until(ticket, kind, desk),
    )
    return _for_requester(LetterKind.CONTACT_CONFIRMATION, view, change, desk)


def contact_changed(change: TicketChange, desk: LetterDesk) -> PlannedLetter | None:
    """The confirmed change is made."""
    contact = change.contact
    if contact is None:
        return None
    view = ContactChangedView(
        **_requester_base(change, desk),
        adding=contact.action is ContactAction.ADD,
        contact_email=contact.email,
        contact_name=contact.name,
        account_name=_account_name(change, desk),
    )
    return _for_requester(LetterKind.CONTACT_CHANGED, view, change, desk)


def _account_name(change: TicketChange, desk: LetterDesk) -> str:
    customer_id = change.after.customer.customer_id
    return next((one.name for one in desk.customers if one.id == customer_id), "")


def ticket_reclassified(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    """The request is of the type now that its requester chose; what that one needs, if anything."""
    ticket, kind = change.after, kind_of(change, desk)
    view = TicketReclassifiedView(
        **_requester_base(change, desk),
        queue_name=queue_name(ticket, desk.catalogue),
        answer_by=answer_by(ticket, desk),
        missing_count=str(len(ticket.missing)),
        items=checklist(ticket, kind, quoting=change.verified),
        refused_files=refused_files(ticket, kind),
        form_lines=form_lines(ticket, kind),
    )
    return _for_requester(LetterKind.TICKET_RECLASSIFIED, view, change, desk)


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
        files=_files_for_requester(change),
        verified_recipient=change.verified,
    )


def _files_for_requester(change: TicketChange) -> tuple[StoredFile, ...]:
    """An agent's files, unless they came with an internal note."""
    message = change.message
    public = change.agent is not None and message is not None and message.visibility is Visibility.PUBLIC
    return message.files if public and message is not None else ()


_STATE_THE_REQUEST = frozenset(
    {LetterKind.TICKET_WITHDRAWN, LetterKind.CONTACT_CHANGED, LetterKind.TICKET_RECLASSIFIED}
)


def _replaced_by(letter: LetterKind, change: TicketChange) -> tuple[LetterKind, ...]:
    if letter in CHECKLISTS or letter in _STATE_THE_REQUEST:
        return CHECKLISTS
    if letter is LetterKind.GUIDANCE:
        return (*CHECKLISTS, LetterKind.GUIDANCE)
    if letter is LetterKind.DECISION:
        return (*CHECKLISTS, LetterKind.DECISION)
    # The newest decision is the one that holds: an older one that has not left is never told beside it.
    return (*QUESTIONS, LetterKind.DECISION) if change.happened(EventKind.DECIDED) else ()


def _sender_name(change: TicketChange, desk: LetterDesk) -> str:
    """``Ana (SAU)``, or the department alone."""
    queue = queue_name(change.after, desk.catalogue)
    name = shown_name(change.agent, desk)
    if change.agent is None or not (name or queue):
        return desk.mailbox.name
    return f"{name} ({queue})" if name else queue


def _requester_base(change: TicketChange, desk: LetterDesk) -> RequesterBase:
    ticket = change.after
    return {
        "brand_name": kind_of(change, desk).brand or desk.mailbox.name,
        "mailbox_address": desk.mailbox_address,
        "reply_address": desk.mailbox_address,
        "subject": subject_of(ticket, desk.mailbox),
        "quote_sender": change.verified,
        "ticket_number": ticket.number,
        "ticket_title": ticket.title,
        "request_name": kind_of(change, desk).name,
        "greeting_name": first_name(ticket.requester.name),
        # Told once, with the number.
        "rerouted_from": rerouted_from(ticket, desk) if change.before is None else "",
        "signature": paragraphs_of(kind_of(change, desk).closing_line),
    }


def _answer_until(ticket: Ticket, kind: RequestType, desk: LetterDesk) -> str:
    asked_at = ticket.asked_at or desk.now
    return desk.words.date(asked_at + timedelta(days=kind.expires_day), desk.zone)
