"""``crowded``: intake with 100,000 tickets in the database against intake with none, in turn."""

from __future__ import annotations

import shutil
import sqlite3
import statistics
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.household import fill, run, scratch, settings_on
from tests.benchmarks.mix import make_mix
from tests.benchmarks.options import Options
from tests.benchmarks.report import Figure, say
from tests.peers.dovecot import Dovecot

_GOAL = 0.85
_TICKETS = 100_000
_MAILS = 800
_RUNS = 5
_PATTERN_MAILS = 40
# What must differ from row to row, and how: ``n`` counts the copies.
_OWN_VALUES = {
    "tickets": {
        "number": "printf('2025-%06d', n)",
        "requester_address": "'antigo' || (n % 30000) || '@example.com.br'",
        # Most of what lies there is history.
        "status": "CASE WHEN n % 50 THEN 'closed' ELSE pattern.status END",
    },
    "ticket_messages": {
        "id": "NULL",
        "ticket_number": "printf('2025-%06d', n)",
        "author_address": "'antigo' || (n % 30000) || '@example.com.br'",
        "message_id": "'<' || n || '@antigo.example.com.br>'",
        "mail_id": "NULL",
    },
    "ticket_events": {"id": "NULL", "ticket_number": "printf('2025-%06d', n)", "mail_id": "NULL"},
    "outbox": {
        "id": "NULL",
        "message_id": "'<carta.' || n || '@example.com.br>'",
        "handle": "printf('h%012d', n)",
        "recipient_address": "'antigo' || (n % 30000) || '@example.com.br'",
        "ticket_number": "printf('2025-%06d', n)",
        "mail_id": "NULL",
        "status": "'sent'",
        "due_at": "NULL",
        "created_at": "datetime('now', '-1 day', '-' || (n % 300) || ' days')",
    },
    "inbound_mails": {
        "id": "NULL",
        "uid": "'antigo' || n",
        "message_id": "'<' || n || '@antigo.example.com.br>'",
        "conversation_key": "'antigo' || (n % 30000) || '@example.com.br'",
        "from_address": "'antigo' || (n % 30000) || '@example.com.br'",
        "ticket_number": "printf('2025-%06d', n)",
    },
}


def crowded(options: Options, dovecot: Dovecot) -> Iterator[Figure]:
    """Median of five runs of 800 mails each, on a fresh database and on a full one in turn."""
    mails = min(_MAILS, options.mails)
    empty, full = [], []
    with scratch() as folder:
        pattern = _pattern(folder, dovecot)
        crowd = folder / "crowd.db"
        shutil.copyfile(pattern, crowd)
        _multiply(crowd)
        say(f"  a database with {_TICKETS} tickets: {crowd.stat().st_size / 1e6:.0f} MB")
        for number in range(max(_RUNS, options.runs)):
            empty.append(_rate(folder / f"empty{number}", pattern, mails, number, dovecot, move=False))
            full.append(_rate(folder / f"full{number}", crowd, mails, number, dovecot, move=True))
            say(f"  run {number + 1}: empty {empty[-1]:.0f} mails/s, crowded {full[-1]:.0f} mails/s")
    ratio = statistics.median(full) / statistics.median(empty)
    yield Figure(
        benchmark="crowded",
        what="throughput, as part of an empty one's",
        value=ratio,
        goal=f"≥ {_GOAL}",
        met=ratio >= _GOAL,
        detail=f"{statistics.median(full):.0f} of {statistics.median(empty):.0f} mails/s",
    )


def _pattern(folder: Path, dovecot: Dovecot) -> Path:
    """A database with a few real tickets, whose rows are the crowd's pattern."""
    home = folder / "pattern"
    home.mkdir()
    address = fill(dovecot, "bot", make_mix(_PATTERN_MAILS, "caixa@example.com.br", seed=7))
    run(["-m", "tests.benchmarks.intake_run"], settings_on(home, dovecot, None, address), home)
    path = home / "mailbot.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


def _multiply(path: Path) -> None:
    connection = sqlite3.connect(path)
    for table, own in _OWN_VALUES.items():
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        values = [own.get(column, f"pattern.{column}") for column in columns]
        quoted = ", ".join(f'"{column}"' for column in columns)
        rows = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        connection.execute(
            "WITH RECURSIVE counted(n) AS "
            f"(SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n < {_TICKETS - 1}), "
            f"pattern AS (SELECT *, row_number() OVER () - 1 AS place FROM {table}) "
            f"INSERT INTO {table} ({quoted}) SELECT {', '.join(values)} FROM counted "
            f"JOIN pattern ON pattern.place = n % {rows}"
        )
        connection.commit()
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _rate(home: Path, database: Path, mails: int, number: int, dovecot: Dovecot, *, move: bool) -> float:
    """Mails a second on a copy of the database, or (``move``) on the very one, which keeps the new tickets."""
    home.mkdir()
    address = fill(dovecot, "bot", make_mix(mails, "caixa@example.com.br", seed=100 + number))
    settings = settings_on(home, dovecot, None, address)
    own = database if move else Path(shutil.copyfile(database, home / "mailbot.db"))
    settings["MAILBOT_DATABASE_URL"] = f"sqlite:///{own}"
    _forget_mailbox(own)
    said = run(["-m", "tests.benchmarks.intake_run"], settings, home).said
    if said["processed"] != mails:
        raise AssertionError(f"the product did not do its work: {said}")
    return float(mails / said["seconds"])


def _forget_mailbox(path: Path) -> None:
    """The mailbox that is looked into now is another one under the old name."""
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM folders")
    connection.execute("DELETE FROM leases")
    connection.commit()
    connection.close()
