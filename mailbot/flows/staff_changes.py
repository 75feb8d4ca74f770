"""What administrators change on the roster while the program runs: in one transaction each, with all that follows.

It stands in the database, over ``staff.yaml``: every daemon goes by it from the next mail on, wherever it runs,
and nobody's comments in the file are touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.on_duty import Duty
from mailbot.catalogue.staff import AgentSpec
from mailbot.domain.errors import ConcurrentChange
from mailbot.domain.events import ADMIN, PUT_BACK_REVOKED
from mailbot.domain.staffing import AgentRecord, AgentState
from mailbot.flows.due import taken_from
from mailbot.flows.letter_office import LetterOffice
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.ports import Storage, UnitOfWork
from mailbot.flows.roster import duty_now, handed_out
from mailbot.flows.write_change import write_change

_TRIES = 5


class RosterProblem(StrEnum):
    """Why the roster was not changed."""

    NO_SUCH_AGENT = "no_such_agent"
    KEY_TAKEN = "key_taken"
    ADDRESS_TAKEN = "address_taken"
    ADDRESS_OF_MAILBOX = "address_of_mailbox"
    NO_SUCH_QUEUE = "no_such_queue"
    NO_SUCH_DEPUTY = "no_such_deputy"


class RosterUnchanged(Exception):
    """Nothing was done."""

    def __init__(self, problem: RosterProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """What ended with an agent's place: handles that count no more, tickets that others have now."""

    handles: int
    tickets: tuple[str, ...]


class RosterDesk:
    """Adds agents, notes absences, takes agents off. Every method raises ``StorageUnavailable``."""

    def __init__(
        self,
        *,
        storage: Storage,
        office: LetterOffice,
        catalogue: Catalogue,
        mailboxes: Mapping[str, ServedMailbox],
    ) -> None:
        self._storage = storage
        self._office = office
        self._catalogue = catalogue
        self._mailboxes = mailboxes

    def duty(self, now: datetime) -> tuple[Duty, list[AgentRecord]]:
        """Who works here now, and what is said over the file."""
        with self._storage.read() as work:
            return duty_now(work, self._catalogue, now), work.roster.records()

    def add(self, agent: AgentSpec, *, now: datetime) -> None:
        """Put somebody on the roster. Raises ``RosterUnchanged``."""
        queues = {queue.key for queue in self._catalogue.staff.queues}
        with self._storage.write() as work:
            staff = duty_now(work, self._catalogue, now).staff
            if staff.agent(agent.key) is not None:
                raise RosterUnchanged(RosterProblem.KEY_TAKEN)
            if staff.agent_key_for(agent.address) is not None:
                raise RosterUnchanged(RosterProblem.ADDRESS_TAKEN)
            if agent.address in {mailbox.address for mailbox in self._mailboxes.values()}:
                raise RosterUnchanged(RosterProblem.ADDRESS_OF_MAILBOX)
            if agent.queues != "*" and not set(agent.queues) <= queues:
                raise RosterUnchanged(RosterProblem.NO_SUCH_QUEUE)
            work.roster.keep(_as_added(agent, self._catalogue))

    def absent(self, key: str, *, until: datetime | None, deputy: str, now: datetime) -> None:
        """Say until when an agent is away; ``None``: they are here. Raises ``RosterUnchanged``."""
        with self._storage.write() as work:
            staff = duty_now(work, self._catalogue, now).staff
            agent = staff.agent(key)
            if agent is None:
                raise RosterUnchanged(RosterProblem.NO_SUCH_AGENT)
            if deputy and (deputy == key or staff.agent(deputy) is None):
                raise RosterUnchanged(RosterProblem.NO_SUCH_DEPUTY)
            record = _record_of(work, agent)
            # Who is back is back, whatever their mailbox said before.
            away_since = record.away_since if until is not None else None
            work.roster.keep(replace(record, absent_until=until, deputy=deputy, away_since=away_since))

    def revoke(self, key: str, *, now: datetime) -> Revoked:
        """Take an agent off the roster: the letters that they were sent give them no right any more, and others
        get their tickets and hear of it. Raises ``RosterUnchanged`` and ``ConcurrentChange``."""
        for _ in range(_TRIES):
            try:
                return self._revoke(key, now)
            except ConcurrentChange:
                continue
        raise ConcurrentChange(f"the tickets of {key} kept changing")

    def _revoke(self, key: str, now: datetime) -> Revoked:
        with self._storage.write() as work:
            agent = duty_now(work, self._catalogue, now).staff.agent(key)
            if agent is None:
                raise RosterUnchanged(RosterProblem.NO_SUCH_AGENT)
            work.roster.keep(replace(_record_of(work, agent), state=AgentState.REVOKED, absent_until=None))
            handles = work.workload.shut_out(agent.address, now=now)
            duty = duty_now(work, self._catalogue, now)
            tickets = work.workload.assigned_to(agent.address)
            for ticket in tickets:
                change = taken_from(ticket, agent, duty, now, why=PUT_BACK_REVOKED, actor=ADMIN)
                change = handed_out(work, change, duty)
                write_change(work, change)
                mailbox = self._mailboxes.get(ticket.mailbox)
                if mailbox is not None:
                    self._office.tell(work, change, mailbox, now=now)
        return Revoked(handles=handles, tickets=tuple(ticket.number for ticket in tickets))


def _as_added(agent: AgentSpec, catalogue: Catalogue) -> AgentRecord:
    configured = catalogue.staff.agent(agent.key)
    # Somebody of the file who was taken off comes back as the file has them, where that is who is meant.
    same = configured is not None and configured.address == agent.address
    return AgentRecord(
        key=agent.key,
        address=agent.address,
        name=agent.name,
        queues=None if agent.queues == "*" else tuple(agent.queues),
        state=AgentState.AS_CONFIGURED if same else AgentState.ADDED,
    )


def _record_of(work: UnitOfWork, agent: AgentSpec) -> AgentRecord:
    known = next((one for one in work.roster.records() if one.key == agent.key), None)
    return known or AgentRecord(key=agent.key, address=agent.address, name=agent.name)
