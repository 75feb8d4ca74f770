"""Reads how the house stands: ``(storage, clock) -> HouseFigures``, in one reading transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from mailbot.domain.events import LetterStatus
from mailbot.domain.figures import HouseFigures
from mailbot.flows.ports import Clock, Storage

_COUNTED_AT_MOST = 10_000


def read_figures(storage: Storage, mailboxes: Collection[str], clock: Clock) -> HouseFigures:
    """How the house stands now. Raises ``StorageUnavailable``."""
    now, real_now = clock.now(), datetime.now(UTC)
    with storage.read() as work:
        return HouseFigures(
            at=real_now,
            mails_waiting=work.mails.waiting(mailboxes, now=real_now, at_most=_COUNTED_AT_MOST),
            oldest_mail_age_seconds=_age(work.mails.oldest_pending(), real_now),
            # Letters go by the business clock.
            oldest_letter_age_seconds=_age(work.outbox.oldest_waiting(), now),
            quarantined=work.mails.count_quarantined(),
            letters_held=work.outbox.count_status(LetterStatus.HELD),
            letters_needing_person=work.outbox.count_status(LetterStatus.NEEDS_PERSON),
            folders=tuple(one for one in work.house.folders() if one.mailbox in mailboxes),
            # A log-in that will end some day is no server in trouble.
            troubles=tuple(one for one in work.house.troubles() if not one.is_coming_expiry),
        )


def _age(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else max(0.0, (now - since).total_seconds())
