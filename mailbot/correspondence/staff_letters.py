"""Notices to agents: ``(TicketChange, LetterDesk, agent) -> PlannedLetter``, one builder a notice.

Which of them a change calls for, and who gets it, is decided in ``letters.py``.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.catalogue.staff import AgentSpec
from mailbot.correspondence.context import LetterView, first_name, paragraphs_of
from mailbot.correspondence.field_parts import contradicted_rows
from mailbot.correspondence.planned import LetterDesk, PlannedLetter
from mailbot.correspondence.planned_pages import pages_brought, pages_of_documents
from mailbot.correspondence.query_views import RequesterActedView
from mailbot.correspondence.request_parts import message_rows, request_parts
from mailbot.correspondence.staff_views import (
    ConfirmOrdersView,
    DeliveryFailedView,
    ReplyRefusedView,
    RequesterRepliedView,
    TicketReadyView,
)
from mailbot.correspondence.view_parts import (
    StaffBase,
    kind_of,
    queue_name,
    rerouted_from,
    subject_of,
)
from mailbot.correspondence.words import phrase
from mailbot.domain.confirmation import CODE_LIFE
from mailbot.domain.events import (
    Audience,
    AuthorRole,
    EventKind,
    HandlePurpose,
    LetterKind,
    TicketMessage,
)
from mailbot.domain.mail import Address
from mailbot.domain.notice_pages import PagesToDraw
from mailbot.domain.staff_words import Refusal, StaffWord
from mailbot.domain.ticket_change import TicketChange

_NOTICES = (
    LetterKind.TICKET_READY,
    LetterKind.REQUESTER_REPLIED,
    LetterKind.REPLY_REFUSED,
    LetterKind.REQUESTER_ACTED,
    LetterKind.LATE_WARNING,
    LetterKind.COLLEAGUE_ANSWERED,
)
"""Letters to agents about a ticket."""

_WHAT_TO_DO = {
    Refusal.NO_HANDLE: "reply_to_notice",
    Refusal.HANDLE_OF_ANOTHER: "reply_to_notice",
    Refusal.TWO_TICKETS: "reply_to_notice",
    Refusal.EXPIRED_HANDLE: "reply_to_notice",
    Refusal.NOT_VERIFIED: "ask_admin",
    Refusal.UNKNOWN_WORD: "use_words",
    Refusal.WORD_NOT_POSSIBLE: "use_words",
    Refusal.TOO_MANY_WORDS: "use_words",
    Refusal.REASON_MISSING: "add_reason",
    Refusal.NO_TEXT: "write_again",
    Refusal.TWO_DECISIONS: "write_again",
    Refusal.ALREADY_DECIDED: "write_again",
    Refusal.QUOTED_NOTICE: "write_again",
    Refusal.NEEDS_CODE: "order_again",
    Refusal.CODE_WRONG: "type_code_again",
    Refusal.CODE_EXPIRED: "order_again",
    Refusal.CODE_USED: "order_again",
    Refusal.CODES_EXHAUSTED: "order_later",
}
_ALL_WORDS = ", ".join(f"#{word}" for word in StaffWord)


def ticket_ready(change: TicketChange, desk: LetterDesk, agent: AgentSpec) -> PlannedLetter:
    """A ticket came into the agent's queue, with all that is known of it."""
    kind = kind_of(change, desk)
    pages = pages_of_documents(change.after, desk)
    withheld = next((e.detail for e in change.events if e.kind is EventKind.LETTER_SUPPRESSED), None)
    view = TicketReadyView(
        **staff_base(change, desk, agent),
        **request_parts(change, desk, pages),
        messages=message_rows(desk.messages, desk),
        letter_withheld=None if withheld is None else phrase("may_not_answer"),
        can_decide=bool(kind.documents),
        refused=phrase(f"reply_refused.{change.refusal}") if change.refusal else None,
    )
    return for_agent(LetterKind.TICKET_READY, view, change, agent, desk, pages=pages)


def requester_replied(change: TicketChange, desk: LetterDesk, agent: AgentSpec) -> PlannedLetter:
    """The requester wrote something that somebody should read."""
    message = change.message
    pages = pages_brought(change, desk)
    view = RequesterRepliedView(
        **staff_base(change, desk, agent),
        received_at=desk.words.moment(message.at if message else desk.now, desk.zone),
        **request_parts(change, desk, pages),
        messages=message_rows(_before(message, desk), desk),
        text=paragraphs_of(message.text if message else ""),
        contradicted=contradicted_rows(change, kind_of(change, desk)),
        reopened=change.happened(EventKind.REOPENED),
        can_decide=bool(kind_of(change, desk).documents) and not change.after.is_finished,
    )
    return for_agent(LetterKind.REQUESTER_REPLIED, view, change, agent, desk, pages=pages)


def _before(message: TicketMessage | None, desk: LetterDesk) -> list[TicketMessage]:
    """The ticket's last messages without the one that the notice begins with."""
    if message is None:
        return list(desk.messages)
    this = (message.at, message.author, message.text)
    return [one for one in desk.messages if (one.at, one.author, one.text) != this]


def requester_acted(change: TicketChange, desk: LetterDesk, agent: AgentSpec, act: EventKind) -> PlannedLetter:
    """The requester did something by a customer word."""
    message = change.message
    answered = (str(one.new) for one in change.events if one.kind is EventKind.REQUESTER_ANSWERED)
    code = next(answered, str(act))
    view = RequesterActedView(
        **staff_base(change, desk, agent),
        what=phrase(f"acted.{code}", rating=str(change.after.rating or ""), type=kind_of(change, desk).name),
        received_at=desk.words.moment(message.at if message else desk.now, desk.zone),
        text=paragraphs_of(message.text if message else ""),
    )
    return for_agent(LetterKind.REQUESTER_ACTED, view, change, agent, desk)


def reply_refused(change: TicketChange, desk: LetterDesk, agent: Address, refusal: Refusal) -> PlannedLetter:
    """The agent's own mail did nothing: why, and what to do. Also for who has left the roster."""
    spec = desk.catalogue.staff.agent(desk.catalogue.staff.agent_key_for(agent.address) or "")
    known = spec or AgentSpec(key="agent", address=agent.address, name=agent.name or agent.address)
    view = ReplyRefusedView(
        **staff_base(change, desk, known),
        reason=phrase(f"reply_refused.{refusal}", word=change.refused_word),
        what_to_do=phrase(f"what_to_do.{_WHAT_TO_DO[refusal]}", words=_ALL_WORDS),
        text=paragraphs_of(change.message.text if change.message else ""),
    )
    return for_agent(LetterKind.REPLY_REFUSED, view, change, known, desk)


def confirm_orders(change: TicketChange, desk: LetterDesk, agent: AgentSpec) -> PlannedLetter:
    """The agent's orders, and the code by which they are done; an answer without it is a note."""
    base = staff_base(change, desk, agent)
    base["reply_is_public"] = False
    view = ConfirmOrdersView(
        **base,
        code=change.code,
        until=desk.words.moment(desk.now + CODE_LIFE, desk.zone),
        text=paragraphs_of(change.message.text if change.message else ""),
    )
    letter = for_agent(LetterKind.CONFIRM_ORDERS, view, change, agent, desk)
    return replace(letter, purpose=HandlePurpose.STAFF_INTERNAL)


def delivery_failed(change: TicketChange, desk: LetterDesk, agent: AgentSpec) -> PlannedLetter:
    """A letter of this ticket came back."""
    view = DeliveryFailedView(
        **staff_base(change, desk, agent),
        recipient=change.bounced_recipient,
        reason=phrase("delivery.refused"),
        letter_name=phrase(f"letter.{change.bounced_letter}"),
        is_notice=change.bounced_letter in _NOTICES,
        server_said=change.bounce_diagnostic,
    )
    return for_agent(LetterKind.DELIVERY_FAILED, view, change, agent, desk)


def for_agent(
    letter: LetterKind,
    view: LetterView,
    change: TicketChange,
    agent: AgentSpec,
    desk: LetterDesk,
    *,
    pages: PagesToDraw | None = None,
) -> PlannedLetter:
    """A notice on its way to one agent, with a handle of their own."""
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
        pages=pages,
    )


def staff_base(change: TicketChange, desk: LetterDesk, agent: AgentSpec) -> StaffBase:
    """What every notice about a ticket shows."""
    ticket, message = change.after, change.message
    kind = kind_of(change, desk)
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
        "status_label": kind.label_of(ticket.status, ticket.label),
        "reply_is_public": True,
        "unverified": from_requester and message is not None and message.unverified,
        "from_another_address": message is not None and message.from_another_address,
        "other_address": message.author.address if message is not None and message.from_another_address else "",
        "rerouted_from": rerouted_from(ticket, desk),
    }
