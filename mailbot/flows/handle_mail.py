"""START READING HERE. One stored mail becomes a ticket, an answer, or a line in the log: in one commit.

::

    read ─▶ store files ─▶ examine ─▶ decide ─▶ carry out ─▶ letters ─▶ commit

``examine.py`` finds out, ``triage/decide.py`` chooses, ``triage/carry_out.py`` makes the ticket's new value,
``correspondence/letters.py`` plans the letters, ``outgoing.py`` writes them; ``making_changes.py`` does of that
before the commit what need not be done in it. This module only keeps the order.
Which mail comes next, and what happens when a step fails, is ``intake.py``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.errors import ConcurrentChange, MailTooLarge
from mailbot.domain.events import StoredFile
from mailbot.domain.evidence import EvidenceReport
from mailbot.domain.ledger import MAX_DEATHS, TOO_LARGE, ClaimedMail, MailOutcome, MailResult
from mailbot.domain.mail import Bounce, InboundMail
from mailbot.domain.mailbox import SENT_FOLDER
from mailbot.domain.ticket_change import TicketChange
from mailbot.flows.archive import Archive
from mailbot.flows.away import note_absence, note_return, speaks_of_absence
from mailbot.flows.bounced import bounce_change
from mailbot.flows.case import Examination, ScreenedOut, Understood
from mailbot.flows.change_contact import change_contact
from mailbot.flows.errand_desk import confirm_errand, was_told_today
from mailbot.flows.examination_parts import ExaminationParts
from mailbot.flows.examine import Examiner
from mailbot.flows.letter_office import LetterOffice
from mailbot.flows.mail_as_cause import CONFLICTS_AT_MOST, stored_files
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.making_changes import ChangeMaker, PreparedChange
from mailbot.flows.outgoing import WrittenLetter
from mailbot.flows.ports import BlobStore, MailReader, Storage, UnitOfWork
from mailbot.flows.query_answers import answer_query, count_vote
from mailbot.flows.recount import Recounter
from mailbot.flows.remember import KnowledgeForOneMail
from mailbot.flows.repeated_mails import as_duplicate, as_replay, log_reason, mail_result, take_place_of_note
from mailbot.flows.retype import Retyping, type_ordered
from mailbot.flows.roster import duty_now
from mailbot.flows.write_change import write_change
from mailbot.mime.structure import header_only
from mailbot.triage.decisions import ActOnQuery, AnswerAgent, AnswerQuery, ConfirmErrand, Discard
from mailbot.triage.situation import Situation

_log = structlog.get_logger("mailbot.intake")

ClaimNext = Callable[[UnitOfWork], ClaimedMail | None]
"""Claims the next mail in the transaction that ends this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What became of a mail, and the mail that was claimed in the commit that ended it."""

    result: MailResult
    claimed_next: ClaimedMail | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A mail before its commit: what was found out, and the change that was prepared, if one was."""

    found: Examination
    files: tuple[StoredFile, ...]
    prepared: PreparedChange | None


_ABOUT_NO_TICKET = Discard | AnswerQuery | AnswerAgent | ConfirmErrand


class MailHandler:
    """Brings one claimed mail to its end."""

    def __init__(
        self,
        *,
        storage: Storage,
        blobs: BlobStore,
        reader: MailReader,
        parts: ExaminationParts,
        office: LetterOffice,
        calendar: BusinessCalendar,
        mailboxes: Mapping[str, ServedMailbox],
    ) -> None:
        self._storage = storage
        self._blobs = blobs
        self._reader = reader
        self._parts = parts
        self._examiner = Examiner(parts)
        self._office = office
        self._changes = ChangeMaker(parts=parts, office=office, calendar=calendar)
        self._mailboxes = mailboxes
        archive = Archive(storage=storage, blobs=blobs, reader=reader)
        self._retyping = Retyping(archive=archive, recounter=Recounter(parts))

    def handle(self, claimed: ClaimedMail, *, claim_next: ClaimNext) -> Handled:
        """Do with a mail what is to be done with it, in one commit.

        Raises ``WaitsForReading`` where it is to be parked until its files are read, ``LeaseLost`` where it is
        another's by now, ``StorageUnavailable``, and whatever is wrong with the mail; nothing is written then.
        """
        if claimed.deaths >= MAX_DEATHS:
            return self._end(claimed, _quarantined(f"the daemon died {claimed.deaths} times with this mail"))
        mailbox = self._mailboxes[claimed.mailbox]
        raw = self._blobs.get(claimed.raw_digest)
        mail, too_large_bytes = self._read(raw, claimed)
        if too_large_bytes is not None and claimed.folder != SENT_FOLDER:
            return self._refuse_large_mail(claimed, mailbox, mail, too_large_bytes)
        return self._understand(claimed, mailbox, mail, claim_next)

    def _read(self, raw: bytes, claimed: ClaimedMail) -> tuple[InboundMail, int | None]:
        """The mail, and its size where only its header could be had because it is too large."""
        try:
            return self._reader.read(raw), claimed.oversize_bytes
        except MailTooLarge:
            return self._reader.read(header_only(raw)), len(raw)

    def _understand(
        self, claimed: ClaimedMail, mailbox: ServedMailbox, mail: InboundMail, claim_next: ClaimNext
    ) -> Handled:
        for _ in range(CONFLICTS_AT_MOST):
            ready = self._get_ready(claimed, mailbox, mail)
            if isinstance(ready, MailResult):
                return self._end(claimed, ready)
            try:
                return self._do(claimed, mailbox, ready, claim_next)
            except ConcurrentChange:
                # Somebody else changed the ticket meanwhile: what was found out may no longer hold.
                _log.info("ticket changed meanwhile", action="intake.conflict", mail_id=claimed.id)
        raise ConcurrentChange(f"mail {claimed.id}: the ticket kept changing")

    def _get_ready(self, claimed: ClaimedMail, mailbox: ServedMailbox, mail: InboundMail) -> _Ready | MailResult:
        """Whatever can be done before the commit, at one look at what came before the mail: its files stored, what
        it is found out, and the change prepared. The mail's end where nothing is to be done with it."""
        with KnowledgeForOneMail(self._storage) as known:
            not_wanted = self._not_to_be_processed(claimed, mail, known)
            if not_wanted is not None:
                return not_wanted
            files = self._store_files(mail, known)
            found = self._find_out(claimed, mailbox, mail, files, known)
            return _Ready(found=found, files=files, prepared=self._prepared(claimed, found, files, known))

    @staticmethod
    def _not_to_be_processed(
        claimed: ClaimedMail, mail: InboundMail, known: KnowledgeForOneMail
    ) -> MailResult | None:
        with known.transaction() as work:
            duplicate = as_duplicate(work, claimed, mail)
        if duplicate is not None:
            return duplicate
        if claimed.suspect and not claimed.released:
            return mail_result(MailOutcome.QUARANTINED, mail, reason=claimed.suspect)
        return None

    def _store_files(self, mail: InboundMail, known: KnowledgeForOneMail) -> tuple[StoredFile, ...]:
        if mail.attachments:
            # No transaction stays open while the disk takes its time.
            known.close_for_now()
        digests = self._blobs.put_many([attachment.content for attachment in mail.attachments])
        return stored_files(mail, digests)

    def _find_out(
        self,
        claimed: ClaimedMail,
        mailbox: ServedMailbox,
        mail: InboundMail,
        files: Sequence[StoredFile],
        known: KnowledgeForOneMail,
    ) -> Examination:
        """What the mail comes to; of a ticket that gets another type, by all its mails."""

        def examine(looked_again: Mapping[str, EvidenceReport] | None = None) -> Examination:
            return self._examiner.examine(
                mail,
                files,
                mailbox,
                known,
                in_sent_folder=claimed.folder == SENT_FOLDER,
                confirmed=claimed.confirmed,
                looked_again=looked_again,
            )

        found = examine()
        if not isinstance(found, Understood):
            return found
        ticket, ordered = found.situation.ticket, type_ordered(found)
        if ordered or isinstance(found.decision, ActOnQuery):
            # No transaction stays open while all mails of a ticket are read, and their files.
            known.close_for_now()
        if ticket is None or not ordered:
            return self._retyping.with_evidence_of_new_type(found, files, mailbox)
        again = self._retyping.recount(ticket, ordered, found.mailbox)
        if again is None:
            return found
        found = examine({ordered: again.report})
        if not isinstance(found, Understood):
            return found
        return replace(found, new_readings=(*found.new_readings, *again.new_readings))

    def _prepared(
        self,
        claimed: ClaimedMail,
        found: Examination,
        files: tuple[StoredFile, ...],
        known: KnowledgeForOneMail,
    ) -> PreparedChange | None:
        """As :meth:`ChangeMaker.prepare`; ``None`` also where no ticket is changed."""
        if isinstance(found, ScreenedOut) or isinstance(found.decision, _ABOUT_NO_TICKET):
            return None
        with known.transaction() as work:
            return self._changes.prepare(work, claimed, found, files)

    # --- one commit each ---

    def _do(
        self,
        claimed: ClaimedMail,
        mailbox: ServedMailbox,
        ready: _Ready,
        claim_next: ClaimNext,
    ) -> Handled:
        found = ready.found
        if isinstance(found, ScreenedOut):
            if isinstance(found.screening, Bounce):
                return self._record_bounce(claimed, mailbox, found.mail, found.screening)
            return self._discard(claimed, found.mail, found.screening.reason)
        decision = found.decision
        if isinstance(decision, Discard):
            return self._discard(claimed, found.mail, decision.reason)
        if isinstance(decision, AnswerQuery | AnswerAgent | ConfirmErrand):
            return self._answer(claimed, mailbox, found, decision)
        return self._change_ticket(claimed, found, ready, claim_next)

    def _change_ticket(
        self, claimed: ClaimedMail, found: Understood, ready: _Ready, claim_next: ClaimNext
    ) -> Handled:
        with self._storage.write() as work:
            # Copies of one mail may be in several hands at once: the Sent folder's and the inbox's are of
            # different conversations. Whose change of the ticket comes second is examined anew, and sees it.
            repeated = as_duplicate(work, claimed, found.mail) or as_replay(work, claimed, found)
            if repeated is not None:
                work.mails.finish(claimed, repeated, now=real_now())
                return Handled(result=repeated)
            change, letters = self._changes.finish(work, claimed, found, ready.files, ready.prepared)
            self._write(work, claimed, found, change)
            self._tell_of_change(work, claimed, found, change, letters)
            result = mail_result(
                MailOutcome.TICKET if change.before is None else MailOutcome.MESSAGE,
                found.mail,
                reason=log_reason(work, claimed, found),
                ticket_number=change.after.number,
            )
            work.mails.finish(claimed, result, now=real_now())
            claimed_next = claim_next(work)
        return Handled(result=result, claimed_next=claimed_next)

    def _tell_of_change(
        self,
        work: UnitOfWork,
        claimed: ClaimedMail,
        found: Understood,
        change: TicketChange,
        letters: Sequence[WrittenLetter] | None,
    ) -> None:
        now = found.situation.now
        if not claimed.answer:
            return
        if letters is None:
            self._office.tell(work, change, found.mailbox, now=now, mail_id=claimed.id)
        else:
            self._office.enqueue(work, change, letters, now=now, mail_id=claimed.id)

    def _write(self, work: UnitOfWork, claimed: ClaimedMail, found: Understood, change: TicketChange) -> None:
        situation = found.situation
        write_change(work, change)
        self._note_presence(work, found)
        if change.contact is not None:
            change_contact(work, change.contact, actor=situation.sender.address.address, now=situation.now)
        take_place_of_note(work, claimed, found.mail)
        work.house.keep_readings(found.new_readings)

    def _note_presence(self, work: UnitOfWork, found: Understood) -> None:
        """An agent's mailbox says that they are away, or they have written themselves."""
        situation = found.situation
        if speaks_of_absence(situation.screening):
            staff = duty_now(work, self._parts.catalogue, situation.now).staff
            away = note_absence(work, found.mail, situation.sender, staff, now=situation.now)
            if away is not None:
                _log.info("agent away", action="intake.agent_away", agent=away)
        elif situation.sender.agent_key is not None and situation.screening.may_answer:
            note_return(work, situation.sender.agent_key)

    def _answer(
        self,
        claimed: ClaimedMail,
        mailbox: ServedMailbox,
        found: Understood,
        decision: AnswerQuery | AnswerAgent | ConfirmErrand,
    ) -> Handled:
        """A customer word or an agent's errand that changes no ticket: a letter and a line in the log."""
        with self._storage.write() as work:
            result = as_duplicate(work, claimed, found.mail)
            if result is None:
                reason = self._tell(work, claimed, mailbox, found.situation, decision)
                result = mail_result(MailOutcome.QUERY, found.mail, reason=reason)
            work.mails.finish(claimed, result, now=real_now())
        return Handled(result=result)

    def _tell(
        self,
        work: UnitOfWork,
        claimed: ClaimedMail,
        mailbox: ServedMailbox,
        situation: Situation,
        decision: AnswerQuery | AnswerAgent | ConfirmErrand,
    ) -> str:
        """Write what was asked for; returns what the log says of it."""
        match decision:
            case ConfirmErrand():
                return confirm_errand(work, decision, now=real_now())
            case AnswerQuery():
                count_vote(work, decision, situation, knowledge=self._parts.catalogue.knowledge)
                if claimed.answer:
                    answer_query(work, self._office, decision, situation, mailbox, mail_id=claimed.id)
                return decision.reason or decision.answer
            case AnswerAgent():
                if claimed.answer:
                    self._answer_agent(work, claimed, mailbox, situation, decision)
                return decision.reason

    def _answer_agent(
        self,
        work: UnitOfWork,
        claimed: ClaimedMail,
        mailbox: ServedMailbox,
        situation: Situation,
        decision: AnswerAgent,
    ) -> None:
        sender, now = situation.sender, situation.now
        if not was_told_today(work, decision, sender.address.address, now=now):
            self._office.answer_agent(work, decision.transcript, sender, mailbox, now=now, mail_id=claimed.id)

    def _record_bounce(
        self, claimed: ClaimedMail, mailbox: ServedMailbox, mail: InboundMail, bounce: Bounce
    ) -> Handled:
        now = self._parts.now()
        with self._storage.write() as work:
            change = bounce_change(work, mail, bounce, mail_id=claimed.id, now=now, answer=claimed.answer)
            if change is not None:
                write_change(work, change)
                if claimed.answer:
                    mailbox = self._mailboxes.get(change.after.mailbox, mailbox)
                    self._office.tell(work, change, mailbox, now=now, mail_id=claimed.id)
            result = mail_result(
                MailOutcome.BOUNCE,
                mail,
                reason="delivery_failed" if change else "no_letter_failed",
                ticket_number=change.after.number if change else None,
            )
            work.mails.finish(claimed, result, now=real_now())
        return Handled(result=result)

    def _refuse_large_mail(
        self, claimed: ClaimedMail, mailbox: ServedMailbox, mail: InboundMail, size_bytes: int
    ) -> Handled:
        """The sender is told, if a person may have written it for the first time; the mail itself stays where it
        is."""
        with KnowledgeForOneMail(self._storage) as known:
            not_wanted = self._not_to_be_processed(claimed, mail, known)
            answerable = claimed.answer and self._examiner.may_answer(mail, mailbox, known)
        if not_wanted is not None:
            return self._end(claimed, not_wanted)
        now = self._parts.now()
        result = mail_result(MailOutcome.DISCARDED, mail, reason=TOO_LARGE)
        with self._storage.write() as work:
            if answerable:
                self._office.refuse_large_mail(work, mail, size_bytes, mailbox, mail_id=claimed.id, now=now)
            work.mails.finish(claimed, result, now=real_now())
        return Handled(result=result)

    def _discard(self, claimed: ClaimedMail, mail: InboundMail, reason: str) -> Handled:
        return self._end(claimed, mail_result(MailOutcome.DISCARDED, mail, reason=reason))

    def _end(self, claimed: ClaimedMail, result: MailResult) -> Handled:
        with self._storage.write() as work:
            work.mails.finish(claimed, result, now=real_now())
        return Handled(result=result)


def real_now() -> datetime:
    """What the ledger goes by: collecting, claims and waits know nothing of a business clock set for a trial."""
    return datetime.now(UTC)


def _quarantined(reason: str) -> MailResult:
    return MailResult(outcome=MailOutcome.QUARANTINED, reason=reason)
