"""``start``: from the start of the process to the first IMAP command, by the clock of a server that listens."""

from __future__ import annotations

import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.household import environment, scratch, settings
from tests.benchmarks.options import Options
from tests.benchmarks.report import Figure, say

_GOAL_SECONDS = 1.5
_WAIT_SECONDS = 60.0
_IMPORT_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| (\s*)(\S+)")
_IMPORTS_SHOWN = 30


def start(options: Options) -> Iterator[Figure]:
    """``mailbot run`` on a fresh folder (tables are made), then again and again."""
    with scratch() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_WAIT_SECONDS)
        port = listener.getsockname()[1]
        given = settings(
            folder,
            imap_url=f"imap://bot:secret@127.0.0.1:{port}/INBOX",
            smtp_url="smtp://127.0.0.1:9",
            address="bot@example.com.br",
        )
        first = _seconds_to_first_command(given, folder, listener)
        later = [_seconds_to_first_command(given, folder, listener) for _ in range(max(options.runs, 3))]
        if options.imports:
            _list_imports(given, folder, listener)
    seconds = statistics.median(later)
    yield Figure(
        benchmark="start",
        what="to the first IMAP command",
        value=seconds,
        unit="s",
        goal=f"< {_GOAL_SECONDS} s",
        met=seconds < _GOAL_SECONDS,
        detail=f"runs: {', '.join(f'{one:.2f}' for one in later)}",
    )
    yield Figure(benchmark="start", what="the very first, tables made", value=first, unit="s")


def _seconds_to_first_command(
    given: dict[str, str], folder: Path, listener: socket.socket, *options: str, log: Path | None = None
) -> float:
    with (log or folder / "daemon.log").open("ab") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *options, "-m", "mailbot", "run"],
            cwd=folder,
            env=environment(given),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        while not _is_asked(listener):
            pass
        return time.perf_counter() - started
    finally:
        process.kill()
        process.wait()


def _is_asked(listener: socket.socket) -> bool:
    """Greet the next client; whether it says anything. One that was left waiting by a process that is gone does
    not."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(_WAIT_SECONDS)
        try:
            connection.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n")
            return connection.recv(100) != b""
        except ConnectionError:
            return False


def _list_imports(given: dict[str, str], folder: Path, listener: socket.socket) -> None:
    """What the start imports, dearest first: all that a module brings with it, and what of it is its own."""
    log = folder / "imports.log"
    _seconds_to_first_command(given, folder, listener, "-X", "importtime", log=log)
    found = [_IMPORT_LINE.match(line) for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    lines = sorted(((int(one[2]), int(one[1]), one[4]) for one in found if one), reverse=True)
    say("  imports, in ms: together, its own")
    for together, own, name in lines[:_IMPORTS_SHOWN]:
        say(f"  {together / 1000:8.1f} {own / 1000:8.1f}  {name}")
