"""``python -m mailbot.cli.worker``: a helper's process (see ``mailbot/worker.py``); nobody starts it by hand.

Its orders come as one line on standard input, which then stays open until the helper is to go.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

import structlog

import mailbot
from mailbot.bootstrap import build_app
from mailbot.catalogue.load import load_catalogue
from mailbot.cli.context import set_up_logging
from mailbot.cli.logs import unforeseen_errors
from mailbot.crew import Farewell, Orders
from mailbot.domain.errors import ConfigurationError, StorageUnavailable
from mailbot.settings import load_settings
from mailbot.worker import ignore_signals, work_off

_log = structlog.get_logger("mailbot.worker")

COMMAND = (sys.executable, "-P", "-m", "mailbot.cli.worker")
"""How a process that helps in a rush is started."""

_NO_DOTENV = Path("/nonexistent/.env")


def main() -> None:
    """Work until the input ends."""
    ignore_signals()
    set_up_logging()
    reports = _reports_alone()
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as orders:
        line = orders.readline()
        # Without a whole line there was no time to give orders.
        with unforeseen_errors():
            farewell = _work(line, orders, reports) if line.endswith(b"\n") else Farewell.WORK_IS_DONE
    sys.exit(farewell)


def _work(line: bytes, orders: IO[bytes], reports: IO[bytes]) -> Farewell:
    told = Orders.from_line(line)
    try:
        settings = load_settings(told.environment, dotenv=_NO_DOTENV)
        set_up_logging(settings)
        catalogue = load_catalogue(settings.config_dir)
        if (mailbot.__version__, catalogue.digest) != (told.version, told.catalogue_digest):
            return Farewell.OTHER_RULES
        app = build_app(settings, catalogue=catalogue)
        try:
            return work_off(app, orders, reports, early="--early" in sys.argv[1:])
        finally:
            app.close()
    except ConfigurationError as error:
        # The daemon started with the same settings: what is wrong has become so since.
        problems = [f"{problem.source}: {problem.key}" for problem in error.problems]
        _log.warning("wrong configuration", action="worker.wrong_configuration", problems=problems)
        return Farewell.OTHER_RULES
    except StorageUnavailable as error:
        _log.warning("cannot process", action="worker.storage_not_open", error=str(error))
        return Farewell.STORAGE_AWAY


def _reports_alone() -> IO[bytes]:
    """Standard output for reports; what else in this process or a library of it writes there goes to the log."""
    reports = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return reports


if __name__ == "__main__":
    main()
