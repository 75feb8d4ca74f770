"""``python -m mailbot.cli.worker``: a helper's process (see ``mailbot/worker.py``); nobody starts it by hand.

Its orders come as one line on standard input, which then stays open until the helper is to go. What it does with
them stands in ``helping.py``.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import IO

COMMAND = (sys.executable, "-P", "-m", "mailbot.cli.worker")
"""How a process that helps in a rush is started."""


def main() -> None:
    """Work until the input ends."""
    reports = _reports_alone()
    # What is loaded now stays: to look through all of it for garbage while it comes takes a fifth of the start.
    gc.disable()
    from mailbot.cli.helping import help_out

    gc.freeze()
    gc.enable()
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as orders:
        farewell = help_out(orders, reports, early="--early" in sys.argv[1:])
    sys.exit(farewell)


def _reports_alone() -> IO[bytes]:
    """Standard output for reports; what else in this process or a library of it writes there goes to the log."""
    reports = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return reports


if __name__ == "__main__":
    main()
