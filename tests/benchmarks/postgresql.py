"""``postgresql``: the product there beside SQLite in the same run, two daemons beside one, and its latency.

The server commits to the disk, as it does in real life. Helpers are switched off: what is compared is what one
process does, and what a second one adds.
"""

from __future__ import annotations

import contextlib
import os
import statistics
from collections.abc import Iterator

from sqlalchemy import func, select

from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.tables import inbound_mails
from tests.benchmarks.daemon import running_daemon
from tests.benchmarks.household import fill, scratch, settings_on
from tests.benchmarks.intake import Run, collect_and_intake, median_rate
from tests.benchmarks.latency import latency
from tests.benchmarks.mix import make_mix
from tests.benchmarks.options import Options
from tests.benchmarks.report import Figure, say
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import Postfix
from tests.peers.postgresql import PostgreSQL
from tests.peers.process import PeerError, wait_until

_OF_SQLITE, _OF_ONE = 0.6, 1.4
_ALONE = {"workers": "0"}


def postgresql(options: Options, dovecot: Dovecot, postfix: Postfix, server: PostgreSQL) -> Iterator[Figure]:
    """Intake as a ratio to SQLite's, two daemons as a ratio to one, and p95 from arrival to letter."""
    embedded: list[Run] = []
    served: list[Run] = []
    ones: list[float] = []
    twos: list[float] = []
    for number in range(options.runs):
        embedded.append(collect_and_intake(options, dovecot, **_ALONE))
        served.append(collect_and_intake(options, dovecot, database_url=server.new_database(), **_ALONE))
        ones.append(_rate_of_daemons(1, options, dovecot, server))
        twos.append(_rate_of_daemons(2, options, dovecot, server))
        say(
            f"  run {number + 1}: SQLite {embedded[-1].rate:.0f} mails/s ({embedded[-1].cpu_seconds:.1f} CPU s), "
            f"PostgreSQL {served[-1].rate:.0f} ({served[-1].cpu_seconds:.1f} CPU s); "
            f"one daemon {ones[-1]:.0f}, two {twos[-1]:.0f}"
        )
    ratio = median_rate(served) / median_rate(embedded)
    yield Figure(
        benchmark="postgresql",
        what="intake, part of SQLite's",
        value=ratio,
        goal=f"≥ {_OF_SQLITE}",
        met=ratio >= _OF_SQLITE,
        detail=f"{median_rate(served):.0f} of {median_rate(embedded):.0f} mails/s, {options.mails} mails",
    )
    one, two = statistics.median(ones), statistics.median(twos)
    yield Figure(
        benchmark="postgresql",
        what="two daemons on two cores, times one",
        value=two / one,
        goal=f"≥ {_OF_ONE}",
        met=two / one >= _OF_ONE,
        detail=f"{two:.0f} and {one:.0f} mails/s from the first that was collected to the last that was done",
    )
    yield from latency(options, dovecot, postfix, server.new_database())


def _rate_of_daemons(count: int, options: Options, dovecot: Dovecot, server: PostgreSQL) -> float:
    """Mails a second of so many daemons, each on a processor of its own; their letters are held."""
    with scratch() as folder, contextlib.ExitStack() as running:
        address = fill(dovecot, "bot", make_mix(options.mails, "caixa@example.com.br"))
        url = server.new_database()
        given = settings_on(folder, dovecot, None, address)
        given |= {"MAILBOT_DATABASE_URL": url, "MAILBOT_WORKERS": "0", "MAILBOT_SEND": "hold"}
        database = Database(url)
        running.callback(database.close)
        processors = sorted(os.sched_getaffinity(0))
        for number in range(count):
            process = running.enter_context(running_daemon(given, folder))
            os.sched_setaffinity(process.pid, {processors[number % len(processors)]})
        seconds = 60 + options.mails / 5
        wait_until(lambda: _done(database) >= options.mails, f"{options.mails} mails", seconds=seconds)
        with database.read() as connection:
            begun, ended = connection.execute(
                select(func.min(inbound_mails.c.collected_at), func.max(inbound_mails.c.finished_at))
            ).one()
    return float(options.mails / (ended - begun).total_seconds())


def _done(database: Database) -> int:
    try:
        with database.read() as connection:
            done = select(func.count()).select_from(inbound_mails).where(inbound_mails.c.outcome != "pending")
            return connection.scalar(done) or 0
    except Exception as error:
        if "does not exist" in str(error):
            return 0
        raise PeerError(str(error)) from error
