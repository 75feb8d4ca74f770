"""DIGEST. Each working morning every agent gets their list, and on the week's first one managers its figures.

Which have left stands in the database and is written in the letter's own transaction: each leaves once, whoever
writes it and however often anything is started again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

import structlog

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.on_duty import Duty
from mailbot.catalogue.staff import AgentSpec
from mailbot.correspondence.digest_letters import AgentsDay, ManagersWeek, digest, digest_managers
from mailbot.correspondence.render import LetterRenderer
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.mail import Address
from mailbot.domain.staffing import DigestKind
from mailbot.flows.alert_desk import alert_desk
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.outgoing import Outgoing
from mailbot.flows.ports import Clock, Storage, UnitOfWork
from mailbot.flows.roster import duty_now, with_staff

_log = structlog.get_logger("mailbot.digest")

# A house that was down all morning sends no list for a day that is over.
_NOT_AFTER = time(18)
_UNDELIVERED_SINCE = timedelta(days=7)


class Digests:
    """Writes what is due. One process at a time, by a lease that the caller holds; two do no harm."""

    def __init__(
        self,
        *,
        storage: Storage,
        outgoing: Outgoing,
        renderer: LetterRenderer,
        catalogue: Catalogue,
        calendar: BusinessCalendar,
        mailboxes: Mapping[str, ServedMailbox],
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._outgoing = outgoing
        self._renderer = renderer
        self._catalogue = catalogue
        self._calendar = calendar
        self._mailboxes = mailboxes
        self._clock = clock

    def tick(self) -> None:
        """Write every digest that is due now and was not written. Raises ``StorageUnavailable``."""
        now = self._clock.now()
        mailbox = next(iter(self._mailboxes.values()), None)
        if mailbox is None or not self._is_time(now):
            return
        with self._storage.read() as work:
            duty = duty_now(work, self._catalogue, now)
        for agent in duty.staff.agents:
            if agent.digest and duty.is_here(agent):
                self._to_agent(agent, duty, mailbox, now)
        for address in duty.staff.managers:
            self._to_manager(address.lower(), duty, mailbox, now)

    def _is_time(self, now: datetime) -> bool:
        begins = self._catalogue.staff.digest_at
        local = now.astimezone(self._calendar.zone)
        if begins is None or not self._calendar.is_business_day(local.date()):
            return False
        return begins <= local.time() < max(_NOT_AFTER, begins)

    def _to_agent(self, agent: AgentSpec, duty: Duty, mailbox: ServedMailbox, now: datetime) -> None:
        today = self._catalogue.calendar.local_day(now)
        with self._storage.write() as work:
            if not work.roster.begin_digest(DigestKind.AGENT, agent.address, today.isoformat(), now=now):
                return
            letter = digest(
                self._day_of(work, agent, duty, now),
                agent,
                alert_desk(
                    mailbox,
                    Address(address=agent.address, name=agent.name),
                    renderer=self._renderer,
                    zone=self._calendar.zone,
                ),
                with_staff(self._catalogue, duty),
                now,
            )
            self._outgoing.write_and_enqueue(work, [letter], mailbox=mailbox, now=now)
        _log.info("digest written", action="digest.written", agent=agent.key)

    def _day_of(self, work: UnitOfWork, agent: AgentSpec, duty: Duty, now: datetime) -> AgentsDay:
        whose = duty.works_for(agent)
        own = [ticket for one in whose for ticket in work.workload.assigned_to(one.address)]
        queues = [queue.key for queue in duty.staff.queues if agent.works_in(queue.key)]
        unassigned = work.workload.unassigned(queues)
        numbers = [ticket.number for ticket in (*own, *unassigned)]
        undelivered = work.workload.not_delivered(numbers, since=now - _UNDELIVERED_SINCE)
        return AgentsDay(
            own=own,
            unassigned=unassigned,
            undelivered=undelivered,
            refused=work.workload.refused_in_name_of(agent.address, since=self._begin_of_last_day(now)),
            stands_in_for=whose[1:],
        )

    def _begin_of_last_day(self, now: datetime) -> datetime:
        """Of the working day before today."""
        day = now.astimezone(self._calendar.zone).date() - timedelta(days=1)
        while not self._calendar.is_business_day(day):
            day -= timedelta(days=1)
        return self._begin_of(day)

    def _to_manager(self, address: str, duty: Duty, mailbox: ServedMailbox, now: datetime) -> None:
        today = self._catalogue.calendar.local_day(now)
        year, week, _ = today.isocalendar()
        monday = today - timedelta(days=today.weekday())
        with self._storage.write() as work:
            if not work.roster.begin_digest(DigestKind.MANAGER, address, f"{year}-W{week:02d}", now=now):
                return
            since, until = monday - timedelta(days=7), monday
            figures = ManagersWeek(
                since=since,
                until=until - timedelta(days=1),
                counts=work.workload.counts(since=self._begin_of(since), until=self._begin_of(until)),
                late=work.workload.late(now),
            )
            catalogue = with_staff(self._catalogue, duty)
            name = next((agent.name for agent in duty.staff.agents if agent.address == address), "")
            desk = alert_desk(
                mailbox, Address(address=address, name=name), renderer=self._renderer, zone=self._calendar.zone
            )
            letter = digest_managers(figures, desk, catalogue, now)
            self._outgoing.write_and_enqueue(work, [letter], mailbox=mailbox, now=now)
        _log.info("week written", action="digest.week_written")

    def _begin_of(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._calendar.zone)
