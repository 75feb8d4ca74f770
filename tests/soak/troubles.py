"""Two daemons that are killed and started again, servers that are cut off, and what the daemons hold meanwhile."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.kill.site import Site
from tests.soak.relay import Relay, Way

DAEMON = ("-m", "tests.soak.daemon", "run")
# As systemd does with what ended by itself (deploy's RestartSec is longer).
_RESTART_AFTER_SECONDS = 2.0
_LOOKS_EVERY_SECONDS = 0.2
_SAMPLE_EVERY_SECONDS = 5.0
_KILOBYTES = 1024
_STOP_SECONDS = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a daemon held at a moment, in megabytes; its helpers and readers apart. Seconds of the run, and of its
    own life."""

    at_seconds: float
    age_seconds: float
    daemon: int
    own_mb: float
    children_mb: float


class Daemons:
    """Two daemons, one of which is killed now and then; both are always started again."""

    def __init__(self, site: Site, *, kill_every_seconds: float, seed: int) -> None:
        self.site = site
        self.kills = 0
        self.ended: Counter[int] = Counter()
        self.samples: list[Sample] = []
        self._kill_every = kill_every_seconds
        self._chance = random.Random(seed)
        self._began = time.monotonic()
        self._running = [self._start(), self._start()]
        self._started_at = [self._began, self._began]

    def _start(self) -> subprocess.Popen[bytes]:
        return self.site.start(*DAEMON)

    def kill_in_turn(self, end: threading.Event) -> None:
        """Kill -9 one of both, chosen by chance, every so often until the end; what ended by itself is started
        again too."""
        next_kill = time.monotonic() + self._kill_every
        next_sample = time.monotonic()
        while not end.wait(_LOOKS_EVERY_SECONDS):
            self._mend(end)
            if time.monotonic() >= next_sample:
                next_sample += _SAMPLE_EVERY_SECONDS
                self._sample()
            if time.monotonic() >= next_kill:
                # Not to the second: else it would meet the daemons' own clocks always in the same place.
                next_kill += self._kill_every * self._chance.uniform(0.8, 1.2)
                victim = self._chance.randrange(2)
                self._running[victim].kill()
                self._running[victim].wait()
                self.kills += 1
                self._again(victim)

    def keep_alive(self, end: threading.Event) -> None:
        """Without kills."""
        while not end.wait(_LOOKS_EVERY_SECONDS):
            self._mend(end)

    def _mend(self, end: threading.Event) -> None:
        for number, process in enumerate(self._running):
            if process.poll() is not None:
                self.ended[process.returncode] += 1
                end.wait(_RESTART_AFTER_SECONDS)
                self._again(number)

    def _again(self, number: int) -> None:
        self._running[number] = self._start()
        self._started_at[number] = time.monotonic()

    def _sample(self) -> None:
        now = time.monotonic()
        for number, process in enumerate(self._running):
            own, children = resident_mb(process.pid), sum(map(resident_mb, descendants(process.pid)))
            self.samples.append(
                Sample(
                    at_seconds=now - self._began,
                    age_seconds=now - self._started_at[number],
                    daemon=number,
                    own_mb=own,
                    children_mb=children,
                )
            )

    def stop_politely(self) -> list[int]:
        """SIGTERM to both; their exit codes."""
        for process in self._running:
            process.terminate()
        return [process.wait(_STOP_SECONDS) for process in self._running]

    def kill(self) -> None:
        """Whatever still runs."""
        for process in self._running:
            process.kill()
            process.wait()


def resident_mb(pid: int) -> float:
    """Resident memory of a process; 0 when it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / _KILOBYTES
    return 0.0


def descendants(pid: int) -> list[int]:
    """Children and theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in task.read_text(encoding="ascii").split():
                found += [int(child), *descendants(int(child))]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A server away: which, how, from when (seconds of the run), for how long."""

    server: str
    how: str
    at_seconds: float
    seconds: float


def plan_cuts(*, seconds: float) -> list[Cut]:
    """Each server away in each way, one after the other, and the database restarted once, spread over the run."""
    ways = [(server, str(way)) for way in Way for server in ("IMAP", "SMTP", "database")]
    ways.append(("database", RESTARTED))
    between = seconds / (len(ways) + 1)
    lasting = min(60.0, between / 3)
    return [
        Cut(server=server, how=how, at_seconds=(number + 0.6) * between, seconds=lasting)
        for number, (server, how) in enumerate(ways)
    ]


RESTARTED = "is stopped and started"


def cut_in_turn(
    cuts: list[Cut],
    relays: dict[str, Relay],
    *,
    stop_database: Callable[[], None],
    start_database: Callable[[], None],
    say: Callable[[str], None],
    end: threading.Event,
) -> list[Cut]:
    """Do what is planned; those that were done. Everything serves again when this returns."""
    began, done = time.monotonic(), []
    for cut in cuts:
        if end.wait(max(0.0, began + cut.at_seconds - time.monotonic())):
            break
        say(f"{cut.server} {cut.how} for {cut.seconds:.0f} s")
        if cut.how == RESTARTED:
            stop_database()
            end.wait(cut.seconds)
            start_database()
        else:
            relays[cut.server].cut(Way(cut.how))
            end.wait(cut.seconds)
            relays[cut.server].restore()
        say(f"{cut.server} serves again")
        done.append(cut)
    return done
