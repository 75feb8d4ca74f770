"""ALARMS. Who must hear that something is wrong hears it once: the administrator by letters, agents by summaries.

What is untold is found in the database and told in one transaction with the note that it was told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from mailbot.correspondence.alerts import (
    AlertDesk,
    letters_held_alert,
    letters_stuck_alert,
    notices_summary,
    quarantine_alert,
    server_away_alert,
)
from mailbot.correspondence.planned import PlannedLetter
from mailbot.correspondence.render import LetterRenderer
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.events import LetterKind
from mailbot.domain.mail import Address
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.outgoing import Outgoing
from mailbot.flows.ports import Clock, Storage, UnitOfWork

_ALERT_AFTER = timedelta(minutes=5)
_SUMMARY_EVERY = timedelta(minutes=15)
# A stranger can cause alarms: the first is told at once, those after it by the hour, with their number.
_ALERT_EVERY = timedelta(hours=1)
_NOTICE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Administration:
    """Where alerts go. Without an administrator they stand in the log and in ``health`` only."""

    address: str | None
    hold_mode: bool


class Alarms:
    """Tells what is untold. One process at a time, by a lease that the caller holds."""

    def __init__(
        self,
        *,
        storage: Storage,
        outgoing: Outgoing,
        renderer: LetterRenderer,
        calendar: BusinessCalendar,
        mailboxes: Mapping[str, ServedMailbox],
        administration: Administration,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._outgoing = outgoing
        self._renderer = renderer
        self._calendar = calendar
        self._mailboxes = mailboxes
        self._administration = administration
        self._clock = clock
        self._last_notice_at: dict[str, datetime] = {}

    def tick(self) -> None:
        """Tell everything that is untold now. Raises ``StorageUnavailable``."""
        now = self._clock.now()
        self._gather_notices(now)
        self._alert(now)

    # --- agents ---

    def _gather_notices(self, now: datetime) -> None:
        """Beyond the cap an agent is told of all new notices in one summary, and gets them one a minute: each
        carries the handle by which the ticket can be answered."""
        with self._storage.write() as work:
            untold = sorted(work.outbox.notices_to_gather(), key=lambda one: one.recipient.address)
            for address, group in groupby(untold, key=lambda one: one.recipient.address):
                notices = sorted(group, key=lambda one: one.created_at)
                mailbox = self._mailboxes.get(notices[0].mailbox)
                if mailbox is None or now - notices[0].created_at < _SUMMARY_EVERY:
                    continue
                desk = self._desk(mailbox, Address(address=address))
                letter = notices_summary(notices[0].recipient, notices, desk)
                self._outgoing.enqueue(work, [letter], mailbox=mailbox, now=now)
                work.outbox.mark_gathered([notice.message_id for notice in notices])
            lately = {one for one, at in self._last_notice_at.items() if now - at < _NOTICE_EVERY}
            for address in work.outbox.let_go_of_notices(lately, now=now):
                self._last_notice_at[address] = now

    # --- the administrator ---

    def _alert(self, now: datetime) -> None:
        if self._administration.address is None or not self._mailboxes:
            return
        mailbox = next(iter(self._mailboxes.values()))
        desk = self._desk(mailbox, Address(address=self._administration.address))
        with self._storage.write() as work:
            letters = [
                *self._quarantine_alerts(work, desk, now),
                *self._server_alerts(work, desk, now),
                *self._held_alerts(work, desk, now),
                *self._stuck_alerts(work, desk, now),
            ]
            self._outgoing.enqueue(work, letters, mailbox=mailbox, now=now)

    def _told_lately(self, work: UnitOfWork, kind: LetterKind, desk: AlertDesk, now: datetime) -> bool:
        return work.outbox.written_since(now - _ALERT_EVERY, recipient=desk.admin.address, letter=kind)

    def _quarantine_alerts(self, work: UnitOfWork, desk: AlertDesk, now: datetime) -> list[PlannedLetter]:
        """One letter with a count: it waits while suspect mails still come in (a folder was renumbered)."""
        if self._told_lately(work, LetterKind.ALERT_QUARANTINE, desk, now):
            return []
        if work.mails.suspects_pending(self._mailboxes.keys()):
            return []
        mails = work.mails.untold_quarantines()
        if not mails:
            return []
        work.mails.mark_told([mail.id for mail in mails])
        return [quarantine_alert(mails, desk)]

    def _server_alerts(self, work: UnitOfWork, desk: AlertDesk, now: datetime) -> list[PlannedLetter]:
        letters = []
        for trouble in work.house.troubles():
            if trouble.told_at is None and now - trouble.since >= _ALERT_AFTER:
                work.house.mark_trouble_told(trouble.server, now=now)
                letters.append(server_away_alert(trouble, desk))
        return letters

    def _held_alerts(self, work: UnitOfWork, desk: AlertDesk, now: datetime) -> list[PlannedLetter]:
        """Letters held by a cap are news; in hold mode all letters are held, on the administrator's word."""
        if self._administration.hold_mode or self._told_lately(work, LetterKind.ALERT_LETTERS_HELD, desk, now):
            return []
        held = work.outbox.untold_held()
        work.outbox.mark_held_told()
        return [letters_held_alert(sum(held.values()), next(iter(held)), desk)] if held else []

    def _stuck_alerts(self, work: UnitOfWork, desk: AlertDesk, now: datetime) -> list[PlannedLetter]:
        if self._told_lately(work, LetterKind.ALERT_LETTERS_STUCK, desk, now):
            return []
        count = work.outbox.tell_of_stuck()
        return [letters_stuck_alert(count, desk)] if count else []

    def _desk(self, mailbox: ServedMailbox, recipient: Address) -> AlertDesk:
        language = mailbox.spec.language
        return AlertDesk(
            admin=recipient,
            brand_name=mailbox.spec.name,
            mailbox_address=mailbox.address,
            language=language,
            words=self._renderer.words(language),
            zone=self._calendar.zone,
        )
