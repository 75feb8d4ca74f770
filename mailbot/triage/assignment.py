"""Whose a ticket becomes that comes into its queue: ``(TicketChange, Duty, last turn) -> agent``. Pure."""

from __future__ import annotations

from dataclasses import replace

from mailbot.catalogue.on_duty import Duty
from mailbot.catalogue.staff import AgentSpec, Distribution
from mailbot.domain.events import BOT, EventKind, TicketEvent
from mailbot.domain.ticket import Status
from mailbot.domain.ticket_change import TicketChange


def is_to_be_handed_out(change: TicketChange, duty: Duty) -> bool:
    """Whether the change brings a ticket that is nobody's into a queue whose tickets go round."""
    before, after = change.before, change.after
    if after.status is not Status.OPEN or after.assignee is not None or change.already_sent:
        return False
    was_there = before is not None and before.status is Status.OPEN and before.queue == after.queue
    put_back = before is not None and before.assignee is not None
    goes_round = duty.staff.distribution_of(after.queue) is Distribution.ROUND_ROBIN
    return goes_round and (put_back or not was_there)


def next_in_turn(queue: str, last: str, duty: Duty, *, requester: str = "") -> AgentSpec | None:
    """Who comes after ``last`` in the order of the roster, of those who work in the queue and are here; nobody
    gets a request of their own. ``None`` where nobody is left."""
    in_queue = [agent for agent in duty.staff.agents if agent.works_in(queue)]
    keys = [agent.key for agent in in_queue]
    after = keys.index(last) + 1 if last in keys else 0
    order = [*in_queue[after:], *in_queue[:after]]
    return next((agent for agent in order if duty.is_here(agent) and agent.address != requester), None)


def assigned_to(change: TicketChange, agent: AgentSpec) -> TicketChange:
    """The change with the ticket in the hands of ``agent``."""
    old = change.before.assignee if change.before is not None else None
    event = TicketEvent(
        at=change.after.updated_at,
        actor=BOT,
        kind=EventKind.ASSIGNED,
        old=old or "",
        new=agent.address,
        detail=Distribution.ROUND_ROBIN,
    )
    after = replace(change.after, assignee=agent.address)
    return replace(change, after=after, events=(*change.events, event))
