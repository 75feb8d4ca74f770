"""A helper in a rush: ``(App, orders, reports) -> HelperExit``, in a process of its own.

Called in by ``crew.py``. It goes when it is asked to (its orders end), when nothing has waited for a while, and
when the database does not take part: to say so and to try again is the daemon's part. It outlives its daemon by
the mail in its hand, and by no more than :data:`mailbot.crew.MAIL_IN_HAND_SECONDS`.
"""

from __future__ import annotations

import os
import threading
import time
from typing import IO

import structlog

from mailbot.bootstrap import App
from mailbot.crew import MAIL_IN_HAND_SECONDS, HelperExit
from mailbot.domain.errors import ConfigurationError, StorageUnavailable
from mailbot.flows.intake import Intake
from mailbot.guarded_threads import guarded_thread
from mailbot.leases import end_this_process, leases_kept

_log = structlog.get_logger("mailbot.helper")

_IDLE_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 0.05
# A database that is locked when we go must not keep us.
_LAST_RENEWAL_SECONDS = 5.0


def work_off(app: App, orders: IO[bytes], reports: IO[bytes], *, early: bool) -> HelperExit:
    """Process mail until the ``orders`` end or the rush is over, in a process that was forked off with ``app``.

    The first line of ``reports`` is by what name mails are claimed, then comes one a mail: its outcome. ``orders``
    must not be buffered: a thread that waits in a buffer would not let the process end. ``early`` counts the wait
    before another attempt as over (``run --once``).
    """
    dismissed = threading.Event()

    def listen() -> None:
        while orders.read(1):
            pass
        dismissed.set()
        # The mail in hand takes too long: the daemon gives it back, or who starts the next one.
        time.sleep(MAIL_IN_HAND_SECONDS)
        os._exit(HelperExit.WORK_IS_DONE)

    guarded_thread("orders", listen, lambda _error: dismissed.set())
    app.become_helper()
    try:
        app.open_storage()
        intake = app.intake
    except StorageUnavailable as error:
        _log.warning("cannot process", action="worker.storage_not_open", error=str(error))
        return HelperExit.STORAGE_AWAY
    except ConfigurationError as error:
        # The daemon began with the same settings: what is wrong has become so since.
        problems = [f"{problem.source}: {problem.key}" for problem in error.problems]
        _log.warning("wrong configuration", action="worker.wrong_configuration", problems=problems)
        return HelperExit.WRONG_CONFIGURATION
    with leases_kept(
        app,
        [],
        on_hanging=end_this_process,
        died=lambda _error: dismissed.set(),
        join_seconds=_LAST_RENEWAL_SECONDS,
    ):
        try:
            if _report(reports, app.owner):
                _process(intake, reports, dismissed, early=early)
        except StorageUnavailable as error:
            _log.warning("cannot process", action="worker.storage_away", error=str(error))
            return HelperExit.STORAGE_AWAY
        finally:
            intake.stop()
    return HelperExit.WORK_IS_DONE


def _process(intake: Intake, reports: IO[bytes], dismissed: threading.Event, *, early: bool) -> None:
    go_at = time.monotonic() + _IDLE_SECONDS
    while not dismissed.is_set() and time.monotonic() < go_at:
        outcome = intake.process_next(early=early)
        if outcome is None:
            if intake.parked:
                go_at = time.monotonic() + _IDLE_SECONDS
            dismissed.wait(_LOOK_AGAIN_SECONDS)
            continue
        go_at = time.monotonic() + _IDLE_SECONDS
        if not _report(reports, outcome):
            return


def _report(reports: IO[bytes], word: str) -> bool:
    """Whether anybody was there to hear it."""
    try:
        reports.write(f"{word}\n".encode())
        reports.flush()
    except OSError:
        return False
    return True
