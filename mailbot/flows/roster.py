"""Who works here now, and whose turn it is: ``records -> Duty``, ``(UnitOfWork, change) -> change``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.on_duty import Duty, duty_at
from mailbot.catalogue.staff import Staff
from mailbot.domain.mail import Address, Sender
from mailbot.domain.staffing import AgentRecord
from mailbot.domain.ticket_change import TicketChange
from mailbot.flows.ports import UnitOfWork
from mailbot.triage.assignment import assigned_to, is_to_be_handed_out, next_in_turn


def duty_now(work: UnitOfWork, catalogue: Catalogue, now: datetime) -> Duty:
    """The roster with what administrators and agents' own mailboxes have said over it."""
    return duty_by_records(work.roster.records(), catalogue, now)


def duty_by_records(records: Iterable[AgentRecord], catalogue: Catalogue, now: datetime) -> Duty:
    """The roster with what ``records`` say over it."""
    return duty_at(catalogue.staff, records, today=catalogue.calendar.local_day(now), now=now)


def registered(staff: Staff, sender: Sender) -> Address | None:
    """The roster's own entry of an agent: registered address and name."""
    spec = staff.agent(sender.agent_key) if sender.agent_key else None
    return None if spec is None else Address(address=spec.address, name=spec.name)


def with_staff(catalogue: Catalogue, duty: Duty) -> Catalogue:
    """The catalogue with the roster as it holds now."""
    return catalogue if duty.staff is catalogue.staff else replace(catalogue, staff=duty.staff)


def handed_out(work: UnitOfWork, change: TicketChange, duty: Duty) -> TicketChange:
    """The change with whoever's turn it is, for a ticket that comes into a queue whose tickets go round; and so
    for one that is opened beside it. In the ticket's own transaction, so that the turn passes once."""
    if change.beside is not None:
        change = replace(change, beside=handed_out(work, change.beside, duty))
    if not is_to_be_handed_out(change, duty):
        return change
    queue = change.after.queue
    agent = next_in_turn(queue, work.roster.last_turn(queue), duty, requester=change.after.requester.address)
    if agent is None:
        return change
    work.roster.note_turn(queue, agent.key)
    return assigned_to(change, agent)
