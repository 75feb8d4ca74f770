"""WATCH. Tells the supervisor of this process that its loops are alive, as long as they are."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from mailbot.flows.ports import Supervisor
from mailbot.flows.pulse import Pulse

_log = structlog.get_logger("mailbot.daemon")

_LOOK_SECONDS = 10.0


class Watchdog:
    """Looks at the pulse on a thread of its own, where nothing is waited for.

    ``list_threads`` tells the log where each thread is.
    """

    def __init__(self, pulse: Pulse, supervisor: Supervisor, *, list_threads: Callable[[], object]) -> None:
        self._pulse = pulse
        self._supervisor = supervisor
        self._list_threads = list_threads
        self._hanging: list[str] = []

    def run(self, end: threading.Event) -> None:
        """Look until ``end``, several times in the time that the supervisor gives us."""
        limit = self._supervisor.watchdog_seconds
        interval = _LOOK_SECONDS if limit is None else min(_LOOK_SECONDS, limit / 4)
        while not end.wait(interval):
            self.look()

    def look(self) -> None:
        """A sign of life, unless a loop hangs: then the supervisor misses it and starts this process anew."""
        hanging = self._pulse.overdue()
        if hanging != self._hanging:
            self._hanging = hanging
            self._tell(hanging)
        if not hanging:
            self._supervisor.alive()

    def _tell(self, hanging: list[str]) -> None:
        if hanging:
            _log.error("loops hang", action="daemon.loop_hangs", loops=hanging)
            # While it can be done in peace: who ends this process stops its threads in the middle of a step.
            self._list_threads()
            self._supervisor.status(f"hangs: {', '.join(hanging)}")
        else:
            _log.warning("no loop hangs any more", action="daemon.loop_goes_on")
            self._supervisor.status("running")
