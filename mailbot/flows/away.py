"""What an agent's own mailbox says of an absence, and that they are back: ``(UnitOfWork, mail) -> None``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailbot.catalogue.staff import AgentSpec, Staff
from mailbot.domain.mail import Accepted, Authenticity, InboundMail, Sender
from mailbot.domain.staffing import AgentRecord
from mailbot.flows.ports import UnitOfWork
from mailbot.triage.screen import ScreeningReason
from mailbot.triage.thread import thread_candidates


def speaks_of_absence(screening: Accepted) -> bool:
    """Whether an answering machine wrote, or the subject is an absence note's."""
    return screening.automatic_reply or screening.reason == ScreeningReason.ABSENCE_SUBJECT


def note_absence(
    work: UnitOfWork, mail: InboundMail, sender: Sender, staff: Staff, *, now: datetime
) -> str | None:
    """An answering machine wrote in an agent's name: from now on they count as away. Their key, or ``None``.

    It must answer a letter of ours to that very agent: nobody else can send their work elsewhere by a mail in
    their name.
    """
    agent = staff.agent(staff.agent_key_for(mail.sender.address) or "")
    if (
        agent is None
        or sender.authenticity is Authenticity.FAILED
        or not _answers_letter_to(work, agent, mail, now)
    ):
        return None
    known = _record_of(work, agent)
    if known is not None and known.away_since is not None:
        return None
    record = known or AgentRecord(key=agent.key, address=agent.address)
    work.roster.keep(replace(record, away_since=now, rerouted_at=None))
    return agent.key


def note_return(work: UnitOfWork, agent_key: str) -> None:
    """The agent has written with their own hand: they are not away any more."""
    record = next((one for one in work.roster.records() if one.key == agent_key), None)
    if record is not None and record.away_since is not None:
        work.roster.keep(replace(record, away_since=None, rerouted_at=None))


def _record_of(work: UnitOfWork, agent: AgentSpec) -> AgentRecord | None:
    return next((one for one in work.roster.records() if one.key == agent.key), None)


def _answers_letter_to(work: UnitOfWork, agent: AgentSpec, mail: InboundMail, now: datetime) -> bool:
    clues = thread_candidates(mail)
    recipients = [one.recipient for one in work.outbox.handles([one.handle for one in clues.handles], now=now)]
    recipients += [one.recipient for one in work.outbox.message_ids(clues.message_ids)]
    return agent.address in recipients
