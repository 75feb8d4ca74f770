"""A real daemon whose mail, or whose database, is away: the administrator hears of it by their own command."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.kill.site import ADMINISTRATOR, Site
from tests.peers.process import Ports

pytestmark = pytest.mark.kill

STOPPING = ("-m", "tests.kill.stopping")
IMPATIENT = (
    *("--set", "mailbot.flows.escalation._LOOK_SECONDS=0.2"),
    *("--set", "mailbot.daemon._TICK_SECONDS=1"),
    *("--set", "mailbot.daemon._STORAGE_AWAY_SECONDS=0.2"),
    # What takes longer has failed, and is not tried again for minutes.
    *("--set", "mailbot.adapters.alert_command.TIME_LIMIT_SECONDS=100"),
)
SORRY = "qpalavraqsigilosa"


@pytest.fixture
def told(site: Site) -> Path:
    """The file to which the administrator's command writes all it gets."""
    path = site.folder / "told"
    program = (
        "import os, sys; print(os.environ['MAILBOT_ALERT_STATE'], sys.stdin.read(), file=open(sys.argv[1], 'a'))"
    )
    script = site.folder / "alert me.py"
    script.write_text(program)
    site.settings["MAILBOT_ALERT_COMMAND"] = f"{sys.executable} '{script}' {path}"
    site.settings["MAILBOT_ALERT_AFTER_MINUTES"] = "0"
    return path


def words(told: Path) -> str:
    return told.read_text() if told.exists() else ""


def test_a_submission_server_that_is_away_is_told_and_its_return_as_well(site: Site, told: Path) -> None:
    customer = site.servers.new_user("cliente")
    good = site.settings["MAILBOT_SMTP_URL"]
    ports = Ports()
    try:
        site.settings["MAILBOT_SMTP_URL"] = f"{good.rpartition(':')[0]}:{ports.take()}"
        site.customer_writes(customer, subject=SORRY, text=SORRY)
        with site.daemon(*STOPPING, *IMPATIENT, "--", "run") as process:
            site.wait(lambda: "does not answer: smtp:default" in words(told), "the alarm")
            site.wait(lambda: site.log_lines("alert.told"), "the log to say so")
            assert site.stop_politely(process) == 0
        assert words(told).startswith("alarm mailbot on ")
        assert "recovered" not in words(told)
        # The next process knows of it.
        site.settings["MAILBOT_SMTP_URL"] = good
        with site.daemon(*STOPPING, *IMPATIENT, "--", "run") as process:
            site.wait(lambda: "OVER: the server does not answer: smtp:default" in words(told), "the end")
            assert site.stop_politely(process) == 0
    finally:
        ports.close()
    assert words(told).count("ALARM: the server") == 1
    secrets = {SORRY, customer, site.address, ADMINISTRATOR, site.settings["MAILBOT_SECRET_KEY"], "@example"}
    assert {one for one in secrets if one in words(told)} == set()


def test_a_password_that_the_server_refuses_is_told_as_such(site: Site, told: Path) -> None:
    site.settings["MAILBOT_IMAP_URL"] = site.settings["MAILBOT_IMAP_URL"].replace("correct", "wrong")
    with site.daemon(*STOPPING, *IMPATIENT, "--", "run") as process:
        site.wait(lambda: "the server refuses our log-in: imap:default" in words(told), "the alarm")
        assert site.stop_politely(process) == 0


def test_a_database_that_is_away_at_the_start_is_waited_for_and_told_once_whatever_is_restarted(
    site: Site, told: Path
) -> None:
    (site.data / "mailbot.db").mkdir(parents=True)
    # As on a full disk: the memory beside the database cannot be written either.
    (site.data / "alerts.json.new").mkdir()
    (site.folder / "run").mkdir()
    site.settings["RUNTIME_DIRECTORY"] = str(site.folder / "run")
    for tries in (2, 4):
        with site.daemon(*STOPPING, *IMPATIENT, "--", "run") as process:
            site.wait(lambda tries=tries: len(site.log_lines("daemon.start_put_off")) >= tries, "two tries")
            site.wait(lambda: "ALARM: the database does not take part" in words(told), "the alarm")
            assert site.stop_politely(process) == 0
    assert not site.log_lines("daemon.started")
    with site.daemon(*STOPPING, *IMPATIENT, "--", "run") as process:
        site.wait(lambda: len(site.log_lines("daemon.start_put_off")) >= 5, "another try")
        (site.data / "mailbot.db").rmdir()
        site.wait(lambda: site.log_lines("daemon.started"), "the start")
        site.wait(lambda: "recovered mailbot on " in words(told), "the end")
        assert site.stop_politely(process) == 0
    assert words(told).count("ALARM: the database does not take part") == 1


def test_without_a_command_a_database_that_is_away_ends_the_start(site: Site) -> None:
    (site.data / "mailbot.db").mkdir(parents=True)
    assert site.run("-m", "mailbot", "run") == 3


def test_a_command_that_is_not_there_is_told_by_the_log_and_work_goes_on(site: Site) -> None:
    site.settings |= {"MAILBOT_ALERT_COMMAND": "/no/such/program", "MAILBOT_ALERT_AFTER_MINUTES": "0"}
    site.settings["MAILBOT_IMAP_URL"] = "imap://a:b@127.0.0.1:9/INBOX"
    with site.daemon(*STOPPING, *IMPATIENT, "--", "run") as process:
        site.wait(lambda: site.log_lines("alert.command_failed"), "a word in the log")
        assert site.stop_politely(process) == 0


@pytest.mark.parametrize("command", ["'no end", "  ''"])
def test_a_command_that_is_none_stops_the_start(site: Site, command: str) -> None:
    site.settings["MAILBOT_ALERT_COMMAND"] = command
    assert site.run("-m", "mailbot", "run") == 2
    assert "MAILBOT_ALERT_COMMAND" in site.log.read_text()
