"""What all examinations of mail work with, made once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.staff import Staff
from mailbot.domain.mail import Address, Sender, keyed_digest
from mailbot.flows.case import Case
from mailbot.flows.house import House
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.order_desk import OrderHouse
from mailbot.flows.readings import FileReadings, MailReadings
from mailbot.flows.situations import Situations
from mailbot.flows.subject import SubjectFinder
from mailbot.flows.weighing import Weighing
from mailbot.triage.screen import OwnMarks


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationParts:
    """``staff`` tells who works here now, where that may change while we run."""

    catalogue: Catalogue
    marks: OwnMarks
    mailboxes: Mapping[str, ServedMailbox]
    staff: Callable[[], Staff]
    now: Callable[[], datetime]
    documents: FileReadings
    weighing: Weighing
    subjects: SubjectFinder
    situations: Situations

    def readings(self, case: Case, reader: FileReadings | None = None) -> MailReadings:
        """What the case's files say; read by ``reader`` where one is given."""
        return MailReadings(
            case.mail,
            case.files,
            past=case.known,
            most_bytes=self.catalogue.largest_file_bytes,
            reader=reader or self.documents,
        )

    def agent(self, sender: Sender) -> Address | None:
        """The roster's own entry of an agent: registered address and name."""
        spec = self.staff().agent(sender.agent_key) if sender.agent_key else None
        return None if spec is None else Address(address=spec.address, name=spec.name)

    def no_customers(self) -> frozenset[str]:
        """Addresses that are no customer's."""
        return self.marks.own_addresses | {agent.address for agent in self.staff().agents}


def examination_parts(
    *,
    catalogue: Catalogue,
    marks: OwnMarks,
    documents: FileReadings,
    orders: OrderHouse,
    mailboxes: Mapping[str, ServedMailbox],
    now: Callable[[], datetime],
    staff: Callable[[], Staff],
) -> ExaminationParts:
    """The parts, wired up. ``documents`` reads files, ``marks`` tell our own letters."""
    weighing = Weighing(catalogue=catalogue, keyed=partial(keyed_digest, marks.secret_key))
    house = House(catalogue=catalogue, mailboxes=mailboxes)
    return ExaminationParts(
        catalogue=catalogue,
        marks=marks,
        mailboxes=mailboxes,
        staff=staff,
        now=now,
        documents=documents,
        weighing=weighing,
        subjects=SubjectFinder(catalogue=catalogue, weighing=weighing, house=house),
        situations=Situations(catalogue=catalogue, orders=orders, staff=staff, secret_key=marks.secret_key),
    )
