"""Daemons are killed and started again, and servers are cut off one after the other."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.peers.process import wait_until
from tests.soak.relay import Way
from tests.soak.troubles import RESTARTED, Daemons, cut_in_turn, descendants, plan_cuts, resident_mb

SLEEPS = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)"


class Started:
    """Stands for a site: what it was asked to start."""

    def __init__(self, *programs: str) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self._programs = list(programs)

    def start(self, *_command: str) -> subprocess.Popen[bytes]:
        program = self._programs.pop(0) if self._programs else "import time; time.sleep(60)"
        self.processes.append(subprocess.Popen([sys.executable, "-c", program]))
        return self.processes[-1]

    def running(self) -> int:
        return sum(process.poll() is None for process in self.processes)


@pytest.fixture
def end() -> Iterator[threading.Event]:
    end = threading.Event()
    yield end
    end.set()


def daemons_of(site: Started, *, kill_every_seconds: float) -> Daemons:
    given: Any = site
    return Daemons(given, kill_every_seconds=kill_every_seconds, seed=1)


def test_one_is_killed_every_so_often_and_two_always_run(end: threading.Event) -> None:
    site = Started()
    daemons = daemons_of(site, kill_every_seconds=0.3)
    thread = threading.Thread(target=daemons.kill_in_turn, args=[end])
    thread.start()
    try:
        wait_until(lambda: daemons.kills >= 3, "three kills")
    finally:
        end.set()
        thread.join()
        running = site.running()
        daemons.kill()
    assert running == 2
    assert len(site.processes) == 2 + daemons.kills
    assert daemons.ended == {}
    assert {one.daemon for one in daemons.samples} == {0, 1}
    # It may only just have begun.
    assert all(one.own_mb > 0 for one in daemons.samples)


def test_one_that_ends_by_itself_is_counted_and_started_again(end: threading.Event) -> None:
    site = Started("raise SystemExit(3)")
    daemons = daemons_of(site, kill_every_seconds=60)
    thread = threading.Thread(target=daemons.keep_alive, args=[end])
    thread.start()
    try:
        wait_until(lambda: len(site.processes) == 3, "another start")
    finally:
        end.set()
        thread.join()
        daemons.kill()
    assert daemons.ended == {3: 1}
    assert daemons.kills == 0


def test_the_memory_of_a_process_and_of_its_children_is_told_apart() -> None:
    site = Started(SLEEPS)
    process = site.start()
    try:
        wait_until(lambda: len(descendants(process.pid)) == 1, "the child")
        assert resident_mb(process.pid) > 1
        # It may only just have begun.
        wait_until(lambda: resident_mb(descendants(process.pid)[0]) > 1, "the child's memory")
    finally:
        for pid in descendants(process.pid):
            subprocess.run(["kill", str(pid)], check=True)
        process.kill()
        process.wait()
    assert resident_mb(process.pid) == 0


class _Told:
    """Stands for a relay and for a server: what it was told, in order."""

    def __init__(self, name: str, told: list[str]) -> None:
        self._name, self._told = name, told

    def cut(self, way: Way) -> None:
        self._told.append(f"{self._name} {way}")

    def restore(self) -> None:
        self._told.append(f"{self._name} back")


def test_each_server_is_away_in_each_way_within_the_run_and_back_before_the_next() -> None:
    cuts = plan_cuts(seconds=3600)
    assert {(cut.server, cut.how) for cut in cuts} == {
        *((server, str(way)) for server in ("IMAP", "SMTP", "database") for way in Way),
        ("database", RESTARTED),
    }
    assert all(cut.seconds == 60 for cut in cuts)
    ends = [cut.at_seconds + cut.seconds for cut in cuts]
    assert all(end < later.at_seconds for end, later in zip(ends, cuts[1:], strict=False))
    assert ends[-1] < 3600


def test_what_is_cut_off_is_restored(end: threading.Event) -> None:
    told: list[str] = []
    relays: Any = {name: _Told(name, told) for name in ("IMAP", "SMTP", "database")}
    done = cut_in_turn(
        plan_cuts(seconds=1),
        relays,
        stop_database=lambda: told.append("stopped"),
        start_database=lambda: told.append("started"),
        say=lambda _: None,
        end=end,
    )
    assert len(done) == 10
    assert told[-2:] == ["stopped", "started"]
    for away, back in zip(told[:-2:2], told[1:-2:2], strict=True):
        assert back == f"{away.split()[0]} back"


def test_the_end_of_the_run_ends_a_cut_at_once_and_restores_it() -> None:
    told: list[str] = []
    end = SimpleNamespace(wait=lambda _seconds: bool(told))
    relays: Any = {name: _Told(name, told) for name in ("IMAP", "SMTP", "database")}
    given: Any = end
    cut_in_turn(
        plan_cuts(seconds=3600),
        relays,
        stop_database=lambda: None,
        start_database=lambda: None,
        say=lambda _: None,
        end=given,
    )
    assert told == [f"IMAP {Way.REFUSING}", "IMAP back"]
