"""What a helper's process does from its orders to its end: ``(orders, reports) -> Farewell``."""

from __future__ import annotations

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

_NO_DOTENV = Path("/nonexistent/.env")


def help_out(orders: IO[bytes], reports: IO[bytes], *, early: bool) -> Farewell:
    """Do as the first line of ``orders`` says, until they end; see ``work_off`` for the rest."""
    ignore_signals()
    set_up_logging()
    line = orders.readline()
    if not line.endswith(b"\n"):
        # There was no time to give orders.
        return Farewell.WORK_IS_DONE
    with unforeseen_errors():
        return _work(Orders.from_line(line), orders, reports, early=early)


def _work(told: Orders, orders: IO[bytes], reports: IO[bytes], *, early: bool) -> Farewell:
    try:
        settings = load_settings(told.environment, dotenv=_NO_DOTENV)
        set_up_logging(settings)
        catalogue = load_catalogue(settings.config_dir)
        if (mailbot.__version__, catalogue.digest) != (told.version, told.catalogue_digest):
            return Farewell.OTHER_RULES
        app = build_app(settings, catalogue=catalogue)
        try:
            return work_off(app, orders, reports, early=early)
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
