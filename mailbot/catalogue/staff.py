"""Who works here: queues, agents and the further names of staff words (``staff.yaml``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from mailbot.catalogue.entries import Entry, Flag, Key, Text
from mailbot.domain.notice_pages import NoticeAttachments


class Distribution(StrEnum):
    """Who gets a ticket that comes into a queue: nobody by name, or one agent after the other."""

    ALL = "all"
    ROUND_ROBIN = "round_robin"


class ShownAgents(StrEnum):
    """Whom letters to requesters name as their writer: the agent, or only the queue."""

    NAME = "name"
    QUEUE = "queue"


Address = Annotated[str, Field(pattern=r"^[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+$", max_length=254)]


class QueueSpec(Entry):
    """A department's queue. ``notify`` lists addresses of agents; empty means all agents of the queue.
    ``escalate_to`` lists agents who hear too of what is late.

    ``staff_notice_attachments``: ``pages`` are pictures that we draw, so that nobody has to open a stranger's
    file; ``originals`` the files themselves; ``thumbnails`` nothing more. ``sector_address`` gets the books of the
    queue's tickets: a sector that works by mail and is not staff here.
    """

    key: Key
    name: Text
    notify: tuple[str, ...] = ()
    distribution: Distribution = Distribution.ALL
    escalate_to: tuple[str, ...] = ()
    sector_address: Address | None = None
    staff_notice_attachments: NoticeAttachments = NoticeAttachments.PAGES

    @field_validator("notify", "escalate_to")
    @classmethod
    def _in_lower_case(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(address.lower() for address in addresses)


class Absence(Entry):
    """The days, both included, on which an agent is away; ``deputy`` is the key of who hears in their place."""

    since: date
    until: date
    deputy: Key | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.until < self.since:
            raise ValueError("until must not be before since")
        return self


class AgentSpec(Entry):
    """A member of staff; ``queues`` is ``*`` for all. ``deputy`` is the key of who stands in where an absence
    names nobody; ``digest``: whether they get the morning's letter. ``shown_as`` is what requesters read in place
    of the name: a role, or another name."""

    key: Key
    address: Address
    name: Text
    queues: Literal["*"] | tuple[Key, ...] = "*"
    deputy: Key | None = None
    absences: tuple[Absence, ...] = ()
    digest: Flag = True
    shown_as: Text | None = None

    @field_validator("address")
    @classmethod
    def _address_in_lower_case(cls, address: str) -> str:
        return address.lower()

    def works_in(self, queue: str) -> bool:
        """Whether the agent may see and decide tickets of this queue."""
        return self.queues == "*" or queue in self.queues


class Staff(Entry):
    """``staff.yaml``. ``aliases`` gives further names to staff words: ``autorizar: [aprovar, deferir]``.

    ``digest_at`` is when agents get their list on each working day (none without it), ``managers`` are
    addresses that get the week's figures on its first working day. ``reroute_after_hours`` after an agent's
    mailbox told of an absence their open tickets go to the deputy or the queue; 0 for never. ``show_agents`` says
    whom requesters read as the writer; with ``hide_agents_addresses`` the mailbox's address stands in letters to
    them where an agent wrote an agent's own.
    """

    queues: tuple[QueueSpec, ...] = ()
    agents: tuple[AgentSpec, ...] = ()
    aliases: Mapping[str, tuple[Text, ...]] = Field(default_factory=dict)
    managers: tuple[Address, ...] = ()
    digest_at: time | None = None
    reroute_after_hours: Annotated[int, Field(ge=0, le=1000)] = 24
    show_agents: ShownAgents = ShownAgents.NAME
    hide_agents_addresses: Flag = True

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        problems = [
            *_doubled("queue", [queue.key for queue in self.queues]),
            *_doubled("agent", [agent.key for agent in self.agents]),
            *_doubled("address", [agent.address for agent in self.agents]),
            *self._unknown_queues(),
            *self._unknown_addresses(),
            *self._unknown_deputies(),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _unknown_queues(self) -> list[str]:
        known = {queue.key for queue in self.queues}
        return [
            f"agent {agent.key}: no queue {queue!r}"
            for agent in self.agents
            if agent.queues != "*"
            for queue in agent.queues
            if queue not in known
        ]

    def _unknown_addresses(self) -> list[str]:
        known = {agent.address for agent in self.agents}
        return [
            f"queue {queue.key}: nobody has the address {address!r}"
            for queue in self.queues
            for address in (*queue.notify, *queue.escalate_to)
            if address not in known
        ]

    def _unknown_deputies(self) -> list[str]:
        known = {agent.key for agent in self.agents}
        named = [(agent.key, one) for agent in self.agents for one in (agent.deputy, *_deputies(agent)) if one]
        return [f"agent {key}: no deputy {deputy!r}" for key, deputy in named if deputy not in known - {key}]

    @cached_property
    def _by_address(self) -> Mapping[str, AgentSpec]:
        return {agent.address: agent for agent in self.agents}

    def agent(self, key: str) -> AgentSpec | None:
        """The agent with this key."""
        return next((agent for agent in self.agents if agent.key == key), None)

    def queue(self, key: str) -> QueueSpec | None:
        """The queue with this key."""
        return next((queue for queue in self.queues if queue.key == key), None)

    def notice_attachments(self, queue: str) -> NoticeAttachments:
        """What the notices of ``queue`` carry of the requester's files."""
        spec = self.queue(queue)
        return NoticeAttachments.PAGES if spec is None else spec.staff_notice_attachments

    def agent_key_for(self, address: str) -> str | None:
        """Key of the agent with this address, in any case; ``None`` for everybody else (R000-15)."""
        found = self._by_address.get(address.strip().lower())
        return None if found is None else found.key

    def escalated_to(self, queue: str) -> tuple[AgentSpec, ...]:
        """Who hears too of what is late in ``queue``."""
        spec = self.queue(queue)
        return tuple(self._by_address[address] for address in spec.escalate_to) if spec is not None else ()

    def distribution_of(self, queue: str) -> Distribution:
        """Who gets a ticket that comes into ``queue``."""
        spec = self.queue(queue)
        return Distribution.ALL if spec is None else spec.distribution

    def notified_for(self, queue: str) -> tuple[AgentSpec, ...]:
        """Who hears of a ticket that enters ``queue``: its ``notify`` list, else every agent of the queue."""
        spec = self.queue(queue)
        if spec is not None and spec.notify:
            return tuple(self._by_address[address] for address in spec.notify)
        return tuple(agent for agent in self.agents if agent.works_in(queue))


def _deputies(agent: AgentSpec) -> list[Key]:
    return [absence.deputy for absence in agent.absences if absence.deputy is not None]


def _doubled(what: str, keys: list[str]) -> list[str]:
    return [f"{what} {key!r} stands there twice" for key in sorted({key for key in keys if keys.count(key) > 1})]
