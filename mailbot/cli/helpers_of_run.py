"""What helpers of ``mailbot run`` are forked off: ``(App) -> ForkServer``.

To be made before anything of the app is opened or begun.
"""

from __future__ import annotations

from typing import IO

import structlog

from mailbot.adapters.storage.engine import Database
from mailbot.bootstrap import App
from mailbot.cli.logs import unforeseen_errors
from mailbot.crew import HelperExit, helpers_allowed
from mailbot.domain.errors import StorageUnavailable
from mailbot.helper import work_off
from mailbot.housework import warm_up
from mailbot.isolation.fork_server import ForkServer

HELPERS_NAME = "mailbot-helper"
"""What ``ps`` and ``top`` call a helper."""

_log = structlog.get_logger("mailbot.run")


def fork_server_of(app: App, *, for_a_round: bool) -> ForkServer | None:
    """Where processes that help ``app`` in a rush are forked off; ``None`` where none is wanted or can be had.

    ``for_a_round``: for ``run --once``, which counts the wait before another attempt as over. What helpers need is
    loaded now, beside what the program itself loads: a rush may be what it meets first, and for a daemon the disk
    may hold another program later.
    """
    if helpers_allowed(app.settings) == 0:
        return None

    def prepare() -> None:
        with unforeseen_errors():
            warm_up(app)
            # Its driver is loaded; nothing is opened.
            Database(app.settings.database_url).close()

    def work(orders: IO[bytes], reports: IO[bytes]) -> int:
        with unforeseen_errors():
            try:
                return work_off(app, orders, reports, early=for_a_round)
            except StorageUnavailable:
                return HelperExit.STORAGE_AWAY
            finally:
                app.close()

    try:
        return ForkServer(name=HELPERS_NAME, prepare=prepare, work=work)
    except OSError as error:
        # That is no reason not to begin.
        _log.warning("no helpers to be had", action="helpers.none", error=str(error))
        return None
