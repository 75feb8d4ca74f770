"""Helpers in a rush as programs of their own, where a test's process, which has threads, must not be forked.

``python -m tests.spawned`` is a helper on the settings of its environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mailbot.bootstrap import build_app
from mailbot.helper import work_off
from mailbot.housework import warm_up
from mailbot.isolation.fork_server import ForkedProcess, ForkServer
from mailbot.settings import load_settings

HELPER = (sys.executable, "-m", "tests.spawned")


class SpawnedHelpers(ForkServer):
    """In the place of a fork server: starts ``command`` in ``environment`` for each helper that is called in."""

    def __init__(self, command: Sequence[str], environment: Callable[[], Mapping[str, str]] = dict) -> None:
        self._command = command
        self._environment = environment
        self.begun: list[subprocess.Popen[bytes]] = []

    def begin(self) -> ForkedProcess:
        (orders, our_orders), (our_reports, reports), (our_state, state) = os.pipe(), os.pipe(), os.pipe()
        environment = {**os.environ, **self._environment()}
        process = subprocess.Popen(self._command, stdin=orders, stdout=reports, env=environment)
        self.begun.append(process)
        for end in (orders, reports):
            os.close(end)
        # At once, so that it can be ended from the first moment on.
        os.write(state, b"%d\n" % process.pid)

        def tell() -> None:
            code = process.wait()
            # Whoever asked may be gone.
            with suppress(BrokenPipeError), os.fdopen(state, "wb", buffering=0) as target:
                target.write(b"%d\n" % code)

        threading.Thread(target=tell, name="spawned", daemon=True).start()
        return ForkedProcess(orders=our_orders, reports=our_reports, state=our_state, end_server=self.close)

    def close(self) -> None:
        """Whoever is left is left."""


def main() -> int:
    """Help."""
    app = build_app(load_settings(dotenv=Path("/nonexistent")))
    warm_up(app)
    orders, reports = os.fdopen(0, "rb", buffering=0), os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    try:
        return work_off(app, orders, reports, early=True)
    finally:
        app.close()


if __name__ == "__main__":
    sys.exit(main())
