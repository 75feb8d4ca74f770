"""What a process has in hand stays its own while it works, and no longer.

Leases are renewed, those of the dead taken over, and a mail that hangs is given up. Whoever works on mail begins
with ``take_over_from_the_dead`` and works within ``leases_kept``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

import structlog

from mailbot.adapters.processes import is_dead
from mailbot.bootstrap import App
from mailbot.domain.errors import OurFault, StorageUnavailable
from mailbot.domain.ledger import LEASE_RENEWAL_SECONDS, WORK_LIMIT
from mailbot.guarded_threads import guarded_thread

_log = structlog.get_logger("mailbot.round")

ENDED_BY_A_MAIL = 1
"""Exit code of a process that a hanging mail ended: something needs a look."""


class HangingMail(OurFault):
    """A mail was in hand beyond its limit: the process cannot go on, a new one can."""


def end_this_process(hanging: HangingMail) -> None:
    """The thread that the mail keeps is the one that would end the round: nothing else can end this process."""
    _log.error("this process ends here", action="daemon.mail_hangs", error=str(hanging))
    os._exit(ENDED_BY_A_MAIL)


def take_over_from_the_dead(app: App) -> None:
    """What a dead process of this host had in hand is free at once, without waiting for its lease."""
    real_now = datetime.now(UTC)
    with app.storage.read() as work:
        owners = work.mails.owners() | work.outbox.owners() | work.house.lease_owners()
    dead = [owner for owner in owners if is_dead(owner)]
    if not dead:
        return
    with app.storage.write() as work:
        for owner in dead:
            mails = work.mails.release(owner, real_now=real_now)
            letters = work.outbox.release(owner, real_now=real_now)
            work.house.release_leases(owner)
            _log.info("took over", action="daemon.took_over", mails=mails, letters=letters)


def give_leases_back(app: App) -> None:
    """The folders and the upkeep that this process had in hand are free. Raises ``StorageUnavailable``."""
    with app.storage.write() as work:
        work.house.release_leases(app.owner)


class HoldsLease(Protocol):
    """Whoever has a folder in hand, on a thread of its own."""

    def renew_lease(self) -> None:
        """Lengthen the lease if it is held; called by another thread."""
        ...


@contextmanager
def leases_kept(
    app: App,
    collectors: Sequence[HoldsLease],
    *,
    on_hanging: Callable[[HangingMail], None],
    died: Callable[[Exception], None],
    join_seconds: float | None = None,
) -> Iterator[None]:
    """What this process has in hand stays its own, however long it takes; but no mail beyond its limit. What a
    process of this host had in hand that died meanwhile is freed as well.

    ``on_hanging`` is told of a mail that was given up, ``died`` of an error nobody foresaw, both on a thread of
    their own. At the end a renewal under way is awaited, for ``join_seconds`` at most.
    """
    end = threading.Event()

    def renew() -> None:
        while not end.wait(LEASE_RENEWAL_SECONDS):
            app.pulse.promise("leases", after_seconds=LEASE_RENEWAL_SECONDS)
            _renew_leases(app, collectors)
            hanging = _hanging_mail(app)
            if hanging is not None:
                on_hanging(hanging)

    thread = guarded_thread("leases", renew, died)
    try:
        yield
    finally:
        end.set()
        app.pulse.end("leases")
        thread.join(join_seconds)


def _hanging_mail(app: App) -> HangingMail | None:
    """Give up the mail that has been in hand for too long, if there is one: an attempt counts against it."""
    try:
        mail_id = app.intake.give_up_hanging(WORK_LIMIT)
    except StorageUnavailable as error:
        _log.warning("hanging mail not given up", action="daemon.hanging_not_given_up", error=str(error))
        return None
    return None if mail_id is None else HangingMail(f"mail {mail_id} was in hand for more than {WORK_LIMIT}")


def _renew_leases(app: App, collectors: Sequence[HoldsLease]) -> None:
    real_now = datetime.now(UTC)
    try:
        with app.storage.write() as work:
            work.mails.renew(app.owner, real_now=real_now, begun_after=real_now - WORK_LIMIT)
            work.outbox.renew(app.owner, app.letters_in_hand.ids(), real_now=real_now)
        for collector in collectors:
            collector.renew_lease()
        take_over_from_the_dead(app)
    except StorageUnavailable as error:
        _log.warning("leases not renewed", action="daemon.leases_not_renewed", error=str(error))
