"""Helpers in a rush: more processes that work off mail, called in while much is waiting.

One process works off one mail after the other, and a second thread of it would mostly wait for the first. So
when a hundred mails wait, other processors are asked to help; when nothing waits, the helpers go. They are daemons
without mailbox and outbox: each claims for itself, as a second daemon on the same database would, so that the
order of a sender's mails, and everything that holds for a killed process, hold for them. This is the parent's
side; ``worker.py`` is the other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Self

import structlog

import mailbot
from mailbot.bootstrap import App
from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.ledger import MailOutcome

_log = structlog.get_logger("mailbot.crew")

MAILS_PER_WORKER = 100
"""So many waiting mails call one more helper in: to start one costs as much time as working eighty of them off."""
WORKERS_AT_MOST = 3
WORKER_MODULE = "mailbot.cli.worker"

_LOOK_EVERY_SECONDS = 0.5
# A helper that has said nothing for so long is starting up, hanging or about to go: we had better work ourselves.
_SILENT_SECONDS = 1.0
# One that broke is likely to break again: the daemon goes on alone for a while.
_ALONE_SECONDS = 60.0
_STOP_SECONDS = 10.0


def workers_by_default() -> int:
    """One processor is for collecting and delivering; the others may help, up to :data:`WORKERS_AT_MOST`."""
    return max(0, min(WORKERS_AT_MOST, len(os.sched_getaffinity(0)) - 1))


def workers_wanted(waiting: int, most: int) -> int:
    """How many helpers so many waiting mails call for."""
    return min(most, waiting // MAILS_PER_WORKER)


class Crew:
    """Calls helpers in and lets them go; a context that nobody outlives.

    ``heard`` is told, on a thread of its own, of each mail that a helper brought to an end; ``lost`` of each
    helper that ended otherwise than asked, and may have left a mail in its hands. ``early`` counts the wait
    before another attempt as over.
    """

    def __init__(
        self,
        app: App,
        *,
        heard: Callable[[MailOutcome], None],
        lost: Callable[[], None],
        early: bool = False,
    ) -> None:
        self._app = app
        self._heard = heard
        self._lost = lost
        self._early = early
        asked = app.settings.workers
        self._most = workers_by_default() if asked is None else asked
        self._workers: list[_Worker] = []
        self._look_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss()

    def lends_a_hand(self) -> bool:
        """Call helpers in if many mails wait; whether helpers are at work now, so that we need not be.

        Cheap enough to be asked before every mail. Raises ``StorageUnavailable``.
        """
        now = time.monotonic()
        self._workers = [worker for worker in self._workers if not worker.has_ended]
        if self._most and now >= self._look_at:
            self._look_at = now + _LOOK_EVERY_SECONDS
            self._call_in(workers_wanted(self.waiting(), self._most))
        return any(now - worker.heard_at < _SILENT_SECONDS for worker in self._workers)

    def waiting(self) -> int:
        """How many mails could be worked on now, counted up to what calls everybody in."""
        at_most = MAILS_PER_WORKER * max(1, self._most)
        with self._app.storage.read() as work:
            return work.mails.waiting(self._app.mailboxes.keys(), now=datetime.now(UTC), at_most=at_most)

    def dismiss(self) -> None:
        """Let all finish the mail in hand and go; one that does not go within ten seconds is ended."""
        for worker in self._workers:
            worker.ask_to_go()
        end = time.monotonic() + _STOP_SECONDS
        for worker in self._workers:
            worker.join(max(0.0, end - time.monotonic()))
        self._workers.clear()

    def _call_in(self, wanted: int) -> None:
        for _ in range(wanted - len(self._workers)):
            self._workers.append(_Worker(self._app.settings.environment, self._early, self._heard, self._broke))
            _log.info("helper called in", action="crew.called_in", helpers=len(self._workers))

    def _broke(self) -> None:
        self._look_at = time.monotonic() + _ALONE_SECONDS
        self._lost()


class _Worker:
    """One helper's process, and the thread that hears its reports."""

    def __init__(
        self,
        environment: Mapping[str, str],
        early: bool,
        heard: Callable[[MailOutcome], None],
        broke: Callable[[], None],
    ) -> None:
        self._heard = heard
        self._broke = broke
        self.heard_at = float("-inf")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", WORKER_MODULE, *(["--early"] if early else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": _search_path()},
        )
        self._listener = threading.Thread(
            target=self._listen, args=(json.dumps(dict(environment)).encode(),), name="crew", daemon=True
        )
        self._listener.start()

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone and all its reports are heard."""
        return not self._listener.is_alive()

    def ask_to_go(self) -> None:
        """No further mail after the one in hand; the one claimed ahead is given back."""
        with suppress(OSError, ValueError):
            self._pipe(self._process.stdin).close()

    def join(self, seconds: float) -> None:
        """Wait until it is gone, then see to it that it is."""
        self._listener.join(seconds)
        if self._listener.is_alive():
            self._process.kill()
            self._listener.join(_STOP_SECONDS)

    def _listen(self, settings: bytes) -> None:
        # The settings as they are here, by a way that no other user of the machine can look into.
        with suppress(OSError, ValueError):
            orders = self._pipe(self._process.stdin)
            orders.write(settings + b"\n")
            orders.flush()
        for line in self._pipe(self._process.stdout):
            self.heard_at = time.monotonic()
            self._heard(MailOutcome(line.decode("ascii").strip()))
        code = self._process.wait()
        self._pipe(self._process.stdout).close()
        self.ask_to_go()
        if code != 0:
            _log.error("a helper broke", action="crew.broke", exit_code=code)
            try:
                self._broke()
            except StorageUnavailable as error:
                _log.warning("nothing taken over", action="crew.storage_away", error=str(error))

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise AssertionError("a helper is started with pipes")
        return pipe


def _search_path() -> str:
    package = str(Path(mailbot.__file__ or __file__).resolve().parent.parent)
    return os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
