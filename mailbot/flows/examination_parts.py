"""What all examinations of mail work with, made once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.staff import Staff
from mailbot.domain.mail import keyed_digest
from mailbot.flows.case import Case
from mailbot.flows.house import House
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.order_desk import OrderHouse
from mailbot.flows.past import Knowledge
from mailbot.flows.readings import FileReadings, MailReadings
from mailbot.flows.roster import duty_by_records
from mailbot.flows.situations import Situations
from mailbot.flows.subject import SubjectFinder
from mailbot.flows.weighing import Weighing
from mailbot.triage.screen import OwnMarks


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationParts:
    """The same for every mail; ``now`` is business time. ``file_readings`` reads files at once, or has the mail
    parked meanwhile."""

    catalogue: Catalogue
    marks: OwnMarks
    mailboxes: Mapping[str, ServedMailbox]
    now: Callable[[], datetime]
    file_readings: FileReadings
    weighing: Weighing
    subjects: SubjectFinder
    situations: Situations

    def readings(self, case: Case) -> MailReadings:
        """What the case's files say."""
        return MailReadings(
            case.mail,
            case.files,
            past=case.known,
            most_bytes=self.catalogue.largest_file_bytes,
            file_readings=self.file_readings,
        )

    def staff(self, known: Knowledge) -> Staff:
        """Who works here now: that may change while we run."""
        return duty_by_records(known.agent_records(), self.catalogue, self.now()).staff

    def no_customers(self, known: Knowledge) -> frozenset[str]:
        """Addresses that are no customer's."""
        return self.marks.own_addresses | {agent.address for agent in self.staff(known).agents}


def examination_parts(
    *,
    catalogue: Catalogue,
    marks: OwnMarks,
    file_readings: FileReadings,
    orders: OrderHouse,
    mailboxes: Mapping[str, ServedMailbox],
    now: Callable[[], datetime],
) -> ExaminationParts:
    """The parts, wired up. ``file_readings`` reads files, ``marks`` tell our own letters."""
    weighing = Weighing(catalogue=catalogue, keyed=partial(keyed_digest, marks.secret_key))
    house = House(catalogue=catalogue, mailboxes=mailboxes)
    return ExaminationParts(
        catalogue=catalogue,
        marks=marks,
        mailboxes=mailboxes,
        now=now,
        file_readings=file_readings,
        weighing=weighing,
        subjects=SubjectFinder(catalogue=catalogue, weighing=weighing, house=house),
        situations=Situations(catalogue=catalogue, orders=orders, secret_key=marks.secret_key),
    )
