"""ALARMS. Who must hear that something is wrong hears it once: the administrator by letters, agents by summaries.

What is untold is found in the database and told in one transaction with the note that it was told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from mailbot.correspondence.alerts import (
    AlertDesk,
    letters_held_alert,
    letters_stuck_alert,
    login_expires_alert,
    notices_summary,
    quarantine_alert,
    server_away_alert,
)
from mailbot.correspondence.planned import PlannedLetter
from mailbot.correspondence.render import LetterRenderer
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.events import LetterKind
from mailbot.domain.logins import LoginExpiry
from mailbot.domain.mail import Address
from mailbot.domain.troubles import TroubleKey, TroubleKind
from mailbot.flows.alert_desk import alert_desk
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.outgoing import Outgoing
from mailbot.flows.ports import Clock, Storage, UnitOfWork

_ALERT_AFTER = timedelta(minutes=5)
# How many days before a credential ends the administrator hears of it, and once more when it has ended.
_EXPIRY_ALERT_DAYS = (0, 3, 14)
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
        logins: Callable[[], Sequence[LoginExpiry]] = list,
    ) -> None:
        """``logins`` tells what the mailboxes log in with by token, and when that ends."""
        self._storage = storage
        self._outgoing = outgoing
        self._renderer = renderer
        self._calendar = calendar
        self._mailboxes = mailboxes
        self._administration = administration
        self._clock = clock
        self._logins = logins
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
                desk = alert_desk(
                    mailbox, Address(address=address), renderer=self._renderer, zone=self._calendar.zone
                )
                letter = notices_summary(notices[0].recipient, notices, desk)
                self._outgoing.write_and_enqueue(work, [letter], mailbox=mailbox, now=now)
                work.outbox.mark_gathered([notice.message_id for notice in notices])
            lately = {one for one, at in self._last_notice_at.items() if now - at < _NOTICE_EVERY}
            for address in work.outbox.let_go_of_notices(lately, now=now):
                self._last_notice_at[address] = now

    # --- the administrator ---

    def _alert(self, now: datetime) -> None:
        if self._administration.address is None or not self._mailboxes:
            return
        logins = self._logins()
        with self._storage.write() as work:
            mailbox = self._way_out(work)
            desk = alert_desk(
                mailbox,
                Address(address=self._administration.address),
                renderer=self._renderer,
                zone=self._calendar.zone,
            )
            letters = [
                *self._login_alerts(work, logins, desk, now),
                *self._quarantine_alerts(work, desk, now),
                *self._server_alerts(work, desk, now),
                *self._held_alerts(work, desk, now),
                *self._stuck_alerts(work, desk, now),
            ]
            self._outgoing.write_and_enqueue(work, letters, mailbox=mailbox, now=now)

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

    def _way_out(self, work: UnitOfWork) -> ServedMailbox:
        """A mailbox that can send, if there is one: an alert of a mailbox cannot leave through the same."""
        mute = {
            trouble.mailbox for trouble in work.house.troubles() if trouble.keeps_letters and not trouble.is_limit
        }
        for mailbox in self._mailboxes.values():
            if mailbox.key not in mute:
                return mailbox
        return next(iter(self._mailboxes.values()))

    def _login_alerts(
        self, work: UnitOfWork, logins: Sequence[LoginExpiry], desk: AlertDesk, now: datetime
    ) -> list[PlannedLetter]:
        """What the provider calls ended is told at once, what ends soon once at each step."""
        noted = {trouble.key: trouble for trouble in work.house.troubles()}
        over = {trouble.mailbox: trouble for trouble in noted.values() if trouble.is_login_over}
        letters = []
        for login in logins:
            refused = over.get(login.mailbox)
            if refused is not None and refused.told_at is None:
                work.house.mark_trouble_told(refused.key, now=now)
                letters.append(login_expires_alert(login, now, desk, error=refused.error))
        steps = {key: login for login in logins if (key := _expiry_step(login, now)) is not None}
        for trouble in noted.values():
            if trouble.is_coming_expiry and trouble.key not in steps:
                work.house.clear_trouble(trouble.key)
        for key, login in steps.items():
            if key not in noted:
                work.house.note_trouble(key, _expiry_in_words(login), now=now)
                work.house.mark_trouble_told(key, now=now)
                if login.mailbox not in over:
                    letters.append(login_expires_alert(login, now, desk))
        return letters

    def _server_alerts(self, work: UnitOfWork, desk: AlertDesk, now: datetime) -> list[PlannedLetter]:
        letters = []
        troubles = work.house.troubles()
        # Of these mailboxes it is known, and told, what is wrong.
        over = {trouble.mailbox for trouble in troubles if trouble.is_login_over}
        for trouble in troubles:
            if trouble.is_coming_expiry or trouble.mailbox in over:
                continue
            if trouble.told_at is None and now - trouble.since >= _ALERT_AFTER:
                work.house.mark_trouble_told(trouble.key, now=now)
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


def _expiry_step(login: LoginExpiry, now: datetime) -> TroubleKey | None:
    """The narrowest step that a credential's end has come within; ``None`` if far off or not known."""
    end = login.expires_at
    if end is None:
        return None
    reached = (days for days in _EXPIRY_ALERT_DAYS if end - now <= timedelta(days=days))
    days = next(reached, None)
    return None if days is None else TroubleKey(kind=TroubleKind.EXPIRY, mailbox=login.mailbox, days=days)


def _expiry_in_words(login: LoginExpiry) -> str:
    end = "" if login.expires_at is None else f" ends on {login.expires_at:%Y-%m-%d}"
    return f"the {login.credential.replace('_', ' ')} by which mailbox {login.mailbox} logs in{end}"
