"""The real daemon and the supervisor that started it: signs of life, as long as every loop deserves one."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kill.site import PATIENCE_SECONDS, Site

pytestmark = pytest.mark.kill

STOPPING = ("-m", "tests.kill.stopping")
SHORT = ("daemon._TICK_AT_MOST_SECONDS=1", "flows.delivery._SERVER_THINKS_SECONDS=1")
IMPATIENT = tuple(word for time in (*SHORT, "flows.pulse.STEP_SECONDS=3") for word in ("--set", f"mailbot.{time}"))
# Where nothing may hang: no loop for longer than we listen, but a machine that stands still meanwhile is none.
LESS_SO = tuple(word for time in (*SHORT, "flows.pulse.STEP_SECONDS=6.5") for word in ("--set", f"mailbot.{time}"))
LISTENS_SECONDS = 8.0
WATCHDOG_SECONDS = 0.4


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.heard: list[str] = []

    def listen(self, seconds: float) -> list[str]:
        """What is said within so many seconds, word by word."""
        said: list[str] = []
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._listener.settimeout(left)
            try:
                said += self._listener.recv(4096).decode().split("\n")
            except TimeoutError:
                break
        self.heard += said
        return said

    def wait_for(self, beginning: str) -> None:
        """Until something was said that begins so. What nobody listens to is lost when there is much of it."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not any(word.startswith(beginning) for word in self.listen(0.05)):
            assert time.monotonic() < end, f"{beginning} was not said, but {self.heard[-10:]}"

    def wait_for_silence(self) -> None:
        """Until no sign of life came for twice the time that systemd waits for one."""
        end = time.monotonic() + PATIENCE_SECONDS
        while "WATCHDOG=1" in self.listen(2 * WATCHDOG_SECONDS):
            assert time.monotonic() < end, "it says that it is alive"


@pytest.fixture
def systemd(site: Site, tmp_path: Path) -> Iterator[Systemd]:
    """Supervises the daemons of the site."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        site.settings |= {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(int(WATCHDOG_SECONDS * 1e6))}
        yield Systemd(listener)


def hang_up(process: subprocess.Popen[bytes]) -> None:
    """What systemd does to a process that gives no sign of life."""
    process.send_signal(signal.SIGABRT)
    # Python lists its threads then while they go on, and may stumble over one of them.
    assert process.wait(PATIENCE_SECONDS) in {-signal.SIGABRT, -signal.SIGSEGV}


def wait_for_signs_of_life(site: Site, systemd: Systemd) -> None:
    """For longer than any promise, while none is broken. At the start, when all is still loaded, one may be on
    a busy machine; a loop that makes no new promises breaks its own again and again."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        hung = len(site.log_lines("daemon.loop_hangs"))
        signs = systemd.listen(LISTENS_SECONDS).count("WATCHDOG=1")
        if signs > 20 and len(site.log_lines("daemon.loop_hangs")) == hung:
            return
        assert time.monotonic() < end, f"{signs} signs of life, and loops that hang"


def test_it_is_ready_when_it_runs_and_says_when_it_stops(site: Site, systemd: Systemd) -> None:
    with site.daemon() as process:
        systemd.wait_for("READY=1")
        assert site.log_lines("daemon.started")
        systemd.wait_for("WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        systemd.wait_for("STOPPING=1")
        assert process.wait(PATIENCE_SECONDS) == 0


def test_an_idle_daemon_gives_signs_of_life_for_longer_than_any_promise(site: Site, systemd: Systemd) -> None:
    with site.daemon(*STOPPING, *LESS_SO, "--", "run") as process:
        systemd.wait_for("READY=1")
        wait_for_signs_of_life(site, systemd)
        assert site.stop_politely(process) == 0


def test_servers_that_are_away_are_no_reason_to_be_started_again(site: Site, systemd: Systemd) -> None:
    away = {"MAILBOT_IMAP_URL": "imap://a:b@127.0.0.1:9/INBOX", "MAILBOT_SMTP_URL": "smtp://a:b@127.0.0.1:9"}
    site.customer_writes(site.servers.new_user("cliente"))
    with site.app(**{**away, "MAILBOT_IMAP_URL": site.settings["MAILBOT_IMAP_URL"]}) as app:
        # A letter that waits for its server.
        for collector in app.collectors():
            collector.collect_once()
            collector.close()
        assert app.intake.process_next() is not None
        app.intake.stop()
    site.settings |= away
    with site.daemon(*STOPPING, *LESS_SO, "--", "run") as process:
        systemd.wait_for("READY=1")
        site.wait(lambda: site.log_lines("collect.away") and site.log_lines("delivery.retry"), "the first tries")
        wait_for_signs_of_life(site, systemd)
        assert site.stop_politely(process) == 0


def test_a_start_that_waits_for_its_database_is_alive_and_can_be_stopped(site: Site, systemd: Systemd) -> None:
    (site.data / "mailbot.db").mkdir(parents=True)
    site.settings["MAILBOT_ALERT_COMMAND"] = "/bin/true"
    with site.daemon(*STOPPING, *LESS_SO, "--", "run") as process:
        systemd.wait_for("STATUS=waits for the database")
        assert "READY=1" in systemd.heard
        wait_for_signs_of_life(site, systemd)
        process.send_signal(signal.SIGTERM)
        systemd.wait_for("STOPPING=1")
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize(
    ("step", "loops"),
    [
        ("before settle", ["collect default/INBOX"]),
        ("before examine", ["intake"]),
        ("before tick", ["clockwork"]),
        # The event loop itself: with it every letter hangs.
        ("before DATA", ["deliver 0", "deliver 1", "delivery"]),
    ],
)
def test_a_loop_that_hangs_gives_no_sign_of_life_and_its_place_is_told(
    site: Site, systemd: Systemd, step: str, loops: list[str]
) -> None:
    site.customer_writes(site.servers.new_user("cliente"))
    flag = site.folder / "flag"
    hanging = [*STOPPING, *IMPATIENT, "--at", step, "--how", "pause", "--flag", str(flag)]
    with site.daemon(*hanging, "--", "run") as process:
        site.wait(flag.exists, "the loop to hang")
        systemd.wait_for("STATUS=hangs: ")
        systemd.wait_for_silence()
        site.wait(lambda: hanging_loops(site) >= set(loops), f"the log to name {loops}")
        # Of every thread the log has where it is, and of no value.
        site.wait(lambda: "tests/kill/stopping.py" in site.log.read_text(), "the list of threads")
        hang_up(process)
    with site.daemon() as process:
        site.wait(lambda: len(site.log_lines("daemon.started")) == 2, "the new process")
        site.wait(lambda: site.tickets() and site.all_is_done(), "what was left to be done")
        assert site.stop_politely(process) == 0


def hanging_loops(site: Site) -> set[str]:
    return {loop for line in site.log_lines("daemon.loop_hangs") for loop in line["loops"]}
