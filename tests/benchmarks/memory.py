"""``memory``: what the daemon holds while it works off the mix, and after one very large mail."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tests.benchmarks.daemon import Recorder, running_daemon, wait_for_processed
from tests.benchmarks.household import fill, scratch, settings
from tests.benchmarks.mix import large_mail, make_mix
from tests.benchmarks.options import Options
from tests.benchmarks.report import Figure
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import DISCARD_DOMAIN

_GOAL_MB = 150
_GOAL_BACK_WITHIN_MB = 20
_LARGE_BYTES = 25_000_000
_SETTLE_SECONDS = 5.0
_MEGABYTE = 1024


def memory(options: Options, dovecot: Dovecot) -> Iterator[Figure]:
    """Resident memory of the daemon's process; its helper processes are told apart."""
    with scratch() as folder, Recorder() as recorder:
        address = fill(dovecot, "bot", make_mix(options.mails, "caixa@example.com.br"))
        login = f"{quote(address, safe='')}:{quote(dovecot.users[address], safe='')}"
        given = settings(
            folder,
            imap_url=f"imap://{login}@127.0.0.1:{dovecot.imap_port}/INBOX",
            smtp_url=f"smtp://127.0.0.1:{recorder.port}",
            address=address,
        )
        with running_daemon(given, folder) as process, _Watch(process.pid) as watch:
            wait_for_processed(process, folder, options.mails, seconds=60 + options.mails / 5)
            time.sleep(_SETTLE_SECONDS)
            peak, before = watch.peak_mb, _resident_mb(process.pid)
            helpers = watch.helpers_peak_mb
            dovecot.append(address, large_mail(1, address, f"grande@{DISCARD_DOMAIN}", _LARGE_BYTES))
            wait_for_processed(process, folder, options.mails + 1, seconds=120)
            time.sleep(_SETTLE_SECONDS)
            after, large_peak = _resident_mb(process.pid), watch.peak_mb
    yield Figure(
        benchmark="memory",
        what="at most, on the mix",
        value=peak,
        unit="MB",
        goal=f"< {_GOAL_MB} MB",
        met=peak < _GOAL_MB,
        detail=f"{before:.0f} MB afterwards; helper processes besides: {helpers:.0f} MB",
    )
    yield Figure(
        benchmark="memory",
        what="more than before, after a mail of 25 MB",
        value=after - before,
        unit="MB",
        goal=f"≤ {_GOAL_BACK_WITHIN_MB} MB",
        met=after - before <= _GOAL_BACK_WITHIN_MB,
        detail=f"{large_peak:.0f} MB while it was read",
    )


class _Watch:
    """Looks at the memory of a process and its children ten times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.peak_mb = self.helpers_peak_mb = 0.0

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.1):
            self.peak_mb = max(self.peak_mb, _resident_mb(self._pid))
            self.helpers_peak_mb = max(self.helpers_peak_mb, sum(map(_resident_mb, _children(self._pid))))


def _resident_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / _MEGABYTE for line in lines if line.startswith("VmRSS:")), 0.0)


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text(encoding="ascii").split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
