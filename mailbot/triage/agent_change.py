"""What an agent's mail makes of a ticket: ``(decision, Situation, Cause) -> TicketChange``. Pure.

``decide_agent.py`` chooses; here the chosen thing becomes the ticket's new value, its events and the message.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailbot.domain.events import SHARED_MAILBOX, AuthorRole, EventKind, StoredFile, TicketMessage, Visibility
from mailbot.domain.mail import Address, Authenticity, InboundMail
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.agent_files import is_meant_to_be_sent
from mailbot.triage.change_log import Cause, ChangeLog, ticket_of, with_status
from mailbot.triage.decisions import ApplyAgentReply, RefuseAgentReply
from mailbot.triage.situation import Situation


def apply_agent_reply(decision: ApplyAgentReply, situation: Situation, cause: Cause) -> TicketChange:
    """The mail does what it says."""
    ticket = ticket_of(situation)
    agent = cause.agent or situation.sender.address
    happened = ChangeLog(situation.now, cause.mail_id)
    after = replace(ticket, updated_at=situation.now)
    if decision.visibility is Visibility.INTERNAL:
        happened.add(agent.address, EventKind.NOTE_ADDED)
    else:
        detail = SHARED_MAILBOX if decision.already_sent else ""
        happened.add(agent.address, EventKind.AGENT_ANSWERED, detail=detail)
        if after.status is Status.NEW:
            after = with_status(after, Status.OPEN, happened, actor=agent.address)
        # Who of the house wrote from the shared mailbox is rarely known.
        is_known = cause.agent is not None or not decision.already_sent
        if after.assignee is None and is_known:
            happened.add(agent.address, EventKind.ASSIGNED, new=agent.address)
            after = replace(after, assignee=agent.address)
    if decision.already_sent:
        # A person has taken the conversation up: nobody is to be reminded of what the bot asked.
        after = replace(after, asked_at=None)
    if decision.resolution is not None:
        after = _resolved(after, decision.resolution, situation.now, happened, agent)
    return TicketChange(
        before=ticket,
        after=after,
        events=happened.events,
        message=_agent_message(situation, cause, agent, decision.visibility, decision.text),
        agent=agent,
        may_answer=not decision.already_sent,
        verified=True,
        words=decision.text,
        already_sent=decision.already_sent,
    )


def _resolved(
    ticket: Ticket, resolution: Resolution, now: datetime, happened: ChangeLog, agent: Address
) -> Ticket:
    happened.add(agent.address, EventKind.DECIDED, new=resolution)
    ticket = with_status(ticket, Status.RESOLVED, happened, actor=agent.address)
    return replace(ticket, resolution=resolution, resolved_at=now, asked_at=None)


def refuse_agent_reply(decision: RefuseAgentReply, situation: Situation, cause: Cause) -> TicketChange:
    """The mail stays on the ticket as an unverified note, and the agent is to be told why."""
    ticket = ticket_of(situation)
    agent = cause.agent or situation.sender.address
    happened = ChangeLog(situation.now, cause.mail_id)
    happened.add(agent.address, EventKind.AGENT_REPLY_REFUSED, detail=decision.reason)
    text = situation.mail.new_text or situation.mail.full_text
    message = _agent_message(situation, cause, agent, Visibility.INTERNAL, text)
    return TicketChange(
        before=ticket,
        after=replace(ticket, updated_at=situation.now),
        events=happened.events,
        message=replace(message, unverified=True),
        may_answer=False,
        refused_agent=agent,
        refusal=decision.reason,
        refused_word=_refused_word(situation),
    )


def _refused_word(situation: Situation) -> str:
    block = situation.directives
    if block.unknown:
        return block.unknown[0]
    return f"#{block.not_available[0].word}" if block.not_available else ""


def _attached(mail: InboundMail, files: tuple[StoredFile, ...]) -> tuple[StoredFile, ...]:
    return tuple(
        file for attachment, file in zip(mail.attachments, files, strict=True) if is_meant_to_be_sent(attachment)
    )


def _agent_message(
    situation: Situation, cause: Cause, agent: Address, visibility: Visibility, text: str
) -> TicketMessage:
    return TicketMessage(
        at=situation.now,
        author=agent,
        role=AuthorRole.AGENT,
        visibility=visibility,
        text=text,
        message_id=situation.mail.message_id,
        mail_id=cause.mail_id,
        # A note keeps everything; nothing of it goes out.
        files=cause.files if visibility is Visibility.INTERNAL else _attached(situation.mail, cause.files),
        unverified=situation.sender.authenticity is not Authenticity.VERIFIED,
    )
