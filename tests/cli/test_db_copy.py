"""`mailbot db copy`: the move from one database to another."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from mailbot.adapters.processes import this_process
from mailbot.adapters.storage import copying
from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.migrate import upgrade
from mailbot.adapters.storage.tables import inbound_mails, metadata, tickets
from mailbot.domain.troubles import TroubleKey
from tests.cli.command import REPOSITORY, run_mailbot
from tests.cli.conftest import Cli
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail
from tests.peers.postgresql import PostgreSQL
from tests.storage.rows import NOW, add_mails
from tests.storage.rows import mail as row

pytestmark = pytest.mark.postgresql

MANY = 2_500


@pytest.fixture
def url(postgresql: PostgreSQL) -> str:
    """An empty database."""
    return postgresql.new_database()


def fill(house: TestHouse) -> None:
    """Something in most tables, with what is hard to carry over."""
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    house.receive(
        mail("Olá\0 \ud83d\ude80 çãé 😀".encode("utf-8", "replace").decode(), sender="Zé <ze@example.com>")
    )
    with house.app.storage.write() as work:
        work.house.note_trouble(TroubleKey.parse("imap:default"), "away", now=NOW)


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    database = Database(url)
    try:
        with database.read() as connection:
            return {
                table.name: [tuple(one) for one in connection.execute(select(table).order_by(*table.primary_key))]
                for table in metadata.sorted_tables
            }
    finally:
        database.close()


def test_everything_comes_over_and_work_goes_on_there(house: TestHouse, cli: Cli, url: str) -> None:
    fill(house)
    before = contents(house.environment["MAILBOT_DATABASE_URL"])
    ran = cli("db", "copy", url, "--json")
    assert ran.exit_code == 0, ran.stderr
    said = ran.json
    assert said["rows"] == said["copied"] == sum(len(rows) for rows in before.values()) > 10
    assert (said["same"], said["resumed"]) == (True, False)
    assert {name: table["rows"] for name, table in said["tables"].items()} == {
        n: len(r) for n, r in before.items()
    }
    assert all(len(table["digest"]) == 64 for table in said["tables"].values())
    assert contents(url) == before
    # Work goes on, with numbers after those that came over.
    house.environment["MAILBOT_DATABASE_URL"] = url
    house.reopen()
    house.receive(mail("Qual o prazo?", subject="Dúvida", sender="nova@example.com"))
    assert [one.number[-1] for one in house.tickets()][-1] == str(len(before["tickets"]) + 1)
    assert max(one.id for one in house.mails()) == len(before["inbound_mails"]) + 1


def test_a_person_is_told_table_by_table_and_what_to_do_next(house: TestHouse, cli: Cli, url: str) -> None:
    fill(house)
    ran = cli("db", "copy", url)
    assert ran.exit_code == 0
    lines = ran.stdout.splitlines()
    assert len(lines) == len(metadata.sorted_tables) + 1
    assert lines[-1].endswith("Now set MAILBOT_DATABASE_URL to the new database.")


def test_it_goes_back_to_sqlite_as_well(
    house: TestHouse, cli: Cli, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(house)
    assert cli("db", "copy", url).exit_code == 0
    monkeypatch.setenv("MAILBOT_DATABASE_URL", url)
    back = f"sqlite:///{tmp_path / 'back' / 'mailbot.db'}"
    assert cli("db", "copy", back).exit_code == 0
    assert contents(back) == contents(house.environment["MAILBOT_DATABASE_URL"])


def test_broken_off_it_goes_on_where_it_was_and_no_daemon_begins_on_half_of_it(
    house: TestHouse, cli: Cli, url: str, tmp_path: Path
) -> None:
    source = Database(house.environment["MAILBOT_DATABASE_URL"])
    fill(house)
    with source.write() as connection:
        template = dict(connection.execute(select(inbound_mails).limit(1)).mappings().one())
        del template["id"]
        rows = [{**template, "uid": f"x{number}", "subject": "ç" * 500} for number in range(MANY)]
        connection.execute(insert(inbound_mails), rows)
    source.close()
    process = subprocess.Popen(
        [sys.executable, "-c", _STOPS_IN_THE_THIRD_BATCH, "db", "copy", url], cwd=tmp_path, stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin", **house.environment},
    )  # fmt: skip
    with process:
        assert process.stdout is not None and process.stdout.readline() == b"stopped\n"
        process.send_signal(signal.SIGKILL)
    target = Database(url)
    with target.read() as connection:
        arrived = connection.scalar(select(func.count()).select_from(inbound_mails)) or 0
    target.close()
    # The batch that was not committed is not there.
    assert arrived == 2 * copying.BATCH_ROWS < MANY
    refused = run_mailbot(
        "run", "--once", cwd=tmp_path, settings={**house.environment, "MAILBOT_DATABASE_URL": url}
    )
    assert (refused.code, "unfinished copy" in refused.stderr) == (2, True)
    ran = cli("db", "copy", url, "--json")
    assert ran.exit_code == 0
    assert (ran.json["resumed"], ran.json["same"]) == (True, True)
    assert ran.json["copied"] < ran.json["rows"] - arrived + 1
    assert contents(url) == contents(house.environment["MAILBOT_DATABASE_URL"])


_STOPS_IN_THE_THIRD_BATCH = """
import signal
from sqlalchemy import Engine, Insert, event
from mailbot.adapters.storage.tables import inbound_mails
from mailbot.cli.main import main

batches = 0

@event.listens_for(Engine, "after_execute")
def stop(connection, statement, *_):
    global batches
    batches += isinstance(statement, Insert) and statement.table is inbound_mails
    if batches == 3:
        print("stopped", flush=True)
        signal.pause()

main()
"""


def test_what_was_changed_between_two_runs_is_found_and_no_daemon_begins(
    house: TestHouse, cli: Cli, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(house)
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(copying, "compare", _break_off)
        cli("db", "copy", url)
    with house.app.database.write() as connection:
        connection.execute(text("UPDATE tickets SET title = 'changed meanwhile'"))
    ran = cli("db", "copy", url, "--json")
    assert ran.exit_code == 1
    assert [name for name, table in ran.json["tables"].items() if not table["same"]] == ["tickets"]
    monkeypatch.setenv("MAILBOT_DATABASE_URL", url)
    assert cli("tickets", "list").exit_code == 2


def _break_off(*_: object) -> None:
    raise RuntimeError("broken off")


def test_a_database_that_is_not_empty_is_left_alone(
    house: TestHouse, cli: Cli, url: str, postgresql: PostgreSQL
) -> None:
    fill(house)
    assert cli("db", "copy", url).exit_code == 0
    before = contents(url)
    ran = cli("db", "copy", url)
    assert (ran.exit_code, "is not empty" in ran.stderr) == (2, True)
    assert contents(url) == before
    foreign = postgresql.new_database()
    name = foreign.rpartition("/")[2]
    postgresql.run_sql("CREATE TABLE customers (id int)", database=name)
    ran = cli("db", "copy", foreign)
    assert (ran.exit_code, "not mailbot's" in ran.stderr) == (2, True)
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    assert postgresql.run_sql(tables, database=name) == [("customers",)]


def test_tables_that_are_there_and_empty_are_taken(house: TestHouse, cli: Cli, url: str) -> None:
    fill(house)
    made = Database(url)
    upgrade(made)
    made.close()
    assert cli("db", "copy", url).exit_code == 0


@pytest.mark.parametrize("hold", ["lease", "mail"])
def test_while_a_daemon_works_nothing_is_copied(house: TestHouse, cli: Cli, url: str, hold: str) -> None:
    now = datetime.now(UTC)
    # A process that lives: this one.
    owner = this_process()
    add_mails(house.app.storage, row(), now=now)
    with house.app.storage.write() as work:
        if hold == "lease":
            work.house.take_lease("upkeep", owner, real_now=now)
        else:
            work.mails.claim(owner=owner, mailboxes=["default"], now=now, real_now=now)
    ran = cli("db", "copy", url)
    assert (ran.exit_code, "stop it" in ran.stderr) == (2, True)
    database = Database(url)
    with database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")) == 0
    database.close()


def test_what_a_daemon_held_that_died_or_ended_long_ago_is_no_hindrance(
    house: TestHouse, cli: Cli, url: str
) -> None:
    dead = subprocess.run(
        [sys.executable, "-c", "from mailbot.adapters.processes import this_process; print(this_process())"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    now = datetime.now(UTC)
    with house.app.storage.write() as work:
        work.house.take_lease("upkeep", dead, real_now=now)
        work.house.take_lease("collect", "of another host", real_now=now - timedelta(minutes=5))
    assert cli("db", "copy", url).exit_code == 0


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (lambda house: house.environment["MAILBOT_DATABASE_URL"], 2),
        (lambda _: "mysql://root@127.0.0.1/mailbot", 2),
        (lambda _: "postgresql://mailbot@127.0.0.1:9/mailbot", 3),
    ],
    ids=["itself", "unknown", "away"],
)
def test_a_target_that_cannot_be_is_said(
    house: TestHouse, cli: Cli, target: Callable[[TestHouse], str], code: int
) -> None:
    fill(house)
    before = contents(house.environment["MAILBOT_DATABASE_URL"])
    ran = cli("db", "copy", target(house), "--json")
    assert (ran.exit_code, ran.stdout) == (code, "")
    assert contents(house.environment["MAILBOT_DATABASE_URL"]) == before


def test_nobody_writes_to_the_old_database_while_it_is_copied(
    house: TestHouse, cli: Cli, url: str, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(house)
    assert cli("db", "copy", url).exit_code == 0
    monkeypatch.setenv("MAILBOT_DATABASE_URL", url)
    name, waited = url.rpartition("/")[2], []
    compare = copying.compare

    def look(*arguments: object) -> object:
        query = f"SELECT mode FROM pg_locks WHERE relation = '{tickets.name}'::regclass"
        waited.extend(postgresql.run_sql(query, database=name))
        return compare(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(copying, "compare", look)
    assert json.loads(cli("db", "copy", postgresql.new_database(), "--json").stdout)["same"]
    assert ("ShareLock",) in waited
