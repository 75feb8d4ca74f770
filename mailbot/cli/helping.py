"""Helpers of ``mailbot run``: ``(App) -> Nursery``, to be made before anything of the app is opened or begun."""

from __future__ import annotations

from typing import IO

import structlog

from mailbot import worker
from mailbot.bootstrap import App
from mailbot.cli.context import set_up_logging
from mailbot.cli.logs import unforeseen_errors
from mailbot.crew import helpers_at_most
from mailbot.isolation.nursery import Nursery

HELPERS_NAME = "mailbot-helper"
"""What ``ps`` and ``top`` call a helper."""

_log = structlog.get_logger("mailbot.run")


def helpers_of(app: App, *, early: bool) -> Nursery | None:
    """Where processes that help ``app`` in a rush are forked off; ``None`` where none is wanted or can be had.

    ``early`` as in ``work_off``.
    """
    if helpers_at_most(app.settings) == 0:
        return None

    def work(orders: IO[bytes], reports: IO[bytes]) -> int:
        # Anew: whoever listens to the daemon's log does not hear its helpers.
        set_up_logging(app.settings)
        with unforeseen_errors():
            try:
                return worker.work_off(app, orders, reports, early=early)
            finally:
                app.close()

    def prepare() -> None:
        with unforeseen_errors():
            worker.get_ready(app)

    try:
        return Nursery(name=HELPERS_NAME, prepare=prepare, work=work)
    except OSError as error:
        # That is no reason not to begin.
        _log.warning("no helpers to be had", action="helpers.none", error=str(error))
        return None
