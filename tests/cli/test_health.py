"""`mailbot health` for monitors, and `mailbot db upgrade`."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailbot.domain.ledger import FolderMemory
from mailbot.domain.troubles import TroubleKey
from tests.cli.command import run_mailbot, sample_settings
from tests.cli.conftest import Cli
from tests.flows.house import TestHouse, mail

KEYS = {
    *("last_collect_at", "oldest_pending_mail_at", "oldest_pending_letter_at", "quarantined", "needs_person"),
    *("disk_free_bytes", "problems"),
}


def remember_collect(house: TestHouse, at: datetime) -> None:
    memory = FolderMemory(
        mailbox="default", folder="INBOX", uid_validity=1, first_uid=1, floor_at=None, last_collect_at=at
    )
    with house.app.storage.write() as work:
        work.house.remember_folder(memory)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def test_a_house_that_works_has_no_problems(house: TestHouse, cli: Cli, now: datetime) -> None:
    remember_collect(house, now)
    ran = cli("health", "--json")
    assert set(ran.json) == KEYS
    assert ran.json["problems"] == []
    assert ran.json["last_collect_at"].startswith(now.isoformat()[:10])
    assert ran.json["disk_free_bytes"] > 0
    assert ran.exit_code == 0
    assert "all is well" in cli("health").stdout


def test_a_folder_that_nobody_looks_at_is_a_problem(house: TestHouse, cli: Cli, now: datetime) -> None:
    remember_collect(house, now - timedelta(hours=5))
    ran = cli("health", "--json")
    assert ran.exit_code == 1
    assert ["does the daemon run" in problem for problem in ran.json["problems"]] == [True]


def test_a_folder_that_was_never_collected_is_a_problem(house: TestHouse, cli: Cli) -> None:
    assert house.tickets() == []
    ran = cli("health", "--json")
    assert (ran.exit_code, ran.json["last_collect_at"]) == (1, None)


def test_quarantine_and_late_mail_need_a_look(house: TestHouse, cli: Cli, now: datetime) -> None:
    remember_collect(house, now)
    house.receive(mail("Oi", sender="a@example.com.br"), suspect="junk")
    house.collect(mail("Oi", sender="b@example.com.br"), received_at=now - timedelta(hours=3))
    ran = cli("health", "--json")
    assert ran.exit_code == 1
    assert ran.json["quarantined"] == 1
    assert ran.json["oldest_pending_mail_at"] is not None
    assert "quarantine" in " ".join(ran.json["problems"])
    assert "oldest pending mail has waited 3 hours" in " ".join(ran.json["problems"])


def test_a_server_that_is_away_ends_with_3(house: TestHouse, cli: Cli, now: datetime) -> None:
    remember_collect(house, now)
    with house.app.storage.write() as work:
        work.house.note_trouble(TroubleKey.parse("imap:default"), "no answer in time", now=now)
    ran = cli("health", "--json")
    assert ran.exit_code == 3
    assert "imap:default" in ran.json["problems"][0]


def test_without_a_database_nothing_is_made(tmp_path: Path) -> None:
    ran = run_mailbot("health", "--json", cwd=tmp_path, settings=sample_settings(tmp_path))
    assert ran.code == 1
    assert "never run" in ran.json["problems"][0]
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_cannot_be_opened_ends_with_3(tmp_path: Path) -> None:
    settings = sample_settings(tmp_path)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "mailbot.db").mkdir()
    ran = run_mailbot("health", "--json", cwd=tmp_path, settings=settings)
    assert ran.code == 3
    assert ran.json["problems"]


def test_without_a_mailbox_health_ends_with_2(tmp_path: Path) -> None:
    settings = sample_settings(tmp_path)
    del settings["MAILBOT_IMAP_URL"]
    ran = run_mailbot("health", "--json", cwd=tmp_path, settings=settings)
    assert (ran.code, ran.stdout) == (2, "")
    assert "MAILBOT_IMAP_URL" in ran.stderr


def test_db_upgrade_makes_the_schema_once(tmp_path: Path) -> None:
    settings = sample_settings(tmp_path)
    first = run_mailbot("db", "upgrade", "--json", cwd=tmp_path, settings=settings)
    second = run_mailbot("db", "upgrade", "--json", cwd=tmp_path, settings=settings)
    assert (first.code, first.json["before"], first.json["changed"]) == (0, None, True)
    assert second.json == {"before": first.json["after"], "after": first.json["after"], "changed": False}
    assert "already at" in run_mailbot("db", "upgrade", cwd=tmp_path, settings=settings).stdout


def test_limits_can_be_chosen(house: TestHouse, cli: Cli, now: datetime) -> None:
    remember_collect(house, now - timedelta(minutes=30))
    house.receive(mail("Oi", sender="a@example.com.br"), suspect="junk")
    house.collect(mail("Oi", sender="b@example.com.br"), received_at=now - timedelta(minutes=30))
    assert len(cli("health", "--json").json["problems"]) == 3
    patient = ("--max-collect-age", "40", "--max-mail-age", "40", "--max-quarantined", "1")
    assert cli("health", *patient).exit_code == 0
    assert cli("health", *patient[:4]).exit_code == 1
    assert cli("health", *patient[2:]).exit_code == 1
    assert cli("health", *patient[:2], *patient[4:]).exit_code == 1
    assert cli("health", "--max-mail-age", "0").exit_code == 2


def test_the_age_of_letters_has_a_limit_of_its_own(house: TestHouse, cli: Cli, now: datetime) -> None:
    remember_collect(house, now)
    house.clock.advance(now - house.clock.now() - timedelta(hours=2))
    house.receive(mail("Qual o prazo?"))
    assert cli("health", "--json").json["problems"] == ["the oldest pending letter has waited 2 hours"]
    assert cli("health", "--json", "--max-letter-age", "150").json["problems"] == []


def test_a_monitor_gets_one_line_with_figures_and_limits(house: TestHouse, cli: Cli, now: datetime) -> None:
    remember_collect(house, now - timedelta(seconds=90))
    house.collect(mail("Oi"), received_at=now - timedelta(hours=1))
    ran = cli("health", "--monitor")
    assert ran.exit_code == 1
    [line] = ran.stdout.splitlines()
    said, _, figures = line.partition(" | ")
    assert said.startswith("MAILBOT WARNING - the oldest pending mail has waited 60 minutes")
    values = dict(figure.split("=") for figure in figures.split())
    assert values.keys() == {"collect_age", "mail_age", "letter_age", "quarantined", "needs_person", "disk_free"}
    assert 90 <= int(values["collect_age"].partition("s;1200")[0]) < 120
    assert 3600 <= int(values["mail_age"].partition("s;900")[0]) < 3700
    assert values["letter_age"] == "0s;3600"


def test_a_monitor_sees_by_the_first_word_how_things_stand(house: TestHouse, cli: Cli, now: datetime) -> None:
    remember_collect(house, now)
    assert cli("health", "--monitor").stdout.startswith("MAILBOT OK - ")
    with house.app.storage.write() as work:
        work.house.note_trouble(TroubleKey.parse("imap:default"), "a | bar\nand a line", now=now)
    ran = cli("health", "--monitor")
    assert ran.exit_code == 3
    assert ran.stdout.startswith("MAILBOT UNREACHABLE - imap:default does not answer since ")
    assert ran.stdout.count("|") == len(ran.stdout.splitlines()) == 1


def test_a_daemon_that_writes_all_the_time_keeps_no_monitor_waiting(
    house: TestHouse, cli: Cli, now: datetime
) -> None:
    remember_collect(house, now)
    with house.app.storage.write() as work:
        work.house.note_trouble(TroubleKey.parse("imap:nobody"), "an uncommitted word", now=now)
        # Whoever waited for this writer would wait in vain.
        ran = cli("health", "--json", "--timeout", "60")
        assert (ran.exit_code, ran.json["problems"]) == (0, [])
        work.house.clear_trouble(TroubleKey.parse("imap:nobody"))


def test_a_database_that_does_not_answer_in_time_is_an_answer(
    house: TestHouse, cli: Cli, now: datetime, tmp_path: Path
) -> None:
    remember_collect(house, now)
    house.app.close()
    with closing(sqlite3.connect(tmp_path / "mailbot.db", isolation_level=None)) as other:
        # As a repair does, which lets nobody in.
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        ran = cli("health", "--json", "--timeout", "0.5")
        # The database itself would keep it waiting for 30 s.
        assert time.monotonic() - began < 25
        assert ran.exit_code == 3
        assert ran.json.keys() == KEYS
        assert ran.json["problems"] == ["no answer from the database or the disk within 0.5 s"]
        other.execute("ROLLBACK")
