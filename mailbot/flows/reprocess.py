"""REPROCESS. Stored mails once more, on an administrator's word: ``InboundRow ─▶ Task ─▶ Reprocessed``.

A mail without outcome goes through intake as if it came now. A ticket's mails are counted again, all of them
from their stored bytes, and only what differs is changed (INTERFACE *Reprocess*). Changed code or rules alone
do nothing; doing it twice does nothing the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.errors import ConcurrentChange, MailTooLarge, UnreadableMail
from mailbot.domain.events import LetterStatus, OutboundLetter
from mailbot.domain.evidence import Finding
from mailbot.domain.ledger import MAX_ATTEMPTS, TOO_LARGE, ClaimedMail, InboundRow, MailOutcome
from mailbot.domain.mail import Bounce, InboundMail
from mailbot.domain.mailbox import SENT_FOLDER
from mailbot.domain.ticket import Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.evidence.reading import NOT_READ
from mailbot.flows.archive import Archive, kept_mails, rows_that_count
from mailbot.flows.case import Recount, ScreenedOut
from mailbot.flows.examination_parts import ExaminationParts
from mailbot.flows.examine import Examiner
from mailbot.flows.intake import Intake
from mailbot.flows.letter_office import LAST_MESSAGES, LetterOffice
from mailbot.flows.mail_as_cause import CONFLICTS_AT_MOST, nobodys_number
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.outgoing import Outgoing, WrittenLetter
from mailbot.flows.ports import UnitOfWork
from mailbot.flows.recount import Recounter
from mailbot.flows.remember import StoredKnowledge
from mailbot.flows.roster import duty_now, handed_out
from mailbot.flows.whole_change import WholeChanges
from mailbot.flows.write_change import write_change
from mailbot.triage.correct import SecondLook, correct, is_in_hands
from mailbot.triage.decisions import AnswerAgent, AnswerQuery, ConfirmErrand, Discard
from mailbot.triage.guided import Beside, beside

_log = structlog.get_logger("mailbot.reprocess")


@dataclass(frozen=True, slots=True, kw_only=True)
class AsNew:
    """A mail without outcome, to go through intake as if it came now."""

    mail: InboundRow


@dataclass(frozen=True, slots=True, kw_only=True)
class CountAgain:
    """A ticket whose mails are to be counted again; ``mail_ids`` are those that were asked for."""

    number: str
    mail_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveAlone:
    """A mail with which nothing is to be done: in line already, known, or a bounce."""

    mail: InboundRow


Task = AsNew | CountAgain | LeaveAlone


@dataclass(frozen=True, slots=True, kw_only=True)
class Reprocessed:
    """What came of a task, or in a trial would come.

    ``before`` is absent for what had no ticket, ``after`` for what has none now. ``letters`` are those written
    because of it. ``problem`` says why nothing could be done.
    """

    mail_ids: tuple[int, ...]
    ticket_number: str | None = None
    outcome: MailOutcome | None = None
    reason: str = ""
    changed: bool = False
    before: Ticket | None = None
    after: Ticket | None = None
    letters: tuple[OutboundLetter, ...] = ()
    problem: str = ""


def tasks_for(mails: Iterable[InboundRow]) -> list[Task]:
    """What reprocessing these mails means, oldest first; a ticket is counted once for all of its mails."""
    rows = sorted({mail.id: mail for mail in mails}.values(), key=lambda mail: mail.id)
    asked_of: dict[str, list[int]] = {}
    tasks: dict[str, Task] = {}
    for mail in rows:
        if mail.outcome in (MailOutcome.QUARANTINED, MailOutcome.DISCARDED):
            tasks[f"mail {mail.id}"] = AsNew(mail=mail)
        elif mail.outcome in (MailOutcome.TICKET, MailOutcome.MESSAGE) and mail.ticket_number:
            asked_of.setdefault(mail.ticket_number, []).append(mail.id)
            mail_ids = tuple(asked_of[mail.ticket_number])
            tasks[mail.ticket_number] = CountAgain(number=mail.ticket_number, mail_ids=mail_ids)
        else:
            tasks[f"mail {mail.id}"] = LeaveAlone(mail=mail)
    return list(tasks.values())


class NeverTwice(Outgoing):
    """An outbox in which a letter that a mail has caused is not written again for the same mail."""

    def enqueue(
        self,
        work: UnitOfWork,
        written: Iterable[WrittenLetter],
        *,
        now: datetime,
        mail_id: int | None = None,
        answers: str = "",
    ) -> list[OutboundLetter]:
        """As :meth:`Outgoing.enqueue`, without those that went out (or will) for ``mail_id`` before."""
        fresh = self.not_yet_told(work, written, mail_id=mail_id)
        return super().enqueue(work, fresh, now=now, mail_id=mail_id, answers=answers)

    def not_yet_told(
        self, work: UnitOfWork, written: Iterable[WrittenLetter], *, mail_id: int | None
    ) -> list[WrittenLetter]:
        """The letters that ``mail_id`` has not caused yet."""
        known = [] if mail_id is None else work.outbox.letters_for_mail(mail_id)
        told = {_sense(letter) for letter in known if letter.status is not LetterStatus.CANCELLED}
        return [one for one in written if _sense(one.letter) not in told]


def _sense(letter: OutboundLetter) -> tuple[str, str, str]:
    """What makes two letters the same: kind, recipient and words, whatever their handles and what was drawn."""
    words = letter.pages.wording if letter.pages else letter.text.replace(letter.handle, "")
    return letter.letter, letter.recipient.address, words


class Reprocess:
    """Does tasks, one at a time. ``intake`` and ``office`` write through ``outgoing``, which writes no letter
    twice; ``intake`` is not the daemon's."""

    def __init__(
        self,
        *,
        archive: Archive,
        parts: ExaminationParts,
        office: LetterOffice,
        outgoing: NeverTwice,
        intake: Intake,
        calendar: BusinessCalendar,
        mailboxes: Mapping[str, ServedMailbox],
        owner: str,
    ) -> None:
        self._archive = archive
        self._storage = archive.storage
        self._parts = parts
        self._examiner = Examiner(parts)
        self._recounter = Recounter(parts)
        self._office = office
        self._outgoing = outgoing
        self._intake = intake
        self._calendar = calendar
        self._changes = WholeChanges(parts=parts, calendar=calendar)
        self._mailboxes = mailboxes
        self._owner = owner
        self._known = StoredKnowledge(archive.storage)

    def do(self, task: Task, *, quiet: bool = False, dry_run: bool = False) -> Reprocessed:
        """Do a task, or with ``dry_run`` say what it would do and write nothing. ``quiet``: no letter leaves.

        Raises ``StorageUnavailable``.
        """
        match task:
            case AsNew():
                return self._try_as_new(task.mail, quiet) if dry_run else self._as_new(task.mail, quiet)
            case CountAgain():
                return self._count_again(task, quiet=quiet, dry_run=dry_run)
            case LeaveAlone():
                return _left_alone(task.mail)

    # --- mails without outcome -----------------------------------------------------------------------------------

    def _as_new(self, row: InboundRow, quiet: bool) -> Reprocessed:
        if row.mailbox not in self._mailboxes:
            return _not_served(row)
        with self._storage.write() as work:
            known = {letter.message_id for letter in work.outbox.letters_for_mail(row.id)}
            work.mails.reopen(row.id, now=datetime.now(UTC), released=False)
            claimed = self._claim(work, row.id)
        for _ in range(MAX_ATTEMPTS):
            if claimed is None:
                break
            outcome = self._intake.process(replace(claimed, answer=claimed.answer and not quiet))
            # What it claimed ahead is the daemon's.
            self._intake.stop()
            if outcome is not MailOutcome.PENDING:
                break
            with self._storage.write() as work:
                claimed = self._claim(work, row.id)
        return self._what_became_of(row, known)

    def _claim(self, work: UnitOfWork, mail_id: int) -> ClaimedMail | None:
        return work.mails.claim_by_id(mail_id, owner=self._owner, real_now=datetime.now(UTC))

    def _what_became_of(self, row: InboundRow, known: set[str]) -> Reprocessed:
        with self._storage.read() as work:
            now = work.mails.get(row.id) or row
            ticket = work.tickets.get(now.ticket_number) if now.ticket_number else None
            letters = [one for one in work.outbox.letters_for_mail(row.id) if one.message_id not in known]
        return Reprocessed(
            mail_ids=(row.id,),
            ticket_number=now.ticket_number,
            outcome=now.outcome,
            reason=now.reason,
            changed=(now.outcome, now.reason) != (row.outcome, row.reason),
            after=ticket,
            letters=tuple(letters),
        )

    def _try_as_new(self, row: InboundRow, quiet: bool) -> Reprocessed:
        """What intake would do, without doing it."""
        mailbox = self._mailboxes.get(row.mailbox)
        if mailbox is None:
            return _not_served(row)
        try:
            mail = self._archive.read(row)
        except MailTooLarge:
            return _would_be(row, MailOutcome.DISCARDED, TOO_LARGE)
        except UnreadableMail as error:
            return _would_be(row, MailOutcome.QUARANTINED, str(error))
        with self._storage.read() as work:
            earlier = work.mails.seen_before(
                mail.message_id, mail.identity, mail_id=row.id, unverified_copies=row.folder != SENT_FOLDER
            )
        if earlier is not None:
            return _would_be(row, MailOutcome.DUPLICATE, f"same as mail {earlier}")
        if row.suspect and not row.released:
            return _would_be(row, MailOutcome.QUARANTINED, row.suspect)
        return self._would_become(row, mail, mailbox, quiet=quiet)

    def _would_become(
        self, row: InboundRow, mail: InboundMail, mailbox: ServedMailbox, *, quiet: bool
    ) -> Reprocessed:
        files = self._archive.files(mail, {}, store=False)
        in_sent_folder = row.folder == SENT_FOLDER
        found = self._examiner.examine(mail, files, mailbox, self._known, in_sent_folder=in_sent_folder)
        if isinstance(found, ScreenedOut):
            if isinstance(found.screening, Bounce):
                return _would_be(row, MailOutcome.BOUNCE, "")
            return _would_be(row, MailOutcome.DISCARDED, found.screening.reason)
        if isinstance(found.decision, Discard):
            return _would_be(row, MailOutcome.DISCARDED, found.decision.reason)
        if isinstance(found.decision, AnswerQuery):
            return _would_be(row, MailOutcome.QUERY, found.decision.reason or found.decision.answer)
        if isinstance(found.decision, AnswerAgent | ConfirmErrand):
            reason = found.decision.reason if isinstance(found.decision, AnswerAgent) else ""
            return _would_be(row, MailOutcome.QUERY, reason)
        answers = row.answer and not quiet
        change = self._changes.of(
            found,
            staff=self._parts.staff(self._known),
            record_of=self._known.customer,
            files=files,
            mail_id=row.id,
            answers=answers,
        )
        opens = change.before is None
        return Reprocessed(
            mail_ids=(row.id,),
            ticket_number=None if opens else change.after.number,
            outcome=MailOutcome.TICKET if opens else MailOutcome.MESSAGE,
            changed=True,
            before=change.before,
            after=change.after,
            letters=self._would_write(change, found.mailbox, row.id) if answers else (),
        )

    # --- tickets -------------------------------------------------------------------------------------------------

    def _count_again(self, task: CountAgain, *, quiet: bool, dry_run: bool) -> Reprocessed:
        for _ in range(CONFLICTS_AT_MOST):
            try:
                return self._counted(task, quiet=quiet, dry_run=dry_run)
            except ConcurrentChange:
                # Somebody else changed the ticket meanwhile: what was counted may no longer hold.
                _log.info("ticket changed meanwhile", action="reprocess.conflict", ticket=task.number)
            except (UnreadableMail, MailTooLarge) as error:
                return Reprocessed(mail_ids=task.mail_ids, ticket_number=task.number, problem=str(error))
        return Reprocessed(mail_ids=task.mail_ids, ticket_number=task.number, problem="the ticket kept changing")

    def _counted(self, task: CountAgain, *, quiet: bool, dry_run: bool) -> Reprocessed:
        with self._storage.read() as work:
            ticket = work.tickets.get(task.number)
            messages = work.tickets.messages(task.number)
            in_hands = ticket is not None and is_in_hands(ticket, work.tickets.events(task.number))
            rows = rows_that_count(work, messages)
        mailbox = self._mailboxes.get(ticket.mailbox) if ticket is not None else None
        if ticket is None or mailbox is None or not rows:
            why = "its mailbox is switched off" if mailbox is None else "none of its mails is here"
            return Reprocessed(mail_ids=task.mail_ids, ticket_number=task.number, problem=why)
        if not self._parts.catalogue.has_type(ticket.request_type):
            why = f"its request type {ticket.request_type} is not in the catalogue"
            return Reprocessed(mail_ids=task.mail_ids, ticket_number=task.number, problem=why)
        recount = self._recounter.recount(
            kept_mails(self._archive, rows, ticket, messages, store=not dry_run),
            ticket,
            mailbox,
            self._known,
            in_hands=in_hands,
        )
        if _newly_unread(recount.report.findings, ticket.documents):
            return self._try_again_later(task, ticket, recount, dry_run=dry_run)
        look = SecondLook(
            request_type=recount.request_type,
            report=recount.report,
            in_hands=in_hands,
            may_ask=recount.may_answer and rows[-1].answer,
            verified=recount.verified,
            quiet=quiet,
            mail_id=rows[-1].id,
            now=self._parts.now(),
            calendar=self._calendar,
        )
        change = correct(ticket, look)
        letters: tuple[OutboundLetter, ...] = ()
        if change is not None:
            letters = (
                self._would_write(self._with_one_beside(change, look, nobodys_number), mailbox, look.mail_id)
                if dry_run
                else self._commit(change, mailbox, look, recount)
            )
        return Reprocessed(
            mail_ids=task.mail_ids,
            ticket_number=task.number,
            outcome=rows[-1].outcome,
            changed=change is not None,
            before=ticket,
            after=change.after if change else ticket,
            letters=letters,
        )

    def _try_again_later(
        self, task: CountAgain, ticket: Ticket, recount: Recount, *, dry_run: bool
    ) -> Reprocessed:
        """What was read is kept, so that the next time gets further; the ticket stays as it is."""
        if not dry_run:
            with self._storage.write() as work:
                work.house.keep_readings(recount.new_readings)
            problem = "not all of its files could be read now; nothing was changed, try again"
        return Reprocessed(
            mail_ids=task.mail_ids, ticket_number=task.number, before=ticket, after=ticket, problem=problem
        )

    def _commit(
        self, change: TicketChange, mailbox: ServedMailbox, look: SecondLook, recount: Recount
    ) -> tuple[OutboundLetter, ...]:
        with self._storage.write() as work:
            change = self._with_one_beside(change, look, work.tickets.next_number)
            change = handed_out(work, change, duty_now(work, self._parts.catalogue, look.now))
            write_change(work, change)
            letters = self._office.tell(work, change, mailbox, now=look.now, mail_id=look.mail_id)
            work.house.keep_readings(recount.new_readings)
        _log.info("ticket counted again", action="reprocess.changed", ticket=change.after.number)
        return tuple(letters)

    def _with_one_beside(
        self, change: TicketChange, look: SecondLook, next_number: Callable[[int], str]
    ) -> TicketChange:
        """The change with the ticket that newly given guidance opens beside it, if any."""
        ruling = change.after.ruling
        kind = self._parts.situations.type_opened_by(ruling) if ruling is not None and ruling.replies else None
        if kind is None:
            return change
        number = next_number(look.now.astimezone(look.calendar.zone).year)
        wanted = Beside(kind=kind, number=number, now=look.now, calendar=look.calendar, mail_id=look.mail_id)
        return beside(change, wanted)

    def _would_write(
        self, change: TicketChange, mailbox: ServedMailbox, mail_id: int
    ) -> tuple[OutboundLetter, ...]:
        now = self._parts.now()
        with self._storage.read() as work:
            messages = work.tickets.last_messages(change.after.number, LAST_MESSAGES)
            messages += [change.message] if change.message else []
            which = [ticket for number in change.which if (ticket := work.tickets.get(number)) is not None]
            planned = self._office.plan(
                change,
                mailbox,
                now=now,
                messages=tuple(messages[-LAST_MESSAGES:]),
                open_tickets=tuple(which),
            )
            if change.beside is not None and change.beside.message is not None:
                planned += self._office.plan(change.beside, mailbox, now=now, messages=(change.beside.message,))
            written = [self._outgoing.write(one, mailbox, now) for one in planned]
            fresh = self._outgoing.not_yet_told(work, written, mail_id=mail_id)
        return tuple(one.letter for one in fresh)


def _newly_unread(now: Iterable[Finding], before: Iterable[Finding]) -> bool:
    """Whether a file that had been read, or was never tried, could not be read now: no reason to ask for it."""
    known = {finding.sha256 for finding in before if NOT_READ in finding.reasons}
    return any(NOT_READ in finding.reasons and finding.sha256 not in known for finding in now)


def _left_alone(row: InboundRow) -> Reprocessed:
    return Reprocessed(mail_ids=(row.id,), ticket_number=row.ticket_number, outcome=row.outcome, reason=row.reason)


def _not_served(row: InboundRow) -> Reprocessed:
    problem = f"its mailbox {row.mailbox} is switched off"
    return Reprocessed(mail_ids=(row.id,), outcome=row.outcome, reason=row.reason, problem=problem)


def _would_be(row: InboundRow, outcome: MailOutcome, reason: str) -> Reprocessed:
    changed = (outcome, reason) != (row.outcome, row.reason)
    return Reprocessed(mail_ids=(row.id,), outcome=outcome, reason=reason, changed=changed)
