"""START READING HERE. One stored mail becomes a ticket, an answer, or a line in the log: in one commit.

::

    claim ─▶ read ─▶ store files ─▶ examine ─▶ decide ─▶ carry out ─▶ letters ─▶ commit ─▶ next

``examine.py`` finds out, ``triage/decide.py`` chooses, ``triage/carry_out.py`` makes the ticket's new value,
``correspondence/letters.py`` plans the letters, ``outgoing.py`` writes them. This module only keeps the order
and sees to it that whatever happens, the next mail goes on: an exception counts as an attempt against the mail
at hand, and after three the mail is put aside with its cause.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.errors import (
    ConcurrentChange,
    LeaseLost,
    MailTooLarge,
    StorageUnavailable,
)
from mailbot.domain.events import StoredFile
from mailbot.domain.ledger import (
    MAX_ATTEMPTS,
    MAX_DEATHS,
    OPENED_FOR_CUSTOMER,
    TOO_LARGE,
    UNVERIFIED_COPY,
    ClaimedMail,
    MailOutcome,
    MailResult,
)
from mailbot.domain.mail import Bounce, InboundMail
from mailbot.domain.mailbox import SENT_FOLDER
from mailbot.domain.ticket_change import TicketChange
from mailbot.flows.archive import Archive
from mailbot.flows.away import note_absence, note_return, speaks_of_absence
from mailbot.flows.bounced import bounce_change
from mailbot.flows.case import Examination, ScreenedOut, Understood
from mailbot.flows.causes import cause_of
from mailbot.flows.change_contact import change_contact
from mailbot.flows.customer_of_ticket import with_new_customer
from mailbot.flows.errand_desk import confirm_errand, was_told_today
from mailbot.flows.examine import Examiner
from mailbot.flows.letter_office import LetterOffice
from mailbot.flows.mail_as_cause import CONFLICTS_AT_MOST, cause_for, stored_files
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.ports import BlobStore, MailReader, Storage, UnitOfWork
from mailbot.flows.query_answers import answer_query, count_vote
from mailbot.flows.reading_desk import Batch, ReadLater, WaitsForReading
from mailbot.flows.remember import StoredKnowledge
from mailbot.flows.retype import with_evidence_of_new_type
from mailbot.flows.roster import duty_now, handed_out
from mailbot.flows.write_change import write_change
from mailbot.mime.structure import header_only
from mailbot.triage.carry_out import carry_out
from mailbot.triage.decisions import AnswerAgent, AnswerQuery, ApplyAgentReply, ConfirmErrand, Discard, OpenTicket
from mailbot.triage.screen import ScreeningReason
from mailbot.triage.situation import Situation

_log = structlog.get_logger("mailbot.intake")

_SMALL_MAIL_BYTES = 300_000
"""What a mail of text and a PDF or two has at most: while readers have enough to do, only such mails are taken."""

_RETRY_AFTER = (timedelta(seconds=5), timedelta(seconds=60))

MESSAGE_ID_REUSED = "message_id_reused"
"""Reason in the log for a mail that went on like any other, under the Message-ID of a different mail."""

REPLAYED = "replayed"
"""Reason in the log for an agent's mail that came once more under another Message-ID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parked:
    """A mail that is ours and waits for its files to be read."""

    claimed: ClaimedMail
    batch: Batch


class Intake:
    """Works off stored mails, one at a time.

    After ``park_with`` a mail whose files take long to read is put aside meanwhile, and others pass.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        blobs: BlobStore,
        reader: MailReader,
        examiner: Examiner,
        office: LetterOffice,
        calendar: BusinessCalendar,
        mailboxes: Mapping[str, ServedMailbox],
        owner: str,
    ) -> None:
        self._parking: ReadLater | None = None
        self._parked: list[_Parked] = []
        self._goes_on_with_parked = False
        self._storage = storage
        self._blobs = blobs
        self._reader = reader
        self._examiner = examiner
        self._office = office
        self._calendar = calendar
        self._mailboxes = mailboxes
        self._owner = owner
        self._known = StoredKnowledge(storage)
        # The next mail, claimed in the commit that ended the one before: one commit a mail instead of two.
        self._claimed_ahead: ClaimedMail | None = None
        # Whether mails may be claimed in our name that nobody here has in hand: the database did not let us give
        # one back, or we did not hear that it let us claim one. Each would count as a death of the daemon when its
        # lease runs out.
        self._may_own_more = False
        # The mail in hand and since when, for the thread that looks whether it hangs.
        self._in_hand: tuple[ClaimedMail, float] | None = None

    def park_with(self, parking: ReadLater) -> None:
        """From now on put mails aside while their files are read."""
        self._parking = parking

    # --- one mail ---

    def process_next(self, *, early: bool = False) -> MailOutcome | None:
        """Take the next mail and bring it to its end; ``None`` if there is none.

        ``early`` counts the wait before another attempt as over (``run --once``).
        Raises ``StorageUnavailable`` when the database or the disk does not take part; nothing is lost then.
        """
        resumed = self.process_read()
        if resumed is not None:
            return resumed
        claimed, self._claimed_ahead = self._claimed_ahead, None
        if claimed is None:
            self._give_back_what_nobody_holds()
            claimed = self._claim_next(early=early)
        return None if claimed is None else self._bring_on(claimed)

    def _claim_next(self, *, early: bool) -> ClaimedMail | None:
        try:
            with self._storage.write() as work:
                return self._claim(work, early=early)
        except StorageUnavailable:
            self._may_own_more = True
            raise

    def leave_to_others(self) -> None:
        """Give back what was claimed ahead, because others work now and nobody here would come to it; what is put
        aside stays. Raises ``StorageUnavailable``; to be called again then."""
        if self._claimed_ahead is not None:
            self._claimed_ahead, self._may_own_more = None, True
        self._give_back_what_nobody_holds()

    def _give_back_what_nobody_holds(self) -> None:
        """To be called when no mail is in hand nor claimed ahead."""
        if not self._may_own_more:
            return
        put_aside = [one.claimed.id for one in self._parked]
        with self._storage.write() as work:
            work.mails.give_back_all(self._owner, ready_at=_real_now(), but=put_aside)
        self._may_own_more = False

    def process_read(self) -> MailOutcome | None:
        """Go on with a mail whose files are read by now; ``None`` if there is none. Raises as above."""
        parked = next((one for one in self._parked if one.batch.is_done), None)
        if parked is None or self._parking is None:
            return None
        with self._storage.write() as work:
            is_ours = work.mails.resume(parked.claimed, real_now=_real_now())
        self._parked.remove(parked)
        if not is_ours:
            _log.warning("lease lost", action="intake.lease_lost", mail_id=parked.claimed.id)
            return MailOutcome.PENDING
        self._parking.present(parked.batch)
        self._goes_on_with_parked = True
        try:
            return self._bring_on(parked.claimed)
        finally:
            self._goes_on_with_parked = False
            self._parking.forget()

    @property
    def parked(self) -> int:
        """How many mails wait for their files to be read; they come to no end before that."""
        return len(self._parked)

    def wait_for_readings(self, seconds: float) -> None:
        """Until the files of one of the mails put aside are read, for ``seconds`` at most."""
        if self._parked:
            self._parked[0].batch.wait(seconds)

    def _bring_on(self, claimed: ClaimedMail) -> MailOutcome:
        self._in_hand = (claimed, time.monotonic())
        try:
            return self.process(claimed)
        finally:
            self._in_hand = None

    def give_up_hanging(self, limit: timedelta) -> int | None:
        """Count an attempt against a mail that has been in hand for longer than ``limit``, and let it go.

        To be called by another thread than the one that processes, whose late result will not be written.
        Returns the mail's id, ``None`` if none hangs. Raises ``StorageUnavailable``.
        """
        in_hand = self._in_hand
        if in_hand is None or time.monotonic() - in_hand[1] < limit.total_seconds():
            return None
        claimed, _ = in_hand
        self._count_attempt(claimed, f"it took longer than {limit.total_seconds():g} s")
        return claimed.id

    def stop(self) -> None:
        """Give back all that is ours, if the database lets us; to be called when no mail is in hand."""
        if self._parked:
            self._may_own_more = True
            self._parked.clear()
        try:
            self.leave_to_others()
        except StorageUnavailable:
            _log.warning("mail not given back", action="intake.give_back_failed")

    def _claim(self, work: UnitOfWork, *, early: bool = False) -> ClaimedMail | None:
        real_now = _real_now()
        due_until = real_now + (_RETRY_AFTER[-1] if early else timedelta())
        # Mail of a mailbox that is switched off waits until it is switched on again.
        return work.mails.claim(
            owner=self._owner,
            mailboxes=self._mailboxes.keys(),
            now=due_until,
            real_now=real_now,
            at_most_bytes=_SMALL_MAIL_BYTES if self._readers_have_enough() else None,
        )

    def _readers_have_enough(self) -> bool:
        """Whether a further mail with photographs would only wait, here as well as in its place."""
        return self._parking is not None and len(self._parked) > self._parking.readers

    def process(self, claimed: ClaimedMail) -> MailOutcome:
        """Bring a claimed mail to its end, put it aside until its files are read, or count an attempt against it
        (both: ``pending``)."""
        began = time.monotonic()
        try:
            result = self._handle(claimed)
        except WaitsForReading as waiting:
            return self._park(claimed, waiting.batch)
        except LeaseLost:
            _log.warning("lease lost", action="intake.lease_lost", mail_id=claimed.id)
            return MailOutcome.PENDING
        except StorageUnavailable:
            # It may have been committed nevertheless, and with it the claim of the next.
            self._may_own_more = True
            self._give_back(claimed)
            raise
        except Exception as error:
            return self._count_attempt(claimed, cause_of(error))
        _log.info(
            "mail processed",
            action=f"intake.{result.outcome}",
            mail_id=claimed.id,
            ticket=result.ticket_number,
            reason=result.reason or None,
            seconds=round(time.monotonic() - began, 3),
        )
        return result.outcome

    def _park(self, claimed: ClaimedMail, batch: Batch) -> MailOutcome:
        """Keep the mail ours, but as one on which nobody works: if we die meanwhile it is not to blame."""
        try:
            with self._storage.write() as work:
                is_ours = work.mails.park(claimed)
        except StorageUnavailable:
            self._may_own_more = True
            batch.give_up()
            raise
        if is_ours:
            self._parked.append(_Parked(claimed=claimed, batch=batch))
        else:
            batch.give_up()
        _log.info("files are being read", action="intake.parked", mail_id=claimed.id, files=len(batch.files))
        return MailOutcome.PENDING

    def _handle(self, claimed: ClaimedMail) -> MailResult:
        if claimed.deaths >= MAX_DEATHS:
            return self._finish(claimed, _quarantine(f"the daemon died {claimed.deaths} times with this mail"))
        mailbox = self._mailboxes[claimed.mailbox]
        raw = self._blobs.get(claimed.raw_digest)
        mail, too_large_bytes = self._read(raw, claimed)
        result = self._not_to_be_processed(claimed, mail)
        if result is not None:
            return self._finish(claimed, result)
        if too_large_bytes is not None and claimed.folder != SENT_FOLDER:
            return self._refuse_large_mail(claimed, mailbox, mail, too_large_bytes)
        return self._understand(claimed, mailbox, mail)

    def _read(self, raw: bytes, claimed: ClaimedMail) -> tuple[InboundMail, int | None]:
        """The mail, and its size where only its header could be had because it is too large."""
        try:
            return self._reader.read(raw), claimed.oversize_bytes
        except MailTooLarge:
            return self._reader.read(header_only(raw)), len(raw)

    def _not_to_be_processed(self, claimed: ClaimedMail, mail: InboundMail) -> MailResult | None:
        with self._storage.read() as work:
            duplicate = _as_duplicate(work, claimed, mail)
        if duplicate is not None:
            return duplicate
        if claimed.suspect and not claimed.released:
            return _result(MailOutcome.QUARANTINED, mail, reason=claimed.suspect)
        return None

    def _understand(self, claimed: ClaimedMail, mailbox: ServedMailbox, mail: InboundMail) -> MailResult:
        files = self._store_files(mail)
        for _ in range(CONFLICTS_AT_MOST):
            found = self._examiner.examine(
                mail,
                files,
                mailbox,
                self._known,
                in_sent_folder=claimed.folder == SENT_FOLDER,
                confirmed=claimed.confirmed,
                reader=self._parking,
            )
            if isinstance(found, Understood):
                archive = Archive(storage=self._storage, blobs=self._blobs, reader=self._reader)
                found = with_evidence_of_new_type(
                    found, files, mailbox, archive=archive, examiner=self._examiner, reader=self._parking
                )
            try:
                return self._commit(claimed, mailbox, found, files)
            except ConcurrentChange:
                # Somebody else changed the ticket meanwhile: what was found out may no longer hold.
                _log.info("ticket changed meanwhile", action="intake.conflict", mail_id=claimed.id)
        raise ConcurrentChange(f"mail {claimed.id}: the ticket kept changing")

    def _store_files(self, mail: InboundMail) -> tuple[StoredFile, ...]:
        digests = self._blobs.put_many([attachment.content for attachment in mail.attachments])
        return stored_files(mail, digests)

    # --- the one commit ---

    def _commit(
        self,
        claimed: ClaimedMail,
        mailbox: ServedMailbox,
        found: Examination,
        files: tuple[StoredFile, ...],
    ) -> MailResult:
        if isinstance(found, ScreenedOut):
            if isinstance(found.screening, Bounce):
                return self._record_bounce(claimed, mailbox, found.mail, found.screening)
            return self._finish(claimed, _result(MailOutcome.DISCARDED, found.mail, reason=found.screening.reason))
        decision, situation = found.decision, found.situation
        if isinstance(decision, Discard):
            return self._finish(claimed, _result(MailOutcome.DISCARDED, found.mail, reason=decision.reason))
        if isinstance(decision, AnswerQuery | AnswerAgent | ConfirmErrand):
            return self._answer(claimed, mailbox, found, decision)
        with self._storage.write() as work:
            # Copies of one mail may be in several hands at once: the Sent folder's and the inbox's are of
            # different conversations. Whose change of the ticket comes second is examined anew, and sees it.
            duplicate = _as_duplicate(work, claimed, found.mail)
            if duplicate is None and isinstance(decision, ApplyAgentReply) and not decision.already_sent:
                duplicate = _as_replay(work, claimed, found)
            if duplicate is None and isinstance(decision, OpenTicket) and decision.opened_by is not None:
                duplicate = _as_opened_before(work, claimed, found)
            if duplicate is not None:
                work.mails.finish(claimed, duplicate, now=_real_now())
                return duplicate
            cause = cause_for(
                decision,
                situation,
                found.mailbox,
                files,
                mail_id=claimed.id,
                examiner=self._examiner,
                calendar=self._calendar,
                next_number=work.tickets.next_number,
            )
            change = carry_out(decision, situation, cause)
            if not claimed.answer:
                change = _unasked(change)
            change = with_new_customer(work, change, situation, now=situation.now)
            if claimed.answer:
                change = self._examiner.with_books(change, found.mailbox, record=situation.customer_record)
            change = handed_out(work, change, duty_now(work, self._examiner.catalogue, situation.now))
            write_change(work, change)
            self._note_presence(work, found)
            if change.contact is not None:
                change_contact(work, change.contact, actor=situation.sender.address.address, now=situation.now)
            _take_place_of_note(work, claimed, found.mail)
            work.papers.keep_drawings(found.new_drawings)
            if claimed.answer:
                self._office.tell(work, change, found.mailbox, now=situation.now, mail_id=claimed.id)
            work.house.keep_readings(found.new_readings)
            opened = change.before is None
            result = _result(
                MailOutcome.TICKET if opened else MailOutcome.MESSAGE,
                found.mail,
                reason=_log_reason(work, claimed, found),
                ticket_number=change.after.number,
            )
            work.mails.finish(claimed, result, now=_real_now())
            # A mail that was put aside goes before the one claimed ahead, which stays so; and where helpers work
            # it is all that we do, so that a further mail would wait in our hands.
            ahead = self._claimed_ahead if self._goes_on_with_parked else self._claim(work)
        self._claimed_ahead = ahead
        return result

    def _note_presence(self, work: UnitOfWork, found: Understood) -> None:
        """An agent's mailbox says that they are away, or they have written themselves."""
        situation = found.situation
        if speaks_of_absence(situation.screening):
            staff = self._examiner.staff()
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
    ) -> MailResult:
        """A customer word or an agent's errand that changes nothing: a letter and a line in the log."""
        situation = found.situation
        with self._storage.write() as work:
            result = _as_duplicate(work, claimed, found.mail)
            if result is None:
                if isinstance(decision, ConfirmErrand):
                    reason = confirm_errand(work, decision, now=_real_now())
                else:
                    reason = _reason_of(decision)
                result = _result(MailOutcome.QUERY, found.mail, reason=reason)
                if isinstance(decision, AnswerQuery):
                    count_vote(work, decision, situation, knowledge=self._examiner.knowledge)
                if claimed.answer and isinstance(decision, AnswerQuery):
                    answer_query(work, self._office, decision, situation, mailbox, mail_id=claimed.id)
                elif claimed.answer and isinstance(decision, AnswerAgent):
                    self._answer_agent(work, claimed, mailbox, situation, decision)
            work.mails.finish(claimed, result, now=_real_now())
        return result

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
    ) -> MailResult:
        now = self._examiner.now()
        with self._storage.write() as work:
            change = bounce_change(work, mail, bounce, mail_id=claimed.id, now=now, answer=claimed.answer)
            if change is not None:
                write_change(work, change)
                if claimed.answer:
                    mailbox = self._mailboxes.get(change.after.mailbox, mailbox)
                    self._office.tell(work, change, mailbox, now=now, mail_id=claimed.id)
            result = _result(
                MailOutcome.BOUNCE,
                mail,
                reason="delivery_failed" if change else "no_letter_failed",
                ticket_number=change.after.number if change else None,
            )
            work.mails.finish(claimed, result, now=_real_now())
        return result

    def _refuse_large_mail(
        self, claimed: ClaimedMail, mailbox: ServedMailbox, mail: InboundMail, size_bytes: int
    ) -> MailResult:
        """The sender is told, if a person may have written; the mail itself stays where it is."""
        now = self._examiner.now()
        answerable = self._examiner.may_answer(mail, mailbox) and claimed.answer
        result = _result(MailOutcome.DISCARDED, mail, reason=TOO_LARGE)
        with self._storage.write() as work:
            if answerable:
                self._office.refuse_large_mail(work, mail, size_bytes, mailbox, mail_id=claimed.id, now=now)
            work.mails.finish(claimed, result, now=_real_now())
        return result

    # --- ends ---

    def _finish(self, claimed: ClaimedMail, result: MailResult) -> MailResult:
        with self._storage.write() as work:
            work.mails.finish(claimed, result, now=_real_now())
        return result

    def _count_attempt(self, claimed: ClaimedMail, cause: str) -> MailOutcome:
        attempts = claimed.attempts + 1
        last = attempts >= MAX_ATTEMPTS
        wait = _RETRY_AFTER[min(claimed.attempts, len(_RETRY_AFTER) - 1)]
        now = _real_now()
        try:
            with self._storage.write() as work:
                ours = work.mails.give_back(claimed, ready_at=now + wait, attempt=True, reason=cause)
                if ours and last:
                    work.mails.quarantine(claimed, cause, now=now)
        except StorageUnavailable:
            self._may_own_more = True
            raise
        if not ours:
            _log.warning("lease lost", action="intake.lease_lost", mail_id=claimed.id)
            return MailOutcome.PENDING
        _log.error(
            "mail could not be processed",
            action="intake.quarantined" if last else "intake.attempt_failed",
            mail_id=claimed.id,
            attempts=attempts,
            # Without the words of the error: they may hold a sender's.
            error=cause.partition(":")[0],
        )
        return MailOutcome.QUARANTINED if last else MailOutcome.PENDING

    def _give_back(self, claimed: ClaimedMail) -> None:
        """Return the mail without counting anything against it, if the database lets us."""
        try:
            with self._storage.write() as work:
                work.mails.give_back(claimed, ready_at=_real_now(), attempt=False)
        except StorageUnavailable:
            _log.warning("mail not given back", action="intake.give_back_failed", mail_id=claimed.id)


def _reason_of(decision: AnswerQuery | AnswerAgent) -> str:
    if isinstance(decision, AnswerAgent):
        return decision.reason
    return decision.reason or decision.answer


def _real_now() -> datetime:
    """What the ledger goes by: collecting, claims and waits know nothing of a business clock set for a trial."""
    return datetime.now(UTC)


def _unasked(change: TicketChange) -> TicketChange:
    """Where no letter leaves nothing is asked, and nobody is to be reminded of it."""
    asked_at = change.before.asked_at if change.before else None
    return replace(change, after=replace(change.after, asked_at=asked_at))


def _result(
    outcome: MailOutcome, mail: InboundMail, *, reason: str = "", ticket_number: str | None = None
) -> MailResult:
    return MailResult(
        outcome=outcome,
        reason=reason,
        ticket_number=ticket_number,
        message_id=mail.message_id,
        identity=mail.identity,
    )


def _as_duplicate(work: UnitOfWork, claimed: ClaimedMail, mail: InboundMail) -> MailResult | None:
    earlier = work.mails.seen_before(
        mail.message_id,
        mail.identity,
        mail_id=claimed.id,
        # Now it is known to be genuine, and takes the note's place.
        unverified_copies=claimed.folder != SENT_FOLDER,
    )
    return None if earlier is None else _result(MailOutcome.DUPLICATE, mail, reason=f"same as mail {earlier}")


def _as_replay(work: UnitOfWork, claimed: ClaimedMail, found: Understood) -> MailResult | None:
    """An agent's mail that was sent again by whoever caught it: its signature still holds, and perhaps says
    nothing of the Message-ID. What it ordered was ordered once."""
    ticket, mail = found.situation.ticket, found.mail
    if ticket is None or not work.mails.is_on_ticket(ticket.number, mail.identity, mail_id=claimed.id):
        return None
    return _result(MailOutcome.DUPLICATE, mail, reason=REPLAYED)


def _as_opened_before(work: UnitOfWork, claimed: ClaimedMail, found: Understood) -> MailResult | None:
    """An agent's mail that opened a customer's ticket, sent again under another Message-ID."""
    if work.errands.opened_before(found.mail.identity, mail_id=claimed.id) is None:
        return None
    return _result(MailOutcome.DUPLICATE, found.mail, reason=REPLAYED)


def _take_place_of_note(work: UnitOfWork, claimed: ClaimedMail, mail: InboundMail) -> None:
    """What came from the Sent folder stands on the ticket once, also where a copy of it was a note until now."""
    if claimed.folder != SENT_FOLDER:
        return
    note = work.mails.unverified_copy(mail.message_id, mail.identity, mail_id=claimed.id)
    if note is not None:
        work.tickets.drop_message(mail.message_id, mail_id=note)


def _log_reason(work: UnitOfWork, claimed: ClaimedMail, found: Understood) -> str:
    if found.screening.reason == ScreeningReason.COPY_OF_SENT_MAIL:
        return UNVERIFIED_COPY
    if isinstance(found.decision, OpenTicket) and found.decision.opened_by is not None:
        return OPENED_FOR_CUSTOMER
    # Somebody may send a known id first to have the real mail taken for a duplicate (THREATS 32).
    mail = found.mail
    reused = work.mails.same_id_other_content(mail.message_id, mail.identity, mail_id=claimed.id)
    return MESSAGE_ID_REUSED if reused else ""


def _quarantine(reason: str) -> MailResult:
    return MailResult(outcome=MailOutcome.QUARANTINED, reason=reason)
