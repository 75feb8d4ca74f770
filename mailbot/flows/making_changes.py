"""What a mail makes of its ticket, and the letters about it: ``(Understood, UnitOfWork) -> TicketChange``.

A commit is everybody's narrow pass: on SQLite one process writes at a time. So whatever can be known before it is
done before it, and above all the letters are written then (:class:`PreparedChange`). What only the commit can know
is the number of a new ticket, for among the numbers there are no gaps: another, which no ticket has, keeps its
place. Where the commit decides more than that (whose turn it is, a new customer's record, a letter that is taken
back), the change is made in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mailbot.catalogue.on_duty import Duty
from mailbot.correspondence.letters import taken_back
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.events import StoredFile
from mailbot.domain.ledger import ClaimedMail
from mailbot.domain.mailbox import SENT_FOLDER
from mailbot.domain.ticket_change import TicketChange
from mailbot.flows.away import speaks_of_absence
from mailbot.flows.case import Understood
from mailbot.flows.customer_of_ticket import is_to_be_registered, with_new_customer
from mailbot.flows.examination_parts import ExaminationParts
from mailbot.flows.letter_office import LetterOffice
from mailbot.flows.mail_as_cause import placeholder_number, year_of
from mailbot.flows.outgoing import WrittenLetter
from mailbot.flows.ports import UnitOfWork
from mailbot.flows.roster import duty_now, handed_out
from mailbot.flows.whole_change import WholeChanges
from mailbot.triage.assignment import is_to_be_handed_out
from mailbot.triage.situation import Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedChange:
    """A change and its letters, written before its commit. Where it opens a ticket, its number and the letters'
    subject and text say ``placeholder`` where the ticket's own number will stand; nothing else of it may."""

    change: TicketChange
    letters: tuple[WrittenLetter, ...]
    placeholder: str = ""

    def numbered(self, number: str) -> PreparedChange:
        """The same with the number of the new ticket."""
        change = replace(self.change, after=replace(self.change.after, number=number))
        letters = tuple(one.numbered(number, instead_of=self.placeholder) for one in self.letters)
        return PreparedChange(change=change, letters=letters)


class ChangeMaker:
    """Carries out what was decided about a mail, with what else follows from it."""

    def __init__(self, *, parts: ExaminationParts, office: LetterOffice, calendar: BusinessCalendar) -> None:
        self._parts = parts
        self._office = office
        self._calendar = calendar
        self._changes = WholeChanges(parts=parts, calendar=calendar)

    def prepare(
        self, work: UnitOfWork, claimed: ClaimedMail, found: Understood, files: tuple[StoredFile, ...]
    ) -> PreparedChange | None:
        """The change that ``found`` calls for, from what ``work`` reads; nothing is stored. ``None`` where more of
        it than a number is for its commit to decide. What was sent from the mailbox may take the place of a note,
        which the commit drops."""
        situation, placeholder = found.situation, placeholder_number()
        duty = duty_now(work, self._parts.catalogue, situation.now)
        change = self._carried_out(work, claimed, found, files, duty, next_number=lambda _: placeholder)
        if claimed.folder == SENT_FOLDER or _needs_the_commit(change, situation, duty):
            return None
        letters = (
            self._office.write(work, change, found.mailbox, duty, now=situation.now) if claimed.answer else ()
        )
        if change.before is not None:
            return PreparedChange(change=change, letters=letters)
        if any(one.takes_apart(placeholder) for one in letters):
            return None
        return PreparedChange(change=change, letters=letters, placeholder=placeholder)

    def finish(
        self,
        work: UnitOfWork,
        claimed: ClaimedMail,
        found: Understood,
        files: tuple[StoredFile, ...],
        prepared: PreparedChange | None,
    ) -> tuple[TicketChange, tuple[WrittenLetter, ...] | None]:
        """The change in its commit, and its letters if they are written."""
        if prepared is None:
            return self._made(work, claimed, found, files), None
        if prepared.placeholder:
            prepared = prepared.numbered(work.tickets.next_number(year_of(found.situation, self._calendar)))
        return prepared.change, prepared.letters

    def _made(
        self, work: UnitOfWork, claimed: ClaimedMail, found: Understood, files: tuple[StoredFile, ...]
    ) -> TicketChange:
        situation = found.situation
        duty = duty_now(work, self._parts.catalogue, situation.now)
        change = self._carried_out(work, claimed, found, files, duty, next_number=work.tickets.next_number)
        change = with_new_customer(work, change, situation, mail_id=claimed.id, now=situation.now)
        return handed_out(work, change, duty)

    def _carried_out(
        self,
        work: UnitOfWork,
        claimed: ClaimedMail,
        found: Understood,
        files: tuple[StoredFile, ...],
        duty: Duty,
        *,
        next_number: Callable[[int], str],
    ) -> TicketChange:
        return self._changes.of(
            found,
            staff=duty.staff,
            record_of=work.customers.get,
            files=files,
            mail_id=claimed.id,
            next_number=next_number,
            answers=claimed.answer,
        )


def _needs_the_commit(change: TicketChange, situation: Situation, duty: Duty) -> bool:
    """Whether the commit decides more of a change than a number: two tickets are opened at once, a new one's
    number is told in other places than :class:`PreparedChange` knows, letters are taken back that may just be
    leaving, a customer gets a record, it is somebody's turn, or an agent is away or here again by this mail."""
    tells_number = change.before is None and (change.transcript is not None or change.invites)
    moves_agent = speaks_of_absence(situation.screening) or situation.sender.agent_key in duty.away
    return (
        change.beside is not None
        or tells_number
        or moves_agent
        or bool(taken_back(change))
        or is_to_be_registered(change, situation)
        or is_to_be_handed_out(change, duty)
    )
