"""Mails that crash or kill, servers that go, a database that is locked, a disk that is full, a polite stop."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mailbot.domain.events import LetterKind
from mailbot.domain.ledger import MAX_ATTEMPTS, MAX_DEATHS, MailOutcome
from tests.kill.site import ADMINISTRATOR, PATIENCE_SECONDS, Real, Site, assert_nothing_lost_or_doubled

pytestmark = pytest.mark.kill
STOPPING = ("-m", "tests.kill.stopping")
POISON = "veneno"


def outcomes(site: Site) -> list[MailOutcome]:
    return [mail.outcome for mail in site.mails()]


def troubles(site: Site) -> set[str]:
    with site.storage() as storage, storage.read() as work:
        return {str(trouble.key) for trouble in work.house.troubles()}


# --- mails that crash or kill -----------------------------------------------------------------------------------


def test_a_crashing_mail_is_quarantined_with_its_cause_and_the_next_goes_on(site: Site) -> None:
    poisoner, customer = site.servers.new_user("cliente"), site.servers.new_user("cliente")
    site.customer_writes(poisoner, text=POISON)
    site.customer_writes(poisoner)
    message_id = site.customer_writes(customer)
    crashing = [*STOPPING, "--at", "before read", "--how", "raise", "--mail", POISON]
    assert site.run(*crashing, "--", "run", "--once") == 1
    assert outcomes(site) == [MailOutcome.QUARANTINED, MailOutcome.TICKET, MailOutcome.TICKET]
    poison = site.mails()[0]
    assert (poison.attempts, poison.deaths) == (MAX_ATTEMPTS, 0)
    assert poison.reason.startswith("RuntimeError in ")
    assert len(site.log_lines("intake.attempt_failed")) == MAX_ATTEMPTS - 1
    assert len(site.log_lines("intake.quarantined")) == 1
    assert POISON not in site.log.read_text()
    assert message_id in [mail.message_id for mail in site.mails()]
    # The administrator hears of it once.
    assert len(site.letters_to(ADMINISTRATOR)) == 1
    site.round()
    assert len(site.letters_to(ADMINISTRATOR)) == 1
    # And lets it in, when the program was mended.
    with site.storage() as storage, storage.write() as work:
        assert work.mails.reopen(poison.id, now=poison.received_at, released=True)
    site.round()
    assert outcomes(site) == [MailOutcome.TICKET] * 3


def test_an_attempt_that_is_due_later_is_made_by_the_daemon_while_others_pass(site: Site) -> None:
    poisoner, customer = site.servers.new_user("cliente"), site.servers.new_user("cliente")
    site.customer_writes(poisoner, text=POISON)
    site.customer_writes(customer)
    once = ["--at", "before read", "--how", "raise", "--mail", POISON, "--times", "1"]
    with site.daemon(*STOPPING, *once, "--", "run") as process:
        site.wait(lambda: outcomes(site) == [MailOutcome.TICKET] * 2, "both tickets")
        assert site.stop_politely(process) == 0
    assert site.mails()[0].attempts == 1
    assert [ticket.requester.address for ticket in reversed(site.tickets())] == [customer, poisoner]


def test_a_mail_that_kills_the_daemon_is_quarantined_after_five_deaths(site: Site) -> None:
    poisoner, customer = site.servers.new_user("cliente"), site.servers.new_user("cliente")
    site.customer_writes(poisoner, text=POISON)
    site.customer_writes(customer)
    killing = [*STOPPING, "--at", "before read", "--mail", POISON, "--", "run", "--once"]
    for _ in range(MAX_DEATHS):
        assert site.run(*killing) == -signal.SIGKILL
    assert site.run(*killing) == 1
    poison, good = site.mails()
    assert poison.outcome is MailOutcome.QUARANTINED
    assert "died 5 times" in poison.reason
    assert (poison.attempts, poison.deaths) == (0, MAX_DEATHS)
    assert (good.outcome, good.deaths, good.attempts) == (MailOutcome.TICKET, 0, 0)


def test_only_the_one_mail_begun_counts_the_death_of_the_daemon(site: Site) -> None:
    customers = [site.servers.new_user("cliente") for _ in range(5)]
    for customer in customers:
        site.customer_writes(customer)
    # The third mail has been claimed in the commit of the second.
    at = ["--at", "after the commit of intake", "--", "run", "--once"]
    assert site.run(*STOPPING, *at) == -signal.SIGKILL
    site.round()
    assert sum(mail.deaths for mail in site.mails()) <= 1
    assert {mail.attempts for mail in site.mails()} == {0}
    assert outcomes(site) == [MailOutcome.TICKET] * 5


def test_a_hanging_mail_costs_an_attempt_and_the_process_makes_way_for_a_new_one(site: Site) -> None:
    site.customer_writes(site.servers.new_user("cliente"), text=POISON)
    limits = ["mailbot.leases.WORK_LIMIT=1", "mailbot.leases.LEASE_RENEWAL_SECONDS=1"]
    limits += ["mailbot.daemon._MAIL_IN_HAND_SECONDS=1"]
    hanging = [*STOPPING, "--at", "before read", "--how", "pause", "--flag", str(site.folder / "flag")]
    code = site.run(*hanging, *(word for limit in limits for word in ("--set", limit)), "--", "run")
    assert code not in (0, -signal.SIGKILL)
    [mail] = site.mails()
    assert (mail.outcome, mail.attempts, mail.deaths) == (MailOutcome.PENDING, 1, 0)
    assert "longer than" in mail.reason
    site.round()
    assert outcomes(site) == [MailOutcome.TICKET]


def test_a_loop_that_dies_ends_the_process_with_a_failure(site: Site) -> None:
    """Half a daemon is worse than none: who supervises it must see that it failed."""
    site.customer_writes(site.servers.new_user("cliente"))
    broken = [*STOPPING, "--at", "before settle", "--how", "raise", "--", "run"]
    assert site.run(*broken) not in (0, -signal.SIGKILL)
    assert site.log_lines("daemon.loop_died")
    assert site.log_lines("daemon.stopped")
    site.round()
    assert outcomes(site) == [MailOutcome.TICKET]


def test_a_collector_that_dies_is_no_success_of_a_round(site: Site) -> None:
    site.customer_writes(site.servers.new_user("cliente"))
    broken = [*STOPPING, "--at", "before settle", "--how", "raise", "--", "run", "--once"]
    assert site.run(*broken) not in (0, -signal.SIGKILL)
    assert outcomes(site) == [MailOutcome.TICKET]


# --- a polite stop ----------------------------------------------------------------------------------------------


def test_a_polite_stop_of_an_idle_daemon_takes_a_moment(site: Site) -> None:
    # Nothing is waited for up to its limit.
    limits = ("_MAIL_IN_HAND_SECONDS", "_LETTER_IN_HAND_SECONDS", "_LAST_WRITE_SECONDS")
    patient = [word for limit in limits for word in ("--set", f"mailbot.daemon.{limit}=600")]
    with site.daemon(*STOPPING, *patient, "--", "run") as process:
        site.wait(lambda: site.log_lines("collect.first_contact"), "the first look")
        assert site.stop_politely(process) == 0
    assert site.log_lines("daemon.stopped")
    with site.storage() as storage, storage.read() as work:
        assert work.house.lease_owners() == set()


def test_signals_in_a_row_are_one_polite_stop(site: Site) -> None:
    with site.daemon() as process:
        site.wait(lambda: site.log_lines("daemon.started"), "the start")
        for _ in range(20):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) in (0, -signal.SIGTERM, -signal.SIGINT)
    assert site.log_lines("daemon.stopped")


def test_a_mail_in_hand_is_finished_before_the_stop(site: Site) -> None:
    customer, flag = site.servers.new_user("cliente"), site.folder / "flag"
    site.customer_writes(customer)
    slow = [*STOPPING, "--at", "before examine", "--how", "pause", "--flag", str(flag), "--times", "1"]
    slow += ["--set", "mailbot.daemon._MAIL_IN_HAND_SECONDS=100"]
    with site.daemon(*slow, "--", "run") as process:
        site.wait(flag.exists, "the mail to be in hand")
        process.send_signal(signal.SIGTERM)
        site.wait(lambda: site.log_lines("daemon.stopping"), "the stop to begin")
        flag.unlink()
        assert process.wait(PATIENCE_SECONDS) == 0
    [mail] = site.mails()
    assert (mail.outcome, mail.deaths, mail.attempts) == (MailOutcome.TICKET, 0, 0)


def test_a_mail_that_takes_too_long_for_the_stop_is_given_back(site: Site) -> None:
    site.customer_writes(site.servers.new_user("cliente"))
    flag = site.folder / "flag"
    slow = [*STOPPING, "--at", "before examine", "--how", "pause", "--flag", str(flag)]
    slow += ["--set", "mailbot.daemon._MAIL_IN_HAND_SECONDS=1"]
    with site.daemon(*slow, "--", "run") as process:
        site.wait(flag.exists, "the mail to be in hand")
        assert site.stop_politely(process) == 0
    [mail] = site.mails()
    assert (mail.outcome, mail.deaths, mail.attempts) == (MailOutcome.PENDING, 0, 0)
    site.round()
    assert outcomes(site) == [MailOutcome.TICKET]


def test_a_letter_in_hand_is_brought_to_its_end_before_the_stop(site: Site) -> None:
    customer, flag = site.servers.new_user("cliente"), site.folder / "flag"
    site.customer_writes(customer)
    slow = [*STOPPING, "--at", "before DATA", "--how", "pause", "--flag", str(flag), "--times", "1"]
    with site.daemon(*slow, "--", "run") as process:
        site.wait(flag.exists, "the letter to be in hand")
        process.send_signal(signal.SIGTERM)
        site.wait(lambda: site.log_lines("daemon.stopping"), "the stop to begin")
        flag.unlink()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert all(letter.status in ("sent", "queued") for letter in site.letters())
    assert any(letter.status == "sent" for letter in site.letters())
    site.round()
    assert all(letter.status == "sent" for letter in site.letters())


# --- servers that go --------------------------------------------------------------------------------------------


def test_a_mail_server_that_is_away_loses_nothing_and_work_goes_on_by_itself(real_site: Site) -> None:
    site = real_site
    assert isinstance(site.servers, Real)
    stack = site.servers.stack
    first, second = site.servers.new_user("cliente"), site.servers.new_user("cliente")
    with site.daemon() as process:
        site.wait(lambda: site.log_lines("collect.first_contact"), "the first look")
        with stack.postfix.stopped():
            # Into the mailbox by IMAP: nobody delivers now.
            message_ids = [append(site, first)]
            site.wait(lambda: "smtp:default" in troubles(site), "the trouble with SMTP to be noted")
            assert outcomes(site) == [MailOutcome.TICKET]
            assert site.log_lines("delivery.retry")
        site.wait(lambda: site.letters_to(first), "the letter")
        site.wait(lambda: not troubles(site), "the trouble to be struck out")
        with stack.dovecot.stopped():
            site.wait(lambda: "imap:default" in troubles(site), "the trouble with IMAP to be noted")
            assert site.log_lines("collect.away")
        message_ids.append(append(site, second))
        site.wait(lambda: site.letters_to(second), "the second letter")
        site.wait(lambda: not troubles(site) and site.all_is_done(), "the end of trouble")
        assert site.stop_politely(process) == 0
    assert_nothing_lost_or_doubled(site, message_ids, [first, second])


def append(site: Site, customer: str) -> str:
    assert isinstance(site.servers, Real)
    message_id = f"direto.{customer}"
    raw = (
        f"From: {customer}\r\nTo: {site.address}\r\nSubject: =?utf-8?q?D=C3=BAvida?=\r\n"
        f"Message-ID: <{message_id}>\r\nDate: Fri, 20 Nov 2026 09:00:00 -0300\r\n\r\nQual o prazo?\r\n"
    )
    site.servers.stack.dovecot.append(site.address, raw.encode())
    return message_id


# --- a database that is locked, a disk that is full -------------------------------------------------------------


def test_a_locked_database_loses_nothing_and_work_goes_on_by_itself(site: Site) -> None:
    customers = [site.servers.new_user("cliente") for _ in range(6)]
    impatient = ["--set", "mailbot.adapters.storage.engine.BUSY_TIMEOUT_MILLISECONDS=100"]
    message_ids: list[str] = []
    with site.daemon(*STOPPING, *impatient, "--", "run") as process:
        site.wait(lambda: site.log_lines("daemon.started"), "the start")
        message_ids += [site.customer_writes(customer) for customer in customers[:3]]
        with closing(sqlite3.connect(site.data / "mailbot.db", isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN IMMEDIATE")
            message_ids += [site.customer_writes(customer) for customer in customers[3:]]
            site.wait(lambda: site.log_lines("collect.away"), "a word in the log")
            assert "locked" in site.log.read_text()
            other.execute("ROLLBACK")
        site.wait(lambda: len(site.tickets()) == 6 and site.all_is_done(), "all to be done")
        assert site.stop_politely(process) == 0
    assert_nothing_lost_or_doubled(site, message_ids, customers)
    assert {(mail.deaths, mail.attempts) for mail in site.mails()} == {(0, 0)}


def test_a_polite_stop_while_the_database_is_locked_keeps_within_its_limits(site: Site) -> None:
    impatient = ["--set", "mailbot.adapters.storage.engine.BUSY_TIMEOUT_MILLISECONDS=2000"]
    with site.daemon(*STOPPING, *impatient, "--", "run") as process:
        site.wait(lambda: site.log_lines("collect.first_contact"), "the first look")
        with closing(sqlite3.connect(site.data / "mailbot.db", isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert site.stop_politely(process) == 0
            other.execute("ROLLBACK")


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root that may mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_leaves_the_mail_on_the_server_and_work_goes_on_by_itself(site: Site) -> None:
    customer, other = site.servers.new_user("cliente"), site.servers.new_user("cliente")
    with small_disk(site.data):
        with site.daemon() as process:
            message_ids = [site.customer_writes(customer)]
            site.wait(lambda: len(site.tickets()) == 1 and site.all_is_done(), "the first ticket")
            filler = site.data / "filler"
            with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="space"):
                while True:
                    file.write(b"x" * 4096)
            message_ids.append(site.customer_writes(other, text="Qual o prazo? " * 20_000))
            site.wait(lambda: site.log_lines("collect.away"), "a word in the log")
            assert len(site.servers.messages(site.address)) == 1
            filler.unlink()
            site.wait(lambda: len(site.tickets()) == 2 and site.all_is_done(), "the second ticket")
            assert site.stop_politely(process) == 0
        assert_nothing_lost_or_doubled(site, message_ids, [customer, other])
        assert not site.servers.messages(site.address)


def test_a_disk_that_fills_up_during_intake_costs_no_attempt(site: Site) -> None:
    customer = site.servers.new_user("cliente")
    message_id = site.customer_writes(customer)
    full = [*STOPPING, "--at", "before store files", "--how", "disk-full"]
    for _ in range(6):
        assert site.run(*full, "--", "run", "--once") == 3
    [mail] = site.mails()
    assert (mail.outcome, mail.attempts, mail.deaths) == (MailOutcome.PENDING, 0, 0)
    site.round()
    assert_nothing_lost_or_doubled(site, [message_id], [customer])
    assert [letter.letter for letter in site.letters() if letter.to == customer] == [LetterKind.TICKET_OPENED]
