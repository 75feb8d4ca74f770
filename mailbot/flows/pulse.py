"""Are the loops alive? Each promises when it will be heard of again; who is late hangs.

A promise is as long as the longest honest wait of the step that begins: a server that is away is waited for
within limits of the adapters, which are all shorter. Only what those limits do not know (a lock, a disk, an
error of our own) makes a loop late.
"""

from __future__ import annotations

import asyncio
import time

STEP_SECONDS = 600.0
"""For a step that asks the database or a server once. A locked SQLite keeps each of our threads half a minute,
one after the other."""


class Pulse:
    """Promises by name of the loop; to be used by any thread."""

    def __init__(self) -> None:
        # Name → (until when in monotonic seconds, how long the promise was).
        self._promises: dict[str, tuple[float, float]] = {}

    def promise(self, loop: str, *, after_seconds: float = 0.0) -> None:
        """``loop`` will be heard of again when one step is over, which follows a wait of ``after_seconds``."""
        seconds = after_seconds + STEP_SECONDS
        self._promises[loop] = (time.monotonic() + seconds, seconds)

    def renew(self, loop: str) -> None:
        """It goes on: the promise begins anew, if there is one."""
        promise = self._promises.get(loop)
        if promise is not None:
            self._promises[loop] = (time.monotonic() + promise[1], promise[1])

    def renew_task(self) -> None:
        """The same for the asyncio task that runs now, which bears its loop's name."""
        task = asyncio.current_task()
        if task is not None:
            self.renew(task.get_name())

    def end(self, loop: str) -> None:
        """It came to its end and promises nothing any more."""
        self._promises.pop(loop, None)

    def overdue(self) -> list[str]:
        """The loops that broke their promise, by name."""
        now = time.monotonic()
        return sorted(loop for loop, (until, _) in self._promises.copy().items() if now > until)
