"""What an agent's mail makes of a ticket: ``(decision, Situation, Cause) -> TicketChange``. Pure.

``decide_agent.py`` chooses; here the chosen thing becomes the ticket's new value, its events and the message.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.domain.confirmation import WaitingOrders
from mailbot.domain.events import (
    SHARED_MAILBOX,
    AuthorRole,
    EventKind,
    StoredFile,
    TicketEvent,
    TicketMessage,
    Visibility,
)
from mailbot.domain.mail import Address, Authenticity, InboundMail
from mailbot.domain.orders import OrderPlan, Transcript
from mailbot.domain.staff_words import Refusal
from mailbot.domain.ticket import Status, Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.agent_files import is_meant_to_be_sent
from mailbot.triage.change_log import Cause, ChangeLog, ticket_of, with_status
from mailbot.triage.decisions import ApplyAgentReply, RefuseAgentReply
from mailbot.triage.situation import Situation

OF_A_COLLEAGUE = "of_a_colleague"
"""Remark on an answer to a ticket that is another agent's."""


def apply_agent_reply(decision: ApplyAgentReply, situation: Situation, cause: Cause) -> TicketChange:
    """The mail does what it says."""
    ticket = ticket_of(situation)
    orders = decision.orders or OrderPlan(after=ticket)
    agent = cause.agent or situation.sender.address
    happened = ChangeLog(situation.now, cause.mail_id)
    after = replace(orders.after, updated_at=situation.now)
    if decision.confirmed is not None:
        happened.add(agent.address, EventKind.ORDERS_CONFIRMED, detail=decision.confirmed.nonce)
    if decision.visibility is Visibility.PUBLIC and _reaches_requester(decision, situation):
        after = _answered(after, decision, happened, agent, is_known=cause.agent is not None)
    elif decision.visibility is Visibility.INTERNAL:
        if orders.told or orders.asks:
            # The words say themselves that the requester hears of it; text and files stay a note.
            after = _answered(after, decision, happened, agent, is_known=cause.agent is not None)
        if decision.text or cause.files or decision.orders is None:
            happened.add(agent.address, EventKind.NOTE_ADDED)
    for one in orders.effects:
        happened.add(agent.address, one.kind, old=one.old, new=one.new, detail=one.detail)
    if decision.already_sent:
        # A person has taken the conversation up: nobody is to be reminded of what the bot asked.
        after = replace(after, asked_at=None)
    return TicketChange(
        before=ticket,
        after=after,
        events=happened.events,
        message=_agent_message(situation, cause, agent, decision.visibility, decision.text, decision.confirmed)
        if _is_a_message(decision, happened)
        else None,
        agent=agent,
        may_answer=not decision.already_sent,
        verified=True,
        words=decision.text if decision.visibility is Visibility.PUBLIC else "",
        told=orders.told,
        asks=orders.asks,
        invites=orders.invites,
        transcript=_transcript(decision, orders, is_colleagues=_is_colleagues(ticket, happened, agent, cause)),
        elsewhere=_elsewhere(orders, happened, agent, ticket),
        beside=_surviving(orders, situation, cause, agent, ticket),
        already_sent=decision.already_sent,
    )


def _is_colleagues(ticket: Ticket, happened: ChangeLog, agent: Address, cause: Cause) -> bool:
    """Whether an agent of the roster answered on a ticket that is somebody else's: both are told."""
    answered = happened.has(EventKind.AGENT_ANSWERED) and cause.agent is not None
    return answered and ticket.assignee not in (None, agent.address)


def _reaches_requester(decision: ApplyAgentReply, situation: Situation) -> bool:
    """Whether there is anything to tell: orders alone may be nobody's business but the staff's."""
    orders = decision.orders
    if orders is None or decision.text or orders.decides or orders.told or orders.asks:
        return True
    if decision.confirmed is not None:
        return bool(decision.confirmed.files)
    return any(is_meant_to_be_sent(file) for file in situation.mail.attachments)


def _is_a_message(decision: ApplyAgentReply, happened: ChangeLog) -> bool:
    if decision.orders is None or decision.text or decision.orders.decides:
        return True
    answered = decision.visibility is Visibility.PUBLIC and happened.has(EventKind.AGENT_ANSWERED)
    return answered or happened.has(EventKind.NOTE_ADDED)


def _answered(
    ticket: Ticket, decision: ApplyAgentReply, happened: ChangeLog, agent: Address, *, is_known: bool
) -> Ticket:
    happened.add(agent.address, EventKind.AGENT_ANSWERED, detail=SHARED_MAILBOX if decision.already_sent else "")
    if ticket.status is Status.NEW:
        ticket = with_status(ticket, Status.OPEN, happened, actor=agent.address)
    # Who of the house wrote from the shared mailbox is rarely known.
    knows_who = is_known or not decision.already_sent
    if ticket.assignee is None and knows_who and not _goes_elsewhere(decision.orders):
        happened.add(agent.address, EventKind.ASSIGNED, new=agent.address)
        ticket = replace(ticket, assignee=agent.address)
    return ticket


def _goes_elsewhere(orders: OrderPlan | None) -> bool:
    moving = (EventKind.QUEUE_CHANGED, EventKind.TYPE_CHANGED, EventKind.MERGED)
    return orders is not None and any(one.kind in moving for one in orders.effects)


def _transcript(decision: ApplyAgentReply, orders: OrderPlan, *, is_colleagues: bool) -> Transcript | None:
    remarks = tuple(
        code
        for code, holds in ((decision.remark, bool(decision.remark)), (OF_A_COLLEAGUE, is_colleagues))
        if holds
    )
    if not remarks:
        return orders.transcript
    return replace(orders.transcript or Transcript(applied=True), remarks=remarks)


def _elsewhere(
    orders: OrderPlan, happened: ChangeLog, agent: Address, ticket: Ticket
) -> tuple[tuple[str, TicketEvent], ...]:
    """A merged ticket is told of on the one that goes on."""
    number = orders.after.merged_into
    if number is None or number == ticket.merged_into or orders.into is not None:
        return ()
    return ((number, happened.event(agent.address, EventKind.MERGED, old=ticket.number)),)


def _surviving(
    orders: OrderPlan, situation: Situation, cause: Cause, agent: Address, merged: Ticket
) -> TicketChange | None:
    """What the ticket that goes on gains by a merging: its requester and its agents hear where it is complete."""
    into = orders.into
    if into is None:
        return None
    happened = ChangeLog(situation.now, cause.mail_id)
    happened.add(agent.address, EventKind.MERGED, old=merged.number)
    for one in into.effects:
        happened.add(agent.address, one.kind, old=one.old, new=one.new, detail=one.detail)
    return TicketChange(before=into.before, after=into.ticket, events=happened.events, agent=agent, verified=True)


def refuse_agent_reply(decision: RefuseAgentReply, situation: Situation, cause: Cause) -> TicketChange:
    """The mail stays on the ticket as an unverified note, and the agent is to be told why."""
    ticket = ticket_of(situation)
    agent = cause.agent or situation.sender.address
    happened = ChangeLog(situation.now, cause.mail_id)
    text = situation.mail.new_text or situation.mail.full_text
    message = _agent_message(situation, cause, agent, Visibility.INTERNAL, text, None)
    if decision.reason is Refusal.NEEDS_CODE:
        purpose = situation.thread.handle_purpose or ""
        happened.add(agent.address, EventKind.CONFIRMATION_ASKED, old=purpose, detail=situation.mail.identity)
        # Once confirmed, these and no others go out.
        message = replace(message, files=_attached(situation.mail, cause.files))
    else:
        happened.add(agent.address, EventKind.AGENT_REPLY_REFUSED, detail=decision.reason)
    if decision.reason is Refusal.CODE_WRONG:
        happened.add(agent.address, EventKind.CODE_REFUSED)
    return TicketChange(
        before=ticket,
        after=replace(ticket, updated_at=situation.now),
        events=happened.events,
        message=replace(message, unverified=True),
        may_answer=False,
        quiet=decision.told_before,
        refused_agent=agent,
        refusal=decision.reason,
        refused_word=decision.word,
        transcript=decision.transcript,
        code=decision.code,
    )


def _attached(mail: InboundMail, files: tuple[StoredFile, ...]) -> tuple[StoredFile, ...]:
    return tuple(
        file for attachment, file in zip(mail.attachments, files, strict=True) if is_meant_to_be_sent(attachment)
    )


def _agent_message(
    situation: Situation,
    cause: Cause,
    agent: Address,
    visibility: Visibility,
    text: str,
    confirmed: WaitingOrders | None,
) -> TicketMessage:
    # A note keeps everything; nothing of it goes out.
    if confirmed is not None:
        files = confirmed.files
    else:
        files = cause.files if visibility is Visibility.INTERNAL else _attached(situation.mail, cause.files)
    return TicketMessage(
        at=situation.now,
        author=agent,
        role=AuthorRole.AGENT,
        visibility=visibility,
        text=text,
        message_id=situation.mail.message_id,
        mail_id=cause.mail_id,
        files=files,
        unverified=confirmed is None and situation.sender.authenticity is not Authenticity.VERIFIED,
    )
