"""Helpers of a rush, and their daemon, killed, stopped and hindered: nothing is lost, nobody stays behind."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import pytest

from mailbot.cli.helpers_of_run import HELPERS_NAME
from mailbot.domain.ledger import MailOutcome
from tests.kill.site import LONG_LEASES, PATIENCE_SECONDS, Site, assert_nothing_lost_or_doubled
from tests.kill.stopping import helpers_at_work
from tests.peers.process import wait_until

pytestmark = pytest.mark.kill

POISON = "veneno"
HELPERS = 3
# As many as one agent may hear of within an hour, twice of each.
CUSTOMERS = 29
FIRST, SECOND = "Qual o prazo?", "E aos sábados?"
# So slow that a rush lasts until helpers have come, and that most moments are in the middle of a mail.
RUSH = ("-m", "tests.kill.stopping", "--set", "mailbot.crew.MAILS_PER_HELPER=3", "--slowly")
# However long helpers take to come on a busy machine.
WITH_HELPERS = (*RUSH, "--await-helpers", str(HELPERS))
# Should the rush be over before the test is, they stay.
STAYING = ("--set-in-helpers", "mailbot.helper._IDLE_SECONDS=600")
DAEMON = ("--", "run")
ONCE = ("--", "run", "--once", "--json")


class Rush:
    """Many customers who write twice each, all before mailbot looks."""

    def __init__(self, site: Site, customers: int, *, poison: int = 0, collected: bool = True) -> None:
        self.site = site
        site.settings["MAILBOT_WORKERS"] = str(HELPERS)
        self.customers = [site.servers.new_user("cliente") for _ in range(customers)]
        self.message_ids = [site.customer_writes(customer, text=FIRST) for customer in self.customers]
        for _ in range(poison):
            site.customer_writes(site.servers.new_user("cliente"), text=POISON)
        for customer, first in zip(list(self.customers), list(self.message_ids), strict=True):
            self.message_ids.append(site.customer_writes(customer, text=SECOND, in_reply_to=first))
        if collected:
            self.collect()

    def helpers(self) -> list[int]:
        """Process ids of helpers that run, also of those whose daemon is gone."""
        found = []
        for folder in Path("/proc").iterdir():
            # A process may end while we look.
            with suppress(OSError):
                name = (folder / "comm").read_text().strip() if folder.name.isdigit() else ""
                if name == HELPERS_NAME and (folder / "cwd").readlink() == self.site.folder:
                    found.append(int(folder.name))
        return found

    def collect(self) -> None:
        """The mails lie in the ledger, before the daemon starts."""
        with self.site.app() as app:
            [collector] = app.collectors()
            assert collector.hold_lease()
            collector.collect_once()
            collector.close()
            collector.drop_lease()

    def wait_for_helpers(self) -> list[int]:
        """Until each has, or had, a mail in hand; their process ids."""
        self.site.wait(lambda: len(helpers_at_work(self.site.folder)) >= HELPERS, "all helpers to be at work")
        return helpers_at_work(self.site.folder)

    def wait_for_the_end(self) -> None:
        """All mails worked off and all letters gone."""
        wanted = len(self.message_ids)
        self.site.wait(lambda: len(self.site.mails()) >= wanted and self.site.all_is_done(), "the end")

    def owners(self) -> set[str]:
        """Who has mails in hand."""
        with self.site.storage() as storage, storage.read() as work:
            return work.mails.owners()

    def assert_well(self) -> None:
        """Nothing lost or doubled, no mail counted an attempt, each customer's mails in order."""
        assert_nothing_lost_or_doubled(self.site, self.message_ids, self.customers)
        assert {mail.attempts for mail in self.site.mails()} == {0}
        self.assert_in_order()

    def assert_in_order(self) -> None:
        with self.site.storage() as storage, storage.read() as work:
            for ticket in work.tickets.browse():
                if ticket.requester.address in self.customers:
                    texts = [message.text.strip() for message in work.tickets.messages(ticket.number)]
                    assert texts == [FIRST, SECOND], ticket.number

    def assert_no_letter_came_twice(self) -> None:
        """Not even the same: nobody died past a final dot."""
        letters = Counter(letter.to for letter in self.site.letters())
        for customer in self.customers:
            ours = [raw for raw in self.site.servers.messages(customer) if self.site.address.encode() in raw]
            assert len(ours) == letters[customer]

    def deaths(self) -> int:
        return sum(mail.deaths for mail in self.site.mails())


# --- killed -----------------------------------------------------------------------------------------------------


def test_helpers_killed_at_random_moments_cost_no_mail_and_the_daemon_goes_on(site: Site) -> None:
    rush = Rush(site, CUSTOMERS)
    chance = random.Random()
    killed = 0
    with site.daemon(*WITH_HELPERS, *STAYING, "--set", "mailbot.crew._ALONE_SECONDS=0.1", *DAEMON) as process:
        rush.wait_for_helpers()
        while killed < 4 and (helpers := rush.helpers()):
            victim = chance.choice(helpers)
            os.kill(victim, signal.SIGKILL)
            killed += 1
            # On a busy machine it takes its time to die, and must not be chosen twice.
            site.wait(lambda victim=victim: victim not in rush.helpers(), "the helper to be gone")
            time.sleep(chance.uniform(0, 0.3))
        rush.wait_for_the_end()
        assert process.poll() is None
        assert site.stop_politely(process) == 0
    rush.assert_well()
    rush.assert_no_letter_came_twice()
    assert killed >= HELPERS
    assert rush.deaths() <= killed
    assert len(site.log_lines("crew.broke")) == killed


def test_helpers_of_a_killed_daemon_go_and_a_new_start_finishes_everything_at_once(site: Site) -> None:
    rush = Rush(site, CUSTOMERS)
    with site.daemon(*WITH_HELPERS, *LONG_LEASES, *DAEMON) as process:
        rush.wait_for_helpers()
        process.kill()
        process.wait()
        site.wait(lambda: not rush.helpers(), "the helpers to go")
    assert not site.all_is_done()
    with site.daemon() as process:
        rush.wait_for_the_end()
        assert site.stop_politely(process) == 0
    rush.assert_well()
    # A helper whose daemon is gone brings its mail to an end: only the daemon itself died with one.
    assert rush.deaths() <= 1


def test_a_helper_whose_mail_hangs_does_not_outlive_its_killed_daemon_for_long(site: Site) -> None:
    rush = Rush(site, 10)
    flag = site.folder / "flag"
    hanging = ["--at", "before examine", "--how", "pause", "--flag", str(flag), "--where", "everywhere"]
    hanging += ["--set-in-helpers", "mailbot.helper.MAIL_IN_HAND_SECONDS=1"]
    with site.daemon(*WITH_HELPERS, *hanging, *DAEMON) as process:
        rush.wait_for_helpers()
        process.kill()
        process.wait()
        site.wait(lambda: not rush.helpers(), "the helpers to go")
    site.round()
    rush.assert_well()


# --- asked to stop ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whom", ["the daemon", "the whole group"])
@pytest.mark.parametrize("moment", ["helpers start", "helpers work"])
def test_a_stop_in_a_rush_is_polite_and_leaves_nobody_behind(site: Site, whom: str, moment: str) -> None:
    rush = Rush(site, CUSTOMERS)
    patient = ["--set-in-helpers", "mailbot.helper.MAIL_IN_HAND_SECONDS=100"]
    for limit in ("crew.MAIL_IN_HAND_SECONDS", "daemon._MAIL_IN_HAND_SECONDS"):
        patient += ["--set", f"mailbot.{limit}=100"]
    with site.daemon(*(WITH_HELPERS if moment == "helpers work" else RUSH), *patient, *DAEMON) as process:
        if moment == "helpers work":
            rush.wait_for_helpers()
        else:
            site.wait(rush.helpers, "a helper to be called in")
        if whom == "the daemon":
            process.terminate()
        else:
            os.killpg(process.pid, signal.SIGINT)
            os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
        assert rush.helpers() == []
    assert site.log_lines("daemon.stopped")
    late = ("crew.ended", "daemon.mail_given_back", "daemon.letters_left", "daemon.not_written")
    assert not [action for action in late if site.log_lines(action)]
    assert rush.owners() == set()
    assert not site.log_lines("crew.broke")
    assert "Traceback" not in site.log.read_text()
    assert not site.all_is_done(), "the stop came too late to tell anything"
    site.round()
    rush.assert_well()
    rush.assert_no_letter_came_twice()
    assert rush.deaths() == 0


def test_a_round_goes_on_alone_where_what_helpers_come_from_is_killed(site: Site) -> None:
    rush = Rush(site, CUSTOMERS)
    with site.daemon(*WITH_HELPERS, *STAYING, "--set", "mailbot.crew._ALONE_SECONDS=0.1", *DAEMON) as process:
        helpers = rush.wait_for_helpers()
        fork_server = int(Path(f"/proc/{helpers[0]}/stat").read_text().rpartition(")")[2].split()[1])
        assert fork_server != process.pid
        os.kill(fork_server, signal.SIGKILL)
        for helper in helpers:
            os.kill(helper, signal.SIGKILL)
        rush.wait_for_the_end()
        assert site.stop_politely(process) == 0
    assert site.log_lines("crew.not_started")
    rush.assert_well()
    rush.assert_no_letter_came_twice()
    assert rush.deaths() <= HELPERS


def test_signals_that_reach_helpers_too_are_for_the_daemon_to_answer(site: Site) -> None:
    rush = Rush(site, 20)
    signalled: set[int] = set()

    def signal_all() -> bool:
        for helper in set(rush.helpers()) - signalled:
            # It has hardly begun.
            os.kill(helper, signal.SIGTERM)
            os.kill(helper, signal.SIGINT)
            signalled.add(helper)
        return len(signalled) == HELPERS

    with site.daemon(*WITH_HELPERS, *DAEMON) as process:
        site.wait(signal_all, "all helpers to be called in")
        assert set(rush.wait_for_helpers()) == signalled
        rush.wait_for_the_end()
        assert site.stop_politely(process) == 0
    assert not site.log_lines("crew.broke")
    rush.assert_well()


def test_the_rush_over_helpers_go_by_themselves_without_a_word_of_alarm(site: Site) -> None:
    rush = Rush(site, 15)
    with site.daemon(*WITH_HELPERS, *DAEMON) as process:
        site.wait(rush.helpers, "a helper to be called in")
        rush.wait_for_the_end()
        site.wait(lambda: not rush.helpers(), "the helpers to go")
        assert not site.log_lines("crew.broke")
        assert site.stop_politely(process) == 0
    assert "Fatal Python error" not in site.log.read_text()
    assert "Traceback" not in site.log.read_text()
    rush.assert_well()


# --- helpers that stand still -----------------------------------------------------------------------------------


def test_a_helper_that_stands_still_does_not_keep_a_stop_and_its_mail_is_given_back(site: Site) -> None:
    rush = Rush(site, 20)
    flag = site.folder / "flag"
    hanging = ["--at", "before examine", "--how", "pause", "--flag", str(flag), "--where", "helpers"]
    hanging += ["--set", "mailbot.crew.MAIL_IN_HAND_SECONDS=1"]
    with site.daemon(*WITH_HELPERS, *hanging, *DAEMON) as process:
        for helper in rush.wait_for_helpers():
            os.kill(helper, signal.SIGSTOP)
        assert site.stop_politely(process) == 0
        assert rush.helpers() == []
    assert len(site.log_lines("crew.ended")) == HELPERS
    assert rush.owners() == set()
    flag.unlink(missing_ok=True)
    site.round()
    rush.assert_well()
    assert rush.deaths() == 0


def test_a_helper_that_stood_still_beyond_its_lease_writes_no_late_result(site: Site) -> None:
    rush = Rush(site, 20)
    flag = site.folder / "flag"
    hanging = ["--at", "before examine", "--how", "pause", "--flag", str(flag), "--where", "helpers"]

    def late_results() -> int:
        flag.unlink(missing_ok=True)
        return len(site.log_lines("intake.lease_lost"))

    with site.daemon(*WITH_HELPERS, *hanging, *DAEMON) as process:
        helpers = rush.wait_for_helpers()
        for helper in helpers:
            os.kill(helper, signal.SIGSTOP)
        with closing(sqlite3.connect(site.data / "mailbot.db", isolation_level=None, timeout=30)) as other:
            for helper in helpers:
                # As if a minute had passed.
                other.execute(
                    "UPDATE inbound_mails SET lease_until = '2020-01-01 00:00:00' WHERE owner LIKE ?",
                    (f"%|{helper}|%",),
                )
        rush.wait_for_the_end()
        for helper in helpers:
            os.kill(helper, signal.SIGCONT)
        site.wait(lambda: late_results() == HELPERS, "late results to be refused")
        assert site.stop_politely(process) == 0
    rush.assert_well()
    rush.assert_no_letter_came_twice()


def test_mails_that_hang_helpers_cost_an_attempt_each_and_everything_else_goes_on(site: Site) -> None:
    rush = Rush(site, 20)
    flag = site.folder / "flag"
    hanging = ["--at", "before examine", "--how", "pause", "--flag", str(flag), "--where", "helpers"]
    hanging += ["--set-in-helpers", "mailbot.leases.WORK_LIMIT=1"]
    hanging += ["--set-in-helpers", "mailbot.leases.LEASE_RENEWAL_SECONDS=1"]
    # Nobody comes in their place, whom further mails would hang.
    hanging += ["--set", "mailbot.crew._ALONE_SECONDS=600"]
    with site.daemon(*WITH_HELPERS, *hanging, *DAEMON) as process:
        site.wait(lambda: len(site.log_lines("crew.broke")) == HELPERS, "the helpers to end")
        # The second attempt is the daemon's own, after five seconds.
        rush.wait_for_the_end()
        assert process.poll() is None
        assert site.stop_politely(process) == 0
    assert_nothing_lost_or_doubled(site, rush.message_ids, rush.customers)
    rush.assert_in_order()
    assert Counter(mail.attempts for mail in site.mails()) == {0: 40 - HELPERS, 1: HELPERS}
    assert rush.deaths() == 0


# --- a round ----------------------------------------------------------------------------------------------------


def run_once(site: Site, *command: str) -> tuple[int, dict[str, int]]:
    process = site.start(*command, *ONCE, output=subprocess.PIPE)
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, json.loads(output)


def test_a_round_of_a_rush_counts_right_and_each_letter_leaves_once(site: Site) -> None:
    rush = Rush(site, 20)
    rush.customers.append(site.servers.new_user("cliente"))
    rush.message_ids.append(site.customer_writes(rush.customers[-1], text=FIRST))
    code, count = run_once(site, *WITH_HELPERS)
    assert code == 0
    assert site.log_lines("crew.called_in")
    assert count == {
        "collected": 1, "processed": 41, "tickets_opened": 21, "duplicates": 0, "quarantined": 0,
        "letters_sent": len(site.letters()), "letters_failed": 0, "letters_held": 0, "helpers_broken": 0,
    }  # fmt: skip
    assert len(site.letters_to(rush.customers[-1])) == 1
    assert rush.helpers() == []
    assert_nothing_lost_or_doubled(site, rush.message_ids, rush.customers)
    rush.assert_no_letter_came_twice()


def test_a_round_quarantines_crashing_mails_whoever_has_them_in_hand_and_says_so(site: Site) -> None:
    rush = Rush(site, 20, poison=3)
    crashing = ["--at", "before read", "--how", "raise", "--mail", POISON, "--where", "everywhere"]
    code, count = run_once(site, *WITH_HELPERS, *crashing)
    assert code == 1
    assert (count["processed"], count["quarantined"], count["tickets_opened"]) == (43, 3, 20)
    assert Counter(mail.outcome for mail in site.mails()) == {
        MailOutcome.TICKET: 20, MailOutcome.MESSAGE: 20, MailOutcome.QUARANTINED: 3,
    }  # fmt: skip
    rush.assert_in_order()
    rush.assert_no_letter_came_twice()


def test_a_round_whose_helpers_break_is_finished_alone_and_needs_a_look(site: Site) -> None:
    rush = Rush(site, 20)
    dying = ["--at", "before the commit of intake", "--where", "helpers"]
    dying += ["--set", "mailbot.crew._ALONE_SECONDS=600"]
    code, count = run_once(site, *WITH_HELPERS, *dying)
    assert code == 1
    assert count["helpers_broken"] == HELPERS
    assert (count["processed"], count["tickets_opened"]) == (40, 20)
    rush.assert_well()
    rush.assert_no_letter_came_twice()
    assert rush.deaths() == HELPERS


# --- settings ---------------------------------------------------------------------------------------------------


def test_helpers_go_by_what_their_daemon_began_with_whatever_has_changed_since(site: Site) -> None:
    config = Path(site.settings["MAILBOT_CONFIG_DIR"])
    site.settings["MAILBOT_WORKERS"] = str(HELPERS)
    key_file = site.folder / "key"
    secret, password_url = site.settings.pop("MAILBOT_SECRET_KEY"), site.settings.pop("MAILBOT_IMAP_URL")
    key_file.write_text(secret)
    (site.folder / ".env").write_text(f"MAILBOT_SECRET_KEY_FILE={key_file}\nMAILBOT_IMAP_URL={password_url}\n")
    with site.daemon(*WITH_HELPERS, *STAYING, *DAEMON) as process:
        site.wait(lambda: site.log_lines("daemon.started"), "the start")
        key_file.unlink()
        (site.folder / ".env").unlink()
        (config / "units.yaml").write_text("Nothing that could be read: [")
        rush = Rush(site, CUSTOMERS, collected=False)
        for helper in rush.wait_for_helpers():
            shown = Path(f"/proc/{helper}/environ").read_bytes() + Path(f"/proc/{helper}/cmdline").read_bytes()
            assert b"PATH=" in shown
            assert secret.encode() not in shown
        rush.wait_for_the_end()
        assert site.stop_politely(process) == 0
    assert not site.log_lines("crew.broke")
    site.settings |= {"MAILBOT_SECRET_KEY": secret, "MAILBOT_IMAP_URL": password_url}
    rush.assert_well()


def test_without_helpers_a_rush_is_worked_off_alone(site: Site) -> None:
    rush = Rush(site, 10)
    site.settings["MAILBOT_WORKERS"] = "0"
    assert run_once(site, *RUSH)[0] == 0
    assert not site.log_lines("crew.called_in")
    rush.assert_well()


def test_a_bad_number_of_helpers_is_told_at_the_start(site: Site) -> None:
    site.settings["MAILBOT_WORKERS"] = "many"
    assert site.run("-m", "mailbot", "run", "--once") == 2
    assert "MAILBOT_WORKERS" in site.log.read_text()


# --- what helpers stand on gives way ----------------------------------------------------------------------------


def test_a_disk_that_is_full_for_helpers_costs_nothing(site: Site) -> None:
    rush = Rush(site, 20)
    with site.daemon(
        *WITH_HELPERS, "--at", "before store files", "--how", "disk-full", "--where", "helpers", *DAEMON
    ) as it:
        site.wait(lambda: len(site.log_lines("worker.storage_away")) == HELPERS, "a word in the log")
        rush.wait_for_the_end()
        assert site.stop_politely(it) == 0
    assert not site.log_lines("crew.broke")
    rush.assert_well()
    assert rush.deaths() == 0


def test_what_helpers_could_not_give_back_for_a_locked_database_counts_as_no_death(site: Site) -> None:
    rush = Rush(site, CUSTOMERS)
    flag = site.folder / "flag"
    paused = ["--at", "before examine", "--how", "pause", "--flag", str(flag), "--where", "helpers"]
    impatient = ["--set-at-work", "mailbot.adapters.storage.engine.BUSY_TIMEOUT_MILLISECONDS=50"]

    def have_gone() -> bool:
        flag.unlink(missing_ok=True)
        return not rush.helpers()

    with site.daemon(*WITH_HELPERS, *paused, *impatient, *DAEMON) as process:
        rush.wait_for_helpers()
        with closing(sqlite3.connect(site.data / "mailbot.db", isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN IMMEDIATE")
            site.wait(have_gone, "the helpers to go")
            other.execute("ROLLBACK")
        assert len(site.log_lines("intake.give_back_failed")) >= HELPERS
        rush.wait_for_the_end()
        assert site.stop_politely(process) == 0
    assert site.log_lines("crew.took_over")
    assert not site.log_lines("crew.broke")
    rush.assert_well()
    assert rush.deaths() == 0


def stand_still(process: subprocess.Popen[bytes], database: Path) -> None:
    """Stop a process at a moment at which it keeps nobody else from writing."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=5)) as other:
        while True:
            process.send_signal(signal.SIGSTOP)
            wait_until(lambda: stands_still(process.pid), "all its threads to stand still")
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
            else:
                other.execute("ROLLBACK")
                return


def stands_still(process: int) -> bool:
    threads = Path(f"/proc/{process}/task").glob("*/stat")
    return {thread.read_text().rpartition(")")[2].split()[0] for thread in threads} == {"T"}


def test_a_daemon_that_stood_still_meanwhile_goes_on(site: Site) -> None:
    rush = Rush(site, CUSTOMERS)
    with site.daemon(*WITH_HELPERS, *DAEMON) as process:
        rush.wait_for_helpers()
        stand_still(process, site.data / "mailbot.db")
        site.wait(lambda: not rush.helpers(), "the helpers to run out of mail and go")
        process.send_signal(signal.SIGCONT)
        rush.wait_for_the_end()
        assert site.stop_politely(process) == 0
    assert not site.log_lines("crew.broke")
    rush.assert_well()
    rush.assert_no_letter_came_twice()


def test_a_helper_whose_reports_nobody_reads_takes_no_mail_and_goes_with_its_orders(site: Site) -> None:
    rush = Rush(site, 2)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"\n" * 4096)
    os.set_blocking(writer, True)
    impatient = "from mailbot import helper; helper.MAIL_IN_HAND_SECONDS = 1; from tests.spawned import main; "
    helper = subprocess.Popen(
        [sys.executable, "-c", impatient + "raise SystemExit(main())"],
        env=site.environment,
        cwd=site.folder,
        stdin=subprocess.PIPE,
        stdout=writer,
    )
    os.close(writer)
    assert helper.stdin is not None
    helper.stdin.close()
    assert helper.wait(PATIENCE_SECONDS) == 0
    os.close(reader)
    assert {mail.outcome for mail in site.mails()} == {MailOutcome.PENDING}
    assert rush.owners() == set()
    site.round()
    rush.assert_well()
    assert rush.deaths() == 0
