"""Ends a process that takes too long: ``with Deadline().of(child, seconds) as is_late``.

One thread watches over one question after the other: to start one for each would take a good part of the time in
which a small file is read.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_IDLE_SECONDS = 60.0
_END_SECONDS = 5.0


def wait_for_end(child: subprocess.Popen[bytes]) -> None:
    """Until a child that was killed is gone; where the whole machine stands still, for a while: it will go."""
    with suppress(subprocess.TimeoutExpired):
        child.wait(_END_SECONDS)


class Deadline:
    """Watches over one question at a time; its thread goes when nothing was asked for a while."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wakes_at = 0.0
        # Set while a question is being answered; when it is due, and of whom it was asked.
        self._due_at: float | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._is_late = False

    @contextmanager
    def of(self, child: subprocess.Popen[bytes], seconds: float) -> Iterator[Callable[[], bool]]:
        """Kill ``child`` after ``seconds``, but not once the context has been left; what is given tells whether
        it was killed."""
        with self._changed:
            self._child, self._due_at, self._is_late = child, time.monotonic() + seconds, False
            self._see_that_it_is_watched(self._due_at)
        try:
            yield lambda: self._is_late
        finally:
            with self._changed:
                self._child = self._due_at = None
            if self._is_late:
                # It may have struck at the last moment: who asks next is to find the child gone.
                wait_for_end(child)

    def _see_that_it_is_watched(self, due_at: float) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._watch, name="deadline", daemon=True)
            thread.start()
            self._thread = thread
        elif self._wakes_at > due_at:
            # Else it sleeps until an earlier question was due, and wakes in time for this one.
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            go_at = time.monotonic() + _IDLE_SECONDS
            while self._due_at is not None or time.monotonic() < go_at:
                if self._due_at is not None:
                    go_at = time.monotonic() + _IDLE_SECONDS
                    self._strike_if_due()
                self._wakes_at = go_at if self._due_at is None else self._due_at
                self._changed.wait(max(0.0, self._wakes_at - time.monotonic()))
            self._thread = None

    def _strike_if_due(self) -> None:
        if self._child is not None and self._due_at is not None and time.monotonic() >= self._due_at:
            self._is_late, self._due_at = True, None
            self._child.kill()
