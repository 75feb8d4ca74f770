"""``python -m tests.soak --minutes 60 --mails 20000 --kill-every 30``: two daemons under everything that happens.

Everything is private and on loopback: Dovecot, Postfix, PostgreSQL, and relays between them and the daemons. Ends
in 0 if all that is checked holds, else in 1. Bounded: after the time of the run the daemons have ten minutes to
work off what is left. How to run it and what was seen: ``docs/soak.md``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from tests import peers
from tests.benchmarks.report import say
from tests.kill.site import Site
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import CATCH_ALL_DOMAIN, HOSTNAME, Postfix
from tests.peers.postgresql import PostgreSQL
from tests.peers.process import wait_until
from tests.sample_config import copied_without_digest
from tests.soak.check import Found, copies_due, look_at_everything
from tests.soak.people import People, noting
from tests.soak.relay import Relay
from tests.soak.report import tell
from tests.soak.troubles import Cut, Daemons, cut_in_turn, plan_cuts

_DRAIN_SECONDS = 600.0
_SETTLE_SECONDS = 5.0
_LOOKS_EVERY_SECONDS = 2.0
_TELL_EVERY_SECONDS = 30.0
_START_SECONDS = 60.0
_MAILS_OF_A_SENDER = 20
_SENDERS_AT_LEAST = 200
_ADMINISTRATOR = f"administracao@{CATCH_ALL_DOMAIN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long, how many, how often; from what chance."""

    minutes: float
    mails: int
    kill_every_seconds: float
    seed: int

    @property
    def seconds(self) -> float:
        """The time over which mails come."""
        return self.minutes * 60

    @property
    def senders(self) -> int:
        """So many that nobody meets the cap on letters to one address."""
        return max(_SENDERS_AT_LEAST, self.mails // _MAILS_OF_A_SENDER)


class Servers:
    """The peers as :class:`Site` wants them, each behind its relay."""

    def __init__(self, dovecot: Dovecot, imap: Relay, smtp: Relay) -> None:
        self._dovecot, self._imap, self._smtp = dovecot, imap, smtp

    def settings(self, address: str) -> dict[str, str]:
        """Where mailbot finds the servers."""
        login = f"{quote(address, safe='')}:{quote(self._dovecot.users[address], safe='')}@127.0.0.1"
        return {
            "MAILBOT_IMAP_URL": f"imap://{login}:{self._imap.port}/INBOX",
            "MAILBOT_SMTP_URL": f"smtp://{login}:{self._smtp.port}",
            "MAILBOT_AUTHSERV_ID": HOSTNAME,
        }

    def new_user(self, name: str) -> str:
        """The mailbox of the daemons."""
        return self._dovecot.new_user(name)

    def deliver(self, raw: bytes, *, sender: str, to: str) -> None:
        """Nobody delivers by this way here."""
        raise NotImplementedError

    def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """What lies in a folder now."""
        return self._dovecot.messages(address, folder)


class Soak:
    """One run."""

    def __init__(self, plan: Plan, folder: Path, open_until: contextlib.ExitStack) -> None:
        self.plan = plan
        self.dovecot = open_until.enter_context(Dovecot())
        self.postfix = open_until.enter_context(Postfix(self.dovecot))
        self.postgresql = open_until.enter_context(PostgreSQL())
        ports = {
            "IMAP": self.dovecot.imap_port,
            "SMTP": self.postfix.submission_port,
            "database": self.postgresql.port,
        }
        self.relays = {name: open_until.enter_context(Relay(port)) for name, port in ports.items()}
        self.database_url = self.postgresql.new_database()
        relayed = self.database_url.replace(f":{self.postgresql.port}/", f":{self.relays['database'].port}/")
        servers = Servers(self.dovecot, self.relays["IMAP"], self.relays["SMTP"])
        self.site = Site(servers, folder, database_url=relayed)
        self.site.settings |= {
            "MAILBOT_CONFIG_DIR": str(_configuration(folder)),
            "MAILBOT_ADMIN_ADDRESS": _ADMINISTRATOR,
            "MAILBOT_MAX_LETTERS_PER_HOUR": "100000",
            "MAILBOT_WORKERS": "1",
        }
        self.people = People(self.site.address, self.dovecot, self.postfix, senders=plan.senders, seed=plan.seed)
        with self.dovecot.imap(self.site.address) as connection:
            connection.create("Sent")
        self.cuts: list[Cut] = []
        self._errors: list[Exception] = []

    def run(self) -> Found:
        """From the first start to the last look."""
        daemons = Daemons(self.site, kill_every_seconds=self.plan.kill_every_seconds, seed=self.plan.seed)
        try:
            wait_until(
                lambda: len(self.site.log_lines("daemon.started")) >= 2, "both daemons", seconds=_START_SECONDS
            )
            with self._thread(self.people.read):
                with self._thread(daemons.kill_in_turn), self._thread(self._cut):
                    self._write_and_tell(daemons)
                with self._thread(daemons.keep_alive):
                    drained_after = self._drain()
                codes = daemons.stop_politely()
        finally:
            daemons.kill()
        if self._errors:
            raise self._errors[0]
        return look_at_everything(
            self.site.folder,
            self.database_url,
            self.people,
            daemons,
            self.cuts,
            saved=self.dovecot.messages(self.site.address, "Sent"),
            drained_after_seconds=drained_after,
            exit_codes=codes,
        )

    def _write_and_tell(self, daemons: Daemons) -> None:
        end, began = threading.Event(), time.monotonic()
        with self._thread(partial(self.people.write, mails=self.plan.mails, seconds=self.plan.seconds), end=end):
            while (past := time.monotonic() - began) < self.plan.seconds and not self._errors:
                end.wait(min(_TELL_EVERY_SECONDS, self.plan.seconds - past))
                done = f"{self.people.deliveries} mails in, {self.people.letters_got()} letters out"
                load = f"load {os.getloadavg()[0]:.1f}"
                say(f"{time.monotonic() - began:5.0f} s: {done}, {daemons.kills} kills, {load}")

    def _cut(self, end: threading.Event) -> None:
        self.cuts = cut_in_turn(
            plan_cuts(seconds=self.plan.seconds),
            self.relays,
            stop_database=self.postgresql.stop,
            start_database=self.postgresql.start,
            say=say,
            end=end,
        )

    def _drain(self) -> float | None:
        """Seconds until all was worked off; ``None`` if it was not in time."""
        say("no more mails; working off what is left")
        began = time.monotonic()
        url = self.site.settings["MAILBOT_DATABASE_URL"]
        self.site.settings["MAILBOT_DATABASE_URL"] = self.database_url
        expected = len(self.people.sent) + sum(self.people.copies.values())
        try:
            told_at = began
            while time.monotonic() < began + _DRAIN_SECONDS:
                time.sleep(_LOOKS_EVERY_SECONDS)
                left = self._left(expected)
                if not left:
                    spent = time.monotonic() - began
                    time.sleep(_SETTLE_SECONDS)
                    return spent
                if time.monotonic() > told_at + _TELL_EVERY_SECONDS:
                    told_at = time.monotonic()
                    say(f"{told_at - began:5.0f} s: {left}")
        finally:
            self.site.settings["MAILBOT_DATABASE_URL"] = url
        return None

    def _left(self, expected: int) -> str:
        """What is not worked off, in words."""
        with self.site.storage() as storage, storage.read() as work:
            mail, letter = work.mails.oldest_pending(), work.outbox.oldest_waiting()
            collected = len(work.mails.browse())
        left = [f"a mail waits since {mail}"] if mail else []
        left += [f"a letter waits since {letter}"] if letter else []
        left += [f"{expected - collected} mails not collected"] if collected < expected else []
        left += [f"{copies} letters not in the Sent folder"] if (copies := copies_due(self.database_url)) else []
        left += [f"{queued} in Postfix's queue"] if (queued := self.postfix.queue_length()) else []
        return ", ".join(left)

    @contextmanager
    def _thread(
        self, act: Callable[[threading.Event], None], *, end: threading.Event | None = None
    ) -> Iterator[None]:
        end = end or threading.Event()
        ended = end
        thread = threading.Thread(target=noting(self._errors, lambda: act(ended)), daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()


def _configuration(folder: Path) -> Path:
    """The sample configuration, its staff reading their mail where everybody does."""
    config = copied_without_digest(folder)
    staff = config / "staff.yaml"
    text = staff.read_text(encoding="utf-8").replace("@example.com.br", f"@{CATCH_ALL_DOMAIN}")
    staff.write_text(text, encoding="utf-8")
    return config


def main() -> int:
    """Run, check, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="over which mails come")
    parser.add_argument("--mails", type=int, default=20_000, help="copies of the same mail counted too")
    parser.add_argument("--kill-every", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave log and samples in this new folder")
    given = parser.parse_args()
    if reason := next((one for peer in ("postfix", "postgresql") if (one := peers.missing(peer))), None):
        say(reason)
        return 1
    # Told to end, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    plan = Plan(minutes=given.minutes, mails=given.mails, kill_every_seconds=given.kill_every, seed=given.seed)
    say(f"seed {plan.seed}, {plan.senders} senders, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    with contextlib.ExitStack() as stack:
        if given.keep is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailbot-soak-")))
        else:
            folder = given.keep.resolve()
            folder.mkdir(parents=True)
        found = Soak(plan, folder, stack).run()
        tell(found)
    return 0 if found.all_well else 1


if __name__ == "__main__":
    sys.exit(main())
