"""A helper in a rush: ``(App, orders, reports) -> mails worked off``, in a process of its own.

Started by ``crew.py``. It goes when it is asked to (its input ends), when nothing has waited for a while, and
when the database does not take part: to say so and to try again is the daemon's part. It outlives its daemon by no
more than the mail in its hand.
"""

from __future__ import annotations

import signal
import threading
import time
from typing import IO

import structlog

from mailbot.bootstrap import App
from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.ledger import MailOutcome
from mailbot.loops import guarded_thread
from mailbot.round import end_this_process, leases_kept, warm_up

_log = structlog.get_logger("mailbot.worker")

_IDLE_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 0.05


def work_off(app: App, orders: IO[bytes], reports: IO[bytes], *, early: bool) -> None:
    """Process mail until the ``orders`` end or the rush is over; one line of ``reports`` a mail: its outcome.

    ``early`` counts the wait before another attempt as over (``run --once``).
    """
    # Whoever asks a daemon to stop may signal its whole group: when we go is for the daemon to say.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    dismissed = threading.Event()

    def listen() -> None:
        orders.read()
        dismissed.set()

    guarded_thread("orders", listen, lambda _error: dismissed.set())
    warm_up(app)
    with leases_kept(app, [], on_hanging=end_this_process, died=lambda _error: dismissed.set()):
        try:
            _process(app, reports, dismissed, early=early)
        except StorageUnavailable as error:
            _log.warning("cannot process", action="worker.storage_away", error=str(error))
        finally:
            app.intake.stop()


def _process(app: App, reports: IO[bytes], dismissed: threading.Event, *, early: bool) -> None:
    go_at = time.monotonic() + _IDLE_SECONDS
    while not dismissed.is_set() and time.monotonic() < go_at:
        outcome = app.intake.process_next(early=early)
        if outcome is None:
            dismissed.wait(_LOOK_AGAIN_SECONDS)
            continue
        go_at = time.monotonic() + _IDLE_SECONDS
        if not _report(reports, outcome):
            return


def _report(reports: IO[bytes], outcome: MailOutcome) -> bool:
    """Whether anybody was there to hear it."""
    try:
        reports.write(f"{outcome}\n".encode("ascii"))
        reports.flush()
    except OSError:
        return False
    return True
