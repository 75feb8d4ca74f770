"""What time does to the work of staff: warnings before a promise ends and when it is broken, and tickets taken
from who has been away for long. Found in the database, done with the note that it is done: once, whoever does
it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.on_duty import Duty
from mailbot.catalogue.staff import AgentSpec
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.events import BOT, PUT_BACK_ABSENT, EventKind, TicketEvent
from mailbot.domain.staffing import AgentRecord
from mailbot.domain.ticket import Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.flows.ports import Storage
from mailbot.flows.roster import duty_now
from mailbot.triage.lateness import late_change

# Over a long week-end a few business hours are many hours.
_LOOKED_AHEAD = timedelta(days=14)


def due_warnings(
    storage: Storage, catalogue: Catalogue, calendar: BusinessCalendar, now: datetime
) -> list[TicketChange]:
    """What staff are to be told of promises now."""
    with storage.read() as work:
        tickets = work.workload.due_before(now + _LOOKED_AHEAD)
    known = [one for one in tickets if catalogue.has_type(one.request_type)]
    changes = [late_change(one, catalogue.type(one.request_type), calendar, now) for one in known]
    return [one for one in changes if one is not None]


def taken_from_absent(
    storage: Storage, catalogue: Catalogue, now: datetime
) -> list[tuple[AgentRecord, list[TicketChange]]]:
    """The agents whose mailbox has told of an absence for long enough, each with what becomes of their tickets."""
    hours = catalogue.staff.reroute_after_hours
    if not hours:
        return []
    found = []
    with storage.read() as work:
        duty = duty_now(work, catalogue, now)
        for record in work.roster.records():
            agent = duty.staff.agent(record.key)
            if agent is None or record.rerouted_at is not None or not record.has_been_away_for(hours, now):
                continue
            tickets = work.workload.assigned_to(agent.address)
            found.append((record, [taken_from(one, agent, duty, now, why=PUT_BACK_ABSENT) for one in tickets]))
    return found


def taken_from(
    ticket: Ticket, agent: AgentSpec, duty: Duty, now: datetime, *, why: str, actor: str = BOT
) -> TicketChange:
    """The ticket in the hands of the agent's deputy, or back in its queue."""
    deputy = duty.in_place_of(agent) if duty.staff.agent(agent.key) is not None else None
    takes = deputy is not None and deputy != agent and deputy.address != ticket.requester.address
    new = deputy.address if deputy is not None and takes else None
    event = TicketEvent(at=now, actor=actor, kind=EventKind.ASSIGNED, old=agent.address, new=new or "", detail=why)
    after = replace(ticket, assignee=new, updated_at=now)
    return TicketChange(before=ticket, after=after, events=(event,), may_answer=False)


def note_rerouted(storage: Storage, record: AgentRecord, now: datetime) -> None:
    """An agent's tickets have been given to others: not again for this absence."""
    with storage.write() as work:
        current = next((one for one in work.roster.records() if one.key == record.key), None)
        if current is not None and current.away_since == record.away_since:
            work.roster.keep(replace(current, rerouted_at=now))
