"""UPKEEP. What time does to tickets by itself: reminders, expiry, closing; safe to run at any moment.

Each thing that is due is found in the database and done in one transaction with the note that it is done, so
that it is neither forgotten nor done twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from mailbot.catalogue.load import Catalogue
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.errors import ConcurrentChange, StorageUnavailable
from mailbot.domain.events import AuthorRole
from mailbot.domain.ledger import FolderMemory
from mailbot.domain.mailbox import LONGEST_WAIT_SECONDS, SENT_FOLDER
from mailbot.domain.outbox import CAP_REASONS, HoldReason
from mailbot.domain.ticket import CLOSE_AFTER_DAYS, Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.flows.causes import place_of
from mailbot.flows.due import due_warnings, note_rerouted, taken_from_absent
from mailbot.flows.letter_office import LetterOffice
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.ports import Clock, Storage
from mailbot.flows.roster import duty_now, handed_out
from mailbot.flows.write_change import write_change
from mailbot.triage.books import nudge
from mailbot.triage.time_passes import closing_change, due_change

_log = structlog.get_logger("mailbot.upkeep")

_CONFLICT = "conflict"
"""In the place of a cap: somebody else changed the ticket this very moment."""

# Longer than the longest wait between two looks into a folder.
_LOOKED_INTO_WITHIN = timedelta(seconds=LONGEST_WAIT_SECONDS) + timedelta(minutes=6)


class Upkeep:
    """Does what is due. One process at a time, by a lease that the caller holds."""

    def __init__(
        self,
        *,
        storage: Storage,
        office: LetterOffice,
        catalogue: Catalogue,
        calendar: BusinessCalendar,
        mailboxes: Mapping[str, ServedMailbox],
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._office = office
        self._catalogue = catalogue
        self._calendar = calendar
        self._mailboxes = mailboxes
        self._clock = clock

    def tick(self) -> None:
        """Do everything that is due now. Raises ``StorageUnavailable``."""
        now = self._clock.now()
        self._remind_and_expire(now)
        self._nudge(now)
        self._close(now)
        self._warn(now)
        self._take_from_absent(now)

    # --- tickets ---

    def _remind_and_expire(self, now: datetime) -> None:
        with self._storage.read() as work:
            waiting = work.tickets.waiting_since(now - timedelta(days=1))
        unseen = self._mailboxes_not_looked_into()
        for ticket in waiting:
            if ticket.mailbox in unseen or self._has_written(ticket):
                continue
            if not self._catalogue.has_type(ticket.request_type):
                # Nobody knows what it waits for: it is not reminded of, nor does it expire.
                continue
            with self._each_by_itself(ticket):
                kind = self._catalogue.type(ticket.request_type)
                change = due_change(ticket, kind, self._calendar, now)
                if change is None:
                    continue
                held_by = self._commit(replace(change, verified=self._was_verified(ticket)), now)
                if held_by == HoldReason.CAP_HOUR:
                    # Nobody's letter could leave now.
                    return

    def _mailboxes_not_looked_into(self) -> set[str]:
        """Mailboxes whose mail we have not seen lately: the answer that somebody waits for may lie there."""
        long_ago = datetime.now(UTC) - _LOOKED_INTO_WITHIN
        with self._storage.read() as work:
            away = {trouble.mailbox for trouble in work.house.troubles()}
            stale = {
                folder.mailbox
                for folder in work.house.folders()
                if self._is_awaited(folder)
                and (folder.last_collect_at is None or folder.last_collect_at < long_ago)
            }
        return away | stale

    def _is_awaited(self, folder: FolderMemory) -> bool:
        """Whether anybody looks into the folder: the Sent folder's watch may have been switched off."""
        mailbox = self._mailboxes.get(folder.mailbox)
        return folder.folder != SENT_FOLDER or mailbox is None or mailbox.spec.watches_sent_folder

    def _has_written(self, ticket: Ticket) -> bool:
        """Whether a mail of the requester has come and waits to be processed."""
        with self._storage.read() as work:
            return work.mails.has_pending(ticket.requester.address)

    def _was_verified(self, ticket: Ticket) -> bool:
        """Whether our server ever vouched for the requester's address. If not, a forged mail may have named it,
        and what time sends there counts against the caps for strangers (THREATS 6)."""
        with self._storage.read() as work:
            written = work.tickets.messages(ticket.number)
        return any(one.role is AuthorRole.REQUESTER and not one.unverified for one in written)

    def _nudge(self, now: datetime) -> None:
        """Remind sectors that have not answered a book (R001-04)."""
        with self._storage.read() as work:
            silent = work.tickets.sector_silent_since(now - timedelta(days=1))
        for ticket in silent:
            kind = self._catalogue.type(ticket.request_type)
            due = timedelta(days=kind.nudge_sector_days)
            if ticket.sector_asked_at is None or now - ticket.sector_asked_at < due:
                continue
            with self._each_by_itself(ticket):
                change = nudge(ticket, self._calendar, now)
                if change is not None and ticket.sector_book in kind.books:
                    self._commit(change, now)

    def _close(self, now: datetime) -> None:
        with self._storage.read() as work:
            done = work.tickets.resolved_before(now - timedelta(days=CLOSE_AFTER_DAYS))
        for ticket in done:
            with self._each_by_itself(ticket):
                self._commit(closing_change(ticket, now), now)

    def _warn(self, now: datetime) -> None:
        for change in due_warnings(self._storage, self._catalogue, self._calendar, now):
            with self._each_by_itself(change.after):
                self._commit(change, now)

    def _take_from_absent(self, now: datetime) -> None:
        for record, changes in taken_from_absent(self._storage, self._catalogue, now):
            conflicts = 0
            for change in changes:
                with self._each_by_itself(change.after):
                    conflicts += self._commit(change, now) == _CONFLICT
            if conflicts:
                # The next tick finds those that are left.
                continue
            note_rerouted(self._storage, record, now)
            _log.info("tickets given to others", action="upkeep.rerouted", agent=record.key, tickets=len(changes))

    @contextmanager
    def _each_by_itself(self, ticket: Ticket) -> Iterator[None]:
        """A ticket that cannot be worked on (its type is gone, its letter cannot be written) stops no other."""
        try:
            yield
        except StorageUnavailable:
            raise
        except Exception as error:
            _log.error("upkeep failed", action="upkeep.error", ticket=ticket.number, error=place_of(error))

    def _commit(self, change: TicketChange, now: datetime) -> str | None:
        """Commit the change with its letters.

        If a cap would hold a letter back nothing is done, and a later tick tries again: what time does can wait,
        and the requester would not hear of it. Returns that cap, or ``_CONFLICT``.
        """
        mailbox = self._mailboxes.get(change.after.mailbox)
        if mailbox is None:
            return None
        try:
            with self._storage.write() as work:
                change = handed_out(work, change, duty_now(work, self._catalogue, now))
                write_change(work, change)
                for letter in self._office.tell(work, change, mailbox, now=now):
                    if letter.hold_reason in CAP_REASONS:
                        raise _HeldBack(letter.hold_reason)
        except ConcurrentChange:
            # Somebody acted on the ticket this very moment; the next tick looks again.
            return _CONFLICT
        except _HeldBack as cap:
            _log.info("put off", action="upkeep.put_off", ticket=change.after.number, reason=cap.reason)
            return cap.reason
        _log.info("time has passed", action=f"upkeep.{change.events[0].kind}", ticket=change.after.number)
        return None


class _HeldBack(Exception):
    """Takes a change back whose letter would be held by a cap."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
