"""Who works here today: ``(Staff, records, calendar, now) -> Duty``, the file and what is said over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from mailbot.catalogue.staff import AgentSpec, QueueSpec, Staff
from mailbot.domain.staffing import AgentRecord, AgentState

_DEPUTIES_AT_MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """The roster as it holds now. ``away`` are the keys of absent agents, each with a deputy's or nothing."""

    staff: Staff
    away: Mapping[str, str] = field(default_factory=dict)

    def is_here(self, agent: AgentSpec) -> bool:
        """Whether the agent is not absent."""
        return agent.key not in self.away

    def in_place_of(self, agent: AgentSpec) -> AgentSpec | None:
        """Who hears what the agent would: themselves, or the deputy, or that one's; ``None`` if nobody is here."""
        seen = agent
        for _ in range(_DEPUTIES_AT_MOST):
            if self.is_here(seen):
                return seen
            deputy = self.staff.agent(self.away[seen.key])
            if deputy is None:
                break
            seen = deputy
        return None

    def present(self, agents: Iterable[AgentSpec]) -> list[AgentSpec]:
        """These agents or who stands in for them, each once; whoever is absent without a deputy is left out."""
        standing_in = [self.in_place_of(agent) for agent in agents]
        return list(dict.fromkeys(one for one in standing_in if one is not None))

    def works_for(self, agent: AgentSpec) -> list[AgentSpec]:
        """Whose work is the agent's today: their own, and that of absent ones whom they stand in for."""
        others = [one for one in self.staff.agents if not self.is_here(one) and self.in_place_of(one) == agent]
        return [agent, *others]


def duty_at(staff: Staff, records: Iterable[AgentRecord], *, today: date, now: datetime) -> Duty:
    """``today`` is the local day of ``now``. A record of an agent whom nobody knows any more says nothing."""
    known = {record.key: record for record in records}
    roster = _with_changes(staff, known) if known else staff
    away = {
        agent.key: why
        for agent in roster.agents
        if (why := _deputy_if_away(agent, roster, known, today, now)) is not None
    }
    return Duty(staff=roster, away=away)


def _with_changes(staff: Staff, known: Mapping[str, AgentRecord]) -> Staff:
    changed = [one for one in known.values() if one.state is not AgentState.AS_CONFIGURED]
    if not changed:
        return staff
    gone = {one.key for one in changed if one.state is AgentState.REVOKED}
    agents = [agent for agent in staff.agents if agent.key not in gone]
    taken = {agent.key for agent in agents} | {agent.address for agent in agents}
    queues = {queue.key for queue in staff.queues}
    added = [one for one in changed if one.state is AgentState.ADDED and not taken & {one.key, one.address}]
    agents += [_added(one, queues) for one in added]
    keys, addresses = {agent.key for agent in agents}, {agent.address for agent in agents}
    # Built anew and checked anew: nothing here may name who is gone.
    return Staff(
        queues=tuple(_without(queue, addresses) for queue in staff.queues),
        agents=tuple(_without_deputies(agent, keys) for agent in agents),
        aliases=staff.aliases,
        managers=staff.managers,
        digest_at=staff.digest_at,
        reroute_after_hours=staff.reroute_after_hours,
    )


def _added(record: AgentRecord, queues: set[str]) -> AgentSpec:
    named = record.queues
    return AgentSpec(
        key=record.key,
        address=record.address,
        name=record.name or record.key,
        queues="*" if named is None else tuple(one for one in named if one in queues),
    )


def _without(queue: QueueSpec, addresses: set[str]) -> QueueSpec:
    return queue.model_copy(
        update={
            "notify": tuple(one for one in queue.notify if one in addresses),
            "escalate_to": tuple(one for one in queue.escalate_to if one in addresses),
        }
    )


def _without_deputies(agent: AgentSpec, keys: set[str]) -> AgentSpec:
    absences = tuple(
        one if one.deputy in keys else one.model_copy(update={"deputy": None}) for one in agent.absences
    )
    deputy = agent.deputy if agent.deputy in keys else None
    return agent.model_copy(update={"absences": absences, "deputy": deputy})


def _deputy_if_away(
    agent: AgentSpec, staff: Staff, known: Mapping[str, AgentRecord], today: date, now: datetime
) -> str | None:
    """Key of the deputy of an absent agent, nothing where there is none; ``None`` for who is here."""
    record = known.get(agent.key)
    if record is not None and record.is_absent(now):
        return record.deputy or agent.deputy or ""
    absence = next((one for one in agent.absences if one.since <= today <= one.until), None)
    if absence is not None:
        return absence.deputy or agent.deputy or ""
    hours = staff.reroute_after_hours
    if record is not None and hours and record.has_been_away_for(hours, now):
        return record.deputy or agent.deputy or ""
    return None
