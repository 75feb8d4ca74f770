"""``python -m tests.benchmarks [NAME …]``: run the benchmarks, or some of them, and say how they came out.

Figures below their goal are printed as such and end in 0 all the same: only what crashes ends in 1.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import peers
from tests.benchmarks.crowded import crowded
from tests.benchmarks.delivery import delivery
from tests.benchmarks.documents import documents, papers
from tests.benchmarks.intake import intake, once
from tests.benchmarks.latency import latency
from tests.benchmarks.memory import memory
from tests.benchmarks.options import Options
from tests.benchmarks.postgresql import postgresql
from tests.benchmarks.report import Figure, Skipped, say, summarise, tell
from tests.benchmarks.rules import rules
from tests.benchmarks.start import start
from tests.benchmarks.writers import writers
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import Postfix
from tests.peers.postgresql import PostgreSQL


class _Servers:
    """The real servers, started when the first benchmark asks for them."""

    def __init__(self, open_until: contextlib.ExitStack) -> None:
        self._open = open_until
        self._dovecot: Dovecot | None = None
        self._postfix: Postfix | None = None
        self._postgresql: PostgreSQL | None = None

    @property
    def dovecot(self) -> Dovecot:
        """The mailbox side."""
        if self._dovecot is None:
            self._dovecot = self._open.enter_context(Dovecot())
        return self._dovecot

    @property
    def postfix(self) -> Postfix:
        """The sending side."""
        if self._postfix is None:
            self._postfix = self._open.enter_context(Postfix(self.dovecot))
        return self._postfix

    @property
    def postgresql(self) -> PostgreSQL:
        """A database server whose commits are durable."""
        if self._postgresql is None:
            self._postgresql = self._open.enter_context(PostgreSQL(durable=True))
        return self._postgresql


Benchmark = Callable[[Options, _Servers], Iterator[Figure]]

_BENCHMARKS: dict[str, tuple[tuple[str, ...], Benchmark]] = {
    "intake": (("dovecot",), lambda options, servers: intake(options, servers.dovecot)),
    "once": (("postfix",), lambda options, servers: once(options, servers.dovecot, servers.postfix)),
    "start": ((), lambda options, _: start(options)),
    "delivery": (("postfix",), lambda options, servers: delivery(options, servers.dovecot, servers.postfix)),
    "latency": (("postfix",), lambda options, servers: latency(options, servers.dovecot, servers.postfix)),
    "postgresql": (
        ("postfix", "postgresql"),
        lambda options, servers: postgresql(options, servers.dovecot, servers.postfix, servers.postgresql),
    ),
    "memory": (("dovecot",), lambda options, servers: memory(options, servers.dovecot)),
    "crowded": (("dovecot",), lambda options, servers: crowded(options, servers.dovecot)),
    "documents": (("tesseract",), lambda options, _: documents(options)),
    "papers": (
        ("postfix", "tesseract"),
        lambda options, servers: papers(options, servers.dovecot, servers.postfix),
    ),
    "rules": ((), lambda options, _: rules(options)),
    "writers": ((), lambda options, _: writers(options)),
}
"""Name → the peers that it needs, and what to run."""


def main() -> int:
    """Run what is asked for; 1 if something crashed."""
    names, options = _arguments()
    results: list[Figure | Skipped] = []
    crashed = False
    say(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    with contextlib.ExitStack() as stack:
        servers = _Servers(stack)
        for name in names:
            needs, benchmark = _BENCHMARKS[name]
            lacking = next((reason for peer in needs if (reason := peers.missing(peer))), None)
            if lacking is not None:
                say(f"{name}: skipped: {lacking}")
                results.append(Skipped(benchmark=name, reason=lacking))
                continue
            say(f"{name} …")
            try:
                for figure in benchmark(options, servers):
                    tell(figure)
                    results.append(figure)
            except Exception as error:
                crashed = True
                traceback.print_exc()
                say(getattr(error, "stderr", None) or "")
                results.append(Skipped(benchmark=name, reason=f"crashed: {type(error).__name__}"))
    summarise(results)
    return int(crashed)


def _arguments() -> tuple[list[str], Options]:
    default = Options()
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of: " + ", ".join(_BENCHMARKS))
    parser.add_argument("--mails", type=int, default=default.mails, help="mails in the mix")
    parser.add_argument("--runs", type=int, default=default.runs, help="runs of each side")
    parser.add_argument("--seconds", type=float, default=default.seconds, help="how long the writers write")
    parser.add_argument("--imports", action="store_true", help="list what the start imports, by its cost")
    parser.add_argument("--profile", type=Path, help="leave a profile of intake in this file")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in _BENCHMARKS]
    if unknown:
        parser.error("no such benchmark: " + ", ".join(unknown))
    options = Options(
        mails=given.mails,
        runs=given.runs,
        seconds=given.seconds,
        imports=given.imports,
        profile=given.profile.resolve() if given.profile else None,
    )
    return given.names or list(_BENCHMARKS), options


if __name__ == "__main__":
    sys.exit(main())
