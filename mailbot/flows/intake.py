"""Whose turn it is: claims stored mails one at a time, has each handled (``handle_mail.py``), and sees to it that
whatever happens, the next mail goes on.

An exception counts as an attempt against the mail at hand, and after three the mail is quarantined with its cause.
A mail whose files take long to read is parked meanwhile; one that hangs is given up.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from mailbot.domain.errors import LeaseLost, StorageUnavailable
from mailbot.domain.ledger import MAX_ATTEMPTS, ClaimedMail, MailOutcome
from mailbot.flows.causes import cause_of
from mailbot.flows.handle_mail import MailHandler, real_now
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.ports import Storage, UnitOfWork
from mailbot.flows.reading_desk import Batch, ReadLater, WaitsForReading

_log = structlog.get_logger("mailbot.intake")

_SMALL_MAIL_BYTES = 300_000
"""What a mail of text and a PDF or two has at most: while readers have enough to do, only such mails are taken."""

_RETRY_AFTER = (timedelta(seconds=5), timedelta(seconds=60))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parked:
    """A mail that is ours and waits for its files to be read."""

    claimed: ClaimedMail
    batch: Batch


class Intake:
    """Works off stored mails, one at a time.

    Where ``file_readings`` are given, those that ``handler`` works with, a mail whose files take long to read is
    parked meanwhile, and others pass.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        handler: MailHandler,
        mailboxes: Mapping[str, ServedMailbox],
        owner: str,
        file_readings: ReadLater | None = None,
    ) -> None:
        self._storage = storage
        self._handler = handler
        self._mailboxes = mailboxes
        self._owner = owner
        self._file_readings = file_readings
        self._parked: list[_Parked] = []
        self._goes_on_with_parked = False
        # The next mail, claimed in the commit that ended the one before: one commit a mail instead of two.
        self._claimed_ahead: ClaimedMail | None = None
        # Whether mails may be claimed in our name that nobody here has in hand: the database did not let us give
        # one back, or we did not hear that it let us claim one. Each would count as a death of the daemon when its
        # lease runs out.
        self._may_own_more = False
        # The mail in hand and since when, for the thread that looks whether it hangs.
        self._in_hand: tuple[ClaimedMail, float] | None = None

    # --- one mail ---

    def process_next(self, *, early: bool = False) -> MailOutcome | None:
        """Take the next mail and bring it to its end; ``None`` if there is none.

        ``early`` counts the wait before another attempt as over (``run --once``).
        Raises ``StorageUnavailable`` when the database or the disk does not take part; nothing is lost then.
        """
        resumed = self.process_parked()
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

    def process_beside_others(self) -> MailOutcome | None:
        """What is ours to do while others work: go on with a mail that was parked, and keep none from them.
        ``None`` if nothing was to be done. Raises as above."""
        outcome = self.process_parked()
        # In its commit, or before the others came, another may have been claimed.
        self.leave_to_others()
        return outcome

    def leave_to_others(self) -> None:
        """Give back what was claimed ahead, because others work now and nobody here would come to it; what is
        parked stays. Raises ``StorageUnavailable``; to be called again then."""
        if self._claimed_ahead is not None:
            self._claimed_ahead, self._may_own_more = None, True
        self._give_back_what_nobody_holds()

    def _give_back_what_nobody_holds(self) -> None:
        """To be called when no mail is in hand nor claimed ahead."""
        if not self._may_own_more:
            return
        parked = [one.claimed.id for one in self._parked]
        with self._storage.write() as work:
            work.mails.give_back_all(self._owner, ready_at=real_now(), but=parked)
        self._may_own_more = False

    def process_parked(self) -> MailOutcome | None:
        """Go on with a mail whose files are read by now; ``None`` if there is none. Raises as above."""
        parked = next((one for one in self._parked if one.batch.is_done), None)
        if parked is None or self._file_readings is None:
            return None
        with self._storage.write() as work:
            is_ours = work.mails.resume(parked.claimed, real_now=real_now())
        self._parked.remove(parked)
        if not is_ours:
            _log.warning("lease lost", action="intake.lease_lost", mail_id=parked.claimed.id)
            return MailOutcome.PENDING
        self._file_readings.present(parked.batch)
        self._goes_on_with_parked = True
        try:
            return self._bring_on(parked.claimed)
        finally:
            self._goes_on_with_parked = False
            self._file_readings.forget()

    @property
    def parked(self) -> int:
        """How many mails wait for their files to be read; they come to no end before that."""
        return len(self._parked)

    def wait_for_readings(self, seconds: float) -> None:
        """Until the files of one of the parked mails are read, for ``seconds`` at most."""
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
        now = real_now()
        due_until = now + (_RETRY_AFTER[-1] if early else timedelta())
        # Mail of a mailbox that is switched off waits until it is switched on again.
        return work.mails.claim(
            owner=self._owner,
            mailboxes=self._mailboxes.keys(),
            now=due_until,
            real_now=now,
            at_most_bytes=_SMALL_MAIL_BYTES if self._readers_have_enough() else None,
        )

    def _claim_ahead(self, work: UnitOfWork) -> ClaimedMail | None:
        """``None`` after a mail that was parked: it went before the one claimed ahead, which stays so; and
        where helpers work it is all that we do, so that a further mail would wait in our hands."""
        return None if self._goes_on_with_parked else self._claim(work)

    def _readers_have_enough(self) -> bool:
        """Whether a further mail with photographs would only wait, here as well as in its place."""
        return self._file_readings is not None and len(self._parked) > self._file_readings.readers

    def process(self, claimed: ClaimedMail) -> MailOutcome:
        """Bring a claimed mail to its end, park it until its files are read, or count an attempt against it
        (both: ``pending``)."""
        began = time.monotonic()
        try:
            handled = self._handler.handle(claimed, claim_next=self._claim_ahead)
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
        if handled.claimed_next is not None:
            self._claimed_ahead = handled.claimed_next
        result = handled.result
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

    def _count_attempt(self, claimed: ClaimedMail, cause: str) -> MailOutcome:
        attempts = claimed.attempts + 1
        last = attempts >= MAX_ATTEMPTS
        wait = _RETRY_AFTER[min(claimed.attempts, len(_RETRY_AFTER) - 1)]
        now = real_now()
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
                work.mails.give_back(claimed, ready_at=real_now(), attempt=False)
        except StorageUnavailable:
            _log.warning("mail not given back", action="intake.give_back_failed", mail_id=claimed.id)
